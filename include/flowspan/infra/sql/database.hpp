#pragma once
// The instrumented SQL client, for programs that embed Flowspan: flowspan::sql.

#include "infra/sql/database.hpp"  // IWYU pragma: export
