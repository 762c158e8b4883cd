// Lets a model work in rounds with tools.

#include "agent/agent.hpp"

#include "nodes/agent/agent_config.hpp"
#include "nodes/model_config.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/tool_output.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::agent {

namespace {

using flowspan::agent::AgentLog;
using flowspan::agent::AgentRequest;
using flowspan::agent::AgentResult;

Error agent_error(std::string_view what, std::string_view type, Error error) {
    error.message = fmt::format("{}: {}", what, error.message);
    error.type = type;
    return error;
}

json::object to_json(const AgentLog& log, std::string_view node_id) {
    return {
        {"id", log.id},
        {"parent_id", log.parent_id.empty() ? json::value() : json::value(log.parent_id)},
        {"error", log.error.empty() ? json::value() : json::value(log.error)},
        {"status", log.status},
        {"data", log.data},
        {"label", log.label},
        {"metadata", log.metadata},
        {"node_id", node_id},
    };
}

class Listener final : public flowspan::agent::AgentListener {
public:
    Listener(engine::NodeContext& context, ToolOutput& output)
        : context_(context), output_(output) {}

    void on_text(std::string_view piece) override { output_.add_text(piece); }

    void on_log(const AgentLog& log) override {
        const auto found = std::ranges::find(logs_, log.id, &AgentLog::id);
        if (found == logs_.end()) {
            logs_.push_back(log);
        } else {
            *found = log;
        }
        auto event = to_json(log, context_.node_id());
        event["message_id"] = log.id;
        event.erase("id");
        event.erase("node_id");
        context_.report_agent_log(event);
    }

    [[nodiscard]] json::array logs(std::string_view node_id) const {
        json::array list;
        for (const auto& log : logs_) {
            list.emplace_back(to_json(log, node_id));
        }
        return list;
    }

private:
    engine::NodeContext& context_;
    ToolOutput& output_;
    std::vector<AgentLog> logs_;
};

json::value member_or_null(const json::object& values, std::string_view name) {
    const auto* value = values.if_contains(name);
    return value == nullptr ? json::value() : *value;
}

std::string text_of(const json::object& values, std::string_view name) {
    const auto value = member_or_null(values, name);
    return value.is_null() ? std::string() : value::python_str(value);
}

// The model's `completion_params` hold the stop words among them.
void set_model(const json::value& model, AgentRequest& request) {
    request.model = {
        std::string(string_member(model, "provider")),
        std::string(string_member(model, "model", string_member(model, "name")))
    };
    const auto* parameters = find_member(model, "completion_params");
    if (parameters == nullptr || !parameters->is_object()) {
        return;
    }
    request.parameters = parameters->get_object();
    if (const auto* words = request.parameters.if_contains("stop")) {
        if (const auto* list = words->if_array()) {
            for (const auto& word : *list) {
                request.stop.emplace_back(string_or_empty(word));
            }
        }
        request.parameters.erase("stop");
    }
}

class AgentNode final : public engine::Node {
public:
    AgentNode(Config config, const Services& services)
        : config_(std::move(config)),
          services_(services),
          start_facts_{
              {"extras", {{"agent_strategy", {{"name", config_.strategy_name}, {"icon", nullptr}}}}
              },
          } {}

    const json::object* start_facts() const noexcept override { return &start_facts_; }

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        if (services_.agent == nullptr || !config_.strategy) {
            co_return failure(no_strategy());
        }
        auto values = gather(context);
        if (!values) {
            co_return fail_bare(context, std::move(values).error());
        }
        auto request = make_request(context, *values);
        if (request.model.name.empty()) {
            co_return failure(agent_error(
                "Failed to invoke agent",
                "AgentInvocationError",
                Error(ErrorCode::invalid_input, "no model is chosen")
            ));
        }
        auto prepared = prepare_tools(context, services_, member_or_null(*values, "tools"));
        if (!prepared) {
            co_return failure(agent_error(
                "Failed to invoke agent", "ToolRuntimeResolutionError", std::move(prepared).error()
            ));
        }
        request.tools = std::move(prepared->tools);
        FLOWSPAN_CO_TRY(request.history, co_await history(context, request));
        ToolOutput output(context, services_);
        Listener listener(context, output);
        auto result = co_await services_.agent->run(request, listener);
        record(context, listener, result);
        if (!result) {
            co_return failure(agent_error(
                "Failed to invoke agent", "AgentInvocationError", std::move(result).error()
            ));
        }
        co_return co_await conclude(context, output, listener, *std::move(result));
    }

private:
    [[nodiscard]] Error no_strategy() const {
        return Error(
                   ErrorCode::unsupported,
                   fmt::format(
                       "Failed to get agent strategy: `{}` of `{}`; function calling and ReAct can "
                       "be run",
                       config_.strategy_name,
                       config_.strategy_provider
                   )
        )
            .with_type("AgentStrategyError");
    }

