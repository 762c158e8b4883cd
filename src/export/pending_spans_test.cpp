#include "export/pending_spans.hpp"

#include "export/span_recordable.hpp"
#include "export/test_records.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/redactor.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/trace/span_context.h>

#include <future>
#include <mutex>
#include <string>
#include <vector>

namespace flowspan::exporting {
namespace {

namespace names = trace::names;
using namespace std::chrono_literals;

TEST(PendingSpans, ARecordStandsBelowTheSpanThatRuns) {
    const auto open = make_record({.id = 2, .parent = 1, .name = "chat", .start_us = 5});
    open->is_open = true;
    open->set_attribute("model", std::string_view("m"), {});
    const auto random = make_seeded_random(1);
    const auto pending = make_pending_record(*open, *random);
    EXPECT_EQ(pending->parent_span_id, open->span_id);
    EXPECT_NE(pending->span_id, open->span_id);
    EXPECT_EQ(pending->trace_id, open->trace_id);
    EXPECT_EQ(pending->name(), "chat");
    EXPECT_EQ(pending->text("model"), "m");
    EXPECT_EQ(pending->start_ns, open->start_ns);
    EXPECT_EQ(pending->duration_ns, 0);
    EXPECT_FALSE(pending->is_open);
    EXPECT_TRUE(pending->has(names::kFlowspanPending));
    EXPECT_EQ(pending->text(names::kFlowspanPendingParentId), "0000000000000001");
}

/// A span as the pipeline makes it.
std::unique_ptr<SpanRecordable> start_span(std::uint8_t id, std::string_view name) {
    static const SpanLimits kLimits;
    static const auto kRedactor = trace::Redactor::make_default();
    auto span =
        std::make_unique<SpanRecordable>(kLimits, *kRedactor, SpanRecordable::Observed::yes);
    span->SetIdentity(
        opentelemetry::trace::SpanContext(
            test_trace_id(1), test_span_id(id), opentelemetry::trace::TraceFlags(1), false
        ),
        {}
    );
    span->SetName({name.data(), name.size()});
    return span;
}

TEST(PendingSpans, AnnouncesOnceWhatRunsAndNothingThatEnded) {
    std::mutex mutex;
    std::vector<std::string> announced;
    std::promise<void> last;
    PendingSpans pending(1ms, [&](const SpanRecordPtr& record) {
        const std::scoped_lock lock(mutex);
        announced.emplace_back(record->name());
        if (record->name() == "last") {
            last.set_value();
        }
    });
    const auto running = start_span(1, "running");
    auto ended = start_span(2, "ended");
    const auto live = ended->live();
    static_cast<void>(std::move(*ended).take());
    pending.on_start(live);
    pending.on_start(running->live());
    const auto after = start_span(3, "last");
    pending.on_start(after->live());
    last.get_future().wait();
    pending.stop();
    EXPECT_EQ(announced, (std::vector<std::string>{"running", "last"}));
    pending.on_start(running->live());
    EXPECT_EQ(announced.size(), 2U);
}

}  // namespace
}  // namespace flowspan::exporting
