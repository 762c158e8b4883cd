#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/trace/names.hpp"
#include "infra/http/http_client.hpp"
#include "model_server/model_server.hpp"
#include "model_server/raw_server.hpp"
#include "trace/span_recording.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/trace/scope.h>

#include <map>
#include <sstream>

namespace flowspan::http {
namespace {

using namespace std::chrono_literals;
using model_server::ModelServer;
using opentelemetry::trace::SpanKind;
using opentelemetry::trace::StatusCode;
using trace::SpanRecording;
namespace names = trace::names;

class HttpSpanTest : public ::testing::Test {
protected:
    HttpSpanTest() { EXPECT_TRUE(server.start()); }

    /// Sends below a span named `parent`, which ends last.
    Result<HttpResponse> send(HttpRequest request) {
        return runtime.block_on(
            [](HttpClient& http, HttpRequest sent) -> Task<Result<HttpResponse>> {
                const auto parent = trace::tracer().StartSpan("parent");
                const opentelemetry::trace::Scope scope(parent);
                auto response = co_await http.send(std::move(sent));
                parent->End();
                co_return response;
            },
            std::ref(*client),
            std::move(request)
        );
    }

    SpanRecording recording;
    ModelServer server{{.should_record = true}};
    std::unique_ptr<HttpClient> client = make_http_client({.proxy = ""});
    async::Runtime runtime;
};

std::string text_of(const SpanRecording::SpanData& span, const char* key) {
    const auto& attributes = span.GetAttributes();
    const auto found = attributes.find(key);
    if (found == attributes.end()) {
        return "-";
    }
    if (const auto* text = opentelemetry::nostd::get_if<std::string>(&found->second)) {
        return *text;
    }
    if (const auto* number = opentelemetry::nostd::get_if<std::int64_t>(&found->second)) {
        return std::to_string(*number);
    }
    return "?";
}

std::string hex(const opentelemetry::trace::SpanId& id) {
    std::array<char, 16> text{};
    id.ToLowerBase16(text);
    return {text.data(), text.size()};
}

std::string label_of(const trace::MetricPoint& point, std::string_view key) {
    for (const auto& [name, value] : point.labels) {
        if (name == key) {
            const auto* number = std::get_if<std::int64_t>(&value);
            return number == nullptr ? std::get<std::string>(value) : std::to_string(*number);
        }
    }
    return "-";
}

TEST_F(HttpSpanTest, EveryAttemptIsMeasured) {
    trace::MetricRegistry metrics;
    client = make_http_client({.proxy = "", .metrics = &metrics});
    ASSERT_TRUE(send({.url = server.url() + "/echo"}));
    ASSERT_TRUE(send({.url = server.url() + "/nowhere"}));
    EXPECT_FALSE(send({.url = "http://127.0.0.1:1/", .transport_retries_max = 1}));
    const auto snapshots = metrics.snapshot();
    ASSERT_EQ(snapshots.size(), 1U);
    EXPECT_EQ(snapshots[0].info.name, "http.client.request.duration");
    std::map<std::string, std::uint64_t> counts;
    for (const auto& point : snapshots[0].points) {
        EXPECT_EQ(label_of(point, names::kHttpRequestMethod), "GET");
        EXPECT_EQ(label_of(point, names::kServerAddress), "127.0.0.1");
        EXPECT_GT(point.value, 0);
        counts
            [label_of(point, names::kHttpResponseStatusCode) + " " +
             label_of(point, names::kErrorType)] = point.count;
    }
    const std::map<std::string, std::uint64_t> expected = {
        {"200 -", 1}, {"404 404", 1}, {"- unavailable", 2}
    };
    EXPECT_EQ(counts, expected);
}

TEST_F(HttpSpanTest, OneClientSpanBelowTheCurrentSpan) {
    HttpRequest request;
    request.method = "POST";
    request.url =
        "http://user:pass@127.0.0.1:" + std::to_string(server.port()) + "/echo?api_key=secret&q=1";
    ASSERT_TRUE(send(request));
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 2U);
    const auto& span = *spans[0];
    EXPECT_EQ(span.GetName(), "POST");
    EXPECT_EQ(span.GetSpanKind(), SpanKind::kClient);
    EXPECT_EQ(span.GetParentSpanId(), spans[1]->GetSpanId());
    EXPECT_EQ(span.GetStatus(), StatusCode::kUnset);
    const auto port = std::to_string(server.port());
    EXPECT_EQ(text_of(span, names::kHttpRequestMethod), "POST");
    EXPECT_EQ(
        text_of(span, names::kUrlFull),
        "http://REDACTED:REDACTED@127.0.0.1:" + port + "/echo?api_key=REDACTED&q=1"
    );
    EXPECT_EQ(text_of(span, names::kServerAddress), "127.0.0.1");
    EXPECT_EQ(text_of(span, names::kServerPort), port);
    EXPECT_EQ(text_of(span, names::kHttpResponseStatusCode), "200");
    EXPECT_EQ(text_of(span, names::kNetworkProtocolVersion), "1.1");
    EXPECT_EQ(text_of(span, names::kNetworkPeerAddress), "127.0.0.1");
    EXPECT_EQ(text_of(span, names::kNetworkPeerPort), port);
    EXPECT_EQ(text_of(span, names::kHttpRequestResendCount), "-");
    EXPECT_EQ(text_of(span, names::kErrorType), "-");
    const auto sent = server.requests();
    const auto traceparent = std::string(sent.front().header("traceparent"));
    EXPECT_EQ(traceparent.substr(36, 16), hex(span.GetSpanId()));
}

TEST_F(HttpSpanTest, TheCallersOwnTraceHeadersWin) {
    HttpRequest request;
    request.url = server.url() + "/echo";
    request.headers = {{"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}};
    ASSERT_TRUE(send(request));
    EXPECT_EQ(
        server.requests().front().header("traceparent"),
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    );
}

TEST_F(HttpSpanTest, StatusesFrom400OnAreErrorsWithTheCodeAsType) {
    for (const int status : {399, 404, 503}) {
        HttpRequest request;
        request.url = server.url() + "/status/" + std::to_string(status);
        ASSERT_TRUE(send(request));
        const auto spans = recording.take();
        ASSERT_EQ(spans.size(), 2U);
        EXPECT_EQ(spans[0]->GetStatus(), status < 400 ? StatusCode::kUnset : StatusCode::kError);
        EXPECT_EQ(spans[0]->GetDescription(), "");
        EXPECT_EQ(
            text_of(*spans[0], names::kErrorType), status < 400 ? "-" : std::to_string(status)
        );
        EXPECT_EQ(spans[1]->GetStatus(), StatusCode::kUnset);
    }
}

TEST_F(HttpSpanTest, UnknownMethodsAreNamedOther) {
    HttpRequest request;
    request.method = "BREW";
    request.url = server.url() + "/echo";
    ASSERT_TRUE(send(request));
    const auto spans = recording.take();
    EXPECT_EQ(spans[0]->GetName(), "HTTP");
    EXPECT_EQ(text_of(*spans[0], names::kHttpRequestMethod), "_OTHER");
    EXPECT_EQ(text_of(*spans[0], names::kHttpRequestMethodOriginal), "BREW");
}

TEST_F(HttpSpanTest, EachRedirectIsASibling) {
    HttpRequest request;
    request.url = server.url() + "/redirect/2";
    request.should_follow_redirects = true;
    ASSERT_TRUE(send(request));
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 4U);
    const char* const resends[] = {"-", "1", "2"};
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(spans[i]->GetParentSpanId(), spans[3]->GetSpanId());
        EXPECT_EQ(text_of(*spans[i], names::kHttpRequestResendCount), resends[i]);
        EXPECT_EQ(text_of(*spans[i], names::kHttpResponseStatusCode), i < 2 ? "302" : "200");
    }
}

TEST_F(HttpSpanTest, ARefusedConnectionIsAnErrorWithItsWords) {
    HttpRequest request;
    request.url = "http://127.0.0.1:" + std::to_string(model_server::closed_port());
    request.transport_retries_max = 1;
    const auto response = send(request);
    ASSERT_FALSE(response);
    EXPECT_TRUE(response.error().is_recorded);
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 3U);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(spans[i]->GetStatus(), StatusCode::kError);
        EXPECT_EQ(spans[i]->GetDescription(), response.error().message);
        EXPECT_EQ(text_of(*spans[i], names::kErrorType), "unavailable");
        EXPECT_EQ(text_of(*spans[i], names::kHttpResponseStatusCode), "-");
        EXPECT_EQ(spans[i]->GetEvents().size(), 1U);
    }
    EXPECT_EQ(text_of(*spans[1], names::kHttpRequestResendCount), "1");
}

