#pragma once
// Runs another app for a tool; whoever owns the service layer implements it.

#include "flowspan/async/task.hpp"
#include "flowspan/base/json.hpp"
#include "tools/tool.hpp"

#include <string>

namespace flowspan::tools {

struct WorkflowCall {
    std::string app_file;
    json::object inputs;
    ToolContext context;  ///< of the calling run; the inner run is one deeper
};

struct WorkflowReply {
    json::object outputs;
    ToolUsage usage;
};

/// Safe to call from any task on any loop.
class WorkflowCaller {
public:
    virtual ~WorkflowCaller() = default;

    /// A run that fails, stops or pauses is an error, and so are inputs that the app's form refuses
    /// and a chain of calls that is too deep.
    [[nodiscard]] virtual Task<Result<WorkflowReply>> call(WorkflowCall call) = 0;
};

}  // namespace flowspan::tools
