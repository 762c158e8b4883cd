// Where a run begins that something outside starts: a request, a timetable, an event of a service.

#include "dsl/data_reader.hpp"
#include "flowspan/base/text.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::trigger_webhook {

namespace {

/// The whole request, where the caller has it: {method, headers, query_params, body, files}.
constexpr std::string_view kRequest = "webhook_data";

/// A header, parameter or body field that the node declares.
struct RequestField {
    std::string name;
    std::string output;  ///< headers: with `_` for `-`
    std::string type;
};

struct Config {
    std::vector<RequestField> headers;
    std::vector<RequestField> params;
    std::vector<RequestField> body;
};

// What a request gives as text becomes what the field declares; what does not fit stays as it is.
value::Value typed(const json::value& given, std::string_view type) {
    if (given.is_string() && type == "number") {
        auto parsed = parse_json(trim(given.get_string()));
        return value::Value(parsed && parsed->is_number() ? *std::move(parsed) : given);
    }
    if (type == "boolean") {
        const auto flag = dsl::to_boolean(given);
        return value::Value(flag ? json::value(*flag) : given);
    }
    return value::Value(given);
}

const json::value* find_ignoring_case(const json::value& headers, std::string_view name) {
    const auto* object = headers.if_object();
    if (object == nullptr) {
        return nullptr;
    }
    const auto* const found = std::ranges::find_if(*object, [name](const auto& header) {
        return equals_ignore_case(header.key(), name);
    });
    return found == object->end() ? nullptr : &found->value();
}

class WebhookNode final : public engine::Node {
public:
    explicit WebhookNode(Config config) : config_(std::move(config)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        const auto* inputs = context.variables().find_group(context.node_id());
        const auto* request = inputs == nullptr ? nullptr : inputs->find(std::string(kRequest));
        const bool has_request = request != nullptr && request->json().is_object();
        const auto raw = has_request ? request->json() : make_request(inputs);
        engine::NodeOutcome outcome;
        add_fields(config_.headers, find_member(raw, "headers"), outcome);
        add_fields(config_.params, find_member(raw, "query_params"), outcome);
        add_fields(config_.body, find_member(raw, "body"), outcome);
        for (const auto& output : outcome.outputs) {
            context.record().inputs[output.name] = for_record(output.value);
        }
        outcome.outputs.push_back({"_webhook_raw", value::Value(raw)});
        add_reserved_variables(context.variables(), value::kSystemPrefix, outcome.outputs);
        co_return outcome;
    }

private:
    // The request as it would have been, from fields that were given one by one.
    [[nodiscard]] json::value make_request(const value::VariableGroup* inputs) const {
        const auto collect = [inputs](const std::vector<RequestField>& fields) {
            json::object given;
            for (const auto& field : fields) {
                const auto* value = inputs == nullptr ? nullptr : inputs->find(field.output);
                if (value != nullptr && !value->is_none()) {
                    given[field.name] = value->json();
                }
            }
            return given;
        };
        return json::object{
            {"method", "POST"},
            {"headers", collect(config_.headers)},
            {"query_params", collect(config_.params)},
            {"body", collect(config_.body)},
            {"files", json::object()},
        };
    }

    static void add_fields(
        const std::vector<RequestField>& fields,
        const json::value* part,  // null: the request has none
        engine::NodeOutcome& outcome
    ) {
        for (const auto& field : fields) {
            const auto* given = part == nullptr ? nullptr : find_ignoring_case(*part, field.name);
            outcome.outputs.push_back(
                {field.output, given == nullptr ? value::Value() : typed(*given, field.type)}
            );
        }
    }

    Config config_;
};

std::vector<RequestField> read_fields(const dsl::DataReader& reader, std::string_view key) {
    std::vector<RequestField> fields;
    for (const auto& entry : reader.objects(key)) {
        RequestField field;
        field.name = entry.required_text("name");
        field.output = field.name;
        std::ranges::replace(field.output, '-', '_');
        field.type = entry.text("type", "string");
        fields.push_back(std::move(field));
    }
    return fields;
}

std::unique_ptr<engine::Node> build_webhook(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    Config config;
    config.headers = read_fields(reader, "headers");
    config.params = read_fields(reader, "params");
    config.body = read_fields(reader, "body");
    return reader.is_valid() ? std::make_unique<WebhookNode>(std::move(config)) : nullptr;
}

/// Timetables give nothing of their own, events of services whatever they consist of.
class EventNode final : public engine::Node {
public:
    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        engine::NodeOutcome outcome;
        if (const auto* inputs = context.variables().find_group(context.node_id())) {
            for (const auto& [name, value] : inputs->entries()) {
                context.record().inputs[name] = for_record(value);
                outcome.outputs.push_back({name, value});
            }
        }
        add_reserved_variables(context.variables(), value::kSystemPrefix, outcome.outputs);
        co_return outcome;
    }
};

std::unique_ptr<engine::Node> build_event(
    const dsl::NodeSpec& /*spec*/, const Services& /*services*/, Problems& /*problems*/
) {
    return std::make_unique<EventNode>();
}

}  // namespace

NodeKind kind() {
    return {
        .type = "trigger-webhook",
        .description = "Begins a run with what an HTTP request brought.",
        .traits = {.shape = engine::NodeShape::root},
        .config =
            {{"method", "word", "What the request's method must be, in any case."},
             {"content_type", "text", "What its content type must be."},
             {"headers", "list of {name, type, required}", "Headers, handed on with _ for -."},
             {"params", "list of {name, type, required}", "Query parameters."},
             {"body", "list of {name, type, required}", "Fields of the body."}},
        .build = build_webhook,
        .companions =
            {{.type = "trigger-schedule",
              .description = "Begins a run that a timetable started.",
              .traits = {.shape = engine::NodeShape::root},
              .build = build_event},
             {.type = "trigger-plugin",
              .description = "Begins a run with what an event of a service brought.",
              .traits = {.shape = engine::NodeShape::root},
              .build = build_event}},
    };
}

}  // namespace flowspan::nodes::trigger_webhook
