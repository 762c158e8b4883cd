#include "export/memory_sink.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/run_scope.hpp"
#include "flowspan/trace/tracer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/default_span.h>

#include <string>

namespace otel = opentelemetry::trace;
namespace nostd = opentelemetry::nostd;

namespace flowspan::exporting {
namespace {

using otel::StatusCode;
using testing::ElementsAre;

/// Tracing into memory while one lives.
class Recording {
public:
    explicit Recording(SpanLimits limits = {}) {
        TelemetryConfig config;
        config.limits = limits;
        config.sinks = {memory_};
        telemetry_ = std::move(Telemetry::start(std::move(config)).value());
    }

    [[nodiscard]] SpanRecordPtr only_span() const {
        const auto spans = memory_->take();
        EXPECT_EQ(spans.size(), 1U);
        return spans.empty() ? std::make_shared<SpanRecord>() : spans.front();
    }

    [[nodiscard]] Telemetry& telemetry() const { return *telemetry_; }

private:
    std::shared_ptr<MemorySink> memory_ = std::make_shared<MemorySink>();
    std::unique_ptr<Telemetry> telemetry_;
};

std::vector<std::string> texts(const SpanRecord& span, std::string_view key) {
    std::vector<std::string> found;
    span.for_each_attribute([&](const AttributeView& attribute) {
        if (attribute.key == key && std::holds_alternative<TextList>(attribute.value)) {
            std::get<TextList>(attribute.value).for_each([&found](std::string_view text) {
                found.emplace_back(text);
            });
        }
    });
    return found;
}

nostd::string_view view(std::string_view text) {
    return {text.data(), text.size()};
}

TEST(SpanRecordable, KeepsNoSecretOfItsRunAnywhere) {
    const Recording recording;
    auto scope = std::make_shared<trace::RunScope>();
    const std::vector<Secret> secrets{Secret("hunter2+")};
    scope->redactor = trace::Redactor::make_default()->with_secrets(secrets);
    trace::SpanPtr span;
    {
        const trace::CurrentRunScope run(scope);
        span = trace::tracer().StartSpan("GET hunter2+");
    }
    // Also what comes later, and from elsewhere.
    const nostd::string_view words[] = {"a", "b hunter2+ c"};
    span->SetAttribute("list", nostd::span<const nostd::string_view>(words));
    span->SetAttribute("url", "http://h/?q=hunter2%2B&password=x");
    span->AddEvent("said hunter2+", {{"exception.message", "wrong: hunter2+"}});
    span->SetStatus(StatusCode::kError, "cannot use hunter2+");
    span->End();
    const auto record = recording.only_span();
    EXPECT_EQ(record->name(), "GET [redacted]");
    EXPECT_THAT(texts(*record, "list"), ElementsAre("a", "b [redacted] c"));
    EXPECT_EQ(record->text("url"), "http://h/?q=[redacted]&password=[redacted]");
    EXPECT_EQ(record->event(0).name, "said [redacted]");
    record->for_each_event_attribute(0, [](const AttributeView& attribute) {
        EXPECT_EQ(std::get<std::string_view>(attribute.value), "wrong: [redacted]");
    });
    EXPECT_EQ(record->status_description(), "cannot use [redacted]");
    EXPECT_EQ(record->run, scope);
}

TEST(SpanRecordable, KeepsEveryAttributeType) {
    const Recording recording;
    const auto span = trace::tracer().StartSpan("types");
    const std::int64_t numbers[] = {1, -2};
    const std::uint32_t small_numbers[] = {3, 4294967295U};
    const nostd::string_view words[] = {"a", "", "ccc"};
    const bool flags[] = {true, false};
    const double doubles[] = {0.5};
    span->SetAttribute("text", "hello");
    span->SetAttribute("flag", true);
    span->SetAttribute("int32", std::int32_t{-5});
    span->SetAttribute("double", 2.5);
    span->SetAttribute("huge", std::uint64_t{18446744073709551615ULL});
    span->SetAttribute("large", std::uint64_t{7});
    span->SetAttribute("numbers", nostd::span<const std::int64_t>(numbers));
    span->SetAttribute("small", nostd::span<const std::uint32_t>(small_numbers));
    span->SetAttribute("words", nostd::span<const nostd::string_view>(words));
    span->SetAttribute("flags", nostd::span<const bool>(flags));
    span->SetAttribute("doubles", nostd::span<const double>(doubles));
    span->End();
    const auto record = recording.only_span();
    EXPECT_EQ(record->name(), "types");
    EXPECT_EQ(record->text("text"), "hello");
    EXPECT_EQ(record->integer("int32"), -5);
    EXPECT_EQ(record->number("double"), 2.5);
    EXPECT_EQ(record->text("huge"), "18446744073709551615");
    EXPECT_EQ(record->integer("large"), 7);
    EXPECT_THAT(texts(*record, "words"), ElementsAre("a", "", "ccc"));
    std::vector<double> seen;
    record->for_each_attribute([&seen](const AttributeView& attribute) {
        if (const auto* list = std::get_if<PackedList<std::int64_t>>(&attribute.value)) {
            list->for_each([&seen](std::int64_t number) {
                seen.push_back(static_cast<double>(number));
            });
        } else if (const auto* halves = std::get_if<PackedList<double>>(&attribute.value)) {
            halves->for_each([&seen](double number) { seen.push_back(number); });
        } else if (const auto* bits = std::get_if<PackedList<bool>>(&attribute.value)) {
            bits->for_each([&seen](bool bit) { seen.push_back(bit ? 1 : 0); });
        }
    });
    EXPECT_THAT(seen, ElementsAre(1, -2, 3, 4294967295.0, 1, 0, 0.5));
}

TEST(SpanRecordable, LastWriteOfAKeyWinsAlsoAcrossTypesAndStart) {
    const Recording recording;
    const auto span = trace::tracer().StartSpan("s", {{"key", "at start"}, {"other", 1}});
    span->SetAttribute("key", std::int64_t{5});
    span->SetAttribute("key", "a longer text than before");
    span->SetAttribute("key", "end");
    span->End();
    const auto record = recording.only_span();
    EXPECT_EQ(record->attribute_count(), 2U);
    EXPECT_EQ(record->text("key"), "end");
    EXPECT_EQ(record->integer("other"), 1);
}

struct StatusCase {
    const char* title;
    std::vector<std::pair<StatusCode, const char*>> calls;
    StatusCode status;
    const char* description;
};

TEST(SpanRecordable, StatusFollowsThePrecedenceOfTheSpecification) {
    const StatusCase cases[] = {
        {"none", {}, StatusCode::kUnset, ""},
        {"error keeps its text", {{StatusCode::kError, "bad"}}, StatusCode::kError, "bad"},
        {"ok drops the error's text",
         {{StatusCode::kError, "bad"}, {StatusCode::kOk, "fine"}},
         StatusCode::kOk,
         ""},
        {"ok is final",
         {{StatusCode::kOk, ""}, {StatusCode::kError, "late"}, {StatusCode::kUnset, ""}},
         StatusCode::kOk,
         ""},
        {"unset changes nothing",
         {{StatusCode::kError, "bad"}, {StatusCode::kUnset, "x"}},
         StatusCode::kError,
         "bad"},
        {"the last error speaks",
         {{StatusCode::kError, "first"}, {StatusCode::kError, "second"}},
         StatusCode::kError,
         "second"},
    };
    for (const auto& test : cases) {
        const Recording recording;
        const auto span = trace::tracer().StartSpan("s");
        for (const auto& [code, text] : test.calls) {
            span->SetStatus(code, text);
        }
        span->End();
        const auto record = recording.only_span();
        EXPECT_EQ(record->status(), test.status) << test.title;
        EXPECT_EQ(record->status_description(), test.description) << test.title;
    }
}

TEST(SpanRecordable, RepairsInvalidUtf8Everywhere) {
    const Recording recording;
    const std::string cut = "gr\xC3\xBC\xC3";  // ends inside a character
    const auto span = trace::tracer().StartSpan(cut);
    const nostd::string_view list[] = {cut};
    span->SetAttribute("text", cut);
    span->SetAttribute(cut, 1);
    span->SetAttribute("list", nostd::span<const nostd::string_view>(list));
    span->AddEvent(cut, {{"text", view(cut)}});
    span->SetStatus(StatusCode::kError, cut);
    span->End();
    const auto record = recording.only_span();
    const std::string repaired = "gr\xC3\xBC\xEF\xBF\xBD";
    EXPECT_EQ(record->name(), repaired);
    EXPECT_EQ(record->text("text"), repaired);
    EXPECT_EQ(record->integer(repaired), 1);
    EXPECT_THAT(texts(*record, "list"), ElementsAre(repaired));
    EXPECT_EQ(record->event(0).name, repaired);
    EXPECT_EQ(record->status_description(), repaired);
}

TEST(SpanRecordable, CountsWhatIsBeyondTheCountLimits) {
    SpanLimits limits;
    limits.attributes_max = 2;
    limits.events_max = 1;
    limits.links_max = 1;
    limits.event_attributes_max = 1;
    limits.link_attributes_max = 1;
    const Recording recording(limits);
    const otel::SpanContext other(
        otel::TraceId(nostd::span<const std::uint8_t, 16>(
            reinterpret_cast<const std::uint8_t*>("0123456789abcdef"), 16
        )),
        otel::SpanId(
            nostd::span<const std::uint8_t, 8>(reinterpret_cast<const std::uint8_t*>("01234567"), 8)
        ),
        otel::TraceFlags{1},
        true
    );
    const auto span = trace::tracer().StartSpan(
        "s",
        {{"a", 1}, {"b", 2}, {"c", 3}},
        {{other, {{"x", 1}, {"y", 2}}}, {other, {}}, {other, {}}}
    );
    span->SetAttribute("b", 20);
    span->AddEvent("one", {{"x", 1}, {"y", 2}, {"z", 3}});
    span->AddEvent("two");
    span->End();
    const auto record = recording.only_span();
    EXPECT_EQ(record->attribute_count(), 2U);
    EXPECT_EQ(record->dropped_attributes, 1U);
    EXPECT_EQ(record->integer("b"), 20);
    EXPECT_EQ(record->event_count(), 1U);
    EXPECT_EQ(record->event(0).dropped_attributes, 2U);
    EXPECT_EQ(record->dropped_events, 1U);
    EXPECT_EQ(record->link_count(), 1U);
    EXPECT_EQ(record->link(0).dropped_attributes, 1U);
    EXPECT_TRUE(record->link(0).is_remote);
    EXPECT_EQ(record->dropped_links, 2U);
    EXPECT_FALSE(record->has(trace::names::kFlowspanTruncated));
}

TEST(SpanRecordable, CutsLongValuesByCodePointsAndSaysSo) {
    SpanLimits limits;
    limits.value_length_max = 3;
    const Recording recording(limits);
    const auto span = trace::tracer().StartSpan("s");
    const nostd::string_view list[] = {"ok", "too long"};
    span->SetAttribute("umlauts", "äöüß");
    span->SetAttribute("list", nostd::span<const nostd::string_view>(list));
    span->SetAttribute("fits", "abc");
    span->End();
    const auto record = recording.only_span();
    EXPECT_EQ(record->text("umlauts"), "äöü");
    EXPECT_EQ(record->text("fits"), "abc");
    EXPECT_THAT(texts(*record, "list"), ElementsAre("ok", "too"));
    EXPECT_THAT(texts(*record, trace::names::kFlowspanTruncated), ElementsAre("umlauts", "list"));
    EXPECT_EQ(record->integer(trace::names::kFlowspanTruncatedBytes), 2 + 5);
}

TEST(SpanRecordable, BoundsTheWholeSpanButKeepsRoomForSmallFacts) {
    SpanLimits limits;
    limits.span_bytes_max = 100'000;
    const Recording recording(limits);
    const std::string prompt(5'000'000, 'p');
    const auto span = trace::tracer().StartSpan("s");
    span->SetAttribute("prompt", prompt);
    span->SetAttribute("prompt2", prompt);
    span->SetAttribute("tokens", 12);
    span->SetAttribute("model", "gpt");
    span->End();
    const auto record = recording.only_span();
    EXPECT_LT(record->byte_size(), 130'000U);
    EXPECT_GT(record->text("prompt").size(), 80'000U);
    EXPECT_FALSE(record->has("prompt2"));
    EXPECT_EQ(record->dropped_attributes, 1U);
    EXPECT_EQ(record->integer("tokens"), 12);
    EXPECT_EQ(record->text("model"), "gpt");
    EXPECT_THAT(texts(*record, trace::names::kFlowspanTruncated), ElementsAre("prompt", "prompt2"));
    EXPECT_EQ(
        record->integer(trace::names::kFlowspanTruncatedBytes),
        10'000'000 - static_cast<std::int64_t>(record->text("prompt").size())
    );
}

TEST(SpanRecordable, RewritingAGrowingValueDoesNotEatTheLimit) {
    SpanLimits limits;
    limits.span_bytes_max = 200'000;
    const Recording recording(limits);
    const auto span = trace::tracer().StartSpan("s", {{"before", "kept"}});
    span->AddEvent("event", {{"x", "also kept"}});
    for (std::size_t size = 1000; size <= 100'000; size += 1000) {
        span->SetAttribute("answer", std::string(size, 'a'));
    }
    span->End();
    const auto record = recording.only_span();
    EXPECT_EQ(record->text("answer").size(), 100'000U);
    EXPECT_EQ(record->text("before"), "kept");
    EXPECT_EQ(record->name(), "s");
    EXPECT_EQ(record->event(0).name, "event");
    record->for_each_event_attribute(0, [](const AttributeView& attribute) {
        EXPECT_EQ(attribute.key, "x");
        EXPECT_EQ(std::get<std::string_view>(attribute.value), "also kept");
    });
    EXPECT_EQ(record->dropped_attributes, 0U);
}

TEST(SpanRecordable, KnowsItsPlaceInTheTrace) {
    const Recording recording;
    const otel::SpanContext remote(
        otel::TraceId(nostd::span<const std::uint8_t, 16>(
            reinterpret_cast<const std::uint8_t*>("0123456789abcdef"), 16
        )),
        otel::SpanId(
            nostd::span<const std::uint8_t, 8>(reinterpret_cast<const std::uint8_t*>("01234567"), 8)
        ),
        otel::TraceFlags{1},
        true,
        otel::TraceState::FromHeader("vendor=1")
    );
    otel::StartSpanOptions options;
    options.parent = remote;
    options.kind = otel::SpanKind::kClient;
    trace::tracer().StartSpan("s", options)->End();
    const auto record = recording.only_span();
    EXPECT_EQ(record->trace_id, remote.trace_id());
    EXPECT_EQ(record->parent_span_id, remote.span_id());
    EXPECT_TRUE(record->span_id.IsValid());
    EXPECT_EQ(record->kind, otel::SpanKind::kClient);
    EXPECT_TRUE(record->is_parent_remote);
    EXPECT_TRUE(record->is_sampled());
    EXPECT_EQ(record->trace_state(), "vendor=1");
    EXPECT_EQ(record->scope_name(), trace::kInstrumentationName);
    EXPECT_GT(record->start_ns, 1'600'000'000'000'000'000);
    EXPECT_GE(record->duration_ns, 0);
}

}  // namespace
}  // namespace flowspan::exporting
