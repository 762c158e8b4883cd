#include "tools/openapi_tools.hpp"

#include "flowspan/value/value.hpp"
#include "infra/http/http_client.hpp"
#include "tools/http_reply.hpp"
#include "tools/mapped_tools.hpp"
#include "tools/openapi_document.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <utility>

namespace flowspan::tools {

namespace {

std::string percent_encode(std::string_view text) {
    constexpr std::string_view kUnreserved = "-._~";
    std::string out;
    for (const char c : text) {
        const bool is_kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                             (c >= '0' && c <= '9') ||
                             kUnreserved.find(c) != std::string_view::npos;
        if (is_kept) {
            out += c;
        } else {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return out;
}

// Text of an argument on the wire: JSON for what is no plain value, `true` rather than `True`.
std::string wire_text(const json::value& value) {
    const auto* text = value.if_string();
    return text != nullptr ? std::string(*text) : to_json_text(value);
}

void append_pair(std::string& out, std::string_view name, const json::value& value) {
    if (const auto* items = value.if_array()) {
        for (const auto& item : *items) {
            append_pair(out, name, item);
        }
        return;
    }
    if (!out.empty()) {
        out += '&';
    }
    out += percent_encode(name) + '=' + percent_encode(wire_text(value));
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
}

// A request put together argument by argument.
class RequestBuilder {
public:
    RequestBuilder(const Operation& operation, std::string_view server)
        : operation_(operation), path_(operation.path) {
        request_.method = operation.method;
        request_.url = server.ends_with('/') ? server.substr(0, server.size() - 1) : server;
    }

    Result<void> add(const ToolParameter& parameter, ParameterPlace place, json::value value) {
        switch (place) {
            case ParameterPlace::path:
                replace_all(path_, "{" + parameter.name + "}", percent_encode(wire_text(value)));
                break;
            case ParameterPlace::query:
                append_pair(query_, parameter.name, value);
                break;
            case ParameterPlace::header:
                request_.headers.emplace_back(parameter.name, wire_text(value));
                break;
            case ParameterPlace::cookie:
                cookie_ += (cookie_.empty() ? "" : "; ") + parameter.name + "=" +
                           percent_encode(wire_text(value));
                break;
            case ParameterPlace::body:
                if (parameter.type == ParameterType::file) {
                    return failure(
                        ErrorCode::unsupported,
                        fmt::format(
                            "parameter `{}` is an upload, which OpenAPI tools cannot send",
                            parameter.name
                        )
                    );
                }
                body_[parameter.name] = std::move(value);
                break;
        }
        return {};
    }

    http::HttpRequest finish() {
        request_.url += path_;
        if (!query_.empty()) {
            request_.url += (path_.find('?') == std::string::npos ? '?' : '&') + query_;
        }
        if (!cookie_.empty()) {
            request_.headers.emplace_back("Cookie", cookie_);
        }
        if (!operation_.body_type.empty()) {
            write_body();
        }
        return std::move(request_);
    }

private:
    void write_body() {
        const bool is_form = operation_.body_type == "application/x-www-form-urlencoded";
        request_.headers.emplace_back(
            "Content-Type", is_form ? operation_.body_type : std::string("application/json")
        );
        if (!is_form) {
            request_.body = to_json_text(body_);
            return;
        }
        for (const auto& member : body_) {
            append_pair(request_.body, member.key(), member.value());
        }
    }

    const Operation& operation_;
    std::string path_;
    std::string query_;
    std::string cookie_;
    json::object body_;
    http::HttpRequest request_;
};

class OpenApiTool final : public Tool {
public:
    OpenApiTool(
        ToolRef ref,
        const Operation& operation,
        std::string_view server,
        const OpenApiConfig& config,
        http::HttpClient& client
    )
        : operation_(operation), server_(server), config_(config), client_(client) {
        description_.ref = std::move(ref);
        description_.text = operation.description;
        description_.parameters = operation.parameters;
    }

    const ToolDescription& description() const noexcept override { return description_; }

    Task<Result<ToolReply>> invoke(json::object arguments, const ToolContext& /*context*/)
        const override {
        FLOWSPAN_CO_TRY(auto request, build(arguments));
        FLOWSPAN_CO_TRY(auto response, co_await client_.send(std::move(request)));
        co_return read_http_reply(std::move(response), ReplyForm::plain);
    }

private:
    [[nodiscard]] Result<http::HttpRequest> build(const json::object& arguments) const {
        RequestBuilder builder(operation_, server_);
        for (std::size_t index = 0; index < operation_.parameters.size(); ++index) {
            const auto& parameter = operation_.parameters[index];
            const auto* argument = arguments.if_contains(parameter.name);
            if (argument == nullptr || argument->is_null()) {
                if (!parameter.default_value.is_null()) {
                    argument = &parameter.default_value;
                } else if (parameter.is_required) {
                    return failure(Error(
                                       ErrorCode::invalid_input,
                                       fmt::format("Missing required parameter {}", parameter.name)
                    )
                                       .with_type("ToolParameterError"));
                } else {
                    continue;
                }
            }
            FLOWSPAN_TRY(auto value, cast_argument(parameter, *argument));
            if (auto added = builder.add(parameter, operation_.places[index], std::move(value));
                !added) {
                return failure(std::move(added).error());
            }
        }
        auto request = builder.finish();
        if (!config_.api_key.empty()) {
            request.headers.emplace_back(
                config_.api_key_header, config_.api_key_prefix + config_.api_key.reveal()
            );
        }
        request.total_timeout = config_.timeout;
        request.body_size_max = config_.output_bytes_max;
        request.should_follow_redirects = true;
        return request;
    }

    // The provider's, which outlives its tools.
    const Operation& operation_;
    std::string_view server_;
    const OpenApiConfig& config_;
    http::HttpClient& client_;
    ToolDescription description_;
};

Result<OpenApiDocument> load(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return failure(ErrorCode::invalid_input, "the file cannot be read");
    }
    return read_openapi(std::string(std::istreambuf_iterator<char>(file), {}));
}

class OpenApiTools final : public ToolProvider {
public:
    OpenApiTools(OpenApiConfig config, http::HttpClient& client)
        : config_(std::move(config)), client_(client), document_(load(config_.file)) {
        if (document_ && !config_.server.empty()) {
            document_->server = config_.server;
        }
    }

    Result<std::unique_ptr<const Tool>> find(const ToolRef& ref) const override {
        if (!matches_provider(config_.provider, ref)) {
            return nullptr;
        }
        if (!document_) {
            return failure(
                Error(document_.error()).while_doing(fmt::format("reading `{}`", config_.file))
            );
        }
        if (document_->server.empty()) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format("`{}` names no server; set `server` beside it", config_.file)
            );
        }
        for (const auto& operation : document_->operations) {
            if (operation.name == ref.tool) {
                return std::make_unique<OpenApiTool>(
                    ref, operation, document_->server, config_, client_
                );
            }
        }
        return nullptr;
    }

private:
    OpenApiConfig config_;
    http::HttpClient& client_;
    Result<OpenApiDocument> document_;
};

}  // namespace

std::unique_ptr<ToolProvider> make_openapi_tools(
    OpenApiConfig config, http::HttpClient& http_client
) {
    return std::make_unique<OpenApiTools>(std::move(config), http_client);
}

}  // namespace flowspan::tools
