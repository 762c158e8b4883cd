#pragma once
// Reads TOML tables into described structs: the struct is the only schema there is.

#include "flowspan/base/secret.hpp"

#include <boost/describe/enum_from_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <fmt/format.h>
#include <toml++/toml.h>

#include <chrono>
#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace flowspan::cli {

/// Collects what is wrong, each with line and column.
class TomlProblems {
public:
    explicit TomlProblems(std::string file) : file_(std::move(file)) {}

    void add(const toml::node& where, std::string_view message) {
        const auto& begin = where.source().begin;
        lines_.push_back(fmt::format("{}:{}:{}: {}", file_, begin.line, begin.column, message));
    }

    [[nodiscard]] const std::vector<std::string>& lines() const noexcept { return lines_; }

private:
    std::string file_;
    std::vector<std::string> lines_;
};

namespace detail {

template <class T>
concept DescribedStruct = boost::describe::has_describe_members<T>::value;

template <class T>
concept DescribedEnum = boost::describe::has_describe_enumerators<T>::value;

template <class T>
struct IsDuration : std::false_type {};

template <class Rep, class Period>
struct IsDuration<std::chrono::duration<Rep, Period>> : std::true_type {};

template <class T>
struct IsVector : std::false_type {};

template <class T>
struct IsVector<std::vector<T>> : std::true_type {};

template <class T>
struct IsOptional : std::false_type {};

template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
struct IsMap : std::false_type {};

template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};

template <class Enum>
std::string enum_words() {
    std::string words;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<Enum>>([&](auto word) {
        words += words.empty() ? "" : ", ";
        words += word.name;
    });
    return words;
}

}  // namespace detail

template <class T>
void read_table(const toml::table& table, T& target, TomlProblems& problems);

/// One value of any supported type; durations are seconds.
template <class T>
void read_value(const toml::node& node, T& target, TomlProblems& problems) {
    if constexpr (std::same_as<T, bool>) {
        if (const auto value = node.value_exact<bool>()) {
            target = *value;
        } else {
            problems.add(node, "must be true or false");
        }
    } else if constexpr (std::same_as<T, Secret>) {
        if (auto value = node.value_exact<std::string>()) {
            target = Secret(*std::move(value));
        } else {
            problems.add(node, "must be text");
        }
    } else if constexpr (std::same_as<T, std::string>) {
        if (auto value = node.value_exact<std::string>()) {
            target = *std::move(value);
        } else {
            problems.add(node, "must be text");
        }
    } else if constexpr (detail::DescribedEnum<T>) {
        const auto word = node.value_exact<std::string>();
        if (!word || !boost::describe::enum_from_string(word->c_str(), target)) {
            problems.add(node, "must be one of: " + detail::enum_words<T>());
        }
    } else if constexpr (detail::IsDuration<T>::value) {
        const auto seconds = node.value<double>();
        if (seconds && *seconds >= 0) {
            target = std::chrono::duration_cast<T>(std::chrono::duration<double>(*seconds));
        } else {
            problems.add(node, "must be a number of seconds");
        }
    } else if constexpr (std::integral<T>) {
        const auto value = node.value_exact<std::int64_t>();
        if (value && *value >= 0) {
            target = static_cast<T>(*value);
        } else {
            problems.add(node, "must be a whole number, not negative");
        }
    } else if constexpr (std::floating_point<T>) {
        if (const auto value = node.value<double>()) {
            target = static_cast<T>(*value);
        } else {
            problems.add(node, "must be a number");
        }
    } else if constexpr (detail::IsOptional<T>::value) {
        read_value(node, target.emplace(), problems);
    } else if constexpr (detail::IsVector<T>::value) {
        if (const auto* items = node.as_array()) {
            for (const auto& item : *items) {
                read_value(item, target.emplace_back(), problems);
            }
        } else {
            problems.add(node, "must be a list");
        }
    } else if constexpr (detail::IsMap<T>::value) {
        if (const auto* table = node.as_table()) {
            for (const auto& [key, item] : *table) {
                read_value(item, target[std::string(key.str())], problems);
            }
        } else {
            problems.add(node, "must be a table");
        }
    } else {
        static_assert(detail::DescribedStruct<T>, "a setting needs a described type");
        if (const auto* table = node.as_table()) {
            read_table(*table, target, problems);
        } else {
            problems.add(node, "must be a table");
        }
    }
}

template <class T>
void read_table(const toml::table& table, T& target, TomlProblems& problems) {
    using Members = boost::describe::describe_members<T, boost::describe::mod_public>;
    for (const auto& [key, node] : table) {
        bool is_known = false;
        boost::mp11::mp_for_each<Members>([&](auto member) {
            if (key.str() == member.name) {
                is_known = true;
                read_value(node, target.*member.pointer, problems);
            }
        });
        if (!is_known) {
            std::string known;
            boost::mp11::mp_for_each<Members>([&](auto member) {
                known += known.empty() ? "" : ", ";
                known += member.name;
            });
            problems.add(
                node, fmt::format("unknown setting `{}`; known here: {}", key.str(), known)
            );
        }
    }
}

}  // namespace flowspan::cli
