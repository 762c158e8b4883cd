#include "nodes/tool_input.hpp"

#include "nodes/variables.hpp"

#include <algorithm>
#include <utility>

namespace flowspan::nodes {

namespace {

std::optional<value::Selector> read_selector(const json::value& data) {
    const auto* items = data.if_array();
    const auto is_text = [](const json::value& item) { return item.is_string(); };
    if (items == nullptr || items->empty() || !std::ranges::all_of(*items, is_text)) {
        return std::nullopt;
    }
    value::Selector selector;
    for (const auto& item : *items) {
        selector.emplace_back(item.get_string());
    }
    return selector;
}

enum class Masking : std::uint8_t { plain, masked };

std::string resolve_text(
    const value::VariablePool& pool, const value::TextTemplate& text, Masking masking
) {
    return masking == Masking::masked ? text.to_masked_text(pool) : text.to_text(pool);
}

// Depth is limited by what an app file can hold.
json::value resolve_constant(
    engine::NodeContext& context, const json::value& constant, Masking masking
) {
    if (const auto* text = constant.if_string()) {
        const value::TextTemplate source{std::string_view(*text)};
        if (masking == Masking::plain) {
            warn_about_missing(context, source);
        }
        return json::value(resolve_text(context.variables(), source, masking));
    }
    if (const auto* list = constant.if_array()) {
        json::array out;
        for (const auto& item : *list) {
            out.push_back(resolve_constant(context, item, masking));
        }
        return out;
    }
    if (const auto* object = constant.if_object()) {
        json::object out;
        for (const auto& member : *object) {
            out[member.key()] = resolve_constant(context, member.value(), masking);
        }
        return out;
    }
    return constant;
}

}  // namespace

bool is_tool_input(const json::value& data) {
    const auto type = string_member(data, "type");
    return (type == "mixed" || type == "variable" || type == "constant") &&
           find_member(data, "value") != nullptr;
}

ToolInput read_tool_input(std::string name, const json::value& data) {
    ToolInput input;
    input.name = std::move(name);
    if (!is_tool_input(data)) {
        input.constant = data;
        return input;
    }
    const auto type = string_member(data, "type");
    const auto& content = *find_member(data, "value");
    if (type == "variable") {
        if (auto selector = read_selector(content)) {
            input.kind = ToolInput::Kind::variable;
            input.selector = *std::move(selector);
            return input;
        }
    }
    if (content.is_string() && type != "constant") {
        input.kind = ToolInput::Kind::mixed;
        input.text = value::TextTemplate(std::string_view(content.get_string()));
        return input;
    }
    input.constant = content;
    return input;
}

ToolArgument resolve_tool_input(engine::NodeContext& context, const ToolInput& input) {
    switch (input.kind) {
        case ToolInput::Kind::variable: {
            const auto found = context.variables().find(input.selector);
            return found ? ToolArgument{found->json(), for_record(*found)}
                         : ToolArgument{std::nullopt, nullptr};
        }
        case ToolInput::Kind::mixed:
            return {
                json::value(resolve(context, input.text)),
                json::value(input.text.to_masked_text(context.variables()))
            };
        case ToolInput::Kind::constant:
            break;
    }
    return {
        resolve_constant(context, input.constant, Masking::plain),
        resolve_constant(context, input.constant, Masking::masked)
    };
}

}  // namespace flowspan::nodes
