// Metrics and logs: what the environment asks for, what is scraped, and what is sent.

#include "flowspan/export/signals.hpp"

#include "export/prometheus_text.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/names.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

namespace flowspan::exporting {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

SignalsConfig read(const std::map<std::string, std::string>& variables) {
    return SignalsConfig::from_environment([&variables](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::string() : found->second;
    });
}

TEST(SignalsEnvironment, SendsNothingUnlessAsked) {
    const auto config = read({{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"}});
    EXPECT_FALSE(config.metrics.is_wanted());
    EXPECT_FALSE(config.logs.is_wanted());
    EXPECT_TRUE(config.warnings.empty());
}

TEST(SignalsEnvironment, ReadsExportersEndpointsAndIntervals) {
    const auto config = read({
        {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/"},
        {"OTEL_METRICS_EXPORTER", "otlp, console"},
        {"OTEL_METRIC_EXPORT_INTERVAL", "5000"},
        {"OTEL_METRIC_EXPORT_TIMEOUT", "3000"},
        {"OTEL_METRICS_EXEMPLAR_FILTER", "always_off"},
        {"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT", "http://logs:4318/in"},
        {"OTEL_BLRP_SCHEDULE_DELAY", "250"},
    });
    ASSERT_EQ(config.metrics.otlp.size(), 1U);
    EXPECT_EQ(config.metrics.otlp[0].endpoint, "http://collector:4318/v1/metrics");
    EXPECT_EQ(config.metrics.otlp[0].timeout, std::chrono::milliseconds(3000));
    EXPECT_TRUE(config.metrics.is_console);
    EXPECT_EQ(config.metrics.interval, std::chrono::milliseconds(5000));
    EXPECT_EQ(config.metrics.exemplars, trace::ExemplarFilter::always_off);
    ASSERT_EQ(config.logs.otlp.size(), 1U) << "an endpoint of the signal's own asks for it";
    EXPECT_EQ(config.logs.otlp[0].endpoint, "http://logs:4318/in");
    EXPECT_EQ(config.logs.schedule_delay, std::chrono::milliseconds(250));
    EXPECT_TRUE(config.warnings.empty());
}

TEST(SignalsEnvironment, ReadsThePrometheusExporter) {
    const auto config = read({
        {"OTEL_METRICS_EXPORTER", "prometheus"},
        {"OTEL_EXPORTER_PROMETHEUS_HOST", "127.0.0.2"},
        {"OTEL_EXPORTER_PROMETHEUS_PORT", "9999"},
    });
    EXPECT_EQ(config.metrics.scrape, (ScrapeConfig{"127.0.0.2", 9999}));
}

TEST(SignalsEnvironment, WarnsOfWhatItCannotUse) {
    const auto config = read({
        {"OTEL_METRICS_EXPORTER", "zipkin"},
        {"OTEL_LOGS_EXPORTER", "paper"},
        {"OTEL_METRICS_EXEMPLAR_FILTER", "some"},
        {"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"},
    });
    EXPECT_EQ(config.warnings.size(), 4U);
    EXPECT_FALSE(config.metrics.is_wanted());
}

TEST(SignalsEnvironment, DisabledMeansAllSignals) {
    const auto config = read({{"OTEL_SDK_DISABLED", "true"}, {"OTEL_METRICS_EXPORTER", "otlp"}});
    EXPECT_FALSE(config.metrics.is_wanted());
}

constexpr std::array kBounds = {0.5, 1.0};
constexpr trace::InstrumentInfo kDuration{
    "test.call.duration", "s", "Time \"of\" a call", trace::MetricKind::histogram, kBounds, false
};
constexpr trace::InstrumentInfo kCalls{
    "test.calls", "{call}", "Calls", trace::MetricKind::counter, {}, true
};
constexpr trace::InstrumentInfo kOpen{
    "test.open", "By", "Open", trace::MetricKind::up_down_counter, {}, true
};

TEST(PrometheusText, HasTheNamesAndFormsThatScrapersKnow) {
    trace::MetricRegistry registry;
    registry.instrument(kDuration).record(0.25, {{"gen.model", std::string_view("a\"b\\c\nd")}});
    registry.instrument(kDuration).record(3, {{"gen.model", std::string_view("a\"b\\c\nd")}});
    registry.instrument(kCalls).record(2, {});
    registry.instrument(kOpen).record(7, {{"n", std::int64_t{3}}, {"yes", true}});
    EXPECT_EQ(
        prometheus_text(registry.snapshot()),
        R"(# HELP test_call_duration_seconds Time \"of\" a call
# TYPE test_call_duration_seconds histogram
test_call_duration_seconds_bucket{gen_model="a\"b\\c\nd",le="0.5"} 1
test_call_duration_seconds_bucket{gen_model="a\"b\\c\nd",le="1"} 1
test_call_duration_seconds_bucket{gen_model="a\"b\\c\nd",le="+Inf"} 2
test_call_duration_seconds_sum{gen_model="a\"b\\c\nd"} 3.25
test_call_duration_seconds_count{gen_model="a\"b\\c\nd"} 2
# HELP test_calls_total Calls
# TYPE test_calls_total counter
test_calls_total 2
# HELP test_open_bytes Open
# TYPE test_open_bytes gauge
test_open_bytes{n="3",yes="true"} 7
)"
    );
    const auto open = prometheus_text(registry.snapshot(), ScrapeFormat::openmetrics);
    EXPECT_THAT(open, HasSubstr("# TYPE test_calls counter\ntest_calls_total 2\n"));
    EXPECT_TRUE(open.ends_with("# EOF\n"));
}

/// One HTTP exchange with a port of this machine.
std::string fetch(std::uint16_t port, const std::string& request) {
    const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::string reply;
    if (::connect(connection, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0) {
        static_cast<void>(::send(connection, request.data(), request.size(), MSG_NOSIGNAL));
        std::array<char, 4096> buffer{};
        for (ssize_t size = 0; (size = ::recv(connection, buffer.data(), buffer.size(), 0)) > 0;) {
            reply.append(buffer.data(), static_cast<std::size_t>(size));
        }
    }
    ::close(connection);
    return reply;
}

TEST(ScrapeEndpoint, ServesTheMetricsAndNothingElse) {
    SignalsConfig config;
    config.metrics.scrape = ScrapeConfig{"127.0.0.1", 0};
    auto signals = Signals::start(std::move(config), {});
    ASSERT_TRUE(signals) << signals.error().describe();
    (*signals)->metrics()->instrument(kCalls).record(3, {});
    PipelineCounts books;
    books.started = 9;
    books.open = 2;
    auto& sink = books.sinks.emplace_back();
    sink.name = "there";
    sink.offered = 9;
    sink.exported = 4;
    sink.undecided = 2;
    sink.dropped.rejected = 1;
    sink.dropped.sampled_out = 2;
    (*signals)->observe_spans([books] { return books; });
    const auto port = (*signals)->scrape_port();
    ASSERT_NE(port, 0);
    const auto text = fetch(port, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    EXPECT_THAT(text, HasSubstr("HTTP/1.1 200 OK"));
    EXPECT_THAT(text, HasSubstr("version=0.0.4"));
    EXPECT_THAT(text, HasSubstr("\ntest_calls_total 3\n"));
    EXPECT_THAT(text, HasSubstr("\notel_sdk_span_started_total 9\n"));
    EXPECT_THAT(text, HasSubstr("\notel_sdk_span_live 2\n"));
    EXPECT_THAT(
        text,
        HasSubstr("\nflowspan_sink_dropped_total{flowspan_drop_reason=\"rejected\",flowspan_sink="
                  "\"there\"} 1\n")
    );
    EXPECT_THAT(
        text,
        HasSubstr(
            "\nflowspan_sink_dropped_total{flowspan_drop_reason=\"sampled_out\",flowspan_sink="
            "\"there\"} 2\n"
        )
    );
    EXPECT_THAT(text, HasSubstr("\nflowspan_sink_undecided{flowspan_sink=\"there\"} 2\n"));
    const auto open =
        fetch(port, "GET /metrics HTTP/1.1\r\nAccept: application/openmetrics-text\r\n\r\n");
    EXPECT_THAT(open, HasSubstr("application/openmetrics-text"));
    EXPECT_THAT(fetch(port, "GET / HTTP/1.1\r\n\r\n"), HasSubstr("404"));
    EXPECT_THAT(fetch(port, "nonsense\r\n\r\n"), HasSubstr("404"));
}

TEST(ScrapeEndpoint, SaysSoWhenThePortIsTaken) {
    SignalsConfig first;
    first.metrics.scrape = ScrapeConfig{"127.0.0.1", 0};
    const auto taken = Signals::start(std::move(first), {});
    ASSERT_TRUE(taken);
    SignalsConfig second;
    second.metrics.scrape = ScrapeConfig{"127.0.0.1", (*taken)->scrape_port()};
    const auto refused = Signals::start(std::move(second), {});
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().describe(), HasSubstr("metrics cannot be served"));
}

TEST(Signals, WritesItsFileAtTheEnd) {
    const auto path = std::filesystem::temp_directory_path() / make_uuid(real_random());
    SignalsConfig config;
    config.metrics.file = path;
    auto signals = Signals::start(std::move(config), {});
    ASSERT_TRUE(signals);
    (*signals)->metrics()->instrument(kCalls).record(1, {});
    EXPECT_THAT((*signals)->shutdown(std::chrono::seconds(1)), ElementsAre());
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_THAT(text, HasSubstr("test_calls_total 1\n"));
    std::filesystem::remove(path);
}

TEST(Signals, MeasuresNothingUnlessAsked) {
    const auto signals = Signals::start({}, {});
    ASSERT_TRUE(signals);
    EXPECT_EQ((*signals)->metrics(), nullptr);
    EXPECT_FALSE(trace::has_log_receiver());
}

TEST(Signals, CountsWhatAReceiverThatIsDownDidNotGet) {
    SignalsConfig config;
    OtlpConfig otlp;
    // Nobody listens on the discard port of this machine.
    otlp.endpoint = "http://127.0.0.1:9/v1/logs";
    config.logs.otlp.push_back(otlp);
    config.metrics.otlp.push_back(otlp);
    config.logs.attempts_max = 2;
    config.logs.retry_delay_first = std::chrono::milliseconds(1);
    auto signals = Signals::start(std::move(config), {});
    ASSERT_TRUE(signals);
    (*signals)->metrics()->instrument(kCalls).record(1, {});
    for (int i = 0; i < 5000; ++i) {
        trace::emit_log({.name = "event", .body = "text", .attributes = {}});
    }
    EXPECT_FALSE((*signals)->flush(std::chrono::seconds(10)));
    const auto losses = (*signals)->shutdown(std::chrono::seconds(5));
    EXPECT_EQ(losses.size(), 2U);
    const auto counts = (*signals)->log_counts();
    EXPECT_EQ(counts.created, 5000U);
    ASSERT_EQ(counts.receivers.size(), 1U);
    const auto& receiver = counts.receivers[0];
    EXPECT_EQ(receiver.offered, 5000U);
    EXPECT_EQ(receiver.dropped.total(), 5000U);
    EXPECT_EQ(receiver.queued, 0U);
    EXPECT_EQ(receiver.queued_bytes, 0U);
    EXPECT_EQ(receiver.exported, 0U);
    trace::emit_log({.name = "late", .body = "text", .attributes = {}});
    EXPECT_EQ((*signals)->log_counts().created, 5000U) << "nobody listens after the end";
}

}  // namespace
}  // namespace flowspan::exporting
