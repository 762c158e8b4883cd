#pragma once
// Model calls as log events, for receivers that keep prompts and answers apart from spans.

#include "export/span_sink.hpp"

#include <memory>

namespace flowspan::exporting {

/// Emits an event `gen_ai.client.inference.operation.details` for the span of each model call: all
/// its attributes, the messages structured, with the span's ids. It shows what the span given
/// shows, so shape it like any receiver.
[[nodiscard]] std::shared_ptr<SpanSink> make_inference_event_sink();

}  // namespace flowspan::exporting
