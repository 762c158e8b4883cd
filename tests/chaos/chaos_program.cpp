#include "tests/chaos/chaos_program.hpp"

#include "model/router.hpp"
#include "observe/app_handlers.hpp"
#include "observe/traced_agent.hpp"
#include "observe/traced_chat_model.hpp"
#include "observe/traced_knowledge.hpp"
#include "observe/traced_tools.hpp"
#include "tools/tool_registry.hpp"

#include <utility>

namespace flowspan::chaos {

namespace {

model::ModelsConfig models_config(const ProgramOptions& options) {
    model::ModelsConfig config;
    auto& endpoint = config.default_endpoint.emplace();
    endpoint.base_url = options.server_url + "/v1";
    endpoint.provider_name = "scripted";
    return config;
}

tools::ToolsConfig tools_config(const ProgramOptions& options) {
    tools::ToolsConfig config;
    config.map.push_back({.provider = "inner-app", .app = options.inner_app});
    return config;
}

knowledge::KnowledgeConfig knowledge_config(const ProgramOptions& options) {
    knowledge::KnowledgeConfig config;
    config.path = options.knowledge_path;
    return config;
}

}  // namespace

ChaosProgram::ChaosProgram(const ProgramOptions& options)
    : http_client_(http::make_http_client({.proxy = ""})),
      sandbox_(infra::sandbox::make_sandbox({})),
      model_(
          model::make_chat_model(models_config(options), *http_client_, real_clock(), real_random())
      ),
      traced_model_(observe::trace_chat_model(*model_, policy_)),
      files_(nodes::make_file_store({}, *http_client_, real_random())),
      tools_(tools::make_tool_registry(
          tools_config(options), {*http_client_, real_clock(), &app_caller_}
      )),
      traced_tools_(observe::trace_tools(*tools_, policy_)),
      round_(agent::make_agent_round(*traced_model_, real_random())),
      traced_round_(observe::trace_agent_round(*round_)),
      agent_(agent::make_agent(*traced_round_)),
      traced_agent_(observe::trace_agent(*agent_, *model_, policy_)),
      knowledge_(
          knowledge::make_sqlite_store(knowledge_config(options), real_clock(), real_random())
      ),
      traced_knowledge_(observe::trace_knowledge(*knowledge_, policy_)),
      registry_(std::make_unique<nodes::Registry>(nodes::Services{
          .chat_model = *traced_model_,
          .http_client = *http_client_,
          .sandbox = *sandbox_,
          .file_store = *files_,
          .clock = real_clock(),
          .random = real_random(),
          .tools = traced_tools_.get(),
          .agent = traced_agent_.get(),
          .knowledge = traced_knowledge_.get(),
      })),
      observability_(policy_),
      disorder_(observability_, options.disorder),
      services_{real_clock(), real_random(), {&disorder_}, engine::RunLimits{}},
      workflow_(service::make_workflow_app_runner(services_)),
      chat_(service::make_advanced_chat_app_runner(services_)),
      traced_workflow_(observe::trace_app_runner(*workflow_, "WorkflowAppRunner", policy_)),
      traced_chat_(observe::trace_app_runner(*chat_, "AdvancedChatAppRunner", policy_)),
      generate_(
          service::make_app_generate_service({*traced_workflow_, *traced_chat_}, real_random())
      ),
      traced_generate_(observe::trace_generate_service(*generate_, policy_)) {
    app_caller_.connect(*traced_generate_, *registry_);
}

ChaosProgram::~ChaosProgram() = default;

}  // namespace flowspan::chaos
