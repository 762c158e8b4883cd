#include "dsl/data_reader.hpp"

#include "dsl/detail/pointer.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <memory>

namespace flowspan::dsl {

namespace {

constexpr std::string_view kInvalidData = "node.invalid_data";
// Where a node has this many problems, more of them help nobody.
constexpr std::size_t kNodeProblemsMax = 100;

constexpr std::string_view kMissingField = "node.missing_field";

constexpr std::array<std::string_view, 7> kTrueWords = {"true", "1", "yes", "on", "t", "y", "1.0"};
constexpr std::array<std::string_view, 7> kFalseWords = {
    "false", "0", "no", "off", "f", "n", "0.0"
};

template <class Number>
std::optional<Number> parse_number(std::string_view text) noexcept {
    text = trim(text);
    if (text.starts_with('+') && !text.substr(1).starts_with('-')) {
        text.remove_prefix(1);
    }
    Number number{};
    const auto* end = std::to_address(text.end());
    const auto parsed = std::from_chars(std::to_address(text.begin()), end, number);
    const bool is_whole = parsed.ec == std::errc() && parsed.ptr == end && !text.empty();
    return is_whole ? std::optional(number) : std::nullopt;
}

std::optional<std::int64_t> integral(double number) noexcept {
    const bool fits = number >= -0x1p63 && number < 0x1p63 && std::trunc(number) == number;
    return fits ? std::optional(static_cast<std::int64_t>(number)) : std::nullopt;
}

const json::value* step(const json::value& data, std::string_view part) noexcept {
    if (const auto* object = data.if_object()) {
        const auto* member = std::ranges::find_if(*object, [part](const auto& candidate) {
            return detail::is_pointer_part(part, candidate.key());
        });
        return member == object->end() ? nullptr : &member->value();
    }
    if (const auto* array = data.if_array()) {
        const auto index = parse_number<std::size_t>(part);
        return index && *index < array->size() ? &(*array)[*index] : nullptr;
    }
    return nullptr;
}

}  // namespace

std::optional<std::int64_t> to_integer(const json::value& data) noexcept {
    switch (data.kind()) {
        case json::kind::bool_:
            return data.get_bool() ? 1 : 0;
        case json::kind::int64:
            return data.get_int64();
        case json::kind::double_:
            return integral(data.get_double());
        case json::kind::string:
            return parse_number<std::int64_t>(data.get_string());
        default:
            return std::nullopt;
    }
}

std::optional<double> to_number(const json::value& data) noexcept {
    switch (data.kind()) {
        case json::kind::bool_:
            return data.get_bool() ? 1.0 : 0.0;
        case json::kind::int64:
            return static_cast<double>(data.get_int64());
        case json::kind::double_:
            return data.get_double();
        case json::kind::string:
            return parse_number<double>(data.get_string());
        default:
            return std::nullopt;
    }
}

std::optional<bool> to_boolean(const json::value& data) noexcept {
    if (data.is_bool()) {
        return data.get_bool();
    }
    if (data.is_string()) {
        const std::string_view text = data.get_string();
        const auto is_word = [text](std::string_view word) {
            return equals_ignore_case(text, word);
        };
        if (std::ranges::any_of(kTrueWords, is_word)) {
            return true;
        }
        return std::ranges::any_of(kFalseWords, is_word) ? std::optional(false) : std::nullopt;
    }
    if (data.is_number()) {
        const auto number = to_integer(data);
        return number == 0 || number == 1 ? std::optional(number == 1) : std::nullopt;
    }
    return std::nullopt;
}

std::string_view describe_kind(const json::value& data) noexcept {
    switch (data.kind()) {
        case json::kind::null:
            return "null";
        case json::kind::bool_:
            return "true or false";
        case json::kind::int64:
        case json::kind::uint64:
        case json::kind::double_:
            return "a number";
        case json::kind::string:
            return "text";
        case json::kind::array:
            return "a list";
        case json::kind::object:
            return "a mapping";
    }
    return "null";
}

DataReader::DataReader(const NodeSpec& spec, std::vector<Problem>& problems)
    : spec_(&spec),
      problems_(&problems),
      problems_before_(problems.size()),
      data_(spec.data.is_null() ? nullptr : &spec.data) {}

DataReader::DataReader(const DataReader& parent, std::string pointer, const json::value* data)
    : spec_(parent.spec_),
      problems_(parent.problems_),
      problems_before_(parent.problems_before_),
      pointer_(std::move(pointer)),
      data_(data != nullptr && data->is_null() ? nullptr : data) {}

bool DataReader::is_valid() const noexcept {
    return std::none_of(
        problems_->begin() + static_cast<std::ptrdiff_t>(problems_before_),
        problems_->end(),
        [](const Problem& problem) {
            return problem.severity == Problem::Severity::node_error ||
                   problem.severity == Problem::Severity::error;
        }
    );
}

const json::value* DataReader::find(std::string_view key) const {
    const auto* at = data_;
    if (at == nullptr || key.empty()) {
        return at;
    }
    if (key.starts_with('/')) {
        while (at != nullptr && !key.empty()) {
            at = step(*at, detail::take_pointer_part(key));
        }
    } else {
        at = find_member(*at, key);
    }
    return at == nullptr || at->is_null() ? nullptr : at;
}

const json::value& DataReader::data() const noexcept {
    static const json::value kNull;
    return data_ == nullptr ? kNull : *data_;
}

std::string DataReader::pointer_of(std::string_view key) const {
    if (key.empty()) {
        return pointer_;
    }
    return key.starts_with('/') ? pointer_ + std::string(key) : detail::join_pointer(pointer_, key);
}

DataReader DataReader::child(std::string_view key) const {
    return {*this, pointer_of(key), find(key)};
}

std::string DataReader::key() const {
    const auto slash = pointer_.rfind('/');
    auto escaped = slash == std::string::npos ? std::string() : pointer_.substr(slash + 1);
    for (const auto& [code, plain] : {std::pair("~1", '/'), std::pair("~0", '~')}) {
        for (auto at = escaped.find(code); at != std::string::npos;
             at = escaped.find(code, at + 1)) {
            escaped.replace(at, 2, 1, plain);
        }
    }
    return escaped;
}

void DataReader::report_as(
    Problem::Severity severity,
    std::string_view code,
    std::string_view key,
    std::string_view message
) const {
    if (problems_->size() - problems_before_ >= kNodeProblemsMax) {
        return;
    }
    const auto pointer = pointer_of(key);
    const auto path = detail::to_path(pointer);
    problems_->push_back(
        {severity,
         spec_->positions.find(pointer),
         std::string(code),
         fmt::format("node {}: `{}` {}", spec_->name(), path.empty() ? "data" : path, message)}
    );
}

void DataReader::report(std::string_view key, std::string_view message) const {
    report_as(Problem::Severity::node_error, kInvalidData, key, message);
}

void DataReader::warn(std::string_view key, std::string_view message) const {
    report_as(Problem::Severity::warning, kInvalidData, key, message);
}

const json::value* DataReader::require(std::string_view key) const {
    const auto* found = find(key);
    if (found == nullptr) {
        report_as(
            Problem::Severity::node_error,
            kMissingField,
            key,
            "is missing; add it to the node's data"
        );
    }
    return found;
}

std::optional<std::string> DataReader::optional_text(std::string_view key) const {
    const auto* found = find(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    if (!found->is_string()) {
        const auto* advice = found->is_structured() ? "" : "; put it in quotes";
        report(key, fmt::format("must be text, but is {}{}", describe_kind(*found), advice));
        return std::nullopt;
    }
    return std::string(found->get_string());
}

std::optional<std::int64_t> DataReader::optional_integer(std::string_view key) const {
    const auto* found = find(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    const auto number = to_integer(*found);
    if (!number) {
        report(key, fmt::format("must be a whole number, but is {}", describe_kind(*found)));
    }
    return number;
}

std::optional<double> DataReader::optional_number(std::string_view key) const {
    const auto* found = find(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    const auto number = to_number(*found);
    if (!number) {
        report(key, fmt::format("must be a number, but is {}", describe_kind(*found)));
    }
    return number;
}

std::optional<bool> DataReader::optional_boolean(std::string_view key) const {
    const auto* found = find(key);
    if (found == nullptr) {
        return std::nullopt;
    }
    const auto flag = to_boolean(*found);
    if (!flag) {
        report(key, fmt::format("must be true or false, but is {}", describe_kind(*found)));
    }
    return flag;
}

std::string DataReader::text(std::string_view key, std::string_view fallback) const {
    return optional_text(key).value_or(std::string(fallback));
}

std::string DataReader::required_text(std::string_view key) const {
    return require(key) == nullptr ? std::string() : text(key);
}

std::int64_t DataReader::integer(std::string_view key, std::int64_t fallback) const {
    return optional_integer(key).value_or(fallback);
}

std::int64_t DataReader::required_integer(std::string_view key) const {
    return require(key) == nullptr ? 0 : integer(key, 0);
}

double DataReader::number(std::string_view key, double fallback) const {
    return optional_number(key).value_or(fallback);
}

double DataReader::required_number(std::string_view key) const {
    return require(key) == nullptr ? 0 : number(key, 0);
}

bool DataReader::boolean(std::string_view key, bool fallback) const {
    return optional_boolean(key).value_or(fallback);
}

bool DataReader::required_boolean(std::string_view key) const {
    return require(key) != nullptr && boolean(key, false);
}

value::Selector DataReader::read_selector(std::string_view key, const json::value& data) const {
    value::Selector selector;
    if (!data.is_array()) {
        report(
            key,
            fmt::format(
                "must be a list such as [node id, variable name], but is {}", describe_kind(data)
            )
        );
        return selector;
    }
    std::size_t index = 0;
    for (const auto& part : data.get_array()) {
        if (part.is_string()) {
            selector.emplace_back(part.get_string());
        } else {
            child(key).report(
                fmt::format("/{}", index),
                fmt::format("must be text, but is {}; put it in quotes", describe_kind(part))
            );
        }
        ++index;
    }
    return selector;
}

value::Selector DataReader::selector(std::string_view key) const {
    const auto* found = find(key);
    return found == nullptr ? value::Selector() : read_selector(key, *found);
}

value::Selector DataReader::required_selector(std::string_view key) const {
    const auto* found = require(key);
    if (found == nullptr) {
        return {};
    }
    auto selector = read_selector(key, *found);
    if (found->is_array() && found->get_array().size() < 2) {
        warn(key, "names no variable yet; select one, for example [node id, variable name]");
    }
    return selector;
}

std::vector<value::Selector> DataReader::selectors(std::string_view key) const {
    std::vector<value::Selector> selectors;
    for (const auto& item : list(key)) {
        selectors.push_back(item.read_selector("", item.data()));
    }
    return selectors;
}

std::vector<std::string> DataReader::texts(std::string_view key) const {
    std::vector<std::string> texts;
    for (const auto& item : list(key)) {
        texts.push_back(item.required_text(""));
    }
    return texts;
}

value::TextTemplate DataReader::text_template(std::string_view key) const {
    return value::TextTemplate(text(key));
}

value::TextTemplate DataReader::required_text_template(std::string_view key) const {
    return value::TextTemplate(required_text(key));
}

std::vector<DataReader> DataReader::items(std::string_view key) const {
    std::vector<DataReader> readers;
    const auto* found = find(key);
    if (found == nullptr) {
        return readers;
    }
    if (!found->is_array()) {
        report(key, fmt::format("must be a list, but is {}", describe_kind(*found)));
        return readers;
    }
    const auto base = pointer_of(key);
    for (const auto& item : found->get_array()) {
        readers.push_back({*this, fmt::format("{}/{}", base, readers.size()), &item});
    }
    return readers;
}

std::vector<DataReader> DataReader::list(std::string_view key) const {
    return items(key);
}

std::vector<DataReader> DataReader::required_list(std::string_view key) const {
    return require(key) == nullptr ? std::vector<DataReader>() : items(key);
}

std::vector<DataReader> DataReader::objects(std::string_view key) const {
    auto readers = items(key);
    std::erase_if(readers, [](const DataReader& item) {
        if (item.data().is_object()) {
            return false;
        }
        item.report("", fmt::format("must be a mapping, but is {}", describe_kind(item.data())));
        return true;
    });
    return readers;
}

std::vector<DataReader> DataReader::required_objects(std::string_view key) const {
    return require(key) == nullptr ? std::vector<DataReader>() : objects(key);
}

std::vector<DataReader> DataReader::members(std::string_view key) const {
    std::vector<DataReader> readers;
    const auto place = object(key);
    if (const auto* mapping = place.data().if_object()) {
        for (const auto& member : *mapping) {
            readers.push_back(
                {*this, detail::join_pointer(place.pointer_, member.key()), &member.value()}
            );
        }
    }
    return readers;
}

DataReader DataReader::object(std::string_view key) const {
    auto reader = child(key);
    if (reader.exists() && !reader.data_->is_object()) {
        report(key, fmt::format("must be a mapping, but is {}", describe_kind(*reader.data_)));
        reader.data_ = nullptr;
    }
    return reader;
}

DataReader DataReader::required_object(std::string_view key) const {
    return require(key) == nullptr ? child(key) : object(key);
}

std::optional<value::ValueType> DataReader::value_type(std::string_view key) const {
    const auto word = optional_text(key);
    if (!word) {
        return std::nullopt;
    }
    const auto type = value::parse_value_type(*word);
    if (!type) {
        report(key, fmt::format("must be a type such as `string`, but is `{}`", *word));
        return std::nullopt;
    }
    return *type;
}

std::vector<value::Condition> DataReader::conditions(std::string_view key) const {
    const auto* found = find(key);
    if (found == nullptr) {
        return {};
    }
    std::vector<value::ConditionProblem> wrong;
    auto conditions = value::parse_conditions(*found, wrong);
    for (const auto& problem : wrong) {
        child(key).report(problem.pointer, problem.message);
    }
    return conditions;
}

value::LogicalOperator DataReader::logical_operator(std::string_view key) const {
    return enumeration(
        key,
        {{"and", value::LogicalOperator::and_}, {"or", value::LogicalOperator::or_}},
        value::LogicalOperator::and_
    );
}

std::optional<std::size_t> DataReader::find_word(
    std::string_view key, std::span<const std::string_view> words, bool is_required
) const {
    if (is_required && require(key) == nullptr) {
        return std::nullopt;
    }
    const auto word = optional_text(key);
    if (!word) {
        return std::nullopt;
    }
    const auto found = std::ranges::find(words, *word);
    if (found == words.end()) {
        report(
            key, fmt::format("must be one of `{}`, but is `{}`", fmt::join(words, "`, `"), *word)
        );
        return std::nullopt;
    }
    return static_cast<std::size_t>(found - words.begin());
}

}  // namespace flowspan::dsl
