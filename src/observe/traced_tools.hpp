#pragma once
// `execute_tool {tool}` spans around the tools of any ToolProvider.

#include "flowspan/trace/capture_policy.hpp"
#include "tools/tool.hpp"

#include <memory>

namespace flowspan::observe {

/// `inner` and `policy` must outlive the result and its tools.
[[nodiscard]] std::unique_ptr<tools::ToolProvider> trace_tools(
    tools::ToolProvider& inner, const trace::CapturePolicy& policy
);

}  // namespace flowspan::observe
