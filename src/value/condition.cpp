#include "flowspan/value/condition.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/file.hpp"
#include "flowspan/value/text_template.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flowspan::value {

namespace {

using Op = ComparisonOperator;

bool needs_no_expected(Op op) noexcept {
    return op == Op::empty || op == Op::not_empty || op == Op::null || op == Op::not_null ||
           op == Op::exists || op == Op::not_exists;
}

bool is_about_file_list(const Value& value, Op op) noexcept {
    return value.type() == ValueType::array_file &&
           (op == Op::contains || op == Op::not_contains || op == Op::all_of);
}

// ["a", "b"] as the original names a selector in messages.
std::string selector_repr(const Selector& selector) {
    json::array parts;
    for (const auto& part : selector) {
        parts.emplace_back(part);
    }
    return python_repr(parts);
}

Result<json::value> to_boolean(const json::value& expected) {
    if (expected.is_bool() || expected.is_number()) {
        return json::value(python_truth(expected));
    }
    if (expected.is_string()) {
        const auto parsed = parse_json(to_lower_ascii(trim(expected.get_string())));
        if (parsed && (parsed->is_bool() || parsed->is_number())) {
            return json::value(python_truth(*parsed));
        }
    }
    return failure(
        Error(
            ErrorCode::type_mismatch,
            "the expected value of a condition on a boolean must be true, false or a number"
        )
            .with_detail(python_repr(expected))
    );
}

Result<json::value> to_booleans(const json::value& expected) {
    if (expected.is_null()) {
        return expected;
    }
    if (!expected.is_array()) {
        return to_boolean(expected);
    }
    json::array flags;
    for (const auto& item : expected.get_array()) {
        FLOWSPAN_TRY(auto flag, to_boolean(item));
        flags.push_back(std::move(flag));
    }
    return json::value(std::move(flags));
}

std::string with_dot(std::string_view extension) {
    const bool is_missing = !extension.empty() && !extension.starts_with('.');
    return (is_missing ? "." : "") + std::string(extension);
}

Result<bool> evaluate_file(
    const json::value& file, const SubCondition& condition, const json::value& expected
) {
    auto attribute = file_attribute(file, condition.key);
    if (!attribute) {
        return failure(
            ErrorCode::invalid_input,
            fmt::format("'{}' is not an attribute of a file", condition.key)
        );
    }
    if (condition.key == "extension" && attribute->is_string()) {
        attribute = json::value(with_dot(attribute->get_string()));
    }
    return compare(Value(*std::move(attribute)), condition.comparison_operator, expected);
}

Result<bool> evaluate_sub_condition(const json::array& files, const SubCondition& condition) {
    json::value expected = condition.expected;
    if (condition.key == "extension") {
        if (!expected.is_string()) {
            return failure(
                ErrorCode::type_mismatch,
                "Expected value must be a string when the attribute is extension"
            );
        }
        expected = json::value(with_dot(expected.get_string()));
    }
    // An operator with "not" must hold for all files, any other for one.
    const bool needs_all =
        to_string(condition.comparison_operator).find("not") != std::string_view::npos;
    bool is_met = needs_all;
    for (const auto& file : files) {
        FLOWSPAN_TRY(const bool holds, evaluate_file(file, condition, expected));
        is_met = needs_all ? is_met && holds : is_met || holds;
    }
    return is_met;
}

Result<bool> evaluate_files(const Value& files, const std::optional<SubConditions>& sub) {
    if (!sub || sub->conditions.empty()) {
        return failure(ErrorCode::invalid_input, "Sub variable is required");
    }
    const bool is_and = sub->logical_operator == LogicalOperator::and_;
    bool is_met = is_and;
    for (const auto& condition : sub->conditions) {
        FLOWSPAN_TRY(const bool holds, evaluate_sub_condition(files.json().get_array(), condition));
        is_met = is_and ? is_met && holds : is_met || holds;
    }
    return is_met;
}

// The expected value as compared, and as recorded (with secrets masked).
struct Expected {
    json::value compared;
    json::value recorded;
};

Result<Expected> resolve_expected(
    const VariablePool& pool, const Condition& condition, const Value& actual
) {
    Expected expected{condition.expected, condition.expected};
    // Only a text with a dot can name a variable.
    if (expected.compared.is_string() &&
        expected.compared.get_string().find('.') != json::string::npos) {
        const TextTemplate text(condition.expected.get_string());
        expected = {json::value(text.to_text(pool)), json::value(text.to_masked_text(pool))};
    }
    const bool is_boolean =
        actual.type() == ValueType::boolean || actual.type() == ValueType::array_boolean;
    if (is_boolean && !needs_no_expected(condition.comparison_operator)) {
        FLOWSPAN_TRY(expected.compared, to_booleans(expected.compared));
        expected.recorded = expected.compared;
    }
    return expected;
}

Result<bool> evaluate(
    const VariablePool& pool, const Condition& condition, std::vector<ConditionInput>& inputs
) {
    const auto actual = pool.find(condition.variable_selector);
    if (!actual) {
        return failure(
            ErrorCode::not_found,
            fmt::format("Variable {} not found", selector_repr(condition.variable_selector))
        );
    }
    const auto op = condition.comparison_operator;
    if (is_about_file_list(*actual, op)) {
        return evaluate_files(*actual, condition.sub_conditions);
    }
    if (op == Op::exists || op == Op::not_exists) {
        return compare(*actual, op, json::value());
    }
    FLOWSPAN_TRY(auto expected, resolve_expected(pool, condition, *actual));
    const bool is_secret = actual->type() == ValueType::secret;
    inputs.push_back(
        {is_secret ? json::value(actual->to_log()) : actual->json(),
         std::move(expected.recorded),
         op}
    );
    return compare(*actual, op, expected.compared);
}

// Reads the condition lists of a file, keeping the JSON pointer of what it looks at.
class ConditionReader {
public:
    explicit ConditionReader(std::vector<ConditionProblem>& problems) : problems_(problems) {}

