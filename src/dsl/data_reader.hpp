#pragma once
// Reads a node's `data` by key with the app format's lax typing; what is wrong becomes a problem
// with its place, and reading goes on.

#include "dsl/app.hpp"
#include "flowspan/value/condition.hpp"
#include "flowspan/value/text_template.hpp"
#include "flowspan/value/value.hpp"
#include "flowspan/value/variable_pool.hpp"

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace flowspan::dsl {

/// A place in a node's data: the whole mapping, or a part of it that a reader was asked for.
///
///     DataReader reader(spec, problems);
///     const auto model = reader.required_object("model");
///     config.provider = model.required_text("provider");
///     for (const auto& message : reader.objects("prompt_template")) {
///         config.messages.push_back({message.required_text("role"), message.text("text")});
///     }
///     if (!reader.is_valid()) { return failure(...); }
///
/// A key is a member's name; a key that starts with `/` is a JSON pointer below this place; an
/// empty key means this place itself (for the items of a list of text). Reading below something
/// absent gives fallbacks, and "is missing" for what is required.
///
/// Typing: text must be text (`5` and `true` are errors). Integers may be `3.0`, `"3"` or a
/// boolean; numbers may be integers or numeric text; booleans may be 0, 1 or the usual words. Null
/// counts as absent. The result of a failed read is the fallback (or an empty value) beside a
/// problem.
///
/// After a hundred problems of one node further ones are not added.
///
/// Copies are cheap. The node and the problems must outlive every reader made from them.
class DataReader {
public:
    DataReader(const NodeSpec& spec, std::vector<Problem>& problems);

    /// False if something read through this reader, its parents or its parts was an error.
    [[nodiscard]] bool is_valid() const noexcept;

    /// True if this place is in the file and not null.
    [[nodiscard]] bool exists() const noexcept { return data_ != nullptr; }

    [[nodiscard]] bool has(std::string_view key) const { return find(key) != nullptr; }

    /// The data at `key`; null if it is absent or null in the file.
    [[nodiscard]] const json::value* find(std::string_view key) const;

    /// The data of this place, or JSON null.
    [[nodiscard]] const json::value& data() const noexcept;

    [[nodiscard]] std::string text(std::string_view key, std::string_view fallback = {}) const;
    [[nodiscard]] std::string required_text(std::string_view key) const;

    [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback) const;
    [[nodiscard]] std::int64_t required_integer(std::string_view key) const;

    [[nodiscard]] double number(std::string_view key, double fallback) const;
    [[nodiscard]] double required_number(std::string_view key) const;

    [[nodiscard]] bool boolean(std::string_view key, bool fallback) const;
    [[nodiscard]] bool required_boolean(std::string_view key) const;

    /// Empty optional if absent, to tell "not given" from any value.
    [[nodiscard]] std::optional<std::string> optional_text(std::string_view key) const;
    [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view key) const;
    [[nodiscard]] std::optional<double> optional_number(std::string_view key) const;
    [[nodiscard]] std::optional<bool> optional_boolean(std::string_view key) const;

    /// A list of text such as [node id, name]; empty if absent.
    [[nodiscard]] value::Selector selector(std::string_view key) const;
    /// An empty one is only a warning: unfinished nodes have it, and fail when they run.
    [[nodiscard]] value::Selector required_selector(std::string_view key) const;
    [[nodiscard]] std::vector<value::Selector> selectors(std::string_view key) const;

    [[nodiscard]] std::vector<std::string> texts(std::string_view key) const;
    [[nodiscard]] value::TextTemplate text_template(std::string_view key) const;
    [[nodiscard]] value::TextTemplate required_text_template(std::string_view key) const;

    /// A reader for each item, whatever it is; none if absent.
    [[nodiscard]] std::vector<DataReader> list(std::string_view key) const;
    [[nodiscard]] std::vector<DataReader> required_list(std::string_view key) const;

    /// A reader for each item, all of which must be mappings; others are reported and left out.
    [[nodiscard]] std::vector<DataReader> objects(std::string_view key) const;
    [[nodiscard]] std::vector<DataReader> required_objects(std::string_view key) const;

    /// A reader for each member of a mapping, in the file's order; `key()` names it.
    [[nodiscard]] std::vector<DataReader> members(std::string_view key) const;

    /// A reader for a mapping; one that does not `exist` if absent.
    [[nodiscard]] DataReader object(std::string_view key) const;
    [[nodiscard]] DataReader required_object(std::string_view key) const;

    /// A type such as `array[string]`; empty if absent.
    [[nodiscard]] std::optional<value::ValueType> value_type(std::string_view key) const;

    /// A list of conditions; empty if absent.
    [[nodiscard]] std::vector<value::Condition> conditions(std::string_view key) const;
    [[nodiscard]] value::LogicalOperator logical_operator(std::string_view key) const;

    /// One of a closed set of words; absent gives the fallback.
    ///
    ///     reader.enumeration("order", {{"asc", Order::asc}, {"desc", Order::desc}}, Order::asc)
    template <class E>
    [[nodiscard]] E enumeration(
        std::string_view key,
        std::initializer_list<std::pair<std::string_view, std::type_identity_t<E>>> words,
        E fallback
    ) const {
        return choose(key, words, fallback, false);
    }

    /// The same, but absent is an error; `fallback` only stands in for what could not be read.
    template <class E>
    [[nodiscard]] E required_enumeration(
        std::string_view key,
        std::initializer_list<std::pair<std::string_view, std::type_identity_t<E>>> words,
        E fallback
    ) const {
        return choose(key, words, fallback, true);
    }

    /// Adds an error of the caller's own about `key`: `message` completes "`key` ...", for example
    /// "must be at least 1". The node's name and the key are put in front.
    void report(std::string_view key, std::string_view message) const;
    void warn(std::string_view key, std::string_view message) const;

    /// For a check that needs its own code, for example `node.unknown_provider`.
    void report_as(
        Problem::Severity severity,
        std::string_view code,
        std::string_view key,
        std::string_view message
    ) const;

    /// The last part of this place's pointer: a member's name or an item's index.
    [[nodiscard]] std::string key() const;

    /// JSON pointer of this place below the node's `data`; empty for the whole.
    [[nodiscard]] const std::string& pointer() const noexcept { return pointer_; }

    [[nodiscard]] const NodeSpec& spec() const noexcept { return *spec_; }

private:
    DataReader(const DataReader& parent, std::string pointer, const json::value* data);

    [[nodiscard]] std::string pointer_of(std::string_view key) const;
    [[nodiscard]] DataReader child(std::string_view key) const;
    [[nodiscard]] const json::value* require(std::string_view key) const;
    [[nodiscard]] std::vector<DataReader> items(std::string_view key) const;
    [[nodiscard]] value::Selector read_selector(std::string_view key, const json::value& data)
        const;
    [[nodiscard]] std::optional<std::size_t> find_word(
        std::string_view key, std::span<const std::string_view> words, bool is_required
    ) const;

    template <class E>
    E choose(
        std::string_view key,
        std::initializer_list<std::pair<std::string_view, E>> words,
        E fallback,
        bool is_required
    ) const {
        std::vector<std::string_view> names;
        for (const auto& word : words) {
            names.push_back(word.first);
        }
        const auto index = find_word(key, names, is_required);
        return index ? (words.begin() + *index)->second : fallback;
    }

    const NodeSpec* spec_;
    std::vector<Problem>* problems_;
    std::size_t problems_before_;  // how many there were when the first reader was made
    std::string pointer_;
    const json::value* data_;  // null if absent or null in the file
};

/// Lax conversions of single values; empty if `data` does not pass for the type.
[[nodiscard]] std::optional<std::int64_t> to_integer(const json::value& data) noexcept;
[[nodiscard]] std::optional<double> to_number(const json::value& data) noexcept;
[[nodiscard]] std::optional<bool> to_boolean(const json::value& data) noexcept;

/// What `data` is, for messages: `text`, `a number`, `a list`, ...
[[nodiscard]] std::string_view describe_kind(const json::value& data) noexcept;

}  // namespace flowspan::dsl
