#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/base/clock.hpp"
#include "infra/http/http_client.hpp"
#include "model_server/model_server.hpp"
#include "model_server/raw_server.hpp"

#include <gmock/gmock.h>

#include <atomic>

namespace flowspan::http {
namespace {

using namespace std::chrono_literals;
using model_server::ModelServer;
using model_server::RawConnection;
using model_server::RawServer;
using ::testing::HasSubstr;

class HttpFailureTest : public ::testing::Test {
protected:
    Result<HttpResponse> send(HttpRequest request) {
        return runtime.block_on([&] { return client->send(request); });
    }

    Error fail(HttpRequest request) {
        auto response = send(std::move(request));
        EXPECT_FALSE(response);
        return response ? Error(ErrorCode::internal, "it did not fail") : response.error();
    }

    Error fail(std::string url) {
        HttpRequest request;
        request.url = std::move(url);
        return fail(std::move(request));
    }

    std::unique_ptr<HttpClient> client = make_http_client({.proxy = ""});
    async::Runtime runtime;
};

TEST_F(HttpFailureTest, WhatCannotBeSentIsRefusedBeforeAnythingIsSent) {
    struct Case {
        std::string method;
        std::string url;
        Headers headers;
        std::string_view words;
    };

    const Case cases[] = {
        {"GET", "ftp://a.b/", {}, "http://"},
        {"GET", "", {}, "http://"},
        {"GET", "http://", {}, "URL"},
        {"GET", "http://a b/", {}, "space"},
        {"GET", "http://a.b/\r\nX: y", {}, "control"},
        {"GET", "http://a.b:99999/", {}, "URL"},
        {"GE T", "http://a.b/", {}, "method"},
        {"GET\r\nX: y", "http://a.b/", {}, "method"},
        {"GET", "http://a.b/", {{"X", "a\r\nY: b"}}, "line break"},
        {"GET", "http://a.b/", {{"X", "a\nb"}}, "line break"},
        {"GET", "http://a.b/", {{"X", std::string("a\0b", 3)}}, "line break"},
        {"GET", "http://a.b/", {{"X: y\r\nZ", "a"}}, "header name"},
        {"GET", "http://a.b/", {{"", "a"}}, "header name"},
    };
    for (const auto& [method, url, headers, words] : cases) {
        HttpRequest request;
        request.method = method;
        request.url = url;
        request.headers = headers;
        const auto error = fail(request);
        EXPECT_EQ(error.code, ErrorCode::invalid_input) << method << url << error.message;
        EXPECT_THAT(error.message, HasSubstr(words));
    }
}

TEST_F(HttpFailureTest, RefusedConnectionsSayWhereAndWhatToDo) {
    const auto port = std::to_string(model_server::closed_port());
    const auto error = fail("http://127.0.0.1:" + port + "/secret?key=1");
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_EQ(
        error.message, "connection refused by 127.0.0.1:" + port + ": is the server running?"
    );
}

TEST_F(HttpFailureTest, UnknownHostsAreNamed) {
    const auto error = fail("http://no-such-host.invalid/");
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_THAT(error.message, HasSubstr("no-such-host.invalid"));
}

TEST_F(HttpFailureTest, EachTimeoutNamesItsLimit) {
    ModelServer server;
    ASSERT_TRUE(server.start());
    HttpRequest request;
    request.url = server.url() + "/hang";

    request.read_timeout = 40ms;
    auto error = fail(request);
    EXPECT_EQ(error.code, ErrorCode::timeout);
    EXPECT_THAT(error.message, HasSubstr("sent nothing for 40 ms"));

    request.read_timeout = 0ms;
    request.total_timeout = 50ms;
    error = fail(request);
    EXPECT_EQ(error.code, ErrorCode::timeout);
    EXPECT_THAT(error.message, HasSubstr("within 50 ms"));
    EXPECT_TRUE(server.wait_for([](const auto& counts) { return counts.aborted == 2; }));
}

Task<Result<HttpResponse>> send_before_deadline(
    HttpClient& client, HttpRequest request, std::chrono::milliseconds left
) {
    async::current_task()->tighten_deadline(real_clock().steady_now() + left);
    co_return co_await client.send(std::move(request));
}

TEST_F(HttpFailureTest, TheTasksDeadlineIsKept) {
    ModelServer server;
    ASSERT_TRUE(server.start());
    HttpRequest request;
    request.url = server.url() + "/hang";
    for (const auto left : {50ms, -1ms}) {
        const auto response =
            runtime.block_on(send_before_deadline, std::ref(*client), request, left);
        ASSERT_FALSE(response);
        EXPECT_EQ(response.error().code, ErrorCode::timeout);
        EXPECT_THAT(response.error().message, HasSubstr("deadline passed"));
    }
    EXPECT_EQ(server.counts().requests, 1);
}

TEST_F(HttpFailureTest, OddServersGiveErrorsThatSayWhatIsOdd) {
    struct Case {
        std::string_view bytes;
        ErrorCode code;
        std::string_view words;
    };

    const Case cases[] = {
        {"", ErrorCode::unavailable, "broke off"},
        {"SSH-2.0-OpenSSH_9\r\n", ErrorCode::remote_failure, "HTTP"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", ErrorCode::unavailable, "broke off"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
         ErrorCode::unavailable,
         "broke off"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
         ErrorCode::unavailable,
         "broke off"},
        {"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
         ErrorCode::remote_failure,
         "not valid HTTP"},
    };
    for (const auto& [bytes, code, words] : cases) {
        RawServer odd([bytes](RawConnection& connection) {
            EXPECT_FALSE(connection.read_request().empty());
            connection.write(bytes);
        });
        const auto error = fail(odd.url());
        EXPECT_EQ(error.code, code) << bytes << ": " << error.message;
        EXPECT_THAT(error.message, HasSubstr(words)) << bytes;
        EXPECT_THAT(error.message, HasSubstr("127.0.0.1")) << bytes;
    }
}

TEST_F(HttpFailureTest, EndlessHeadersAreCutOff) {
    struct Case {
        std::string line;
        int count;
    };

    const Case cases[] = {
        {"X-Header: value\r\n", 2000},
        {"X-Header: " + std::string(50'000, 'x') + "\r\n", 10},
    };
    for (const auto& [line, count] : cases) {
        RawServer odd([&](RawConnection& connection) {
            EXPECT_FALSE(connection.read_request().empty());
            connection.write("HTTP/1.1 200 OK\r\n");
            for (int i = 0; i < count; ++i) {
                connection.write(line);
            }
            connection.write("\r\n");
        });
        const auto error = fail(odd.url());
        EXPECT_EQ(error.code, ErrorCode::limit_exceeded) << error.message;
        EXPECT_THAT(error.message, HasSubstr("headers"));
    }
}

TEST_F(HttpFailureTest, TransportFailuresAreResentOnlyIfAsked) {
    std::atomic<int> connections = 0;
    RawServer flaky([&connections](RawConnection& connection) {
        EXPECT_FALSE(connection.read_request().empty());
        if (++connections == 3) {
            connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        } else {
            connection.reset();
        }
    });
    HttpRequest request;
    request.url = flaky.url();
    EXPECT_EQ(fail(request).code, ErrorCode::unavailable);
    request.transport_retries_max = 1;
    const auto response = send(request);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->body, "ok");
    EXPECT_EQ(connections, 3);
}

TEST_F(HttpFailureTest, AReplyThatHasBegunIsNotAskedForAgain) {
    std::atomic<int> connections = 0;
    RawServer flaky([&connections](RawConnection& connection) {
        EXPECT_FALSE(connection.read_request().empty());
        ++connections;
        connection.write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
    });
    HttpRequest request;
    request.url = flaky.url();
    request.transport_retries_max = 3;
    EXPECT_EQ(fail(request).code, ErrorCode::unavailable);
    EXPECT_EQ(connections, 1);
}

Task<void> send_and_expect_no_end(HttpClient& client, HttpRequest request) {
    const auto response = co_await client.send(std::move(request));
    ADD_FAILURE() << "a cancelled request ended with " << response.has_value();
}

Task<void> cancel_once_requested(HttpClient& client, HttpRequest request, ModelServer& server) {
    async::TaskGroup group(co_await async::this_executor());
    const auto before = server.counts().requests;
    group.spawn(send_and_expect_no_end, std::ref(client), std::move(request));
    while (server.counts().requests == before) {
        co_await async::yield_now();
    }
    group.cancel();
    co_await group.join();
}

TEST_F(HttpFailureTest, CancellingClosesTheConnection) {
    ModelServer server;
    ASSERT_TRUE(server.start());
    HttpRequest request;
    request.url = server.url() + "/hang";
    {
        // Its end waits for the loop's thread, which frees the last task after block_on returns.
        async::Runtime own;
        own.block_on(cancel_once_requested, std::ref(*client), request, std::ref(server));
        EXPECT_TRUE(server.wait_for([](const auto& counts) { return counts.aborted == 1; }));
    }
    EXPECT_EQ(async::TaskContext::live_count(), 0);
}

/// Cancels its own group from within the transport's callback.
class CancellingListener final : public BodyListener {
public:
    explicit CancellingListener(async::TaskGroup& group) : group_(group) {}

    bool on_data(std::string_view /*piece*/) override {
        group_.cancel();
        return true;
    }

private:
    async::TaskGroup& group_;
};

Task<void> stream_and_expect_no_end(HttpClient& client, std::string url, BodyListener& listener) {
    HttpRequest request;
    request.url = std::move(url);
    const auto response = co_await client.stream(std::move(request), listener);
    ADD_FAILURE() << "a cancelled stream ended with " << response.has_value();
}

Task<void> cancel_from_within(HttpClient& client, std::string url, std::string hanging_url) {
    async::TaskGroup group(co_await async::this_executor());
    CancellingListener listener(group);
    group.spawn(
        stream_and_expect_no_end, std::ref(client), std::move(hanging_url), std::ref(listener)
    );
    group.spawn(stream_and_expect_no_end, std::ref(client), std::move(url), std::ref(listener));
    co_await group.join();
}

TEST_F(HttpFailureTest, AListenerMayCancelItsOwnAndOtherRequests) {
    ModelServer server;
    ASSERT_TRUE(server.start());
    runtime.block_on(
        cancel_from_within,
        std::ref(*client),
        server.url() + "/bytes/3000000",
        server.url() + "/hang"
    );
    EXPECT_TRUE(server.wait_for([](const auto& counts) {
        return counts.connections == counts.closed;
    }));
}

Task<void> cancel_many_at_random(HttpClient& client, std::string url, std::uint64_t seed) {
    const auto random = make_seeded_random(seed);
    HttpRequest request;
    request.method = "POST";
    request.url = std::move(url);
    request.body = R"({"stream":true,"messages":[]})";
    for (int round = 0; round < 20; ++round) {
        async::TaskGroup group(co_await async::this_executor());
        for (int i = 0; i < 20; ++i) {
            group.spawn(
                [](HttpClient& http, HttpRequest sent) -> Task<void> {
                    const auto response = co_await http.send(std::move(sent));
                    EXPECT_TRUE(response);
                },
                std::ref(client),
                request
            );
        }
        for (auto yields = random->next() % 100; yields > 0; --yields) {
            co_await async::yield_now();
        }
        group.cancel();
        co_await group.join();
    }
}

TEST_F(HttpFailureTest, RandomCancellationsLeaveNothingBehind) {
    ModelServer server({.script = {.tokens = 5}});
    ASSERT_TRUE(server.start());
    {
        async::Runtime own;
        own.block_on(
            cancel_many_at_random,
            std::ref(*client),
            server.url() + "/v1/chat/completions",
            std::uint64_t{42}
        );
    }
    EXPECT_EQ(async::TaskContext::live_count(), 0);
}

}  // namespace
}  // namespace flowspan::http
