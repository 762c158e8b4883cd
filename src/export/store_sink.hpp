#pragma once
// StoreSink: writes spans into the local store, from their start on.

#include "export/live_span.hpp"
#include "export/span_sink.hpp"
#include "flowspan/base/clock.hpp"

#include <memory>

namespace flowspan::exporting {

/// Opens nothing yet: the file belongs to the sink's worker, so that neither the start of the
/// program nor a run waits for a disk.
[[nodiscard]] std::shared_ptr<SpanSink> make_store_sink(StoreConfig config, const Clock& clock);

}  // namespace flowspan::exporting
