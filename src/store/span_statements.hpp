#pragma once
// The statements of the span store: its tables, and how a write is put into them.

#include "infra/sql/database.hpp"
#include "store/span_rows.hpp"

#include <cstdint>
#include <string_view>
#include <vector>

namespace flowspan::store {

/// Stands in the file as its user_version.
inline constexpr std::int64_t kSchemaVersion = 1;

[[nodiscard]] std::vector<sql::Statement> make_tables();
[[nodiscard]] sql::Statement insert_process(const ProcessRow& process);
[[nodiscard]] std::vector<sql::Statement> make_write(const SpanWrite& write);

}  // namespace flowspan::store
