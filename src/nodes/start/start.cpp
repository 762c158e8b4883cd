// Where a run of an app begins: hands on the inputs of the caller.

#include "nodes/json_schema.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::start {

namespace {

/// A `json_object` field of the form; all others were checked before the run.
struct ObjectField {
    std::string name;
    bool is_required = false;
    std::optional<JsonSchema> schema;
};

class StartNode final : public engine::Node {
public:
    explicit StartNode(std::vector<ObjectField> fields) : fields_(std::move(fields)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        const auto& pool = context.variables();
        const auto* inputs = pool.find_group(context.node_id());
        for (const auto& field : fields_) {
            const auto* value = inputs == nullptr ? nullptr : inputs->find(field.name);
            if (auto checked = check(field, value); !checked) {
                co_return fail_bare(context, std::move(checked).error());
            }
        }
        engine::NodeOutcome outcome;
        if (inputs != nullptr) {
            auto& recorded = context.record().inputs;
            for (const auto& [name, value] : inputs->entries()) {
                recorded[name] = for_record(value);
                outcome.outputs.push_back({name, value});
            }
        }
        for (const auto prefix :
             {value::kSystemPrefix,
              value::kEnvironmentPrefix,
              value::kConversationPrefix,
              value::kRagPrefix}) {
            add_reserved_variables(pool, prefix, outcome.outputs);
        }
        co_return outcome;
    }

private:
    static Result<void> check(const ObjectField& field, const value::Value* value) {
        if (value == nullptr || value->is_none()) {
            if (field.is_required) {
                return failure(
                    ErrorCode::invalid_input,
                    fmt::format("{} is required in input form", field.name)
                );
            }
            return {};
        }
        if (!value->is_truthy()) {
            return {};
        }
        if (!value->json().is_object()) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format("JSON object for '{}' must be an object", field.name)
            );
        }
        if (!field.schema) {
            return {};
        }
        if (const auto mismatch = field.schema->find_mismatch(value->json())) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format(
                    "JSON object for '{}' does not match schema: path={}: {}",
                    field.name,
                    mismatch->path,
                    mismatch->reason
                )
            );
        }
        return {};
    }

    std::vector<ObjectField> fields_;
};

// The schema stands in the file as a mapping or as JSON text.
std::optional<JsonSchema> read_schema(const dsl::DataReader& variable) {
    const auto* data = variable.find("json_schema");
    if (data == nullptr || (data->is_string() && data->get_string().empty())) {
        return std::nullopt;
    }
    json::value schema = *data;
    if (data->is_string()) {
        auto parsed = parse_json(data->get_string());
        if (!parsed) {
            variable.report("json_schema", "is " + parsed.error().message);
            return std::nullopt;
        }
        schema = *std::move(parsed);
    }
    auto compiled = JsonSchema::compile(schema);
    if (!compiled) {
        variable.report("json_schema", "is no valid JSON schema: " + compiled.error().reason);
        return std::nullopt;
    }
    return *std::move(compiled);
}

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    std::vector<ObjectField> fields;
    for (const auto& variable : reader.objects("variables")) {
        auto name = variable.required_text("variable");
        if (variable.text("type") == "json_object") {
            fields.push_back(
                {std::move(name), variable.boolean("required", false), read_schema(variable)}
            );
        }
    }
    return reader.is_valid() ? std::make_unique<StartNode>(std::move(fields)) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "start",
        .description = "Begins a run and hands on what the caller gave.",
        .traits = {.shape = engine::NodeShape::root},
        .config = {{"variables", "list of form fields", "What the app asks of its caller."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::start
