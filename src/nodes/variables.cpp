#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::nodes {

namespace {

std::vector<NamedSelector> read_entries(const std::vector<dsl::DataReader>& entries) {
    std::vector<NamedSelector> variables;
    variables.reserve(entries.size());
    for (const auto& entry : entries) {
        variables.push_back(
            {entry.required_text("variable"), entry.required_selector("value_selector")}
        );
    }
    return variables;
}

bool is_present(const value::VariablePool& pool, const value::Selector& selector) {
    return selector.size() == 2 ? pool.find(selector[0], selector[1]) != nullptr
                                : pool.find(selector).has_value();
}

void warn_missing(engine::NodeContext& context, const value::Selector& selector) {
    context.warn(
        "variable.missing",
        fmt::format(
            "node {}: variable {} has no value", context.node_id(), value::to_text(selector)
        )
    );
}

}  // namespace

std::vector<NamedSelector> read_named_selectors(
    const dsl::DataReader& reader, std::string_view key
) {
    return read_entries(reader.objects(key));
}

std::vector<NamedSelector> read_required_named_selectors(
    const dsl::DataReader& reader, std::string_view key
) {
    return read_entries(reader.required_objects(key));
}

std::optional<value::Value> find_or_warn(
    engine::NodeContext& context, const value::Selector& selector
) {
    auto found = context.variables().find(selector);
    if (!found) {
        warn_missing(context, selector);
    }
    return found;
}

void warn_about_missing(engine::NodeContext& context, const value::TextTemplate& text) {
    for (const auto& segment : text.segments()) {
        if (segment.is_placeholder && !is_present(context.variables(), segment.selector)) {
            warn_missing(context, segment.selector);
        }
    }
}

std::string resolve(engine::NodeContext& context, const value::TextTemplate& text) {
    warn_about_missing(context, text);
    return text.to_text(context.variables());
}

void add_reserved_variables(
    const value::VariablePool& pool,
    std::string_view prefix,
    std::vector<engine::NodeOutput>& outputs
) {
    const auto* group = pool.find_group(prefix);
    if (group == nullptr) {
        return;
    }
    for (const auto& [name, value] : group->entries()) {
        if (value.type() != value::ValueType::secret) {
            std::string full;
            full.reserve(prefix.size() + 1 + name.size());
            full.append(prefix).append(1, '.').append(name);
            outputs.push_back({std::move(full), value});
        }
    }
}

std::string selector_text(const value::Selector& selector) {
    json::array parts;
    for (const auto& part : selector) {
        parts.emplace_back(part);
    }
    return value::python_repr(parts);
}

json::value for_record(const value::Value& value) {
    return value.type() == value::ValueType::secret ? json::value(value.to_log()) : value.json();
}

std::unexpected<Error> fail_bare(
    engine::NodeContext& context, ErrorCode code, std::string message
) {
    return fail_bare(context, Error(code, std::move(message)));
}

std::unexpected<Error> fail_bare(engine::NodeContext& context, Error error) {
    context.record() = {};
    return failure(std::move(error).with_type("WorkflowNodeError"));
}

}  // namespace flowspan::nodes