    std::vector<Condition> read_list(const json::value& data) {
        std::vector<Condition> conditions;
        if (!data.is_array()) {
            report("", "must be a list of conditions");
            return conditions;
        }
        std::size_t index = 0;
        for (const auto& item : data.get_array()) {
            const auto at = fmt::format("/{}", index++);
            if (item.is_object()) {
                conditions.push_back(read(item, at));
            } else {
                report(
                    at,
                    "must be a condition: a mapping with `variable_selector`, "
                    "`comparison_operator` and `value`"
                );
            }
        }
        return conditions;
    }

private:
    Condition read(const json::value& item, const std::string& at) {
        Condition condition;
        condition.variable_selector = read_selector(item, at);
        condition.comparison_operator = read_operator(item, at);
        condition.expected = read_expected(item, at);
        if (const auto* sub = find_member(item, "sub_variable_condition");
            sub != nullptr && !sub->is_null()) {
            condition.sub_conditions = read_sub_conditions(*sub, at + "/sub_variable_condition");
        }
        return condition;
    }

    Selector read_selector(const json::value& item, const std::string& at) {
        Selector selector;
        const auto* data = find_member(item, "variable_selector");
        if (data == nullptr || !data->is_array()) {
            report(at + "/variable_selector", "must be a list such as [node id, variable name]");
            return selector;
        }
        std::size_t index = 0;
        for (const auto& part : data->get_array()) {
            if (part.is_string()) {
                selector.emplace_back(part.get_string());
            } else {
                report(
                    fmt::format("{}/variable_selector/{}", at, index),
                    "must be text; put it in quotes"
                );
            }
            ++index;
        }
        return selector;
    }

    Op read_operator(const json::value& item, const std::string& at) {
        const auto* data = find_member(item, "comparison_operator");
        if (data == nullptr || !data->is_string()) {
            report(at + "/comparison_operator", "must be the text of a comparison operator");
            return Op::contains;
        }
        const auto op = parse_comparison_operator(data->get_string());
        if (!op) {
            report(at + "/comparison_operator", op.error().message);
        }
        return op.value_or(Op::contains);
    }

