#include "nodes/agent/agent_config.hpp"

#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::nodes::agent {

namespace {

tools::ToolRef read_ref(const json::value& entry) {
    const auto provider = string_member(entry, "provider_name");
    return {
        std::string(string_member(entry, "type", string_member(entry, "provider_type", "builtin"))),
        std::string(string_member(entry, "provider_id", provider)),
        std::string(provider),
        std::string(string_member(entry, "tool_name"))
    };
}

bool is_enabled(const json::value& entry) {
    const auto* enabled = find_member(entry, "enabled");
    return enabled == nullptr || value::python_truth(*enabled);
}

const json::object& object_at(const json::value& data, std::string_view key) {
    static const json::object kEmpty;
    const auto* member = find_member(data, key);
    return member != nullptr && member->is_object() ? member->get_object() : kEmpty;
}

// Parameters that a person has set; the others are the model's.
Result<json::object> read_fixed(
    engine::NodeContext& context,
    const json::value& entry,
    const std::vector<tools::ToolParameter>& parameters
) {
    json::object fixed;
    const auto add = [&](std::string_view name, const json::value& data) -> Result<void> {
        auto argument = resolve_tool_input(context, read_tool_input(std::string(name), data));
        if (!argument.value) {
            return failure(
                ErrorCode::not_found,
                fmt::format("the variable of tool parameter `{}` does not exist", name)
            );
        }
        const auto* parameter = tools::find_parameter(parameters, name);
        if (parameter != nullptr && !argument.value->is_null()) {
            FLOWSPAN_TRY(
                argument.value, tools::cast_argument(*parameter, *std::move(argument.value))
            );
        }
        fixed[name] = *std::move(argument.value);
        return {};
    };
    for (const auto& member : object_at(entry, "parameters")) {
        const auto* mode = find_member(member.value(), "auto");
        const auto* given = find_member(member.value(), "value");
        const bool is_by_model = mode != nullptr && value::python_truth(*mode);
        if (!is_by_model && given != nullptr && !given->is_null()) {
            if (auto added = add(member.key(), *given); !added) {
                return failure(std::move(added).error());
            }
        }
    }
    for (const auto& member : object_at(entry, "settings")) {
        const auto* given = find_member(member.value(), "value");
        if (given != nullptr && !given->is_null()) {
            if (auto added = add(member.key(), *given); !added) {
                return failure(std::move(added).error());
            }
        }
    }
    return fixed;
}

// A tool whose parameters nobody declares takes those that its entry names, as text.
std::vector<tools::ToolParameter> known_parameters(
    const tools::Tool& tool, const json::value& entry
) {
    if (tool.description().parameters) {
        return *tool.description().parameters;
    }
    if (const auto* schemas = find_member(entry, "schemas")) {
        auto parameters = tools::read_parameters(*schemas);
        if (!parameters.empty()) {
            return parameters;
        }
    }
    std::vector<tools::ToolParameter> parameters;
    for (const auto& member : object_at(entry, "parameters")) {
        parameters.push_back({.name = std::string(member.key())});
    }
    return parameters;
}

std::string description_of(const tools::Tool& tool, const json::value& entry) {
    const json::value extra(object_at(entry, "extra"));
    for (const auto text :
         {string_member(extra, "description"),
          std::string_view(tool.description().text),
          string_member(entry, "tool_description")}) {
        if (!text.empty()) {
            return std::string(text);
        }
    }
    return std::string(string_member(entry, "tool_label"));
}

Result<void> prepare_tool(
    engine::NodeContext& context,
    const Services& services,
    const json::value& entry,
    PreparedTools& prepared
) {
    const auto ref = read_ref(entry);
    std::unique_ptr<const tools::Tool> tool;
    if (services.tools != nullptr) {
        FLOWSPAN_TRY(tool, services.tools->find(ref));
    }
    if (tool == nullptr) {
        return failure(tools::unmapped_tool(ref));
    }
    flowspan::agent::AgentTool out;
    out.tool = tool.get();
    out.parameters = known_parameters(*tool, entry);
    FLOWSPAN_TRY(out.fixed_arguments, read_fixed(context, entry, out.parameters));
    auto offered = out.parameters;
    std::erase_if(offered, [&](const tools::ToolParameter& parameter) {
        return out.fixed_arguments.contains(parameter.name);
    });
    out.definition = {
        ref.tool, description_of(*tool, entry), json::value(tools::to_json_schema(offered))
    };
    prepared.owned.push_back(std::move(tool));
    prepared.tools.push_back(std::move(out));
    return {};
}

}  // namespace

Config read_config(const dsl::DataReader& reader) {
    Config config;
    config.name = reader.spec().title;
    config.strategy_provider = reader.text("agent_strategy_provider_name");
    config.strategy_name = reader.text("agent_strategy_name");
    config.strategy = flowspan::agent::parse_strategy(config.strategy_name);
    for (const auto& member : reader.members("agent_parameters")) {
        config.parameters.push_back(read_tool_input(member.key(), member.data()));
    }
    config.memory = read_memory_config(reader, "memory");
    return config;
}

Result<PreparedTools> prepare_tools(
    engine::NodeContext& context, const Services& services, const json::value& list
) {
    PreparedTools prepared;
    const auto* entries = list.if_array();
    if (entries == nullptr) {
        return prepared;
    }
    if (entries->size() > services.limits.agent_tools_max) {
        return failure(
            ErrorCode::limit_exceeded,
            fmt::format("an agent may have {} tools at most", services.limits.agent_tools_max)
        );
    }
    for (const auto& entry : *entries) {
        if (entry.is_object() && is_enabled(entry)) {
            if (auto done = prepare_tool(context, services, entry, prepared); !done) {
                return failure(std::move(done).error());
            }
        }
    }
    return prepared;
}

std::vector<tools::ToolRef> named_tools(const Config& config) {
    std::vector<tools::ToolRef> refs;
    const auto found = std::ranges::find(config.parameters, "tools", &ToolInput::name);
    const auto* entries = found == config.parameters.end() ? nullptr : found->constant.if_array();
    if (entries != nullptr) {
        for (const auto& entry : *entries) {
            if (entry.is_object() && is_enabled(entry)) {
                refs.push_back(read_ref(entry));
            }
        }
    }
    return refs;
}

}  // namespace flowspan::nodes::agent
