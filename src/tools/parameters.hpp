#pragma once
// Declared parameters of tools: reading declarations, casting arguments, schemas for models.

#include "flowspan/base/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::tools {

enum class ParameterType : std::uint8_t {
    any,  ///< no cast
    string,
    secret,
    select,
    number,
    boolean,
    file,
    files,
    array,
    object,
    selector,  ///< a model or an app
};

/// Reverse of the app format's words (`string`, `secret-input`, `system-files`, ...); unknown words
/// are `any`.
[[nodiscard]] ParameterType parse_parameter_type(std::string_view word) noexcept;

struct ToolParameter {
    std::string name = {};
    ParameterType type = ParameterType::string;
    std::string description = {};
    bool is_required = false;
    bool is_for_model = true;  ///< false: fixed when the app is made
    json::value default_value = nullptr;
    std::vector<std::string> options = {};
    json::value schema = nullptr;  ///< JSON schema, where more is known than the type
};

/// Reads the list that app files hold under `paramSchemas` and `schemas`; what is no declaration is
/// left out.
[[nodiscard]] std::vector<ToolParameter> read_parameters(const json::value& declarations);

[[nodiscard]] const ToolParameter* find_parameter(
    const std::vector<ToolParameter>& parameters, std::string_view name
) noexcept;

/// The argument as the declared type wants it. Error `type_mismatch`, type `ToolParameterError`.
[[nodiscard]] Result<json::value> cast_argument(const ToolParameter& parameter, json::value value);

/// JSON schema of the parameters that a model fills in.
[[nodiscard]] json::object to_json_schema(const std::vector<ToolParameter>& parameters);

}  // namespace flowspan::tools
