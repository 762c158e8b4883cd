#pragma once
// Files as callers name them, turned into file records.

#include "flowspan/base/json.hpp"

namespace flowspan::service {

/// Accepts `{transfer_method, type, url | remote_url | upload_file_id | tool_file_id, ...}` or a
/// finished record, which is passed on. Errors name what is missing.
[[nodiscard]] Result<json::value> make_file_record(const json::object& mapping);

}  // namespace flowspan::service