    [[nodiscard]] Result<json::object> gather(engine::NodeContext& context) const {
        json::object values;
        for (const auto& input : config_.parameters) {
            // Tools hold inputs of their own, which are read one by one.
            if (input.name == "tools" && input.kind == ToolInput::Kind::constant) {
                values[input.name] = input.constant;
                continue;
            }
            auto argument = resolve_tool_input(context, input);
            if (!argument.value) {
                return failure(
                    ErrorCode::not_found,
                    fmt::format("Variable '{}' does not exist", value::to_text(input.selector))
                );
            }
            context.record().inputs[input.name] = std::move(argument.recorded);
            values[input.name] = *std::move(argument.value);
        }
        return values;
    }

    [[nodiscard]] AgentRequest make_request(
        engine::NodeContext& context, const json::object& values
    ) const {
        AgentRequest request;
        request.name = config_.name;
        request.strategy = *config_.strategy;
        set_model(member_or_null(values, "model"), request);
        request.user = context.run().user_id;
        request.instruction = text_of(values, "instruction");
        request.query = text_of(values, "query");
        if (request.query.empty()) {
            const auto* query = context.variables().find(value::kSystemPrefix, "query");
            request.query = query == nullptr ? std::string() : query->to_text();
        }
        const auto rounds = dsl::to_integer(member_or_null(values, "maximum_iterations"));
        request.rounds_max = std::clamp<std::int64_t>(
            rounds.value_or(request.rounds_max), 1, services_.limits.agent_rounds_max
        );
        request.tool_context = make_tool_context(context.run());
        if (!text_of(values, "mcp_server").empty()) {
            context.warn(
                "agent.mcp_ignored", "the agent's MCP servers are not called; map their tools"
            );
        }
        return request;
    }

    Task<Result<std::vector<model::ChatMessage>>> history(
        const engine::NodeContext& context, const AgentRequest& request
    ) const {
        std::vector<model::ChatMessage> messages;
        if (!config_.memory || !has_memory(context, services_)) {
            co_return messages;
        }
        model::ChatRequest measured;
        measured.model = request.model;
        measured.parameters = request.parameters;
        FLOWSPAN_CO_TRY(
            const auto remembered,
            co_await load_memory(
                context,
                services_,
                measured,
                config_.memory->has_window ? config_.memory->window_size : 0
            )
        );
        for (const auto& message : remembered) {
            messages.push_back({.role = message.role, .text = message.text});
        }
        co_return messages;
    }

    void record(
        engine::NodeContext& context, const Listener& listener, const Result<AgentResult>& result
    ) const {
        auto& record = context.record();
        record.metadata["tool_info"] = json::object{
            {"agent_strategy", config_.strategy_name},
            {"agent_strategy_provider", config_.strategy_provider},
        };
        record.metadata["agent_log"] = listener.logs(context.node_id());
        if (result) {
            const auto& usage = result->usage;
            record.metadata["total_tokens"] = usage.total_tokens();
            record.metadata["total_price"] = usage.total_price();
            record.metadata["currency"] = usage.currency;
        }
    }

