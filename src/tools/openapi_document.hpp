#pragma once
// Reads OpenAPI 3 documents: each operation is a callable with declared parameters.

#include "tools/parameters.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::tools {

enum class ParameterPlace : std::uint8_t { path, query, header, cookie, body };

struct Operation {
    std::string name;    ///< operationId, or made of path and method
    std::string method;  ///< upper case
    std::string path;    ///< with `{name}` for path parameters
    std::string description;
    std::vector<ToolParameter> parameters;
    std::vector<ParameterPlace> places;  ///< of each parameter
    std::string body_type;               ///< media type of the body; empty: none
};

struct OpenApiDocument {
    std::string server;  ///< the first one; may be empty
    std::vector<Operation> operations;
};

/// `text` is JSON or YAML. Errors (`invalid_input`) say what is missing.
[[nodiscard]] Result<OpenApiDocument> read_openapi(std::string_view text);

}  // namespace flowspan::tools
