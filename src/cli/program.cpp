#include "cli/program.hpp"

#include "cli/app_caller.hpp"
#include "cli/trace_setup.hpp"
#include "infra/http/http_client.hpp"
#include "infra/sandbox/sandbox.hpp"
#include "knowledge/reranking_store.hpp"
#include "model/router.hpp"
#include "nodes/registry.hpp"
#include "observe/app_handlers.hpp"
#include "observe/measured.hpp"
#include "observe/measured_search_models.hpp"
#include "observe/metrics_layer.hpp"
#include "observe/observability_layer.hpp"
#include "observe/run_log_layer.hpp"
#include "observe/traced_agent.hpp"
#include "observe/traced_chat_model.hpp"
#include "observe/traced_knowledge.hpp"
#include "observe/traced_search_models.hpp"
#include "observe/traced_tools.hpp"
#include "tools/tool_registry.hpp"

#include <optional>
#include <utility>

namespace flowspan::cli {

namespace {

service::RunnerServices make_runner_services(
    const LimitSettings& limits, std::vector<engine::Layer*> layers
) {
    return {
        real_clock(),
        real_random(),
        std::move(layers),
        engine::RunLimits{limits.steps_max, limits.time_max},
    };
}

/// What measures runs; everything null while nobody wants metrics.
struct Meters {
    explicit Meters(trace::MetricRegistry* into) : registry(into) {
        if (registry != nullptr) {
            instruments.emplace(*registry);
            layer.emplace(*instruments, real_clock());
        }
    }

    trace::MetricRegistry* registry;
    std::optional<observe::Instruments> instruments;
    std::optional<observe::MetricsLayer> layer;
};

/// `inner` itself, or what `measure` makes of it and keeps in `owner`.
template <class Interface, class Measure>
Interface& measured(
    Interface& inner, std::unique_ptr<Interface>& owner, Meters& meters, Measure measure
) {
    if (!meters.instruments) {
        return inner;
    }
    owner = measure(inner, *meters.instruments);
    return *owner;
}

// The spans come first, so that what is measured and logged names them.
std::vector<engine::Layer*> all_layers(
    engine::Layer& spans, engine::Layer& log, Meters& meters, std::vector<engine::Layer*> more
) {
    std::vector<engine::Layer*> layers = {&spans};
    if (meters.layer) {
        layers.push_back(&*meters.layer);
    }
    layers.push_back(&log);
    layers.insert(layers.end(), more.begin(), more.end());
    return layers;
}

/// What node kinds are built with; also enough for checking files.
struct NodeParts {
    NodeParts(const Config& config, const trace::CapturePolicy& policy, Meters& meters)
        : http_client(http::make_http_client(
              {.baggage_hosts = config.trace.baggage.hosts, .metrics = meters.registry}
          )),
          sandbox(infra::sandbox::make_sandbox(config.sandbox)),
          model(model::make_chat_model(config.models, *http_client, real_clock(), real_random())),
          traced_model(observe::trace_chat_model(
              measured(*model, measured_model, meters, observe::measure_chat_model), policy
          )),
          files(nodes::make_file_store({}, *http_client, real_random())),
          app_caller(config.environment),
          tool_registry(
              tools::make_tool_registry(config.tools, {*http_client, real_clock(), &app_caller})
          ),
          traced_tools(observe::trace_tools(
              measured(*tool_registry, measured_tools, meters, observe::measure_tools), policy
          )),
          round(agent::make_agent_round(*traced_model, real_random())),
          traced_round(observe::trace_agent_round(*round)),
          plain_agent(agent::make_agent(*traced_round)),
          traced_agent(observe::trace_agent(
              measured(*plain_agent, measured_agent, meters, observe::measure_agent), *model, policy
          )),
          embedding(
              model::make_embedding_model(config.models, *http_client, real_clock(), real_random())
          ),
          traced_embedding(observe::trace_embedding_model(
              measured(*embedding, measured_embedding, meters, observe::measure_embedding_model),
              policy
          )),
          rerank(model::make_rerank_model(config.models, *http_client, real_clock(), real_random())
          ),
          traced_rerank(observe::trace_rerank_model(
              measured(*rerank, measured_rerank, meters, observe::measure_rerank_model), policy
          )),
          segments(knowledge::make_sqlite_store(
              config.knowledge, real_clock(), real_random(), meters.registry
          )),
          knowledge(knowledge::make_reranking_store(*segments, *traced_rerank, *traced_embedding)),
          traced_knowledge(observe::trace_knowledge(
              measured(*knowledge, measured_knowledge, meters, observe::measure_knowledge), policy
          )),
          registry(nodes::Services{
              .chat_model = *traced_model,
              .http_client = *http_client,
              .sandbox = *sandbox,
              .file_store = *files,
              .clock = real_clock(),
              .random = real_random(),
              .tools = traced_tools.get(),
              .agent = traced_agent.get(),
              .knowledge = traced_knowledge.get(),
          }) {}

