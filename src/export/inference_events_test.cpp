#include "export/inference_events.hpp"

#include "export/memory_sink.hpp"
#include "export/test_records.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/run_scope.hpp"
#include "flowspan/trace/tracer.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::exporting {
namespace {

namespace names = trace::names;
using trace::CaptureMode;
using trace::ContentModes;

constexpr std::string_view kMessages =
    R"([{"role":"user","parts":[{"type":"text","content":"hi"}]}])";

struct ShowValue {
    std::string operator()(std::string_view text) const { return std::string(text); }

    std::string operator()(const json::value* document) const {
        return "json " + to_json_text(*document);
    }

    template <class T>
    std::string operator()(T value) const {
        return to_json_text(json::value(value));
    }
};

/// Keeps what it hears of while it lives.
class Listener final : public trace::LogReceiver {
public:
    struct Heard {
        std::string name;
        opentelemetry::trace::SpanId span;
        std::map<std::string, std::string> attributes;
    };

    Listener() { trace::set_log_receiver(this); }

    ~Listener() override { trace::set_log_receiver(nullptr); }

    void on_log(const trace::LogEvent& event) noexcept override {
        Heard one{std::string(event.name), event.span.span_id(), {}};
        for (const auto& [key, value] : event.attributes) {
            one.attributes[std::string(key)] = std::visit(ShowValue{}, value);
        }
        heard.push_back(std::move(one));
    }

    std::vector<Heard> heard;
};

TEST(InferenceEvents, TellAModelCallWithItsMessagesStructured) {
    Listener listener;
    static const std::string_view kReasons[] = {"stop"};
    const auto call = make_record(
        {.id = 7,
         .attributes =
             {
                 {names::kGenAiOperationName, std::string_view("chat")},
                 {names::kGenAiInputMessages, kMessages},
                 {names::kGenAiUsageInputTokens, std::int64_t{3}},
                 {names::kGenAiResponseFinishReasons, std::span<const std::string_view>(kReasons)},
             }}
    );
    const auto tool =
        make_record({.attributes = {{names::kGenAiOperationName, std::string_view("execute_tool")}}}
        );
    const SpanRecordPtr spans[] = {call, tool};
    ASSERT_TRUE(make_inference_event_sink()->export_spans(spans));
    ASSERT_EQ(listener.heard.size(), 1U);
    const auto& event = listener.heard[0];
    EXPECT_EQ(event.name, "gen_ai.client.inference.operation.details");
    EXPECT_EQ(event.span, test_span_id(7));
    EXPECT_EQ(
        event.attributes,
        (std::map<std::string, std::string>{
            {names::kGenAiOperationName, "chat"},
            {names::kGenAiInputMessages, "json " + std::string(kMessages)},
            {names::kGenAiUsageInputTokens, "3"},
            {names::kGenAiResponseFinishReasons, R"(json ["stop"])"},
        })
    );
}

TEST(InferenceEvents, KeepATextThatIsNoJson) {
    Listener listener;
    const SpanRecordPtr spans[] = {make_record(
        {.attributes =
             {
                 {names::kGenAiOperationName, std::string_view("text_completion")},
                 {names::kGenAiInputMessages, std::string_view("[{\"role")},
             }}
    )};
    ASSERT_TRUE(make_inference_event_sink()->export_spans(spans));
    ASSERT_EQ(listener.heard.size(), 1U);
    EXPECT_EQ(listener.heard[0].attributes.at(names::kGenAiInputMessages), "[{\"role");
}

struct Outcome {
    bool is_on_span = false;
    std::vector<Listener::Heard> events;
};

/// One model call whose run records everything, while spans and logs may show `mode` of it.
Outcome call_model(MessagePlace place, CaptureMode mode) {
    Listener listener;
    TelemetryConfig config;
    const auto memory = std::make_shared<MemorySink>();
    config.sinks.push_back(memory);
    config.content = {ContentModes(mode), {}};
    config.messages_on = place;
    const auto telemetry = Telemetry::start(std::move(config)).value();
    auto run = std::make_shared<trace::RunScope>();
    run->modes = ContentModes(CaptureMode::full);
    {
        const trace::CurrentRunScope scope(run);
        const auto span = trace::tracer().StartSpan("chat m");
        trace::set(*span, names::kGenAiOperationName, "chat");
        trace::set(*span, names::kGenAiInputMessages, kMessages);
        span->End();
    }
    telemetry->flush(std::chrono::seconds(5));
    const auto spans = memory->spans();
    return {spans.at(0)->has(names::kGenAiInputMessages), std::move(listener.heard)};
}

TEST(InferenceEvents, ThePlaceSaysWhereMessagesGo) {
    const auto on_span = call_model(MessagePlace::span, CaptureMode::full);
    EXPECT_TRUE(on_span.is_on_span);
    EXPECT_TRUE(on_span.events.empty());

    const auto as_event = call_model(MessagePlace::event, CaptureMode::full);
    EXPECT_FALSE(as_event.is_on_span);
    ASSERT_EQ(as_event.events.size(), 1U);
    EXPECT_TRUE(as_event.events[0].attributes.contains(names::kGenAiInputMessages));

    const auto as_both = call_model(MessagePlace::both, CaptureMode::full);
    EXPECT_TRUE(as_both.is_on_span);
    EXPECT_EQ(as_both.events.size(), 1U);
}

TEST(InferenceEvents, ShowNoMoreThanThePolicyAllows) {
    const auto outcome = call_model(MessagePlace::event, CaptureMode::metadata);
    EXPECT_FALSE(outcome.is_on_span);
    ASSERT_EQ(outcome.events.size(), 1U);
    EXPECT_FALSE(outcome.events[0].attributes.contains(names::kGenAiInputMessages));
}

}  // namespace
}  // namespace flowspan::exporting
