// Filters, picks, sorts and shortens a list.

#include "flowspan/value/condition.hpp"
#include "nodes/list_operator/file_fields.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/variables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <expected>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::nodes::list_operator {

namespace {

using value::ValueType;

struct Filter {
    std::string key;
    std::string comparison_operator;
    value::TextTemplate text;  ///< of a text value
    json::value value;         ///< of any other
    bool is_text = false;
};

struct Config {
    value::Selector variable;
    bool should_filter = false;
    std::vector<Filter> filters;
    bool should_extract = false;
    value::TextTemplate serial;
    bool should_order = false;
    std::string order_key;
    bool is_descending = false;
    bool should_limit = false;
    std::int64_t size = -1;
};

/// What goes wrong in a list operation: a failure of the node, or (thrown) a bare one.
struct OperationError {
    Error error;
    bool is_bare = false;
};

template <class T>
using OperationResult = std::expected<T, OperationError>;

std::unexpected<OperationError> fail(std::string message, bool is_bare = false) {
    return std::unexpected(
        OperationError{Error(ErrorCode::invalid_input, std::move(message)), is_bare}
    );
}

std::unexpected<OperationError> unknown_operator(const Filter& filter) {
    return fail(fmt::format("Invalid condition: {}", filter.comparison_operator));
}

OperationResult<bool> matches_text(
    std::string_view item, const Filter& filter, std::string_view value
) {
    const auto& name = filter.comparison_operator;
    const auto is_in = [](std::string_view part, std::string_view whole) {
        return whole.find(part) != std::string_view::npos;
    };
    if (name == "contains") {
        return is_in(value, item);
    }
    if (name == "not contains") {
        return !is_in(value, item);
    }
    if (name == "start with") {
        return item.starts_with(value);
    }
    if (name == "end with") {
        return item.ends_with(value);
    }
    if (name == "is") {
        return item == value;
    }
    if (name == "is not") {
        return item != value;
    }
    if (name == "in") {
        return is_in(item, value);
    }
    if (name == "not in") {
        return !is_in(item, value);
    }
    if (name == "empty") {
        return item.empty();
    }
    if (name == "not empty") {
        return !item.empty();
    }
    return unknown_operator(filter);
}

OperationResult<bool> matches_number(double item, const Filter& filter, const std::string& value) {
    const auto number = dsl::to_number(json::value(value));
    if (!number) {
        return fail("could not convert the value of a condition to a number", true);
    }
    const auto parsed = value::parse_comparison_operator(filter.comparison_operator);
    if (!parsed) {
        return unknown_operator(filter);
    }
    switch (*parsed) {
        case value::ComparisonOperator::equal:
            return item == *number;
        case value::ComparisonOperator::not_equal:
            return item != *number;
        case value::ComparisonOperator::less:
            return item < *number;
        case value::ComparisonOperator::greater:
            return item > *number;
        case value::ComparisonOperator::less_or_equal:
            return item <= *number;
        case value::ComparisonOperator::greater_or_equal:
            return item >= *number;
        default:
            return unknown_operator(filter);
    }
}

OperationResult<bool> matches_boolean(bool item, const Filter& filter) {
    if (!filter.value.is_bool()) {
        return fail("the value of a condition on booleans must be true or false", true);
    }
    if (filter.comparison_operator == "is") {
        return item == filter.value.get_bool();
    }
    if (filter.comparison_operator == "is not") {
        return item != filter.value.get_bool();
    }
    return unknown_operator(filter);
}

// One of a list of words; a single word stands for a list of it.
OperationResult<bool> matches_choice(
    const json::value& item, const Filter& filter, const std::string& text
) {
    bool is_listed = filter.is_text && string_or_empty(item) == text;
    if (const auto* list = filter.value.if_array()) {
        is_listed = std::ranges::find(*list, item) != list->end();
    }
    if (filter.comparison_operator == "in") {
        return is_listed;
    }
    if (filter.comparison_operator == "not in") {
        return !is_listed;
    }
    return unknown_operator(filter);
}

OperationResult<bool> matches_file(
    const json::value& file, const Filter& filter, const std::string& text
) {
    const auto field = field_of(file, filter.key);
    switch (field_type(filter.key)) {
        case FieldType::text:
            return matches_text(string_or_empty(field), filter, text);
        case FieldType::choice:
            return matches_choice(field, filter, text);
        case FieldType::number:
            return matches_number(field.to_number<double>(), filter, text);
        case FieldType::none:
            break;
    }
    return fail(fmt::format("Invalid key: {}", filter.key));
}

OperationResult<bool> matches(
    const json::value& item, const Filter& filter, const std::string& text
) {
    if (item.is_string()) {
        return matches_text(item.get_string(), filter, text);
    }
    if (item.is_bool()) {
        return matches_boolean(item.get_bool(), filter);
    }
    if (item.is_number()) {
        return matches_number(item.to_number<double>(), filter, text);
    }
    return matches_file(item, filter, text);
}

// Texts compare by code point, which UTF-8 bytes do as well.
bool is_less(const json::value& a, const json::value& b) {
    if (a.is_string() && b.is_string()) {
        return a.get_string() < b.get_string();
    }
    if (a.is_bool() && b.is_bool()) {
        return a.get_bool() < b.get_bool();
    }
    if (a.is_int64() && b.is_int64()) {
        return a.get_int64() < b.get_int64();
    }
    if (a.is_number() && b.is_number()) {
        return a.to_number<double>() < b.to_number<double>();
    }
    return false;
}

/// One execution's list on its way through the operations.
class ListOperation {
public:
    ListOperation(engine::NodeContext& context, const Config& config, json::array items)
        : context_(context), config_(config), items_(std::move(items)) {}

