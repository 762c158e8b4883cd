#pragma once
// What an http-request node sends: its data with variables put in.

#include "dsl/data_reader.hpp"
#include "flowspan/engine/node.hpp"
#include "flowspan/value/text_template.hpp"
#include "infra/http/http_types.hpp"
#include "nodes/services.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::http_request {

enum class AuthorizationType : std::uint8_t { none, basic, bearer, custom };

enum class BodyType : std::uint8_t { none, form_data, form_urlencoded, raw_text, json, binary };

struct BodyItem {
    bool is_file = false;
    value::TextTemplate key;
    value::TextTemplate value;
    value::Selector file;
};

struct RequestConfig {
    std::string method;  ///< upper case
    value::TextTemplate url;
    std::vector<std::pair<value::TextTemplate, value::TextTemplate>> params;
    value::TextTemplate headers;
    AuthorizationType authorization = AuthorizationType::none;
    value::TextTemplate api_key;
    value::TextTemplate authorization_header;
    BodyType body_type = BodyType::none;
    std::vector<BodyItem> body;
    std::optional<std::chrono::milliseconds> connect_timeout;
    std::optional<std::chrono::milliseconds> read_timeout;
    bool should_verify_tls = true;
};

[[nodiscard]] RequestConfig read_request_config(const dsl::DataReader& reader);

struct BuiltRequest {
    http::HttpRequest request;
    std::string log_text;  ///< the request as HTTP writes it, secrets and files masked
    std::string log_url;   ///< secrets masked
};

/// Errors have the types `AuthorizationConfigError`, `InvalidURLError`, `RequestBodyError`,
/// `FileFetchError` and `InvalidHttpMethodError`.
[[nodiscard]] Task<Result<BuiltRequest>> build_request(
    engine::NodeContext& context, const Services& services, const RequestConfig& config
);

}  // namespace flowspan::nodes::http_request
