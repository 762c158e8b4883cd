// Gives the first of several variables that has come to be, so that exclusive ways can join.

#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::variable_aggregator {

namespace {

struct Group {
    std::string name;  ///< empty: the node's only list
    std::vector<value::Selector> variables;
};

class VariableAggregatorNode final : public engine::Node {
public:
    VariableAggregatorNode(std::vector<Group> groups, bool is_grouped)
        : groups_(std::move(groups)), is_grouped_(is_grouped) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        engine::NodeOutcome outcome;
        for (const auto& group : groups_) {
            for (const auto& selector : group.variables) {
                auto value = context.variables().find(selector);
                if (!value) {
                    continue;
                }
                record_input(context, group, selector, *value);
                if (is_grouped_) {
                    outcome.outputs.push_back(
                        {group.name, value::Value(json::object{{"output", value->json()}})}
                    );
                } else {
                    outcome.outputs.push_back({"output", *std::move(value)});
                }
                break;
            }
        }
        co_return outcome;
    }

private:
    void record_input(
        engine::NodeContext& context,
        const Group& group,
        const value::Selector& selector,
        const value::Value& value
    ) const {
        auto name = value::to_text(std::span(selector).subspan(1));
        if (is_grouped_) {
            name = group.name + "." + name;
        }
        context.record().inputs[name] = for_record(value);
    }

    std::vector<Group> groups_;
    bool is_grouped_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    std::vector<Group> groups;
    const auto settings = reader.object("advanced_settings");
    const bool is_grouped = settings.boolean("group_enabled", false);
    if (is_grouped) {
        for (const auto& group : settings.objects("groups")) {
            groups.push_back({group.required_text("group_name"), group.selectors("variables")});
        }
    } else {
        groups.push_back({"", reader.selectors("variables")});
        if (!reader.has("variables")) {
            reader.report("variables", "is missing");
        }
    }
    for (auto& group : groups) {
        std::erase_if(group.variables, [](const value::Selector& selector) {
            return selector.size() < 2;  // an unfinished row of the editor
        });
    }
    if (!reader.is_valid()) {
        return nullptr;
    }
    return std::make_unique<VariableAggregatorNode>(std::move(groups), is_grouped);
}

}  // namespace

NodeKind kind() {
    return {
        .type = "variable-aggregator",
        .aliases = {"variable-assigner"},
        .description = "Gives the first of several variables that exists, to join branches.",
        .config =
            {{"variables", "list of selectors", "Candidates in order; the first found wins.", true},
             {"output_type", "type", "What the candidates are; informative."},
             {"advanced_settings",
              "{group_enabled, groups}",
              "Several lists at once, each under a name."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::variable_aggregator
