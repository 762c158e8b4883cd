#include "infra/http/http_client.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/base/json.hpp"
#include "model_server/model_server.hpp"
#include "model_server/raw_server.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace flowspan::http {
namespace {

using namespace std::chrono_literals;
using model_server::ModelServer;
using model_server::RawConnection;
using model_server::RawServer;

class HttpClientTest : public ::testing::Test {
protected:
    HttpClientTest() { EXPECT_TRUE(server.start()); }

    Result<HttpResponse> send(HttpRequest request) {
        return runtime.block_on([&] { return client->send(request); });
    }

    Result<HttpResponse> get(std::string_view path) {
        HttpRequest request;
        request.url = server.url().append(path);
        return send(std::move(request));
    }

    ModelServer server{{.should_record = true}};
    std::unique_ptr<HttpClient> client = make_http_client({.proxy = ""});
    async::Runtime runtime;
};

json::value echoed(const Result<HttpResponse>& response) {
    return response ? parse_json(response->body).value() : json::value();
}

std::string_view echoed_header(const json::value& echo, std::string_view name) {
    return string_member(*find_member(echo, "headers"), name);
}

TEST_F(HttpClientTest, SendsMethodHeadersAndBody) {
    HttpRequest request;
    request.method = "PATCH";
    request.url = server.url() + "/echo?a=b%20c";
    request.headers = {{"X-One", " 1 "}, {"X-Empty", ""}, {"Content-Type", "text/x"}};
    request.body = std::string("body\0with null", 14);
    const auto response = send(request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->protocol_version, "1.1");
    EXPECT_EQ(*find_header(response->headers, "content-type"), "application/json");
    const auto echo = echoed(response);
    EXPECT_EQ(string_member(echo, "method"), "PATCH");
    EXPECT_EQ(string_member(echo, "target"), "/echo?a=b%20c");
    EXPECT_EQ(string_member(echo, "body"), request.body);
    EXPECT_EQ(echoed_header(echo, "x-one"), "1");
    EXPECT_EQ(echoed_header(echo, "x-empty"), "");
    EXPECT_NE(find_member(*find_member(echo, "headers"), "x-empty"), nullptr);
    EXPECT_EQ(echoed_header(echo, "content-type"), "text/x");
    EXPECT_EQ(echoed_header(echo, "user-agent"), "flowspan");
}

TEST_F(HttpClientTest, EachMethodArrivesAsItself) {
    for (const std::string method : {"GET", "POST", "PUT", "DELETE", "OPTIONS", "PURGE"}) {
        HttpRequest request;
        request.method = method;
        request.url = server.url() + "/echo";
        const auto echo = echoed(send(request));
        EXPECT_EQ(string_member(echo, "method"), method);
        EXPECT_EQ(string_member(echo, "body"), "");
        EXPECT_EQ(find_member(*find_member(echo, "headers"), "content-type"), nullptr) << method;
    }
}

TEST_F(HttpClientTest, HeadHasNoBody) {
    RawServer odd([](RawConnection& connection) {
        EXPECT_TRUE(connection.read_request().starts_with("HEAD "));
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n");
    });
    HttpRequest request;
    request.method = "HEAD";
    request.url = odd.url();
    const auto response = send(request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(*find_header(response->headers, "content-length"), "5");
    EXPECT_EQ(response->body, "");
}

TEST_F(HttpClientTest, FramingIsNotTheCallers) {
    HttpRequest request;
    request.method = "POST";
    request.url = server.url() + "/echo";
    request.headers = {{"Content-Length", "999"}, {"Transfer-Encoding", "chunked"}};
    request.body = "abc";
    const auto response = send(request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(string_member(echoed(response), "body"), "abc");
}

TEST_F(HttpClientTest, StatusesAreResultsNotErrors) {
    for (const int status : {204, 404, 500}) {
        const auto response = get("/status/" + std::to_string(status));
        ASSERT_TRUE(response) << response.error().message;
        EXPECT_EQ(response->status, status);
        EXPECT_EQ(response->is_success(), status == 204);
    }
}

TEST_F(HttpClientTest, ConnectionsAreKeptAlive) {
    for (int i = 0; i < 5; ++i) {
        ASSERT_TRUE(get("/echo"));
    }
    EXPECT_EQ(server.counts().connections, 1);
    EXPECT_EQ(server.counts().requests, 5);
}

TEST_F(HttpClientTest, RedirectsAreFollowedOnlyOnRequestAndUpToALimit) {
    HttpRequest request;
    request.url = server.url() + "/redirect/3";
    EXPECT_EQ(send(request)->status, 302);

    request.should_follow_redirects = true;
    auto response = send(request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->status, 200);
    EXPECT_EQ(response->url, server.url() + "/echo");

    request.redirects_max = 2;
    response = send(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::limit_exceeded);
}

TEST_F(HttpClientTest, RedirectedPostGoesOnAsGetWithoutItsBody) {
    HttpRequest request;
    request.method = "POST";
    request.url = server.url() + "/redirect/1";
    request.headers = {{"Content-Type", "text/x"}, {"Authorization", "Bearer 1"}};
    request.body = "abc";
    request.should_follow_redirects = true;
    const auto echo = echoed(send(request));
    EXPECT_EQ(string_member(echo, "method"), "GET");
    EXPECT_EQ(string_member(echo, "body"), "");
    EXPECT_EQ(find_member(*find_member(echo, "headers"), "content-type"), nullptr);
    EXPECT_EQ(echoed_header(echo, "authorization"), "Bearer 1");
}

TEST_F(HttpClientTest, CredentialsDoNotFollowARedirectToAnotherOrigin) {
    ModelServer other({.should_record = true});
    ASSERT_TRUE(other.start());
    HttpRequest request;
    request.url = server.url() + "/redirect-to?" + other.url() + "/echo";
    request.headers = {{"Authorization", "Bearer 1"}, {"Cookie", "a=b"}, {"X-Other", "kept"}};
    request.should_follow_redirects = true;
    const auto echo = echoed(send(request));
    EXPECT_EQ(echoed_header(echo, "x-other"), "kept");
    EXPECT_EQ(find_member(*find_member(echo, "headers"), "authorization"), nullptr);
    EXPECT_EQ(find_member(*find_member(echo, "headers"), "cookie"), nullptr);
    EXPECT_EQ(server.requests().front().header("authorization"), "Bearer 1");
}

TEST_F(HttpClientTest, RedirectsToOtherSchemesAreRefused) {
    HttpRequest request;
    request.url = server.url() + "/redirect-to?file:///etc/passwd";
    request.should_follow_redirects = true;
    const auto response = send(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::remote_failure);
}

TEST_F(HttpClientTest, BodiesAboveTheLimitAreAnError) {
    HttpRequest request;
    request.url = server.url() + "/bytes/100000";
    request.body_size_max = 100'000;
    const auto fits = send(request);
    ASSERT_TRUE(fits);
    EXPECT_EQ(fits->body.size(), 100'000U);
    request.body_size_max = 99'999;
    const auto response = send(request);
    ASSERT_FALSE(response);
    EXPECT_EQ(response.error().code, ErrorCode::limit_exceeded);
    EXPECT_NE(response.error().message.find("99999 bytes"), std::string::npos);
}

TEST_F(HttpClientTest, PackedBodiesAreUnpackedAndTheirLimitIsTheUnpackedSize) {
    // 1000 times 'x', gzip.
    static constexpr std::string_view kPacked(
        "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xab\xa8\x18\x05\xa3\x60\x14\x0c\x77\x00\x00\xe6"
        "\xc9\x41\x3b\xe8\x03\x00\x00",
        29
    );
    const auto serve = [](RawConnection& connection) {
        EXPECT_NE(connection.read_request().find("gzip"), std::string::npos);
        connection.write(
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\nContent-Length: "
        );
        connection.write(std::to_string(kPacked.size()) + "\r\n\r\n");
        connection.write(kPacked);
    };
    RawServer odd(serve);
    HttpRequest request;
    request.url = odd.url();
    const auto response = send(request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, std::string(1000, 'x'));
    request.body_size_max = 500;
    EXPECT_EQ(send(request).error().code, ErrorCode::limit_exceeded);
}

class CountingListener final : public BodyListener {
public:
    void on_headers(int status, const Headers& /*headers*/) override { last_status = status; }

    bool on_data(std::string_view piece) override {
        ++pieces;
        bytes += piece.size();
        task = async::current_task();
        return bytes < stop_at;
    }

    int last_status = 0;
    std::size_t pieces = 0;
    std::size_t bytes = 0;
    std::size_t stop_at = SIZE_MAX;
    async::TaskContext* task = nullptr;
};

TEST_F(HttpClientTest, StreamsPiecesWithTheRequestingTaskCurrent) {
    CountingListener listener;
    HttpRequest request;
    request.url = server.url() + "/bytes/50000";
    runtime.block_on(
        [](HttpClient& http, HttpRequest sent, CountingListener& heard) -> Task<void> {
            auto* const task = async::current_task();
            const auto response = co_await http.stream(std::move(sent), heard);
            EXPECT_TRUE(response);
            EXPECT_EQ(heard.task, task);
        },
        std::ref(*client),
        request,
        std::ref(listener)
    );
    EXPECT_EQ(listener.last_status, 200);
    EXPECT_EQ(listener.bytes, 50'000U);
    EXPECT_GT(listener.pieces, 1U);
}

TEST_F(HttpClientTest, AListenerCanStopTheStream) {
    CountingListener listener;
    listener.stop_at = 1;
    HttpRequest request;
    request.url = server.url() + "/bytes/5000000";
    const auto response = runtime.block_on([&] { return client->stream(request, listener); });
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_TRUE(response->is_aborted);
    EXPECT_EQ(listener.pieces, 1U);
    EXPECT_TRUE(server.wait_for([](const auto& counts) { return counts.closed == 1; }));
}

Task<void> stream_one(HttpClient& client, std::string url, std::atomic<int>& complete) {
    CountingListener listener;
    HttpRequest request;
    request.method = "POST";
    request.url = std::move(url);
    request.body = R"({"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]})";
    const auto response = co_await client.stream(std::move(request), listener);
    EXPECT_TRUE(response) << response.error().message;
    EXPECT_GT(listener.pieces, 0U);
    complete += response && response->is_success() ? 1 : 0;
}

Task<void> stream_many(HttpClient& client, std::string url, std::atomic<int>& complete) {
    async::TaskGroup group(co_await async::this_executor());
    for (int i = 0; i < 500; ++i) {
        group.spawn(stream_one, std::ref(client), url, std::ref(complete));
    }
    co_await group.join();
}

TEST(HttpClientLoad, FiveHundredStreamsShareOneLoop) {
    ModelServer server({.script = {.tokens = 20, .first_delay = 20ms, .gap = 2ms}});
    ASSERT_TRUE(server.start());
    const auto client = make_http_client({.proxy = ""});
    async::Runtime runtime;
    std::atomic<int> complete = 0;
    for (int round = 0; round < 2; ++round) {
        runtime.block_on(
            stream_many,
            std::ref(*client),
            server.url() + "/v1/chat/completions",
            std::ref(complete)
        );
    }
    EXPECT_EQ(complete, 1000);
    EXPECT_EQ(server.counts().aborted, 0);
    // The second round finds the connections of the first.
    EXPECT_LE(server.counts().connections, 600);
}

TEST(HttpClientLoad, LoopsShareAClientButNoConnection) {
    ModelServer server({.script = {.tokens = 3}});
    ASSERT_TRUE(server.start());
    const auto client = make_http_client({.proxy = ""});
    async::Runtime runtime({.loops = 2});
    std::atomic<int> complete = 0;
    std::vector<std::jthread> callers;
    for (std::size_t loop = 0; loop < 2; ++loop) {
        callers.emplace_back([&, loop] {
            for (int i = 0; i < 20; ++i) {
                runtime.block_on(
                    runtime.loop_executor(loop),
                    stream_one,
                    std::ref(*client),
                    server.url() + "/v1/chat/completions",
                    std::ref(complete)
                );
            }
        });
    }
    callers.clear();
    EXPECT_EQ(complete, 40);
    EXPECT_EQ(server.counts().connections, 2);
}

}  // namespace
}  // namespace flowspan::http
