// What a workflow answers: variables under the names that the caller sees.

#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::end {

namespace {

class EndNode final : public engine::Node {
public:
    explicit EndNode(std::vector<NamedSelector> outputs) : outputs_(std::move(outputs)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        engine::NodeOutcome outcome;
        outcome.outputs.reserve(outputs_.size());
        auto& inputs = context.record().inputs;
        for (const auto& [name, selector] : outputs_) {
            auto value = find_or_warn(context, selector).value_or(value::Value());
            inputs[name] = for_record(value);
            outcome.outputs.push_back({name, std::move(value)});
        }
        co_return outcome;
    }

    std::vector<value::TextTemplate::Segment> response_template() const override {
        std::vector<value::TextTemplate::Segment> segments;
        for (const auto& [name, selector] : outputs_) {
            if (!segments.empty()) {
                segments.push_back({"\n", {}, false});
            }
            segments.push_back({value::to_text(selector), selector, true});
        }
        return segments;
    }

private:
    std::vector<NamedSelector> outputs_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    std::vector<NamedSelector> outputs;
    for (const auto& entry : reader.required_objects("outputs")) {
        outputs.push_back({entry.required_text("variable"), entry.selector("value_selector")});
    }
    return reader.is_valid() ? std::make_unique<EndNode>(std::move(outputs)) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "end",
        .description = "Ends a workflow and names its results.",
        .traits = {.shape = engine::NodeShape::response},
        .config =
            {{"outputs",
              "list of {variable, value_selector}",
              "The results; one that has no value is null.",
              true}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::end