    Task<Result<engine::NodeOutcome>> conclude(
        engine::NodeContext& context,
        ToolOutput& output,
        const Listener& listener,
        AgentResult result
    ) const {
        for (auto& message : result.messages) {
            if (auto added = co_await output.add(std::move(message)); !added) {
                co_return failure(std::move(added).error());
            }
        }
        const tools::JsonMessage summary{json::object{
            {"execution_metadata",
             json::object{
                 {"total_tokens", result.usage.total_tokens()},
                 {"total_price", result.usage.total_price()},
                 {"currency", result.usage.currency},
             }}
        }};
        if (auto added = co_await output.add(summary); !added) {
            co_return failure(std::move(added).error());
        }
        output.finish();
        engine::NodeOutcome outcome{output.outputs(listener.logs(context.node_id()))};
        outcome.outputs.insert(
            outcome.outputs.begin() + 1,
            {"usage", value::Value(json::value(result.usage.to_json()))}
        );
        set_facts(context, result);
        co_return outcome;
    }

    void set_facts(engine::NodeContext& context, const AgentResult& result) const {
        engine::ModelFacts facts;
        facts.prompt_tokens = result.usage.prompt_tokens;
        facts.completion_tokens = result.usage.completion_tokens;
        facts.total_price = result.usage.total_price();
        facts.currency = result.usage.currency;
        facts.finish_reason = result.finish_reason;
        const auto model = std::ranges::find(config_.parameters, "model", &ToolInput::name);
        if (model != config_.parameters.end()) {
            facts.provider = string_member(model->constant, "provider");
            facts.model = string_member(model->constant, "model");
        }
        context.record().facts = std::move(facts);
    }

    Config config_;
    Services services_;
    json::object start_facts_;
};

// Runs in a service of its own, which no file brings along.
class RemoteAgentNode final : public engine::Node {
public:
    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& /*context*/) const override {
        co_return failure(
            Error(
                ErrorCode::unsupported,
                "an agent of version 2 lives in the workspace that it was made in; use an agent "
                "node of version 1 with the same instruction and tools"
            )
                .with_type("UnsupportedNodeError")
        );
    }
};

void warn_about_tools(
    const dsl::DataReader& reader, const Services& services, const Config& config
) {
    if (!config.strategy) {
        reader.report_as(
            dsl::Problem::Severity::unsupported,
            "agent.unknown_strategy",
            "agent_strategy_name",
            fmt::format(
                "`{}` is no strategy that can be run; function calling and ReAct are",
                config.strategy_name
            )
        );
    }
    for (const auto& ref : named_tools(config)) {
        const auto tool = services.tools == nullptr
                              ? Result<std::unique_ptr<const tools::Tool>>(nullptr)
                              : services.tools->find(ref);
        if (!tool || *tool == nullptr) {
            reader.report_as(
                dsl::Problem::Severity::warning,
                "tool.unmapped",
                "agent_parameters",
                (tool ? tools::unmapped_tool(ref) : tool.error()).describe()
            );
        }
    }
}

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    // Agents by a plugin's strategy have had that version, too.
    const bool is_remote = spec.version == "2" && !reader.has("agent_strategy_name");
    if (is_remote || reader.text("agent_node_kind") == "dify_agent") {
        reader.report_as(
            dsl::Problem::Severity::unsupported,
            "node.unsupported_version",
            "version",
            "agents of version 2 cannot run outside of their workspace"
        );
        return std::make_unique<RemoteAgentNode>();
    }
    auto config = read_config(reader);
    if (!reader.is_valid()) {
        return nullptr;
    }
    warn_about_tools(reader, services, config);
    return std::make_unique<AgentNode>(std::move(config), services);
}

}  // namespace

NodeKind kind() {
    return {
        .type = "agent",
        .description = "Lets a model work in rounds with tools.",
        .config =
            {{"agent_strategy_name", "text", "Function calling or ReAct.", true},
             {"agent_strategy_provider_name", "text", "Where the strategy came from."},
             {"agent_parameters",
              "mapping of {type, value}",
              "`model`, `tools`, `instruction`, `query` and `maximum_iterations`.",
              true},
             {"memory", "{window}", "How much of the conversation the model is told."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::agent