Task<void> send_until_cancelled(HttpClient& client, HttpRequest request, ModelServer& server) {
    async::TaskGroup group(co_await async::this_executor());
    group.spawn(
        [](HttpClient& http, HttpRequest sent) -> Task<void> {
            const auto response = co_await http.send(std::move(sent));
            ADD_FAILURE() << response.has_value();
        },
        std::ref(client),
        std::move(request)
    );
    while (server.counts().requests == 0) {
        co_await async::yield_now();
    }
    group.cancel();
    co_await group.join();
}

TEST_F(HttpSpanTest, ACancelledRequestEndsItsSpan) {
    HttpRequest request;
    request.url = server.url() + "/hang";
    runtime.block_on(send_until_cancelled, std::ref(*client), request, std::ref(server));
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(spans[0]->GetStatus(), StatusCode::kError);
    EXPECT_EQ(text_of(*spans[0], names::kErrorType), "cancelled");
    EXPECT_EQ(trace::leaked_scope_count(), 0U);
}

class FirstPiece final : public BodyListener {
public:
    bool on_data(std::string_view /*piece*/) override {
        has_come = true;
        return true;
    }

    bool has_come = false;
};

Task<void> stream_until_cancelled(HttpClient& client, HttpRequest request) {
    FirstPiece listener;
    async::TaskGroup group(co_await async::this_executor());
    group.spawn(
        [](HttpClient& http, HttpRequest sent, FirstPiece& body) -> Task<void> {
            const auto response = co_await http.stream(std::move(sent), body);
            ADD_FAILURE() << response.has_value();
        },
        std::ref(client),
        std::move(request),
        std::ref(listener)
    );
    while (!listener.has_come) {
        co_await async::yield_now();
    }
    group.cancel();
    co_await group.join();
}

