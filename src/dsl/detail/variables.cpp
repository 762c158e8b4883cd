#include "dsl/detail/variables.hpp"

#include "dsl/data_reader.hpp"
#include "dsl/detail/pointer.hpp"
#include "flowspan/base/text.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

namespace flowspan::dsl::detail {

namespace {

using value::Value;
using value::ValueType;

constexpr std::size_t kDescriptionLengthMax = 255;

bool are_all(const json::value& data, bool (*is_fit)(const json::value&)) {
    return data.is_array() && std::ranges::all_of(data.get_array(), is_fit);
}

bool is_text(const json::value& data) {
    return data.is_string();
}

bool is_number(const json::value& data) {
    return data.is_number();
}

bool is_mapping(const json::value& data) {
    return data.is_object();
}

bool is_flag(const json::value& data) {
    return data.is_bool();
}

std::optional<Value> fit(const json::value& data, ValueType type) {
    const auto if_fits = [&](bool fits) {
        return fits ? std::optional(Value::unchecked(data, type)) : std::nullopt;
    };
    switch (type) {
        case ValueType::string:
        case ValueType::secret:
            return if_fits(data.is_string());
        case ValueType::number:
            return data.is_number() ? std::optional(Value(data)) : std::nullopt;
        case ValueType::integer: {
            const auto number = to_integer(data);
            return number ? std::optional(Value::integer(*number)) : std::nullopt;
        }
        case ValueType::floating: {
            const auto number = to_number(data);
            return number ? std::optional(Value::floating(*number)) : std::nullopt;
        }
        case ValueType::boolean: {
            const auto flag = to_boolean(data);
            return flag ? std::optional(Value::boolean(*flag)) : std::nullopt;
        }
        case ValueType::object:
            return if_fits(data.is_object());
        case ValueType::array_string:
            return if_fits(are_all(data, is_text));
        case ValueType::array_number:
            return if_fits(are_all(data, is_number));
        case ValueType::array_object:
            return if_fits(are_all(data, is_mapping));
        case ValueType::array_boolean:
            return if_fits(are_all(data, is_flag));
        default:
            return std::nullopt;
    }
}

bool is_declarable(ValueType type) {
    return type != ValueType::none && type != ValueType::file && type != ValueType::array_any &&
           type != ValueType::array_file;
}

class VariablesLoader {
public:
    VariablesLoader(std::string_view key, Findings& findings)
        : base_(join_pointer("/workflow", key)),
          kind_(key.starts_with("env") ? "environment variable" : "conversation variable"),
          findings_(findings) {}

    std::vector<VariableSpec> load(const json::value& list) {
        std::vector<VariableSpec> variables;
        if (!list.is_array()) {
            findings_.error(
                "variable.invalid_list",
                base_,
                fmt::format("`{}` must be a list, but is {}", to_path(base_), describe_kind(list))
            );
            return variables;
        }
        auto positions = findings_.positions().parts(base_);
        positions.resize(list.get_array().size());
        std::size_t index = 0;
        for (const auto& item : list.get_array()) {
            if (auto variable = load_one(item, positions[index++])) {
                variables.push_back(*std::move(variable));
            }
        }
        return variables;
    }

private:
    std::optional<VariableSpec> load_one(const json::value& item, const PositionMap& positions) {
        if (!item.is_object()) {
            findings_.error_at(
                positions.find(""),
                "variable.invalid",
                fmt::format("{} must be a mapping, but is {}", kind_, describe_kind(item))
            );
            return std::nullopt;
        }
        VariableSpec variable;
        variable.name = string_member(item, "name");
        variable.id = string_member(item, "id");
        variable.description = string_member(item, "description");
        variable.position = positions.find("");
        if (variable.name.empty()) {
            findings_.error_at(
                positions.find(""),
                "variable.missing_name",
                fmt::format("missing name: give this {} a `name`", kind_)
            );
        } else if (!names_.insert(variable.name).second) {
            findings_.warning_at(
                positions.find(""),
                "variable.duplicate_name",
                fmt::format("{} `{}` is defined twice; the later one counts", kind_, variable.name)
            );
        }
        if (count_code_points(variable.description) > kDescriptionLengthMax) {
            findings_.warning_at(
                positions.find("/description"),
                "variable.long_description",
                fmt::format(
                    "the description of {} `{}` is longer than {} characters",
                    kind_,
                    variable.name,
                    kDescriptionLengthMax
                )
            );
        }
        auto value = read_value(item, variable.name, positions);
        if (!value || variable.name.empty()) {
            return std::nullopt;
        }
        variable.value = *std::move(value);
        return variable;
    }

    std::optional<Value> read_value(
        const json::value& item, const std::string& name, const PositionMap& positions
    ) {
        const auto word = string_member(item, "value_type");
        if (word.empty()) {
            findings_.error_at(
                positions.find(""),
                "variable.missing_value_type",
                fmt::format(
                    "missing value type: give {} `{}` a `value_type`, for example `string`",
                    kind_,
                    name
                )
            );
            return std::nullopt;
        }
        const auto type = value::parse_value_type(word);
        if (!type || !is_declarable(*type)) {
            findings_.error_at(
                positions.find("/value_type"),
                "variable.unsupported_value_type",
                fmt::format("not supported value type `{}` of {} `{}`", word, kind_, name)
            );
            return std::nullopt;
        }
        const auto* data = find_member(item, "value");
        if (data == nullptr || data->is_null()) {
            findings_.error_at(
                positions.find(""),
                "variable.missing_value",
                fmt::format("missing value: give {} `{}` a `value`, even an empty one", kind_, name)
            );
            return std::nullopt;
        }
        auto value = fit(*data, *type);
        if (!value) {
            findings_.error_at(
                positions.find("/value"),
                "variable.invalid_value",
                fmt::format(
                    "invalid {} value: {} `{}` holds {}",
                    value::to_string(*type),
                    kind_,
                    name,
                    describe_kind(*data)
                )
            );
        } else if (value->text().size() > kVariableSizeMax) {
            findings_.error_at(
                positions.find("/value"),
                "variable.too_large",
                fmt::format(
                    "the value of {} `{}` is larger than {} bytes", kind_, name, kVariableSizeMax
                )
            );
        }
        return value;
    }

    std::string base_;
    std::string_view kind_;
    Findings& findings_;
    boost::unordered_flat_set<std::string> names_;
};

}  // namespace

std::vector<VariableSpec> load_variables(
    const json::value& workflow, std::string_view key, Findings& findings
) {
    const auto* list = find_member(workflow, key);
    if (list == nullptr || list->is_null()) {
        return {};
    }
    return VariablesLoader(key, findings).load(*list);
}

}  // namespace flowspan::dsl::detail
