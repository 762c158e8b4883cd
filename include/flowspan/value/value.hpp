#pragma once
// A typed, immutable variable value: what nodes read, write and hand on.

#include "flowspan/base/json.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace flowspan::value {

/// Segment types of the app format (spelled like their wire names where C++ allows it).
enum class ValueType : std::uint8_t {
    none,
    string,
    integer,
    floating,  ///< wire name `float`
    boolean,
    object,
    secret,
    file,
    array_any,
    array_string,
    array_number,
    array_object,
    array_file,
    array_boolean,
    number,  ///< declared type only; a stored value is integer or floating
};

/// Wire name, for example `array[string]`.
[[nodiscard]] std::string_view to_string(ValueType type) noexcept;

/// Reverse of to_string; also accepts `any`-cased `Array[...]` and `bool`.
[[nodiscard]] Result<ValueType> parse_value_type(std::string_view text);

[[nodiscard]] constexpr bool is_array(ValueType type) noexcept {
    return type >= ValueType::array_any && type <= ValueType::array_boolean;
}

/// Marks a JSON object as a file record.
inline constexpr std::string_view kFileIdentityKey = "dify_model_identity";
inline constexpr std::string_view kFileIdentity = "__dify__file__";

/// True for a JSON object that carries the file mark.
[[nodiscard]] bool is_file_record(const json::value& data) noexcept;

/// A value and its type. Copies share the data, so passing values is cheap at any size.
/// A file is a JSON object with the file mark; an array[file] is an array of such objects.
class Value {
public:
    /// The `none` value: present, but null.
    Value();

    /// Types `data` by inference: null, bool, int64, double, string, file record, object, and lists
    /// by their items (an empty list is array[any]; integers mixed with floats are array[number]).
    explicit Value(json::value data);

    static Value string(std::string_view text);
    static Value secret(std::string_view text);
    static Value integer(std::int64_t number);
    static Value floating(double number);
    static Value boolean(bool flag);

    /// Types `data` as `type` without conversion. Error `type_mismatch` if it does not fit: null
    /// fits only `none`, an empty list any array type, `number` takes integers and floats.
    static Result<Value> typed(json::value data, ValueType type);

    /// For containers whose declared element type must survive (an empty array[string], a secret).
    /// `data` must fit `type`.
    static Value unchecked(json::value data, ValueType type);

    /// A value that shares this one's data instead of copying it, typed by inference. `nested` must
    /// be a part of `json()`.
    [[nodiscard]] Value part(const json::value& nested) const;

    [[nodiscard]] ValueType type() const noexcept { return type_; }

    [[nodiscard]] const json::value& json() const noexcept { return *data_; }

    [[nodiscard]] bool is_none() const noexcept { return type_ == ValueType::none; }

    /// The text of a string or secret; empty for other types.
    [[nodiscard]] std::string_view text() const noexcept { return string_or_empty(*data_); }

    /// Python's truthiness: null, "", 0, 0.0, false, empty list and empty mapping are false.
    [[nodiscard]] bool is_truthy() const noexcept;

    /// Text, markdown and log forms of the app format (see value/text_form.cpp for the rules).
    [[nodiscard]] std::string to_text() const;
    [[nodiscard]] std::string to_markdown() const;
    [[nodiscard]] std::string to_log() const;

    /// The same, appended to `out` without a text in between.
    void append_text(std::string& out) const;
    void append_markdown(std::string& out) const;

    /// Python equality: 1 == 1.0 == True; containers by content.
    bool operator==(const Value& other) const;

private:
    Value(ValueType type, std::shared_ptr<const json::value> data)
        : type_(type), data_(std::move(data)) {}

    ValueType type_;
    // Shared by all copies of this value; never null, never changed after construction.
    std::shared_ptr<const json::value> data_;
};

/// The type that inference gives to `data`.
[[nodiscard]] ValueType infer_type(const json::value& data) noexcept;

/// The zero of a type as used by `clear`; error for file, array[file] and secret.
[[nodiscard]] Result<Value> zero_value(ValueType type);

/// Python's `str` of a JSON value: strings bare, True/False/None, floats by shortest repr.
[[nodiscard]] std::string python_str(const json::value& data);

/// Python's `repr` of a JSON value: strings quoted as Python would.
[[nodiscard]] std::string python_repr(const json::value& data);

/// Python's `json.dumps(..., ensure_ascii=False)`: separators `, ` and `: `.
/// `indent` > 0 gives one member a line.
[[nodiscard]] std::string python_json(const json::value& data, int indent = 0);

/// Shortest round-trip text of a float as Python prints it (`1.0`, `1e+16`, `nan`, `inf`).
[[nodiscard]] std::string python_float(double number);

/// Python's truthiness of a JSON value.
[[nodiscard]] bool python_truth(const json::value& data) noexcept;

/// Python equality on JSON values.
[[nodiscard]] bool python_equal(const json::value& a, const json::value& b);

}  // namespace flowspan::value
