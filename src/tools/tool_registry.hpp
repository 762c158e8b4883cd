#pragma once
// All tools of the program behind one ToolProvider, as flowspan.toml maps them.

#include "flowspan/base/clock.hpp"
#include "tools/tool.hpp"
#include "tools/tools_config.hpp"
#include "tools/workflow_caller.hpp"

#include <memory>

namespace flowspan::http {
class HttpClient;
}

namespace flowspan::tools {

/// Everything here must outlive the registry and its tools.
struct ToolServices {
    http::HttpClient& http_client;
    const Clock& clock;
    WorkflowCaller* workflow_caller = nullptr;  ///< null: no workflow can be used as a tool
};

/// Reads the OpenAPI documents at once; one that cannot be read is an error of its tools. Adding a
/// provider is one line here.
[[nodiscard]] std::unique_ptr<ToolProvider> make_tool_registry(
    ToolsConfig config, ToolServices services
);

}  // namespace flowspan::tools
