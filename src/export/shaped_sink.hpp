#pragma once
// A sink that gets spans as one reader may see them, in the words it knows.

#include "export/dialect.hpp"
#include "export/span_sink.hpp"
#include "flowspan/trace/content.hpp"

#include <memory>
#include <vector>

namespace flowspan::exporting {

/// What a reader may see, and how it is told.
struct SpanShape {
    trace::ContentRules content;
    const Dialect* dialect = nullptr;              ///< null: as recorded
    std::vector<ResourceAttribute> resource = {};  ///< besides the process's own
};

/// The span without the content that `modes` does not allow; the same one if nothing must go.
[[nodiscard]] SpanRecordPtr without_content(
    const SpanRecordPtr& span, const trace::ContentModes& modes
);

/// The modes that rules give a span: those of its run's app. Of a span whose run is not known (it
/// comes from a process that went away, or belongs to none) only what any app's may show.
[[nodiscard]] trace::ContentModes modes_for(
    const trace::ContentRules& rules, const SpanRecord& span
) noexcept;

[[nodiscard]] std::shared_ptr<SpanSink> make_shaped_sink(
    std::shared_ptr<SpanSink> inner, SpanShape shape
);

/// Fails if the endpoint is no URL or nobody speaks the dialect.
[[nodiscard]] Result<std::shared_ptr<SpanSink>> make_destination_sink(const Destination& destination
);

}  // namespace flowspan::exporting
