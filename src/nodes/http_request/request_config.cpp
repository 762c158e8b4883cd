// Reading an http-request node's data.

#include "flowspan/base/text.hpp"
#include "nodes/http_request/request.hpp"

#include <algorithm>
#include <string_view>

namespace flowspan::nodes::http_request {

namespace {

std::string read_method(const dsl::DataReader& reader) {
    auto method = reader.required_text("method");
    std::ranges::transform(method, method.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    constexpr std::string_view kMethods[] = {
        "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"
    };
    if (!method.empty() && std::ranges::find(kMethods, method) == std::end(kMethods)) {
        reader.report("method", "must be get, post, put, patch, delete, head or options");
    }
    return method;
}

void read_authorization(const dsl::DataReader& reader, RequestConfig& config) {
    const auto authorization = reader.object("authorization");
    const bool has_key =
        authorization.enumeration("type", {{"no-auth", false}, {"api-key", true}}, false);
    if (!has_key) {
        return;
    }
    const auto settings = authorization.required_object("config");
    config.authorization = settings.required_enumeration(
        "type",
        {{"basic", AuthorizationType::basic},
         {"bearer", AuthorizationType::bearer},
         {"custom", AuthorizationType::custom}},
        AuthorizationType::bearer
    );
    config.api_key = settings.text_template("api_key");
    config.authorization_header = settings.text_template("header");
}

void read_body(const dsl::DataReader& reader, RequestConfig& config) {
    const auto body = reader.object("body");
    if (!body.exists() || body.text("type").empty()) {
        return;
    }
    config.body_type = body.enumeration(
        "type",
        {{"none", BodyType::none},
         {"form-data", BodyType::form_data},
         {"x-www-form-urlencoded", BodyType::form_urlencoded},
         {"raw-text", BodyType::raw_text},
         {"json", BodyType::json},
         {"binary", BodyType::binary}},
        BodyType::none
    );
    const auto* data = body.find("data");
    if (data != nullptr && data->is_string()) {
        // The shape of old files.
        if (!data->get_string().empty()) {
            BodyItem item;
            item.value = value::TextTemplate(data->get_string());
            config.body.push_back(std::move(item));
        }
        return;
    }
    for (const auto& entry : body.objects("data")) {
        BodyItem item;
        item.is_file = entry.enumeration("type", {{"text", false}, {"file", true}}, false);
        item.key = entry.text_template("key");
        item.value = entry.text_template("value");
        item.file = entry.selector("file");
        config.body.push_back(std::move(item));
    }
}

// Seconds; 0 and null mean the default.
std::optional<std::chrono::milliseconds> read_timeout(
    const dsl::DataReader& timeout, std::string_view key
) {
    const auto seconds = timeout.optional_number(key).value_or(0);
    if (seconds < 0) {
        timeout.report(key, "must not be negative");
    }
    // A day is longer than any run may last.
    return seconds <= 0 ? std::nullopt
                        : std::optional(std::chrono::milliseconds(
                              static_cast<std::int64_t>(std::min(seconds, 86'400.0) * 1000)
                          ));
}

}  // namespace

RequestConfig read_request_config(const dsl::DataReader& reader) {
    RequestConfig config;
    config.method = read_method(reader);
    config.url = reader.required_text_template("url");
    const auto params = reader.text("params");
    for (const auto line : split(params, '\n')) {
        const auto bare = trim(line);
        const auto colon = bare.find(':');
        const auto key = trim(bare.substr(0, colon));
        const auto value = colon == std::string_view::npos ? "" : trim(bare.substr(colon + 1));
        if (!key.empty()) {
            config.params.emplace_back(value::TextTemplate(key), value::TextTemplate(value));
        }
    }
    config.headers = reader.text_template("headers");
    read_authorization(reader, config);
    read_body(reader, config);
    const auto timeout = reader.object("timeout");
    config.connect_timeout = read_timeout(timeout, "connect");
    config.read_timeout = read_timeout(timeout, "read");
    config.should_verify_tls = reader.boolean("ssl_verify", true);
    return config;
}

}  // namespace flowspan::nodes::http_request
