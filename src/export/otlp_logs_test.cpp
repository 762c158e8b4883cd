// Log records on their way to receivers that are busy, picky, or away.

#include "export/otlp_test_receivers.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/export/signals.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/redactor.hpp"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>

namespace flowspan::exporting {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using LogsRequest = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using LogsResponse = opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse;

// A test that hangs is wrong; one on a busy machine is not.
constexpr auto kPatience = 60s;

std::unique_ptr<Signals> start(
    const std::string& url, OtlpProtocol protocol = OtlpProtocol::http_protobuf
) {
    SignalsConfig config;
    auto& receiver = config.logs.otlp.emplace_back();
    receiver.endpoint = url + "/v1/logs";
    receiver.protocol = protocol;
    config.logs.retry_delay_first = 1ms;
    auto signals = Signals::start(std::move(config), {});
    EXPECT_TRUE(signals) << signals.error().describe();
    return *std::move(signals);
}

SinkCounts counts_of(const Signals& signals, std::size_t receiver = 0) {
    return signals.log_counts().receivers.at(receiver);
}

void log(std::string_view text) {
    trace::emit_log({.name = "event", .body = text, .attributes = {}});
}

TEST(LogExport, TriesAgainWhenTheReceiverIsBusy) {
    std::atomic<int> calls{0};
    const HttpReceiver receiver([&calls](const HttpRequest&) {
        return ++calls < 3 ? HttpAnswer{503, {}, "busy"} : HttpAnswer{};
    });
    const auto signals = start(receiver.url());
    log("patient");
    EXPECT_TRUE(signals->flush(kPatience));
    const auto counts = counts_of(*signals);
    EXPECT_EQ(counts.exported, 1U);
    EXPECT_EQ(counts.dropped, DropCounts());
    EXPECT_EQ(counts.failed_attempts, 2U);
    ASSERT_EQ(receiver.requests().size(), 3U);
    LogsRequest request;
    ASSERT_TRUE(request.ParseFromString(receiver.requests()[2].body));
    EXPECT_EQ(
        request.resource_logs(0).scope_logs(0).log_records(0).body().string_value(), "patient"
    );
    EXPECT_THAT(signals->shutdown(kPatience), ElementsAre());
}

TEST(LogExport, GivesUpAfterItsAttemptsAndCountsTheLoss) {
    const HttpReceiver receiver([](const HttpRequest&) { return HttpAnswer{503, {}, "busy"}; });
    const auto signals = start(receiver.url());
    log("lost");
    EXPECT_FALSE(signals->flush(kPatience));
    EXPECT_EQ(receiver.requests().size(), LogsConfig().attempts_max);
    EXPECT_EQ(counts_of(*signals).dropped.total(), 1U);
    EXPECT_THAT(
        signals->shutdown(kPatience),
        ElementsAre(HasSubstr("1 log record did not arrive: OTLP http/protobuf"))
    );
}

TEST(LogExport, DoesNotRepeatWhatIsRefusedForGood) {
    const HttpReceiver receiver([](const HttpRequest&) { return HttpAnswer{400, {}, "bad"}; });
    const auto signals = start(receiver.url());
    log("bad");
    log("worse");
    EXPECT_FALSE(signals->flush(kPatience));
    EXPECT_EQ(receiver.requests().size(), 1U);
    const auto counts = counts_of(*signals);
    EXPECT_EQ(counts.dropped.export_failed, 2U);
    EXPECT_EQ(counts.failed_attempts, 1U);
    EXPECT_THAT(counts.last_error, HasSubstr("HTTP 400"));
}

TEST(LogExport, CountsWhatTheReceiverRejects) {
    LogsResponse response;
    response.mutable_partial_success()->set_rejected_log_records(1);
    response.mutable_partial_success()->set_error_message("one is bad");
    const HttpReceiver receiver([body = response.SerializeAsString()](const HttpRequest&) {
        return HttpAnswer{200, {}, body};
    });
    const auto signals = start(receiver.url());
    log("a");
    log("b");
    EXPECT_FALSE(signals->flush(kPatience));
    const auto counts = counts_of(*signals);
    EXPECT_EQ(counts.exported, 1U);
    EXPECT_EQ(counts.dropped.rejected, 1U);
    EXPECT_EQ(counts.offered, counts.exported + counts.dropped.total() + counts.queued);
    EXPECT_EQ(receiver.requests().size(), 1U);
}

TEST(LogExport, EndsSoonThoughTheReceiverAsksForPatience) {
    const HttpReceiver receiver([](const HttpRequest&) {
        return HttpAnswer{429, {{"Retry-After", "50"}}, "later"};
    });
    const auto signals = start(receiver.url());
    log("hasty");
    const auto started = real_clock().steady_now();
    const auto losses = signals->shutdown(kPatience);
    EXPECT_LT(real_clock().steady_now() - started, 45s);
    EXPECT_EQ(losses.size(), 1U);
    EXPECT_LE(receiver.requests().size(), 2U);
    EXPECT_EQ(counts_of(*signals).dropped.total(), 1U);
}

/// Two receivers; the first does as it is told, the other is well.
std::unique_ptr<Signals> start_two(const std::string& first, const std::string& second) {
    SignalsConfig config;
    config.logs.otlp.resize(2);
    config.logs.otlp[0].endpoint = first + "/v1/logs";
    config.logs.otlp[1].endpoint = second + "/v1/logs";
    config.logs.queue_records_max = 10;
    config.logs.batch_records_max = 10;
    config.logs.retry_delay_first = 1ms;
    config.logs.attempts_max = 1;
    auto signals = Signals::start(std::move(config), {});
    EXPECT_TRUE(signals) << signals.error().describe();
    return *std::move(signals);
}

/// Waits until a receiver has settled so many records.
void wait_for(const Signals& signals, std::size_t receiver, std::uint64_t exported) {
    const auto deadline = real_clock().steady_now() + kPatience;
    while (counts_of(signals, receiver).exported < exported) {
        ASSERT_LT(real_clock().steady_now(), deadline);
        std::this_thread::yield();
    }
}

TEST(LogExport, LosesNothingOfOneReceiverWhileAnotherHangs) {
    const HttpReceiver hanging([](const HttpRequest&) { return std::nullopt; });
    const HttpReceiver well([](const HttpRequest&) { return HttpAnswer{}; });
    const auto signals = start_two(hanging.url(), well.url());
    // The queue of the first is full after ten, the other's is emptied again and again.
    for (std::uint64_t i = 1; i <= 5; ++i) {
        for (int record = 0; record < 10; ++record) {
            log("text");
        }
        wait_for(*signals, 1, 10 * i);
    }
    const auto slow = counts_of(*signals, 0);
    EXPECT_EQ(slow.offered, 50U);
    EXPECT_EQ(slow.queued, 10U) << "what the worker holds counts, too";
    EXPECT_EQ(slow.dropped.queue_full, 40U);
    const auto losses = signals->shutdown(2s);
    EXPECT_THAT(losses, ElementsAre(HasSubstr("50 log records did not arrive: OTLP")));
    EXPECT_EQ(counts_of(*signals, 0).dropped.total(), 50U);
    EXPECT_EQ(counts_of(*signals, 1).exported, 50U);
    EXPECT_EQ(counts_of(*signals, 1).dropped, DropCounts());
}

TEST(LogExport, KeepsExactBooksAsMetrics) {
    const HttpReceiver bad([](const HttpRequest&) { return HttpAnswer{400, {}, "bad"}; });
    const HttpReceiver well([](const HttpRequest&) { return HttpAnswer{}; });
    SignalsConfig config;
    config.metrics.file = std::filesystem::temp_directory_path() / make_uuid(real_random());
    config.logs.otlp.resize(2);
    config.logs.otlp[0].endpoint = bad.url() + "/v1/logs";
    config.logs.otlp[1].endpoint = well.url() + "/v1/logs";
    const auto file = config.metrics.file;
    auto signals = Signals::start(std::move(config), {}).value();
    log("a");
    log("b");
    EXPECT_EQ(signals->shutdown(kPatience).size(), 1U);
    std::ifstream stream(file);
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    std::filesystem::remove(file);
    const auto sink = [](const HttpReceiver& receiver) {
        return "flowspan_sink=\"OTLP http/protobuf " + receiver.url() + "/v1/logs\"";
    };
    EXPECT_THAT(text, HasSubstr("\notel_sdk_log_created_total 2\n"));
    for (const auto* receiver : {&bad, &well}) {
        EXPECT_THAT(
            text, HasSubstr("\nflowspan_log_sink_offered_total{" + sink(*receiver) + "} 2\n")
        );
    }
    EXPECT_THAT(text, HasSubstr("\nflowspan_log_sink_exported_total{" + sink(well) + "} 2\n"));
    EXPECT_THAT(
        text,
        HasSubstr(
            "\nflowspan_log_sink_dropped_total{flowspan_drop_reason=\"export_failed\"," +
            sink(bad) + "} 2\n"
        )
    );
}

TEST(LogExport, SendsStructuredValuesAsTheyAre) {
    using google::protobuf::util::JsonStringToMessage;
    const json::value document =
        parse_json(
            R"([{"role":"user","n":3,"x":0.5,"yes":true,"big":9223372036854775807,"none":null}])"
        )
            .value();
    for (const auto protocol : {OtlpProtocol::http_protobuf, OtlpProtocol::http_json}) {
        const HttpReceiver receiver([](const HttpRequest&) { return HttpAnswer{}; });
        const auto signals = start(receiver.url(), protocol);
        const trace::LogAttribute attributes[] = {{"messages", &document}};
        trace::emit_log({.name = "event", .body = {}, .attributes = attributes});
        EXPECT_TRUE(signals->flush(kPatience));
        ASSERT_EQ(receiver.requests().size(), 1U);
        const auto body = receiver.requests()[0].body;
        LogsRequest request;
        ASSERT_TRUE(
            protocol == OtlpProtocol::http_json ? JsonStringToMessage(body, &request).ok()
                                                : request.ParseFromString(body)
        );
        const auto& record = request.resource_logs(0).scope_logs(0).log_records(0);
        ASSERT_EQ(record.attributes_size(), 1);
        const auto& messages = record.attributes(0).value().array_value();
        ASSERT_EQ(messages.values_size(), 1);
        const auto& members = messages.values(0).kvlist_value().values();
        ASSERT_EQ(members.size(), 6);
        EXPECT_EQ(members[0].key(), "role");
        EXPECT_EQ(members[0].value().string_value(), "user");
        EXPECT_EQ(members[1].value().int_value(), 3);
        EXPECT_EQ(members[2].value().double_value(), 0.5);
        EXPECT_TRUE(members[3].value().bool_value());
        EXPECT_EQ(members[4].value().int_value(), INT64_MAX);
        EXPECT_FALSE(members[5].value().has_string_value());
    }
}

TEST(LogExport, TakesOutSecretsOfWhatIsLoggedOutsideOfRuns) {
    const HttpReceiver receiver([](const HttpRequest&) { return HttpAnswer{}; });
    SignalsConfig config;
    config.logs.otlp.emplace_back().endpoint = receiver.url() + "/v1/logs";
    TelemetryConfig describes;
    describes.redactor = trace::Redactor::make({.secrets = {Secret("tool-key-0123")}}).value();
    auto signals = Signals::start(std::move(config), describes).value();
    log("calling with tool-key-0123");
    EXPECT_TRUE(signals->flush(kPatience));
    ASSERT_EQ(receiver.requests().size(), 1U);
    LogsRequest request;
    ASSERT_TRUE(request.ParseFromString(receiver.requests()[0].body));
    EXPECT_EQ(
        request.resource_logs(0).scope_logs(0).log_records(0).body().string_value(),
        "calling with [redacted]"
    );
}

TEST(MetricExport, ReachesOneReceiverWhileAnotherHangs) {
    const HttpReceiver hanging([](const HttpRequest&) { return std::nullopt; });
    std::atomic<bool> has_arrived{false};
    const HttpReceiver well([&has_arrived](const HttpRequest&) {
        has_arrived = true;
        return HttpAnswer{};
    });
    SignalsConfig config;
    config.metrics.otlp.resize(2);
    config.metrics.otlp[0].endpoint = hanging.url() + "/v1/metrics";
    config.metrics.otlp[1].endpoint = well.url() + "/v1/metrics";
    config.metrics.interval = 1ms;
    auto signals = Signals::start(std::move(config), {}).value();
    constexpr trace::InstrumentInfo kCalls{"test.calls", "{call}", "Calls"};
    signals->metrics()->instrument(kCalls).record(1, {});
    const auto deadline = real_clock().steady_now() + kPatience;
    while (!has_arrived && real_clock().steady_now() < deadline) {
        std::this_thread::yield();
    }
    EXPECT_TRUE(has_arrived);
    EXPECT_THAT(
        signals->shutdown(1s), ElementsAre(HasSubstr("metrics did not arrive: OTLP http/protobuf"))
    );
}

}  // namespace
}  // namespace flowspan::exporting
