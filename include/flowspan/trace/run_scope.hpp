#pragma once
// RunScope: what all spans of a run share. It travels with the task, like the current context.

#include "flowspan/trace/content.hpp"
#include "flowspan/trace/redactor.hpp"

#include <memory>
#include <string>
#include <vector>

namespace flowspan::trace {

/// Facts of one run that spans below the business layer do not carry, but that decide what may be
/// recorded of them and where they are filed.
struct RunScope {
    std::string app_id = {};
    std::string app_name = {};
    std::string app_mode = {};
    std::string run_id = {};      ///< empty until the run is accepted
    std::string session_id = {};  ///< the conversation; empty if there is none
    std::string user_id = {};
    std::string invoke_from = {};
    std::vector<std::string> tags = {};
    ContentModes modes = {};  ///< what is recorded; readers may be shown less
    std::shared_ptr<const Redactor> redactor = {};
};

using RunScopePtr = std::shared_ptr<const RunScope>;

/// Of the running task; null outside of runs.
[[nodiscard]] RunScopePtr current_run_scope() noexcept;

/// Gives the running task a scope, and the children that it starts meanwhile. Used inside one task;
/// may live across co_await.
class CurrentRunScope {
public:
    explicit CurrentRunScope(RunScopePtr scope);
    ~CurrentRunScope();
    CurrentRunScope(const CurrentRunScope&) = delete;
    CurrentRunScope& operator=(const CurrentRunScope&) = delete;

private:
    RunScopePtr previous_;
};

}  // namespace flowspan::trace
