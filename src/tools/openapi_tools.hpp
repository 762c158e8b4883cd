#pragma once
// Tools from OpenAPI 3 documents.

#include "tools/tool.hpp"
#include "tools/tools_config.hpp"

#include <memory>

namespace flowspan::http {
class HttpClient;
}

namespace flowspan::tools {

/// Reads the document at once; if that fails, the tools of the provider are errors. `http_client`
/// must outlive the tools.
[[nodiscard]] std::unique_ptr<ToolProvider> make_openapi_tools(
    OpenApiConfig config, http::HttpClient& http_client
);

}  // namespace flowspan::tools
