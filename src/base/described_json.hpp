#pragma once
// Writes and reads described structs as JSON objects: the struct is the only schema there is.

#include "flowspan/base/json.hpp"

#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <fmt/format.h>

#include <chrono>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan {

/// How a type that has no members to describe is written and read. Specialise with
/// `static json::value write(const T&)` and `static Result<T> read(const json::value&)`.
template <class T>
struct JsonForm;

template <class T>
concept HasJsonForm = requires(const T& value) { JsonForm<T>::write(value); };

template <class T>
concept DescribedStruct = boost::describe::has_describe_members<T>::value;

// Declared before use: members of a struct may be lists of structs with optional lists, and so on.
template <class T>
[[nodiscard]] json::value write_json(const T& value);
template <class T>
[[nodiscard]] json::value write_json(const std::vector<T>& values);
template <class T>
[[nodiscard]] json::value write_json(const std::optional<T>& value);

/// Errors: `invalid_input` with the place, for example `` `edges[2].source` must be a text ``.
template <class T>
[[nodiscard]] Result<void> read_json(const json::value& data, T& target);
template <class T>
[[nodiscard]] Result<void> read_json(const json::value& data, std::vector<T>& target);
template <class T>
[[nodiscard]] Result<void> read_json(const json::value& data, std::optional<T>& target);

template <class T>
json::value write_json(const std::vector<T>& values) {
    json::array array;
    array.reserve(values.size());
    for (const auto& value : values) {
        array.push_back(write_json(value));
    }
    return array;
}

template <class T>
json::value write_json(const std::optional<T>& value) {
    return value ? write_json(*value) : json::value();
}

template <class T>
json::value write_json(const T& value) {
    if constexpr (HasJsonForm<T>) {
        return JsonForm<T>::write(value);
    } else if constexpr (DescribedStruct<T>) {
        json::object object;
        boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>(
            [&](auto member) { object[member.name] = write_json(value.*member.pointer); }
        );
        return object;
    } else {
        return json::value(value);
    }
}

namespace detail {

inline std::unexpected<Error> wrong_kind(std::string_view wanted, const json::value& data) {
    return failure(
        ErrorCode::invalid_input,
        fmt::format("must be {}, not {}", wanted, json::to_string(data.kind()))
    );
}

/// Puts the place of what is wrong before the message: `root.pending[2].index`.
inline Error at_place(std::string_view place, Error error) {
    const bool is_nested = error.message.starts_with('`');
    if (!is_nested) {
        error.message = fmt::format("`{}` {}", place, error.message);
        return error;
    }
    const auto inner = std::string_view(error.message).substr(1);
    error.message = fmt::format("`{}{}{}", place, inner.starts_with('[') ? "" : ".", inner);
    return error;
}

template <class T>
Result<void> read_member(const json::object& object, std::string_view name, T& target) {
    const auto* found = object.if_contains(name);
    if (found == nullptr) {
        return failure(ErrorCode::invalid_input, fmt::format("`{}` is missing", name));
    }
    auto read = read_json(*found, target);
    return read ? read : failure(at_place(name, std::move(read).error()));
}

template <DescribedStruct T>
Result<void> read_struct(const json::value& data, T& target) {
    const auto* object = data.if_object();
    if (object == nullptr) {
        return wrong_kind("an object", data);
    }
    Result<void> result;
    boost::mp11::mp_for_each<boost::describe::describe_members<T, boost::describe::mod_public>>(
        [&](auto member) {
            if (result) {
                result = read_member(*object, member.name, target.*member.pointer);
            }
        }
    );
    return result;
}

}  // namespace detail

template <class T>
Result<void> read_json(const json::value& data, std::vector<T>& target) {
    const auto* array = data.if_array();
    if (array == nullptr) {
        return detail::wrong_kind("an array", data);
    }
    target.clear();
    for (std::size_t i = 0; i < array->size(); ++i) {
        if (auto read = read_json((*array)[i], target.emplace_back()); !read) {
            return failure(detail::at_place(fmt::format("[{}]", i), std::move(read).error()));
        }
    }
    return {};
}

template <class T>
Result<void> read_json(const json::value& data, std::optional<T>& target) {
    if (data.is_null()) {
        target.reset();
        return {};
    }
    if constexpr (HasJsonForm<T>) {
        FLOWSPAN_TRY(target, JsonForm<T>::read(data));
        return {};
    } else {
        return read_json(data, target.emplace());
    }
}

template <class T>
Result<void> read_json(const json::value& data, T& target) {
    if constexpr (HasJsonForm<T>) {
        FLOWSPAN_TRY(target, JsonForm<T>::read(data));
        return {};
    } else if constexpr (DescribedStruct<T>) {
        return detail::read_struct(data, target);
    } else if constexpr (std::same_as<T, bool>) {
        if (const auto* flag = data.if_bool()) {
            target = *flag;
            return {};
        }
        return detail::wrong_kind("true or false", data);
    } else if constexpr (std::integral<T>) {
        if (const auto* number = data.if_int64(); number != nullptr && std::in_range<T>(*number)) {
            target = static_cast<T>(*number);
            return {};
        }
        return detail::wrong_kind("a whole number in range", data);
    } else if constexpr (std::floating_point<T>) {
        if (data.is_number()) {
            target = data.to_number<T>();
            return {};
        }
        return detail::wrong_kind("a number", data);
    } else if constexpr (std::same_as<T, json::object>) {
        if (const auto* object = data.if_object()) {
            target = *object;
            return {};
        }
        return detail::wrong_kind("an object", data);
    } else if constexpr (std::same_as<T, json::array>) {
        if (const auto* array = data.if_array()) {
            target = *array;
            return {};
        }
        return detail::wrong_kind("an array", data);
    } else {
        static_assert(std::same_as<T, std::string>);
        if (const auto* text = data.if_string()) {
            target.assign(text->data(), text->size());
            return {};
        }
        return detail::wrong_kind("a text", data);
    }
}

}  // namespace flowspan
