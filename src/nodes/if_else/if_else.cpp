// Chooses one of several ways by conditions on variables.

#include "flowspan/value/condition.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::if_else {

namespace {

constexpr std::string_view kElse = "false";

struct Case {
    std::string id;
    value::LogicalOperator logical_operator = value::LogicalOperator::and_;
    std::vector<value::Condition> conditions;
    json::value source;  ///< as the file has it, for records
};

class IfElseNode final : public engine::Node {
public:
    explicit IfElseNode(std::vector<Case> cases) : cases_(std::move(cases)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        auto& record = context.record();
        json::array tried;
        const Case* chosen = nullptr;
        for (const auto& one : cases_) {
            auto evaluated = value::evaluate_conditions(
                context.variables(), one.conditions, one.logical_operator
            );
            if (!evaluated) {
                record.process_data["condition_results"] = std::move(tried);
                co_return failure(std::move(evaluated).error());
            }
            record.inputs["conditions"] = to_json(evaluated->inputs);
            json::array results;
            for (const bool result : evaluated->results) {
                results.emplace_back(result);
            }
            tried.push_back(
                {{"group", one.source},
                 {"results", std::move(results)},
                 {"final_result", evaluated->is_met}}
            );
            if (evaluated->is_met) {
                chosen = &one;
                break;
            }
        }
        record.process_data["condition_results"] = std::move(tried);
        engine::NodeOutcome outcome;
        outcome.edge_handle = chosen == nullptr ? std::string(kElse) : chosen->id;
        outcome.outputs.push_back({"result", value::Value::boolean(chosen != nullptr)});
        outcome.outputs.push_back({"selected_case_id", value::Value::string(outcome.edge_handle)});
        co_return outcome;
    }

private:
    static json::array to_json(std::vector<value::ConditionInput>& inputs) {
        json::array list;
        for (auto& input : inputs) {
            list.push_back(
                {{"actual_value", std::move(input.actual_value)},
                 {"expected_value", std::move(input.expected_value)},
                 {"comparison_operator", to_string(input.comparison_operator)}}
            );
        }
        return list;
    }

    std::vector<Case> cases_;
};

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    std::vector<Case> cases;
    if (reader.has("cases")) {
        for (const auto& one : reader.objects("cases")) {
            cases.push_back(
                {one.required_text("case_id"),
                 one.logical_operator("logical_operator"),
                 one.conditions("conditions"),
                 one.data()}
            );
        }
    } else {
        // The shape of old files: one case.
        cases.push_back(
            {"true",
             reader.logical_operator("logical_operator"),
             reader.conditions("conditions"),
             json::value("default")}
        );
    }
    return reader.is_valid() ? std::make_unique<IfElseNode>(std::move(cases)) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "if-else",
        .description = "Takes the first case whose conditions hold, else the way `false`.",
        .traits = {.shape = engine::NodeShape::branch},
        .config =
            {{"cases",
              "list of {case_id, logical_operator, conditions}",
              "The cases in order; the id of the chosen one is the edge handle."},
             {"conditions", "list of conditions", "Old files: the only case, `true`."},
             {"logical_operator", "and or or", "Old files: of the only case."}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::if_else