    std::unique_ptr<http::HttpClient> http_client;
    std::unique_ptr<infra::sandbox::Sandbox> sandbox;
    std::unique_ptr<model::ChatModel> model;
    std::unique_ptr<model::ChatModel> measured_model;  // null without metrics, like its kind
    std::unique_ptr<model::ChatModel> traced_model;
    std::unique_ptr<nodes::FileStore> files;
    AppCaller app_caller;
    std::unique_ptr<tools::ToolProvider> tool_registry;
    std::unique_ptr<tools::ToolProvider> measured_tools;
    std::unique_ptr<tools::ToolProvider> traced_tools;
    std::unique_ptr<agent::AgentRound> round;
    std::unique_ptr<agent::AgentRound> traced_round;
    std::unique_ptr<agent::Agent> plain_agent;
    std::unique_ptr<agent::Agent> measured_agent;
    std::unique_ptr<agent::Agent> traced_agent;
    std::unique_ptr<model::EmbeddingModel> embedding;
    std::unique_ptr<model::EmbeddingModel> measured_embedding;
    std::unique_ptr<model::EmbeddingModel> traced_embedding;
    std::unique_ptr<model::RerankModel> rerank;
    std::unique_ptr<model::RerankModel> measured_rerank;
    std::unique_ptr<model::RerankModel> traced_rerank;
    std::unique_ptr<knowledge::KnowledgeStore> segments;
    std::unique_ptr<knowledge::KnowledgeStore> knowledge;
    std::unique_ptr<knowledge::KnowledgeStore> measured_knowledge;
    std::unique_ptr<knowledge::KnowledgeStore> traced_knowledge;
    nodes::Registry registry;
};

}  // namespace

struct Program::Parts {
    Parts(
        const Config& config,
        std::vector<engine::Layer*> layers,
        trace::CapturePolicy capture_policy,
        trace::MetricRegistry* metrics
    )
        : policy(std::move(capture_policy)),
          meters(metrics),
          nodes(config, policy, meters),
          observability(policy),
          services(make_runner_services(
              config.limits, all_layers(observability, log, meters, std::move(layers))
          )),
          workflow(service::make_workflow_app_runner(services)),
          advanced_chat(service::make_advanced_chat_app_runner(services)),
          traced_workflow(observe::trace_app_runner(
              *workflow, "WorkflowAppRunner", policy, make_baggage_rules(config.trace)
          )),
          traced_advanced_chat(observe::trace_app_runner(
              *advanced_chat, "AdvancedChatAppRunner", policy, make_baggage_rules(config.trace)
          )),
          generate(service::make_app_generate_service(
              {*traced_workflow, *traced_advanced_chat}, real_random()
          )),
          traced_generate(observe::trace_generate_service(*generate, policy)) {
        nodes.app_caller.connect(*traced_generate, nodes.registry);
        if (metrics != nullptr) {
            observer = metrics->observe([this](trace::Observation& to) {
                observe::tell_anomalies(to, observability.counts());
                observe::tell_pools(to, runtime.pool_counts());
            });
        }
    }

    trace::CapturePolicy policy;
    Meters meters;
    NodeParts nodes;
    observe::ObservabilityLayer observability;
    observe::RunLogLayer log;
    service::RunnerServices services;
    std::unique_ptr<service::AppRunner> workflow;
    std::unique_ptr<service::AppRunner> advanced_chat;
    std::unique_ptr<service::AppRunner> traced_workflow;
    std::unique_ptr<service::AppRunner> traced_advanced_chat;
    std::unique_ptr<service::AppGenerateService> generate;
    std::unique_ptr<service::AppGenerateService> traced_generate;
    // Last: its threads stop before anything they use goes away.
    async::Runtime runtime;
    std::shared_ptr<void> observer;
};

Program::Program(
    const Config& config,
    std::vector<engine::Layer*> layers,
    trace::CapturePolicy policy,
    trace::MetricRegistry* metrics
)
    : parts_(std::make_unique<Parts>(config, std::move(layers), std::move(policy), metrics)) {}

Program::~Program() = default;

async::Runtime& Program::runtime() noexcept {
    return parts_->runtime;
}

service::AppGenerateService& Program::generate_service() noexcept {
    return *parts_->traced_generate;
}

const engine::NodeFactory& Program::factory() const noexcept {
    return parts_->nodes.registry;
}

nodes::FileStore& Program::file_store() noexcept {
    return *parts_->nodes.files;
}

struct OfflineRegistry::Parts {
    explicit Parts(const Config& config) : meters(nullptr), nodes(config, policy, meters) {}

    trace::CapturePolicy policy;
    Meters meters;
    NodeParts nodes;
};

OfflineRegistry::OfflineRegistry(const Config& config) : parts_(std::make_unique<Parts>(config)) {}

OfflineRegistry::~OfflineRegistry() = default;

const engine::NodeFactory& OfflineRegistry::factory() const noexcept {
    return parts_->nodes.registry;
}

}  // namespace flowspan::cli
