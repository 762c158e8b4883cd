#pragma once
// Runs an app file for a tool, through the same service as every other run.

#include "engine/graph.hpp"
#include "flowspan/base/secret.hpp"
#include "service/app_generate_service.hpp"
#include "tools/workflow_caller.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace flowspan::cli {

/// Files are loaded on first use and kept.
class AppCaller final : public tools::WorkflowCaller {
public:
    /// `environment` holds values for the apps' environment variables.
    explicit AppCaller(std::map<std::string, Secret> environment)
        : environment_(std::move(environment)) {}

    /// Both must outlive every call. The service itself needs nodes that need this, so it comes
    /// later; without it calls fail.
    void connect(service::AppGenerateService& service, const engine::NodeFactory& factory);

    [[nodiscard]] Task<Result<tools::WorkflowReply>> call(tools::WorkflowCall call) override;

private:
    using AppPtr = std::shared_ptr<const service::LoadedApp>;
    [[nodiscard]] Result<AppPtr> load(const std::string& file);

    std::map<std::string, Secret> environment_;
    service::AppGenerateService* service_ = nullptr;
    const engine::NodeFactory* factory_ = nullptr;
    std::mutex mutex_;  // guards apps_; never held while loading
    std::map<std::string, AppPtr> apps_;
};

}  // namespace flowspan::cli
