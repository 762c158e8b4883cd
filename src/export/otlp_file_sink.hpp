#pragma once
// Spans into a file in the OTLP JSON file format: one export request a line.

#include "export/span_sink.hpp"

#include <memory>
#include <string>

namespace flowspan::exporting {

/// Creates or empties the file. `-` writes to standard error. Fails with the system's words if the
/// file cannot be opened; a later write error fails the batch for good.
[[nodiscard]] Result<std::shared_ptr<SpanSink>> make_otlp_file_sink(const std::string& path);

}  // namespace flowspan::exporting