    OperationResult<json::array> run() {
        for (const auto step :
             {&ListOperation::filter,
              &ListOperation::extract,
              &ListOperation::order,
              &ListOperation::limit}) {
            if (auto done = (this->*step)(); !done) {
                return std::unexpected(std::move(done).error());
            }
        }
        return std::move(items_);
    }

private:
    OperationResult<void> filter() {
        if (!config_.should_filter) {
            return {};
        }
        for (const auto& filter : config_.filters) {
            const auto text =
                filter.is_text ? resolve(context_, filter.text) : value::python_str(filter.value);
            json::array kept;
            for (auto& item : items_) {
                const auto is_match = matches(item, filter, text);
                if (!is_match) {
                    return std::unexpected(is_match.error());
                }
                if (*is_match) {
                    kept.push_back(std::move(item));
                }
            }
            items_ = std::move(kept);
        }
        return {};
    }

    OperationResult<void> extract() {
        if (!config_.should_extract) {
            return {};
        }
        const auto serial = dsl::to_integer(json::value(resolve(context_, config_.serial)));
        if (!serial) {
            return fail("Invalid serial index: must be a number", true);
        }
        if (*serial < 1) {
            return fail(fmt::format("Invalid serial index: must be >= 1, got {}", *serial), true);
        }
        if (std::cmp_greater(*serial, items_.size())) {
            return fail(
                fmt::format("Invalid serial index: must be <= {}, got {}", items_.size(), *serial)
            );
        }
        items_ = json::array{std::move(items_[static_cast<std::size_t>(*serial - 1)])};
        return {};
    }

    OperationResult<void> order() {
        if (!config_.should_order) {
            return {};
        }
        const bool is_by_field = !items_.empty() && items_[0].is_object();
        if (is_by_field && field_type(config_.order_key) == FieldType::none) {
            return fail(fmt::format("Invalid order key: {}", config_.order_key));
        }
        const auto key_of = [&](const json::value& item) {
            return is_by_field ? field_of(item, config_.order_key) : item;
        };
        std::vector<std::pair<json::value, std::size_t>> keys;
        keys.reserve(items_.size());
        for (std::size_t i = 0; i < items_.size(); ++i) {
            keys.emplace_back(key_of(items_[i]), i);
        }
        // Items that compare equal keep their order, also when it is descending.
        std::ranges::sort(keys, [&](const auto& a, const auto& b) {
            const auto& left = config_.is_descending ? b.first : a.first;
            const auto& right = config_.is_descending ? a.first : b.first;
            if (is_less(left, right)) {
                return true;
            }
            return !is_less(right, left) && a.second < b.second;
        });
        json::array sorted;
        for (const auto& [key, index] : keys) {
            sorted.push_back(std::move(items_[index]));
        }
        items_ = std::move(sorted);
        return {};
    }

    OperationResult<void> limit() {
        if (!config_.should_limit) {
            return {};
        }
        const auto length = static_cast<std::int64_t>(items_.size());
        // As a slice in Python: a negative size counts from the end.
        const auto kept = config_.size < 0 ? std::max<std::int64_t>(0, length + config_.size)
                                           : std::min(length, config_.size);
        items_.resize(static_cast<std::size_t>(kept));
        return {};
    }

