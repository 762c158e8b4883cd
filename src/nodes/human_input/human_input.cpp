// Waits until a person has answered a form; the run stands still for as long as it takes.

#include "nodes/human_input/form.hpp"
#include "nodes/node_kind.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::nodes::human_input {

namespace {

// Both `__timeout` and `__timeout__` occur in files; the loader knows only the first.
constexpr std::string_view kTimeoutHandle = "__timeout";

class HumanInputNode final : public engine::Node {
public:
    HumanInputNode(Form form, const Services& services)
        : form_(std::move(form)), services_(services) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        const auto* kept = context.kept_state();
        if (kept == nullptr) {
            co_return wait(first_form(context));
        }
        const auto& form = *kept;
        if (const auto* answer = context.find_answer(string_member(form, "form_id"))) {
            co_return conclude(context, form, *answer);
        }
        const auto expires_at = expiration(form);
        if (services_.clock.system_now() < expires_at) {
            co_return wait(form);
        }
        context.report_form_timeout(expires_at);
        co_return finish({}, kTimeoutHandle, "", render_content(content_of(form), {}));
    }

private:
    json::object first_form(engine::NodeContext& context) const {
        const auto expires_at = services_.clock.system_now() + form_.time_max;
        return describe_form(context, form_, make_uuid(services_.random), expires_at);
    }

    static SystemTime expiration(const json::object& form) {
        const auto* seconds = form.if_contains("expiration_time");
        const auto* count = seconds == nullptr ? nullptr : seconds->if_int64();
        return SystemTime(std::chrono::seconds(count == nullptr ? 0 : *count));
    }

    static std::string_view content_of(const json::object& form) {
        return string_member(form, "form_content");
    }

    // The form is all the state there is: what was shown is what will be answered.
    static engine::NodeOutcome wait(const json::object& form) {
        engine::NodeOutcome outcome;
        outcome.pause = std::make_unique<engine::Pause>(engine::Pause{form, form});
        return outcome;
    }

    Result<engine::NodeOutcome> conclude(
        engine::NodeContext& context, const json::object& form, const json::object& answer
    ) const {
        const auto action_id = string_member(answer, "action");
        const auto action = std::ranges::find(form_.actions, action_id, &FormAction::id);
        if (action == form_.actions.end()) {
            return failure(
                Error(ErrorCode::invalid_input, fmt::format("Invalid action: {}", action_id))
                    .with_type("ValueError")
            );
        }
        const auto* given = find_member(answer, "inputs");
        const auto submitted =
            given != nullptr && given->is_object() ? given->get_object() : json::object();
        const auto rendered = render_content(content_of(form), submitted);
        context.record().inputs = submitted;
        context.report_form_filled({rendered, action->id, action->title, submitted});
        return finish(submitted, action->id, action->title, rendered);
    }

    static engine::NodeOutcome finish(
        const json::object& submitted,
        std::string_view handle,
        std::string_view title,
        const std::string& rendered
    ) {
        engine::NodeOutcome outcome;
        for (const auto& field : submitted) {
            outcome.outputs.push_back({std::string(field.key()), value::Value(field.value())});
        }
        const bool is_timeout = handle == kTimeoutHandle;
        outcome.outputs.push_back(
            {"__action_id", value::Value::string(is_timeout ? std::string_view() : handle)}
        );
        outcome.outputs.push_back({"__action_value", value::Value::string(title)});
        outcome.outputs.push_back({"__rendered_content", value::Value::string(rendered)});
        outcome.edge_handle = handle;
        return outcome;
    }

    Form form_;
    Services services_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& services, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    auto form = read_form(reader);
    return reader.is_valid() ? std::make_unique<HumanInputNode>(std::move(form), services)
                             : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "human-input",
        .description = "Pauses the run until a person has answered a form.",
        .traits = {.shape = engine::NodeShape::branch},
        .config =
            {{"form_content", "template", "The form's text, in markdown."},
             {"inputs", "list of fields", "What the person fills in."},
             {"user_actions", "list of {id, title}", "The buttons; each is a branch."},
             {"timeout", "number", "How long the form can be answered; 36 by default."},
             {"timeout_unit", "hour or day", "What `timeout` counts."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::human_input