TEST_F(HttpSpanTest, ACancelledStreamTellsOfTheReplyThatHadBegun) {
    const model_server::RawServer endless([](model_server::RawConnection& connection) {
        static_cast<void>(connection.read_request());
        connection.write("HTTP/1.1 203 Fine\r\nContent-Length: 9\r\n\r\nso");
        connection.read_to_end();
    });
    trace::MetricRegistry metrics;
    client = make_http_client({.proxy = "", .metrics = &metrics});
    HttpRequest request;
    request.url = endless.url();
    runtime.block_on(stream_until_cancelled, std::ref(*client), request);
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(text_of(*spans[0], names::kErrorType), "cancelled");
    EXPECT_EQ(text_of(*spans[0], names::kHttpResponseStatusCode), "203");
    EXPECT_EQ(text_of(*spans[0], names::kNetworkPeerAddress), "127.0.0.1");
    const auto measured = metrics.snapshot().at(0).points.at(0);
    EXPECT_EQ(measured.count, 1U);
    EXPECT_EQ(label_of(measured, names::kErrorType), "cancelled");
    EXPECT_EQ(label_of(measured, names::kHttpResponseStatusCode), "203");
}

TEST(HttpWithoutTracing, SendsNoTraceHeadersAndMakesNoSpan) {
    ModelServer server({.should_record = true});
    ASSERT_TRUE(server.start());
    const auto client = make_http_client({.proxy = ""});
    async::Runtime runtime;
    HttpRequest request;
    request.url = server.url() + "/echo";
    ASSERT_TRUE(runtime.block_on([&] { return client->send(request); }));
    EXPECT_EQ(server.requests().front().header("traceparent"), "");
}

}  // namespace
}  // namespace flowspan::http