    engine::NodeContext& context_;
    const Config& config_;
    json::array items_;
};

bool is_supported(ValueType type) noexcept {
    return type == ValueType::array_string || type == ValueType::array_number ||
           type == ValueType::array_file || type == ValueType::array_boolean;
}

class ListOperatorNode final : public engine::Node {
public:
    explicit ListOperatorNode(Config config) : config_(std::move(config)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& context) const override {
        const auto value = context.variables().find(config_.variable);
        if (!value) {
            co_return failure(
                ErrorCode::not_found,
                fmt::format("Variable not found for selector: {}", selector_text(config_.variable))
            );
        }
        auto& record = context.record();
        if (!value->is_truthy()) {
            record.inputs["variable"] = json::array();
            record.process_data["variable"] = json::array();
            const bool is_list = value->json().is_array();
            co_return to_outcome({}, is_list ? value->type() : ValueType::array_any);
        }
        if (!is_supported(value->type())) {
            co_return failure(
                ErrorCode::type_mismatch,
                fmt::format(
                    "Variable {} is not an array type, actual type: {}",
                    selector_text(config_.variable),
                    value::to_string(value->type())
                )
            );
        }
        record.inputs["variable"] = value->json();
        record.process_data["variable"] = value->json();
        ListOperation operation(context, config_, value->json().get_array());
        auto items = operation.run();
        if (!items) {
            auto& failed = items.error();
            if (failed.is_bare) {
                co_return fail_bare(context, std::move(failed.error));
            }
            co_return failure(std::move(failed.error));
        }
        co_return to_outcome(*std::move(items), value->type());
    }

private:
    static engine::NodeOutcome to_outcome(json::array items, ValueType type) {
        engine::NodeOutcome outcome;
        auto first = items.empty() ? value::Value() : value::Value(items.front());
        auto last = items.empty() ? value::Value() : value::Value(items.back());
        outcome.outputs.push_back({"result", value::Value::unchecked(std::move(items), type)});
        outcome.outputs.push_back({"first_record", std::move(first)});
        outcome.outputs.push_back({"last_record", std::move(last)});
        return outcome;
    }

    Config config_;
};

Filter read_filter(const dsl::DataReader& reader) {
    Filter filter;
    filter.key = reader.text("key");
    filter.comparison_operator = reader.text("comparison_operator", "contains");
    const auto* value = reader.find("value");
    filter.is_text = value == nullptr || value->is_string();
    if (filter.is_text) {
        filter.text = value::TextTemplate(reader.text("value"));
    } else {
        filter.value = *value;
    }
    return filter;
}

std::unique_ptr<engine::Node> build(
    const dsl::NodeSpec& spec, const Services& /*services*/, Problems& problems
) {
    const dsl::DataReader reader(spec, problems);
    Config config;
    config.variable = reader.required_selector("variable");
    const auto filter_by = reader.required_object("filter_by");
    config.should_filter = filter_by.boolean("enabled", false);
    for (const auto& condition : filter_by.objects("conditions")) {
        config.filters.push_back(read_filter(condition));
    }
    const auto extract_by = reader.object("extract_by");
    config.should_extract = extract_by.boolean("enabled", false);
    const auto* serial = extract_by.find("serial");
    config.serial =
        value::TextTemplate(serial == nullptr ? std::string("1") : value::python_str(*serial));
    const auto order_by = reader.required_object("order_by");
    config.should_order = order_by.boolean("enabled", false);
    config.order_key = order_by.text("key");
    if (!order_by.text("value").empty()) {
        config.is_descending =
            order_by.enumeration("value", {{"asc", false}, {"desc", true}}, false);
    }
    const auto limit = reader.required_object("limit");
    config.should_limit = limit.boolean("enabled", false);
    config.size = limit.integer("size", -1);
    return reader.is_valid() ? std::make_unique<ListOperatorNode>(std::move(config)) : nullptr;
}

}  // namespace

NodeKind kind() {
    return {
        .type = "list-operator",
        .description = "Filters, picks from, sorts and shortens a list.",
        .config =
            {{"variable", "selector", "A list of texts, numbers, booleans or files.", true},
             {"filter_by", "{enabled, conditions}", "Which items stay; all must hold.", true},
             {"extract_by", "{enabled, serial}", "One item by its place, from 1."},
             {"order_by", "{enabled, key, value}", "Ascending or descending; files by key.", true},
             {"limit", "{enabled, size}", "How many stay; negative cuts at the end.", true}},
        .build = build,
    };
}

}  // namespace flowspan::nodes::list_operator
