#include "knowledge/metadata_filter.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace flowspan::knowledge {

namespace {

using enum MetadataOperator;

bool is_empty(const json::value* field) {
    return field == nullptr || field->is_null() ||
           (field->is_string() && field->get_string().empty());
}

std::optional<double> number_of(const json::value& field) {
    if (field.is_number()) {
        return field.to_number<double>();
    }
    double number = 0;
    const auto text = trim(string_or_empty(field));
    const auto* end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    return !text.empty() && parsed.ptr == end ? std::optional(number) : std::nullopt;
}

// Numbers by size; everything else as text, which puts ISO dates in order.
int compare(const json::value& field, const json::value& expected) {
    const auto a = number_of(field);
    const auto b = number_of(expected);
    if (a && b) {
        return *a < *b ? -1 : (*a > *b ? 1 : 0);
    }
    const auto order = value::python_str(field).compare(value::python_str(expected));
    return order < 0 ? -1 : (order > 0 ? 1 : 0);
}

bool is_among(const json::value& field, const json::value& expected) {
    const auto text = value::python_str(field);
    if (expected.is_array()) {
        return std::ranges::any_of(expected.get_array(), [&](const json::value& one) {
            return value::python_str(one) == text;
        });
    }
    const auto list = value::python_str(expected);
    return std::ranges::any_of(split(list, ','), [&](std::string_view one) {
        return trim(one) == text;
    });
}

bool holds(const MetadataCondition& condition, const json::value* field) {
    const auto comparison = condition.comparison;
    if (comparison == empty || comparison == not_empty) {
        return is_empty(field) == (comparison == empty);
    }
    // A document that lacks the field is not what is asked for, whichever way.
    if (is_empty(field)) {
        return false;
    }
    const auto text = value::python_str(*field);
    const auto expected = value::python_str(condition.value);
    switch (comparison) {
        case contains:
            return text.contains(expected);
        case not_contains:
            return !text.contains(expected);
        case start_with:
            return text.starts_with(expected);
        case end_with:
            return text.ends_with(expected);
        case is:
            return compare(*field, condition.value) == 0;
        case is_not:
            return compare(*field, condition.value) != 0;
        case before:
            return compare(*field, condition.value) < 0;
        case after:
            return compare(*field, condition.value) > 0;
        case at_most:
            return compare(*field, condition.value) <= 0;
        case at_least:
            return compare(*field, condition.value) >= 0;
        case in:
            return is_among(*field, condition.value);
        case not_in:
            return !is_among(*field, condition.value);
        case empty:
        case not_empty:
            break;
    }
    return false;
}

bool is_skipped(const MetadataCondition& condition) {
    return condition.value.is_null() && condition.comparison != empty &&
           condition.comparison != not_empty;
}

}  // namespace

Result<MetadataOperator> parse_metadata_operator(std::string_view text) {
    constexpr std::array<std::pair<std::string_view, MetadataOperator>, 22> kWords = {{
        {"contains", contains},
        {"not contains", not_contains},
        {"start with", start_with},
        {"end with", end_with},
        {"is", is},
        {"=", is},
        {"==", is},
        {"is not", is_not},
        {"≠", is_not},
        {"!=", is_not},
        {"empty", empty},
        {"not empty", not_empty},
        {"before", before},
        {"<", before},
        {"after", after},
        {">", after},
        {"≤", at_most},
        {"<=", at_most},
        {"≥", at_least},
        {">=", at_least},
        {"in", in},
        {"not in", not_in},
    }};
    const auto found =
        std::ranges::find(kWords, text, &std::pair<std::string_view, MetadataOperator>::first);
    if (found == kWords.end()) {
        return failure(ErrorCode::invalid_input, "unknown comparison of metadata");
    }
    return found->second;
}

bool matches(const MetadataFilter& filter, const json::object& metadata) {
    bool has_any = false;
    bool has_met = false;
    for (const auto& condition : filter.conditions) {
        if (is_skipped(condition)) {
            continue;
        }
        has_any = true;
        const bool is_met = holds(condition, metadata.if_contains(condition.name));
        has_met = has_met || is_met;
        if (!is_met && !filter.is_any) {
            return false;
        }
    }
    return !has_any || has_met;
}

}  // namespace flowspan::knowledge
