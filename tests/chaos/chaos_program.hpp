#pragma once
// A program as the command line plugs it together, with disorder between the engine and the spans.

#include "agent/agent.hpp"
#include "cli/app_caller.hpp"
#include "flowspan/trace/capture_policy.hpp"
#include "infra/http/http_client.hpp"
#include "infra/sandbox/sandbox.hpp"
#include "knowledge/knowledge_store.hpp"
#include "model/chat_model.hpp"
#include "nodes/file_store.hpp"
#include "nodes/registry.hpp"
#include "observe/observability_layer.hpp"
#include "service/app_generate_service.hpp"
#include "tests/chaos/disorder_layer.hpp"
#include "tools/tool.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::chaos {

struct ProgramOptions {
    std::string server_url;  ///< of the model server
    std::string knowledge_path;
    std::string inner_app;  ///< the file that the tool `inner` runs
    DisorderOptions disorder;
};

class ChaosProgram {
public:
    explicit ChaosProgram(const ProgramOptions& options);
    ~ChaosProgram();
    ChaosProgram(const ChaosProgram&) = delete;
    ChaosProgram& operator=(const ChaosProgram&) = delete;

    [[nodiscard]] service::AppGenerateService& generate_service() noexcept {
        return *traced_generate_;
    }

    [[nodiscard]] const engine::NodeFactory& factory() const noexcept { return *registry_; }

    [[nodiscard]] const observe::ObservabilityLayer& observability() const noexcept {
        return observability_;
    }

    [[nodiscard]] const DisorderLayer& disorder() const noexcept { return disorder_; }

private:
    trace::CapturePolicy policy_;
    std::unique_ptr<http::HttpClient> http_client_;
    std::unique_ptr<infra::sandbox::Sandbox> sandbox_;
    std::unique_ptr<model::ChatModel> model_;
    std::unique_ptr<model::ChatModel> traced_model_;
    std::unique_ptr<nodes::FileStore> files_;
    cli::AppCaller app_caller_{{}};
    std::unique_ptr<tools::ToolProvider> tools_;
    std::unique_ptr<tools::ToolProvider> traced_tools_;
    std::unique_ptr<agent::AgentRound> round_;
    std::unique_ptr<agent::AgentRound> traced_round_;
    std::unique_ptr<agent::Agent> agent_;
    std::unique_ptr<agent::Agent> traced_agent_;
    std::unique_ptr<knowledge::KnowledgeStore> knowledge_;
    std::unique_ptr<knowledge::KnowledgeStore> traced_knowledge_;
    std::unique_ptr<nodes::Registry> registry_;
    observe::ObservabilityLayer observability_;
    DisorderLayer disorder_;
    service::RunnerServices services_;
    std::unique_ptr<service::AppRunner> workflow_;
    std::unique_ptr<service::AppRunner> chat_;
    std::unique_ptr<service::AppRunner> traced_workflow_;
    std::unique_ptr<service::AppRunner> traced_chat_;
    std::unique_ptr<service::AppGenerateService> generate_;
    std::unique_ptr<service::AppGenerateService> traced_generate_;
};

}  // namespace flowspan::chaos
