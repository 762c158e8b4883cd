#include "tools/mapped_tools.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/value.hpp"
#include "infra/http/http_client.hpp"
#include "tools/child_process.hpp"
#include "tools/http_reply.hpp"
#include "tools/tool_reply.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::tools {

namespace {

std::string request_text(const ToolRef& ref, json::object arguments) {
    json::object request{
        {"provider", ref.provider_id.empty() ? ref.provider_name : ref.provider_id},
        {"tool", ref.tool},
        {"parameters", std::move(arguments)},
    };
    return to_json_text(request);
}

class MappedTool : public Tool {
public:
    MappedTool(ToolRef ref, const ToolMapping& mapping) : mapping_(mapping) {
        description_.ref = std::move(ref);
    }

    const ToolDescription& description() const noexcept override { return description_; }

protected:
    [[nodiscard]] const ToolMapping& mapping() const noexcept { return mapping_; }

private:
    ToolDescription description_;
    // The provider's, which outlives its tools.
    const ToolMapping& mapping_;
};

class HttpTool final : public MappedTool {
public:
    HttpTool(ToolRef ref, const ToolMapping& mapping, http::HttpClient& client)
        : MappedTool(std::move(ref), mapping), client_(client) {}

    Task<Result<ToolReply>> invoke(json::object arguments, const ToolContext& /*context*/)
        const override {
        http::HttpRequest request;
        request.method = "POST";
        request.url = mapping().url;
        request.headers.emplace_back("Content-Type", "application/json");
        request.headers.emplace_back("Accept", "application/json, text/*;q=0.9, */*;q=0.5");
        if (!mapping().api_key.empty()) {
            request.headers.emplace_back("Authorization", "Bearer " + mapping().api_key.reveal());
        }
        request.body = request_text(description().ref, std::move(arguments));
        request.total_timeout = mapping().timeout;
        request.body_size_max = mapping().output_bytes_max;
        FLOWSPAN_CO_TRY(auto response, co_await client_.send(std::move(request)));
        co_return read_http_reply(std::move(response), ReplyForm::messages);
    }

private:
    http::HttpClient& client_;
};

class CommandTool final : public MappedTool {
public:
    using MappedTool::MappedTool;

    Task<Result<ToolReply>> invoke(json::object arguments, const ToolContext& /*context*/)
        const override {
        ProcessRequest request;
        request.command = mapping().command;
        request.input = request_text(description().ref, std::move(arguments));
        request.timeout = mapping().timeout;
        request.output_bytes_max = mapping().output_bytes_max;
        FLOWSPAN_CO_TRY(auto reply, co_await run_process(std::move(request)));
        if (reply.exit_code != 0) {
            co_return failure(
                Error(
                    ErrorCode::remote_failure,
                    fmt::format(
                        "`{}` ended with exit code {}", mapping().command[0], reply.exit_code
                    )
                )
                    .with_detail(to_valid_utf8(trim(reply.errors)))
            );
        }
        co_return read_tool_reply(reply.output);
    }
};

bool is_file_item(const json::value& item) {
    return value::is_file_record(item);
}

// Files come as files, the other outputs as variables, and all of them as text and JSON.
ToolReply reply_of_workflow(WorkflowReply inner) {
    ToolReply reply;
    json::object rest;
    for (const auto& output : inner.outputs) {
        const auto& data = output.value();
        const auto* list = data.if_array();
        if (is_file_item(data)) {
            reply.messages.emplace_back(FileMessage{.record = data.get_object()});
            continue;
        }
        if (list != nullptr && !list->empty() && is_file_item(list->front())) {
            for (const auto& item : *list) {
                if (is_file_item(item)) {
                    reply.messages.emplace_back(FileMessage{.record = item.get_object()});
                }
            }
            continue;
        }
        rest[output.key()] = data;
        const std::string_view name = output.key();
        if (name != "text" && name != "json" && name != "files") {
            reply.messages.emplace_back(VariableMessage{std::string(name), data});
        }
    }
    reply.messages.emplace_back(TextMessage{value::python_json(rest)});
    reply.messages.emplace_back(JsonMessage{std::move(rest)});
    reply.usage = std::move(inner.usage);
    return reply;
}

class WorkflowTool final : public MappedTool {
public:
    WorkflowTool(ToolRef ref, const ToolMapping& mapping, WorkflowCaller& caller)
        : MappedTool(std::move(ref), mapping), caller_(caller) {}

    Task<Result<ToolReply>> invoke(json::object arguments, const ToolContext& context)
        const override {
        FLOWSPAN_CO_TRY(
            auto reply, co_await caller_.call({mapping().app, std::move(arguments), context})
        );
        co_return reply_of_workflow(std::move(reply));
    }

private:
    WorkflowCaller& caller_;
};

class MappedTools final : public ToolProvider {
public:
    MappedTools(std::vector<ToolMapping> mappings, ToolServices services)
        : mappings_(std::move(mappings)), services_(services) {}

    Result<std::unique_ptr<const Tool>> find(const ToolRef& ref) const override {
        for (const auto& mapping : mappings_) {
            if (matches_provider(mapping.provider, ref) && matches_glob(mapping.tool, ref.tool)) {
                return make(ref, mapping);
            }
        }
        return nullptr;
    }

private:
    Result<std::unique_ptr<const Tool>> make(const ToolRef& ref, const ToolMapping& mapping) const {
        const int targets = (mapping.url.empty() ? 0 : 1) + (mapping.command.empty() ? 0 : 1) +
                            (mapping.app.empty() ? 0 : 1);
        if (targets != 1) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format(
                    "the mapping of `{}/{}` in flowspan.toml needs exactly one of `url`, `command` "
                    "and `app`",
                    mapping.provider,
                    mapping.tool
                )
            );
        }
        if (!mapping.url.empty()) {
            return std::make_unique<HttpTool>(ref, mapping, services_.http_client);
        }
        if (!mapping.command.empty()) {
            return std::make_unique<CommandTool>(ref, mapping);
        }
        if (services_.workflow_caller == nullptr) {
            return failure(ErrorCode::unsupported, "workflows cannot be used as tools here");
        }
        return std::make_unique<WorkflowTool>(ref, mapping, *services_.workflow_caller);
    }

    std::vector<ToolMapping> mappings_;
    ToolServices services_;
};

}  // namespace

bool matches_glob(std::string_view pattern, std::string_view text) noexcept {
    std::size_t at = 0;
    std::size_t next = 0;
    // Where to go on after the last star took one character more.
    std::size_t star = std::string_view::npos;
    std::size_t resume = 0;
    while (next < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            resume = next;
        } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == text[next])) {
            ++at;
            ++next;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            next = ++resume;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

bool matches_provider(std::string_view pattern, const ToolRef& ref) noexcept {
    const std::string_view id = ref.provider_id;
    return matches_glob(pattern, id) || matches_glob(pattern, ref.provider_name) ||
           matches_glob(pattern, id.substr(id.rfind('/') + 1));
}

std::unique_ptr<ToolProvider> make_mapped_tools(
    std::vector<ToolMapping> mappings, ToolServices services
) {
    return std::make_unique<MappedTools>(std::move(mappings), services);
}

}  // namespace flowspan::tools
