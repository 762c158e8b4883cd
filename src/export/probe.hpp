#pragma once
// Probe: sends a sample trace to one receiver and says what came back.

#include "export/span_sink.hpp"
#include "flowspan/export/telemetry_config.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::exporting {

struct ProbeResult {
    std::string name;     ///< of the receiver, with its endpoint
    std::string dialect;  ///< empty: as recorded
    std::string trace_id;
    std::uint64_t sent = 0;
    std::uint64_t rejected = 0;
    std::string reason;          ///< what the receiver said of a batch that it took
    std::optional<Error> error;  ///< not reached, or refused; `detail` is what the receiver said
    /// The spans were taken; why the sample's score, which goes elsewhere, was not, or not yet.
    std::optional<Error> score_error;
    std::chrono::milliseconds elapsed{0};

    [[nodiscard]] bool is_accepted() const noexcept { return !error && rejected == 0; }
};

/// A small run with every kind of step: request, workflow, node, model call, tool, HTTP request,
/// and a score. It carries content, so that a receiver with `full` shows it.
[[nodiscard]] std::vector<SpanRecordPtr> make_sample_trace();

/// Blocks until the receiver has answered or its timeout has passed. Tries once.
[[nodiscard]] ProbeResult probe(const Destination& destination, const ExportResource& resource);

}  // namespace flowspan::exporting
