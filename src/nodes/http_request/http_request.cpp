// Calls an HTTP server and hands on its reply.

#include "flowspan/base/text.hpp"
#include "infra/http/http_client.hpp"
#include "nodes/file_store.hpp"
#include "nodes/http_request/request.hpp"
#include "nodes/http_request/response.hpp"
#include "nodes/node_kind.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace flowspan::nodes::http_request {

namespace {

struct Config {
    RequestConfig request;
    /// Retries or an error strategy of the node's own: a bad status is a failure then.
    bool is_status_checked = false;
    bool has_retries = false;
};

class HttpRequestNode final : public engine::Node {
public:
    HttpRequestNode(Config config, const Services& services)
        : config_(std::move(config)), services_(services) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        FLOWSPAN_CO_TRY(auto built, co_await build_request(context, services_, config_.request));
        auto& record = context.record();
        record.process_data["request"] = built.log_text;
        engine::HttpFacts facts{config_.request.method, std::move(built.log_url), 0};
        record.facts = facts;
        auto& request = built.request;
        const auto& limits = services_.limits;
        request.body_size_max = std::max(limits.http_file_size_max, limits.http_text_size_max);
        request.transport_retries_max = config_.has_retries ? 0 : limits.http_transport_retries_max;
        auto response = co_await services_.http_client.send(std::move(request));
        if (!response) {
            co_return failure(as_node_error(std::move(response).error()));
        }
        facts.status_code = response->status;
        record.facts = std::move(facts);
        const bool is_kept_as_file = is_file(*response);
        if (auto checked = check_size(response->body.size(), is_kept_as_file); !checked) {
            co_return failure(std::move(checked).error());
        }
        if (!response->is_success() && config_.is_status_checked) {
            co_return failure(
                Error(
                    ErrorCode::remote_failure,
                    fmt::format("Request failed with status code {}", response->status)
                )
                    .with_type("HTTPResponseCodeError")
            );
        }
        co_return co_await conclude(*std::move(response), is_kept_as_file);
    }

private:
    static Error as_node_error(Error error) {
        error.type =
            error.code == ErrorCode::limit_exceeded ? "ResponseSizeError" : "HttpRequestNodeError";
        return error;
    }

    [[nodiscard]] Result<void> check_size(std::size_t size, bool is_kept_as_file) const {
        const auto& limits = services_.limits;
        const auto size_max =
            is_kept_as_file ? limits.http_file_size_max : limits.http_text_size_max;
        if (size <= size_max) {
            return {};
        }
        return failure(
            Error(
                ErrorCode::limit_exceeded,
                fmt::format(
                    "{} size is too large, max size is {:.2f} MB, but current size is {}.",
                    is_kept_as_file ? "File" : "Text",
                    static_cast<double>(size_max) / 1024 / 1024,
                    readable_size(size)
                )
            )
                .with_type("ResponseSizeError")
        );
    }

    Task<Result<engine::NodeOutcome>> conclude(http::HttpResponse response, bool is_kept_as_file)
        const {
        engine::NodeOutcome outcome;
        outcome.outputs.push_back({"status_code", value::Value::integer(response.status)});
        outcome.outputs.push_back(
            {"body", value::Value::string(is_kept_as_file ? "" : read_text(response))}
        );
        outcome.outputs.push_back({"headers", value::Value(to_json(response.headers))});
        json::array files;
        if (is_kept_as_file) {
            FLOWSPAN_CO_TRY(
                auto record, co_await services_.file_store.save(to_file(std::move(response)))
            );
            files.emplace_back(std::move(record));
        }
        outcome.outputs.push_back(
            {"files", value::Value::unchecked(std::move(files), value::ValueType::array_file)}
        );
        co_return outcome;
    }

    static json::value to_json(const http::Headers& headers) {
        json::object object;
        for (const auto& [name, value] : headers) {
            auto& entry = object[to_lower_ascii(name)];
            const auto text = to_valid_utf8(value);
            if (entry.is_string()) {
                entry.get_string().append(", ").append(text);
            } else {
                entry = text;
            }
        }
        return object;
    }

    Config config_;
    Services services_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    Config config;
    config.request = read_request_config(reader);
    config.has_retries = reader.object("retry_config").boolean("retry_enabled", false);
    const auto strategy = reader.text("error_strategy");
    config.is_status_checked = config.has_retries || (!strategy.empty() && strategy != "none");
    return reader.is_valid() ? std::make_unique<HttpRequestNode>(std::move(config), services)
                             : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "http-request",
        .description = "Calls an HTTP server and hands on status, headers and body.",
        .traits = {.is_retryable = true},
        .config =
            {{"method", "get, post, put, patch, delete or head", "The HTTP method.", true},
             {"url", "template", "Where to; starts with http:// or https://.", true},
             {"headers", "template", "One `name: value` a line."},
             {"params", "template", "Query parameters, one `name: value` a line."},
             {"authorization", "{type, config}", "No authorization, or an API key."},
             {"body", "{type, data}", "None, a form, multipart, text, JSON or a file."},
             {"timeout", "{connect, read, write}", "Seconds; 0 is the default."},
             {"ssl_verify", "bool", "Whether certificates are checked."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::http_request
