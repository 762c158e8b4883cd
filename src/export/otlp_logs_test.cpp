// Log records on their way to receivers that are busy, picky, or away.

#include "export/otlp_test_receivers.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/export/signals.hpp"
#include "flowspan/trace/log_event.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>

#include <atomic>
#include <string>

namespace flowspan::exporting {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using LogsRequest = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using LogsResponse = opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse;

// A test that hangs is wrong; one on a busy machine is not.
constexpr auto kPatience = 60s;

std::unique_ptr<Signals> start(const std::string& url) {
    SignalsConfig config;
    config.logs.otlp.emplace_back().endpoint = url + "/v1/logs";
    config.logs.retry_delay_first = 1ms;
    auto signals = Signals::start(std::move(config), {});
    EXPECT_TRUE(signals) << signals.error().describe();
    return *std::move(signals);
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
    const auto counts = signals->log_counts();
    EXPECT_EQ(counts.exported, 1U);
    EXPECT_EQ(counts.dropped, 0U);
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
    EXPECT_EQ(signals->log_counts().dropped, 1U);
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
    const auto counts = signals->log_counts();
    EXPECT_EQ(counts.dropped, 2U);
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
    const auto counts = signals->log_counts();
    EXPECT_EQ(counts.exported, 1U);
    EXPECT_EQ(counts.dropped, 1U);
    EXPECT_EQ(counts.offered, counts.exported + counts.dropped + counts.queued);
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
    EXPECT_EQ(signals->log_counts().dropped, 1U);
}

}  // namespace
}  // namespace flowspan::exporting
