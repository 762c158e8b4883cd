#pragma once
// A small instance of a JSON schema, for the demo model.

#include "flowspan/base/json.hpp"

namespace flowspan::model {

/// Follows `const`, `enum`, `default`, `type`, `properties`, `items`, `anyOf`, `oneOf`, `allOf`,
/// local `$ref`, and the bounds of numbers, texts and lists; what else a schema asks for may be
/// missed. Deterministic. Recursive schemas end in null after a few levels.
[[nodiscard]] json::value make_schema_instance(const json::value& schema);

}  // namespace flowspan::model