    json::value read_expected(const json::value& item, const std::string& at) {
        const auto* data = find_member(item, "value");
        if (data == nullptr) {
            return {};
        }
        if (data->is_number()) {
            // 0 and 1 pass for booleans; other numbers would be compared as something else.
            for (const int flag : {0, 1}) {
                if (python_equal(*data, json::value(flag))) {
                    return json::value(flag == 1);
                }
            }
            report(
                at + "/value",
                "must be text, a list of text, true, false or empty; put the number in quotes"
            );
        } else if (data->is_object()) {
            report(at + "/value", "must be text, a list of text, true, false or empty");
        } else if (data->is_array()) {
            std::size_t index = 0;
            for (const auto& part : data->get_array()) {
                if (!part.is_string() && !part.is_bool()) {
                    report(fmt::format("{}/value/{}", at, index), "must be text; put it in quotes");
                }
                ++index;
            }
        }
        return *data;
    }

    SubConditions read_sub_conditions(const json::value& data, const std::string& at) {
        SubConditions sub;
        if (const auto* logical = find_member(data, "logical_operator")) {
            const auto parsed = parse_logical_operator(string_or_empty(*logical));
            if (!parsed) {
                report(at + "/logical_operator", parsed.error().message);
            }
            sub.logical_operator = parsed.value_or(LogicalOperator::and_);
        }
        const auto* list = find_member(data, "conditions");
        if (list == nullptr || !list->is_array()) {
            report(at + "/conditions", "must be a list of conditions");
            return sub;
        }
        std::size_t index = 0;
        for (const auto& item : list->get_array()) {
            const auto place = fmt::format("{}/conditions/{}", at, index++);
            SubCondition condition;
            condition.key = string_member(item, "key");
            if (condition.key.empty()) {
                report(place + "/key", "must be the name of a file attribute");
            }
            condition.comparison_operator = read_operator(item, place);
            condition.expected = read_expected(item, place);
            sub.conditions.push_back(std::move(condition));
        }
        return sub;
    }

    void report(std::string pointer, std::string message) {
        problems_.push_back({std::move(pointer), std::move(message)});
    }

    std::vector<ConditionProblem>& problems_;
};

}  // namespace

Result<ConditionsOutcome> evaluate_conditions(
    const VariablePool& pool,
    const std::vector<Condition>& conditions,
    LogicalOperator logical_operator
) {
    const bool is_and = logical_operator == LogicalOperator::and_;
    ConditionsOutcome outcome;
    outcome.is_met = is_and;
    for (const auto& condition : conditions) {
        FLOWSPAN_TRY(const bool holds, evaluate(pool, condition, outcome.inputs));
        outcome.results.push_back(holds);
        if (holds != is_and) {
            outcome.is_met = holds;
            break;
        }
    }
    return outcome;
}

Result<LogicalOperator> parse_logical_operator(std::string_view text) {
    if (text == "and") {
        return LogicalOperator::and_;
    }
    if (text == "or") {
        return LogicalOperator::or_;
    }
    return failure(
        ErrorCode::invalid_input,
        fmt::format("unknown logical operator `{}`; use `and` or `or`", text)
    );
}

std::vector<Condition> parse_conditions(
    const json::value& data, std::vector<ConditionProblem>& problems
) {
    return ConditionReader(problems).read_list(data);
}

Result<std::vector<Condition>> parse_conditions(const json::value& data) {
    std::vector<ConditionProblem> problems;
    auto conditions = parse_conditions(data, problems);
    if (!problems.empty()) {
        const auto& first = problems.front();
        return failure(
            ErrorCode::invalid_input,
            fmt::format("{} {}", first.pointer.empty() ? "/" : first.pointer, first.message)
        );
    }
    return conditions;
}

}  // namespace flowspan::value
