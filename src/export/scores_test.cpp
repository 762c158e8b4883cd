// Scores in the back ends' own APIs: what is told, and what becomes of a batch when that fails.

#include "export/scores.hpp"

#include "export/otlp_sink.hpp"
#include "export/otlp_test_receivers.hpp"
#include "export/shaped_sink.hpp"
#include "export/sink_queue.hpp"
#include "export/test_records.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/trace/names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>

namespace flowspan::exporting {
namespace {

namespace names = trace::names;
using namespace std::chrono_literals;
using testing::HasSubstr;
using Text = std::string_view;

constexpr auto kPatience = 20s;
constexpr Text kPhoenixPath = "/v1/span_annotations?sync=false";

std::vector<SpanRecordPtr> two_spans_and_scores() {
    return make_records({
        {.id = 1, .name = "AppGenerateService.generate"},
        {.id = 2, .parent = 1, .name = "node llm"},
        {.id = 3,
         .parent = 1,
         .name = "score helpful",
         .attributes =
             {{names::kGenAiEvaluationName, Text("helpful")},
              {names::kGenAiEvaluationScoreValue, 0.5},
              {names::kGenAiEvaluationExplanation, Text("so so")},
              {names::kFlowspanScoreSource, Text("user")}}},
        {.id = 4,
         .parent = 2,
         .name = "score tone",
         .attributes =
             {{names::kGenAiEvaluationName, Text("tone")},
              {names::kGenAiEvaluationScoreLabel, Text("friendly")},
              {names::kFlowspanScoreSource, Text("llm")},
              {names::kFlowspanScoreOfStep, true}}},
    });
}

std::shared_ptr<SpanSink> make_sink(const std::string& endpoint, std::string_view dialect) {
    Destination destination;
    destination.name = "mine";
    destination.dialect = dialect;
    destination.otlp.endpoint = endpoint;
    destination.otlp.headers = {{"x-api-key", "k1"}};
    auto sink = make_destination_sink(destination).value();
    sink->begin({});
    return sink;
}

/// Asks the sink as its queue would.
Result<ExportReceipt> send(SpanSink& sink, std::span<SpanRecordPtr> spans) {
    std::vector<SpanRecordPtr> batch;
    for (const auto& span : spans) {
        batch.push_back(sink.prepare(span));
    }
    return sink.export_spans(batch);
}

std::vector<HttpRequest> requests_to(const HttpReceiver& receiver, std::string_view target) {
    std::vector<HttpRequest> found;
    for (const auto& request : receiver.requests()) {
        if (request.target == target) {
            found.push_back(request);
        }
    }
    return found;
}

std::optional<HttpAnswer> accept(const HttpRequest& /*request*/) {
    return HttpAnswer{};
}

/// Takes spans, and answers `status` to scores.
HttpReceiver::Handler refuse_scores(unsigned status) {
    return [status](const HttpRequest& request) {
        return HttpAnswer{
            .status = request.target.ends_with("/v1/traces") ? 200U : status,
            .headers = {},
            .body = "no",
        };
    };
}

TEST(Scores, BecomeAnnotationsOfPhoenix) {
    const HttpReceiver receiver(accept);
    const auto sink = make_sink(receiver.url() + "/s/space/v1/traces", "openinference");
    auto spans = two_spans_and_scores();
    ASSERT_TRUE(send(*sink, spans));
    const auto told = requests_to(receiver, "/s/space" + std::string(kPhoenixPath));
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].headers.at("content-type"), "application/json");
    EXPECT_EQ(told[0].headers.at("x-api-key"), "k1");
    EXPECT_EQ(
        parse_json(told[0].body).value(),
        parse_json(R"({"data": [
        {"span_id": "0000000000000001", "name": "helpful", "annotator_kind": "HUMAN",
         "result": {"score": 0.5, "explanation": "so so"}, "identifier": "0000000000000003",
         "metadata": {"source": "user"}},
        {"span_id": "0000000000000002", "name": "tone", "annotator_kind": "LLM",
         "result": {"label": "friendly"}, "identifier": "0000000000000004",
         "metadata": {"source": "llm"}}]})")
            .value()
    );
}

TEST(Scores, BecomeFeedbackOfLangSmithOnTheRunsThatItMakesOfSpans) {
    const HttpReceiver receiver(accept);
    for (const auto* base : {"", "/api/v1"}) {
        const auto sink = make_sink(receiver.url() + base + "/otel/v1/traces", "langsmith");
        auto spans = two_spans_and_scores();
        ASSERT_TRUE(send(*sink, spans));
    }
    const auto told = requests_to(receiver, "/api/v1/feedback");
    ASSERT_EQ(told.size(), 4U) << "one request a score, from the cloud's and from an own server";
    EXPECT_EQ(told[0].body, told[2].body);
    EXPECT_EQ(told[0].headers.at("x-api-key"), "k1");
    EXPECT_EQ(
        parse_json(told[0].body).value(),
        parse_json(R"({
        "id": "00000000-0000-8000-8000-000000000003",
        "run_id": "00000000-0000-0000-0000-000000000001", "key": "helpful", "score": 0.5,
        "comment": "so so", "created_at": "2026-01-31T00:00:00.000000Z",
        "feedback_source": {"type": "api", "metadata": {"source": "user"}}})")
            .value()
    );
    const auto second = parse_json(told[1].body).value();
    EXPECT_EQ(string_member(second, "run_id"), "00000000-0000-0000-0000-000000000002");
    EXPECT_EQ(string_member(second, "value"), "friendly");
    EXPECT_EQ(find_member(second, "score"), nullptr);
}

