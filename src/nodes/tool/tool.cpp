// Calls a tool: whatever flowspan.toml has put in its place, or a built-in one.

#include "tools/tool.hpp"

#include "flowspan/base/text.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/tool_input.hpp"
#include "nodes/tool_output.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::tool {

namespace {

struct Config {
    tools::ToolRef ref;
    std::string plugin_unique_identifier;
    std::vector<ToolInput> inputs;
    /// As the app file declares them; the tool's own declaration goes before.
    std::vector<tools::ToolParameter> parameters;
};

Error runtime_error(std::string_view what, std::string_view type, Error error) {
    error.message = fmt::format("{}: {}", what, error.message);
    error.type = type;
    return error;
}

class ToolNode final : public engine::Node {
public:
    ToolNode(
        Config config, Result<std::unique_ptr<const tools::Tool>> tool, const Services& services
    )
        : config_(std::move(config)),
          tool_(std::move(tool)),
          services_(services),
          start_facts_{
              {"provider_type", config_.ref.provider_type},
              {"provider_id", config_.ref.provider_id},
          } {}

    const json::object* start_facts() const noexcept override { return &start_facts_; }

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        record_tool(context.record());
        if (!tool_) {
            co_return failure(runtime_error(
                "Failed to get tool runtime", "ToolRuntimeResolutionError", tool_.error()
            ));
        }
        auto arguments = gather(context);
        if (!arguments) {
            co_return fail_bare(context, std::move(arguments).error());
        }
        const auto caller = make_tool_context(context.run());
        auto reply = co_await (*tool_)->invoke(*std::move(arguments), caller);
        if (!reply) {
            co_return failure(runtime_error(
                "Failed to invoke tool", "ToolRuntimeInvocationError", std::move(reply).error()
            ));
        }
        ToolOutput output(context, services_);
        for (auto& message : reply->messages) {
            if (auto added = co_await output.add(std::move(message)); !added) {
                co_return failure(std::move(added).error());
            }
        }
        output.finish();
        record_usage(context.record(), *reply);
        co_return engine::NodeOutcome{output.outputs()};
    }

private:
    void record_tool(engine::NodeRecord& record) const {
        record.facts =
            engine::ToolFacts{config_.ref.provider_id, config_.ref.tool, config_.ref.provider_type};
        record.metadata["tool_info"] = json::object{
            {"provider_type", config_.ref.provider_type},
            {"provider_id", config_.ref.provider_id},
            {"plugin_unique_identifier", config_.plugin_unique_identifier},
        };
    }

    static void record_usage(engine::NodeRecord& record, const tools::ToolReply& reply) {
        if (reply.usage) {
            record.metadata["total_tokens"] = reply.usage->total_tokens;
            record.metadata["total_price"] = reply.usage->total_price;
            record.metadata["currency"] = reply.usage->currency;
        }
    }

    [[nodiscard]] Result<json::object> gather(engine::NodeContext& context) const {
        const auto& declared = (*tool_)->description().parameters;
        const auto& parameters = declared ? *declared : config_.parameters;
        json::object arguments;
        for (const auto& input : config_.inputs) {
            const auto* parameter = tools::find_parameter(parameters, input.name);
            if (parameter == nullptr && declared) {
                arguments[input.name] = nullptr;
                continue;
            }
            auto argument = resolve_tool_input(context, input);
            if (!argument.value) {
                if (parameter != nullptr && parameter->is_required) {
                    return failure(
                        ErrorCode::not_found,
                        fmt::format("Variable {} does not exist", selector_text(input.selector))
                    );
                }
                continue;
            }
            const bool is_secret =
                parameter != nullptr && parameter->type == tools::ParameterType::secret;
            context.record().inputs[input.name] =
                is_secret ? json::value("******") : std::move(argument.recorded);
            auto value = *std::move(argument.value);
            if (parameter != nullptr) {
                FLOWSPAN_TRY(value, tools::cast_argument(*parameter, std::move(value)));
            }
            arguments[input.name] = std::move(value);
        }
        return arguments;
    }

    Config config_;
    Result<std::unique_ptr<const tools::Tool>> tool_;
    Services services_;
    json::object start_facts_;
};

// Settings that are fixed when the app is made count as parameters; those that stand in both
// places are taken from the parameters.
std::vector<ToolInput> read_inputs(const dsl::DataReader& reader) {
    std::vector<ToolInput> inputs;
    for (const auto* key : {"tool_parameters", "tool_configurations"}) {
        for (const auto& member : reader.members(key)) {
            const auto name = member.key();
            const bool is_given = std::ranges::find(inputs, name, &ToolInput::name) != inputs.end();
            if (!is_given && !member.data().is_null()) {
                inputs.push_back(read_tool_input(name, member.data()));
            }
        }
    }
    return inputs;
}

Result<std::unique_ptr<const tools::Tool>> find_tool(
    const dsl::DataReader& reader, const Services& services, const tools::ToolRef& ref
) {
    Result<std::unique_ptr<const tools::Tool>> tool(nullptr);
    if (services.tools != nullptr) {
        tool = services.tools->find(ref);
    }
    if (tool && *tool == nullptr) {
        tool = failure(tools::unmapped_tool(ref));
    }
    if (!tool) {
        reader.report_as(
            dsl::Problem::Severity::warning, "tool.unmapped", "tool_name", tool.error().describe()
        );
    }
    return tool;
}

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    Config config;
    config.ref = {
        reader.text("provider_type", "builtin"),
        reader.required_text("provider_id"),
        reader.text("provider_name"),
        reader.required_text("tool_name")
    };
    config.plugin_unique_identifier = reader.text("plugin_unique_identifier");
    config.inputs = read_inputs(reader);
    if (const auto* declarations = reader.find("paramSchemas")) {
        config.parameters = tools::read_parameters(*declarations);
    }
    if (!reader.is_valid()) {
        return nullptr;
    }
    auto found = find_tool(reader, services, config.ref);
    return std::make_unique<ToolNode>(std::move(config), std::move(found), services);
}

}  // namespace

NodeKind kind() {
    return {
        .type = "tool",
        .description = "Calls a tool and hands on its text, files and data.",
        .traits = {.is_retryable = true},
        .config =
            {{"provider_type", "text", "Where the tool came from: builtin, api, workflow, ..."},
             {"provider_id", "text", "The provider; flowspan.toml maps it.", true},
             {"provider_name", "text", "The provider's other name."},
             {"tool_name", "text", "The tool.", true},
             {"tool_parameters",
              "mapping of {type, value}",
              "Arguments: constants, templates or variables."},
             {"tool_configurations", "mapping", "Arguments that are fixed when the app is made."},
             {"paramSchemas", "list of declarations", "Types of the arguments."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::tool
