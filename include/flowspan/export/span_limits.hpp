#pragma once
// How much of a span is kept; what lies beyond is cut, counted and marked on the span.

#include <cstddef>

namespace flowspan::exporting {

struct SpanLimits {
    std::size_t attributes_max = 128;        ///< per span
    std::size_t events_max = 128;            ///< per span
    std::size_t links_max = 128;             ///< per span
    std::size_t event_attributes_max = 128;  ///< per event
    std::size_t link_attributes_max = 128;   ///< per link
    std::size_t value_length_max = 0;        ///< code points per text value; 0: no limit
    /// Names, texts and lists of one span together. Receivers refuse requests beyond 4 MiB, so one
    /// span must stay well below.
    std::size_t span_bytes_max = 1024UL * 1024UL;

    bool operator==(const SpanLimits&) const = default;
};

}  // namespace flowspan::exporting