TEST(Scores, BecomeScoresOfLangfuseOnTheTraceOrOneOfItsSteps) {
    const HttpReceiver receiver(accept);
    const auto sink = make_sink(receiver.url() + "/api/public/otel/v1/traces", "langfuse");
    auto spans = two_spans_and_scores();
    ASSERT_TRUE(send(*sink, spans));
    const auto told = requests_to(receiver, "/api/public/ingestion");
    ASSERT_EQ(told.size(), 1U);
    const auto events = parse_json(told[0].body).value().at("batch").as_array();
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(
        events[0].at("body"),
        parse_json(R"({
        "id": "0000000000000003", "traceId": "00000000000000000000000000000001",
        "name": "helpful", "value": 0.5, "dataType": "NUMERIC", "comment": "so so",
        "metadata": {"source": "user"}})")
            .value()
    );
    EXPECT_EQ(string_member(events[1].at("body"), "observationId"), "0000000000000002");
}

TEST(Scores, ThatLangfuseRefusesAreCountedWithItsReason) {
    const HttpReceiver receiver([](const HttpRequest& request) {
        HttpAnswer answer;
        if (request.target.ends_with("/ingestion")) {
            answer.status = 207;
            answer.body = R"({"successes":[{"id":"a","status":201}],
                              "errors":[{"id":"b","status":400,"message":"no such config"}]})";
        }
        return std::optional(answer);
    });
    const auto sink = make_sink(receiver.url() + "/api/public/otel/v1/traces", "langfuse");
    auto spans = two_spans_and_scores();
    const auto receipt = send(*sink, spans);
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->rejected, 1U);
    EXPECT_THAT(receipt->reason, HasSubstr("no such config"));
}

TEST(Scores, StaySpansWhereTheReceiverHasNoAnnotations) {
    const HttpReceiver receiver(refuse_scores(404));
    const auto sink = make_sink(receiver.url() + "/v1/traces", "openinference");
    auto spans = two_spans_and_scores();
    const auto receipt = send(*sink, spans);
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->rejected, 0U);
    EXPECT_THAT(receipt->reason, HasSubstr("spans alone"));
}

TEST(Scores, GoAsSpansAloneWhereTheEndpointDoesNotTellTheApisPlace) {
    const HttpReceiver receiver(accept);
    for (const auto* dialect : {"openinference", "langsmith", "langfuse", "opentelemetry"}) {
        const auto sink = make_sink(receiver.url() + "/in", dialect);
        auto spans = two_spans_and_scores();
        EXPECT_TRUE(send(*sink, spans));
    }
    EXPECT_EQ(receiver.requests().size(), 4U);
}

TEST(Scores, ThatAreRefusedForGoodCostNoSpan) {
    for (const auto* dialect : {"openinference", "langsmith"}) {
        const HttpReceiver receiver(refuse_scores(422));
        const auto sink = make_sink(receiver.url() + "/otel/v1/traces", dialect);
        auto spans = two_spans_and_scores();
        const auto receipt = send(*sink, spans);
        ASSERT_TRUE(receipt) << dialect;
        EXPECT_EQ(receipt->rejected, 2U) << dialect;
        EXPECT_THAT(receipt->reason, HasSubstr("HTTP 422: no")) << dialect;
    }
}

TEST(Scores, AreAskedForAgainWithoutTheSpansThatHaveArrived) {
    std::atomic<int> answers{0};
    const HttpReceiver receiver([&answers](const HttpRequest& request) {
        HttpAnswer answer;
        // Known after a while: the first score at the second attempt, the other at once.
        if (request.target == "/api/v1/feedback" && answers.fetch_add(1) == 0) {
            answer.status = 404;
        }
        return std::optional(answer);
    });
    const auto sink = make_sink(receiver.url() + "/otel/v1/traces", "langsmith");
    BatchConfig config;
    config.retry_delay_first = 1ms;
    SinkQueue queue(sink, config);
    for (const auto& span : two_spans_and_scores()) {
        queue.push(span);
    }
    const auto deadline = real_clock().steady_now() + kPatience;
    EXPECT_TRUE(queue.wait_flushed(queue.begin_flush(), deadline));
    EXPECT_EQ(requests_to(receiver, "/otel/v1/traces").size(), 1U);
    EXPECT_EQ(requests_to(receiver, "/api/v1/feedback").size(), 3U);
    EXPECT_EQ(queue.counts().exported, 4U);
    EXPECT_EQ(queue.counts().failed_attempts, 1U);
    queue.begin_close(deadline);
    queue.wait_closed(deadline);
}

TEST(Scores, ThatNeverArriveAreLostAloneInTheBooks) {
    const HttpReceiver receiver(refuse_scores(503));
    const auto sink = make_sink(receiver.url() + "/v1/traces", "openinference");
    BatchConfig config;
    config.retry_delay_first = 1ms;
    config.attempts_max = 2;
    SinkQueue queue(sink, config);
    for (const auto& span : two_spans_and_scores()) {
        queue.push(span);
    }
    const auto deadline = real_clock().steady_now() + kPatience;
    EXPECT_FALSE(queue.wait_flushed(queue.begin_flush(), deadline));
    const auto counts = queue.counts();
    EXPECT_EQ(counts.exported, 2U);
    EXPECT_EQ(counts.dropped.export_failed, 2U);
    EXPECT_THAT(counts.last_error, HasSubstr("the receiver of scores answered HTTP 503"));
    EXPECT_EQ(requests_to(receiver, "/v1/traces").size(), 1U);
    queue.begin_close(deadline);
    queue.wait_closed(deadline);
}

}  // namespace
}  // namespace flowspan::exporting
