#pragma once
// The books as they stand in the local store: JSON.

#include "flowspan/base/result.hpp"
#include "flowspan/export/pipeline_counts.hpp"

#include <string>
#include <string_view>

namespace flowspan::exporting {

[[nodiscard]] std::string write_books(const PipelineCounts& counts);
[[nodiscard]] Result<PipelineCounts> read_books(std::string_view text);

}  // namespace flowspan::exporting
