#include "model/openai.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/trace/names.hpp"
#include "model_server/model_server.hpp"
#include "model_server/raw_server.hpp"
#include "trace/span_recording.hpp"

#include <gmock/gmock.h>

#include <optional>

namespace flowspan::model {
namespace {

using namespace std::chrono_literals;
using model_server::ModelServer;
using model_server::RawConnection;
using model_server::RawServer;
using model_server::Script;
using ::testing::HasSubstr;
using ::testing::Not;

class Pieces final : public ChatListener {
public:
    void on_text(std::string_view piece) override {
        text.append(piece);
        ++count;
    }

    void on_reasoning(std::string_view piece) override { reasoning.append(piece); }

    std::string text;
    std::string reasoning;
    int count = 0;
};

ChatRequest ask(std::string text) {
    ChatRequest request;
    request.model = {.provider = "openai", .name = "gpt-test"};
    request.messages.push_back({.role = "user", .text = std::move(text)});
    return request;
}

class OpenAiTest : public ::testing::Test {
protected:
    void serve(std::string_view script) {
        auto parsed = model_server::parse_script(script);
        ASSERT_TRUE(parsed) << parsed.error().message;
        server.emplace(
            model_server::ModelServerConfig{.should_record = true, .script = *std::move(parsed)}
        );
        ASSERT_TRUE(server->start());
        connect(server->url() + "/v1/");
    }

    void connect(std::string base_url) {
        EndpointConfig endpoint;
        endpoint.base_url = std::move(base_url);
        endpoint.api_key = Secret("sk-secret");
        model = make_openai_model(std::move(endpoint), *client, real_clock(), real_random());
    }

    Result<ChatReply> chat(const ChatRequest& request) {
        return runtime.block_on([&] { return model->chat(request, pieces); });
    }

    Error fail(const ChatRequest& request) {
        auto reply = chat(request);
        EXPECT_FALSE(reply);
        return reply ? Error(ErrorCode::internal, "it did not fail") : reply.error();
    }

    std::optional<ModelServer> server;
    std::unique_ptr<http::HttpClient> client = http::make_http_client({.proxy = ""});
    std::unique_ptr<ChatModel> model;
    Pieces pieces;
    async::Runtime runtime;
};

TEST_F(OpenAiTest, StreamsAnAnswer) {
    serve(R"({replies: [{text: "It is sunny in Rome.", reasoning: "Hm, Rome.",
        usage: {prompt_tokens: 9, completion_tokens: 5, cached_tokens: 4, reasoning_tokens: 2}}]})"
    );
    const auto reply = chat(ask("weather?"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->text, "It is sunny in Rome.");
    EXPECT_EQ(reply->reasoning, "Hm, Rome.");
    EXPECT_EQ(pieces.text, reply->text);
    EXPECT_EQ(pieces.count, 5);
    EXPECT_EQ(reply->finish_reason, "stop");
    EXPECT_EQ(reply->response_id, "chatcmpl-scripted");
    EXPECT_EQ(reply->response_model, "gpt-test");
    EXPECT_EQ(reply->attempts, 1);
    EXPECT_EQ(reply->usage.prompt_tokens, 9);
    EXPECT_EQ(reply->usage.cached_tokens, 4);
    EXPECT_EQ(reply->usage.reasoning_tokens, 2);
    EXPECT_EQ(reply->timing.chunk_count, 7);
    const auto requests = server->requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].target, "/v1/chat/completions");
    EXPECT_EQ(requests[0].header("authorization"), "Bearer sk-secret");
    EXPECT_EQ(model->endpoint({}).server_port, server->port());
    EXPECT_EQ(model->endpoint({}).provider_name, "openai");
}

TEST_F(OpenAiTest, TimesItsAnswers) {
    serve("{tokens: 4, first_ms: 30, gap_ms: 20}");
    const auto reply = chat(ask("x"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_GE(reply->usage.time_to_first_token, 0.03);
    EXPECT_GE(reply->usage.time_to_generate, 0.05);
    EXPECT_GE(reply->usage.latency, 0.09);
    EXPECT_GE(reply->timing.chunk_gap_max, 0.015);
    EXPECT_GT(reply->timing.chunk_gap_mean, 0.01);
}

TEST_F(OpenAiTest, ReadsStreamsInSmallestPieces) {
    serve(R"({replies: [{text: "slow h\u00e9llo \U0001F600", slice: 1}]})");
    const auto reply = chat(ask("x"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->text, "slow h\xC3\xA9llo \xF0\x9F\x98\x80");
}

TEST_F(OpenAiTest, CallsTools) {
    serve(R"({replies: [{tool_calls: [{id: c1, name: look_up, arguments: {city: Rome}},
        {id: c2, name: add, arguments: {a: 1}}]}]})");
    auto request = ask("weather?");
    request.tools.push_back({.name = "look_up", .description = "d", .parameters = json::object{}});
    const auto reply = chat(request);
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->finish_reason, "tool_calls");
    ASSERT_EQ(reply->tool_calls.size(), 2U);
    EXPECT_EQ(reply->tool_calls[0].id, "c1");
    EXPECT_EQ(reply->tool_calls[0].name, "look_up");
    EXPECT_EQ(
        parse_json(reply->tool_calls[0].arguments).value(),
        parse_json(R"({"city": "Rome"})").value()
    );
    EXPECT_EQ(reply->tool_calls[1].name, "add");
}

TEST_F(OpenAiTest, PlainCompletionsUseTheirOwnPath) {
    serve(R"({replies: [{text: "once upon"}]})");
    auto request = ask("a story");
    request.is_completion = true;
    const auto reply = chat(request);
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->text, "once upon");
    EXPECT_EQ(server->requests()[0].target, "/v1/completions");
}

TEST_F(OpenAiTest, TakesRepliesThatAreNotStreamed) {
    serve(R"({replies: [{body: {choices: [{message: {content: whole}, finish_reason: stop}],
        usage: {prompt_tokens: 1, completion_tokens: 1}}}]})");
    // The emitter of the script quotes numbers, so usage is not read here.
    const auto reply = chat(ask("x"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->text, "whole");
    EXPECT_EQ(pieces.text, "whole");
}

TEST_F(OpenAiTest, TriesAgainWhenTheServerIsBusyOrBroken) {
    serve(R"({replies: [
        {when: {times: 1}, status: 429, headers: {Retry-After: 0}, body: {error: {message: slow}}},
        {when: {times: 1}, status: 500, headers: {retry-after-ms: 1}, body: oops},
        {when: {times: 1}, status: 503, headers: {retry-after-ms: 1}},
        {text: "at last"}]})");
    trace::SpanRecording recording;
    const auto reply = chat(ask("x"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->text, "at last");
    EXPECT_EQ(reply->attempts, 4);
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 4U);
    const auto& attributes = spans[3]->GetAttributes();
    EXPECT_EQ(
        opentelemetry::nostd::get<std::int64_t>(attributes.at(trace::names::kHttpRequestResendCount)
        ),
        3
    );
}

TEST_F(OpenAiTest, BacksOffByItself) {
    serve(R"({replies: [{when: {times: 1}, status: 500}, {text: "fine"}]})");
    const auto started = real_clock().steady_now();
    const auto reply = chat(ask("x"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_GE(real_clock().steady_now() - started, 250ms);
    EXPECT_GE(reply->usage.latency, 0.25);
    EXPECT_LT(reply->usage.time_to_first_token, 0.25);
}

TEST_F(OpenAiTest, GivesUpAfterItsRetries) {
    serve(R"({replies: [{status: 500, headers: {retry-after-ms: 1},
        body: {error: {message: "secret words"}}}]})");
    const auto error = fail(ask("x"));
    EXPECT_EQ(server->counts().requests, 4);
    EXPECT_EQ(error.code, ErrorCode::remote_failure);
    EXPECT_THAT(error.message, HasSubstr("127.0.0.1"));
    EXPECT_THAT(error.message, HasSubstr("500"));
    EXPECT_THAT(error.message, Not(HasSubstr("secret")));
    EXPECT_EQ(error.detail, "secret words");
}

TEST_F(OpenAiTest, WhatCannotGetBetterIsNotTriedAgain) {
    struct Case {
        std::string_view script;
        ErrorCode code;
        std::string_view words;
    };

    const Case cases[] = {
        {"{status: 400, body: {error: {message: bad}}}", ErrorCode::remote_failure, "400"},
        {"{status: 401}", ErrorCode::unauthorized, "API key"},
        {"{status: 403}", ErrorCode::unauthorized, "API key"},
        {"{status: 404}", ErrorCode::not_found, "gpt-test"},
        {"{status: 501}", ErrorCode::remote_failure, "501"},
        {"{status: 429, headers: {Retry-After: 120}}", ErrorCode::rate_limited, "429"},
        {"{status: 429, body: {error: {message: x, code: insufficient_quota}}}",
         ErrorCode::rate_limited,
         "429"},
        {"{status: 302, headers: {Location: /x}, body: moved}", ErrorCode::remote_failure, "302"},
        {"{body: '<html>hello</html>', content_type: text/html}", ErrorCode::remote_failure, "JSON"
        },
        {"{body: 'data: nonsense', content_type: text/event-stream}",
         ErrorCode::remote_failure,
         "JSON"},
        {"{body: '{\"a\": 1}'}", ErrorCode::remote_failure, "no choices"},
        {"{body: 'event stream of nothing', content_type: text/event-stream}",
         ErrorCode::remote_failure,
         "JSON"},
    };
    for (const auto& [script, code, words] : cases) {
        serve("{replies: [" + std::string(script) + "]}");
        const auto error = fail(ask("x"));
        EXPECT_EQ(error.code, code) << script << ": " << error.message;
        EXPECT_THAT(error.message, HasSubstr(words)) << script;
        EXPECT_THAT(error.message, HasSubstr("127.0.0.1")) << script;
        EXPECT_EQ(server->counts().requests, 1) << script;
    }
}

TEST_F(OpenAiTest, AStreamThatBreaksOffAfterTextIsAnErrorAndNotRepeated) {
    struct Case {
        std::string_view script;
        std::string_view words;
    };

    const Case cases[] = {
        {"{tokens: 5, disconnect_after: 3}", "broke off after 3 chunks"},
        {"{tokens: 5, finish_reason: none, done: false}", "broke off after 5 chunks"},
    };
    for (const auto& [script, words] : cases) {
        serve("{replies: [" + std::string(script) + "]}");
        const auto error = fail(ask("x"));
        EXPECT_EQ(error.code, ErrorCode::unavailable);
        EXPECT_THAT(error.message, HasSubstr(words));
        EXPECT_EQ(server->counts().requests, 1);
    }
}

TEST_F(OpenAiTest, AStreamThatBreaksOffBeforeAnyTextIsTriedAgain) {
    serve("{replies: [{when: {times: 1}, disconnect_after: 0}, {text: whole}]}");
    const auto reply = chat(ask("x"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->text, "whole");
    EXPECT_EQ(reply->attempts, 2);
}

TEST_F(OpenAiTest, AStreamWithoutDoneMarkIsCompleteByItsFinishReason) {
    serve("{replies: [{text: whole, done: false}]}");
    const auto reply = chat(ask("x"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->text, "whole");
}

TEST_F(OpenAiTest, AServerThatHoldsTheConnectionAfterDoneDelaysNobodyForLong) {
    RawServer odd([](RawConnection& connection) {
        EXPECT_FALSE(connection.read_request().empty());
        connection.write(
            "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
            "data: {\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n"
            "data: [DONE]\n\n"
        );
        EXPECT_EQ(connection.read_to_end(), "");
    });
    connect(odd.url());
    const auto reply = chat(ask("x"));
    ASSERT_TRUE(reply) << reply.error().message;
    EXPECT_EQ(reply->text, "a");
    EXPECT_LT(reply->usage.latency, 5.0);
}

TEST_F(OpenAiTest, AnUnreachableEndpointSaysWhere) {
    const auto port = std::to_string(model_server::closed_port());
    EndpointConfig endpoint;
    endpoint.base_url = "http://127.0.0.1:" + port;
    endpoint.retries_max = 0;
    model = make_openai_model(endpoint, *client, real_clock(), real_random());
    const auto error = fail(ask("x"));
    EXPECT_EQ(error.code, ErrorCode::unavailable);
    EXPECT_THAT(error.message, HasSubstr("127.0.0.1:" + port));
}

Task<Result<ChatReply>> chat_before_deadline(
    ChatModel& model, ChatRequest request, std::chrono::milliseconds left
) {
    async::current_task()->tighten_deadline(real_clock().steady_now() + left);
    Pieces pieces;
    co_return co_await model.chat(request, pieces);
}

TEST_F(OpenAiTest, TheDeadlineEndsACallThatHangs) {
    serve("{replies: [{hang_after: 2}]}");
    const auto reply = runtime.block_on(chat_before_deadline, std::ref(*model), ask("x"), 100ms);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::timeout);
    EXPECT_THAT(reply.error().message, HasSubstr("broke off after 2 chunks"));
    EXPECT_TRUE(server->wait_for([](const auto& counts) { return counts.aborted == 1; }));
}

TEST_F(OpenAiTest, NoWaitGoesPastTheDeadline) {
    serve("{replies: [{status: 429, headers: {Retry-After: 20}}]}");
    const auto reply = runtime.block_on(chat_before_deadline, std::ref(*model), ask("x"), 5s);
    ASSERT_FALSE(reply);
    EXPECT_EQ(reply.error().code, ErrorCode::rate_limited);
    EXPECT_LT(reply.error().message.size(), 200U);
}

Task<void> chat_without_end(ChatModel& model, ChatRequest request) {
    Pieces pieces;
    const auto reply = co_await model.chat(request, pieces);
    ADD_FAILURE() << reply.has_value();
}

Task<void> cancel_chat(ChatModel& model, ChatRequest request, ModelServer& server) {
    async::TaskGroup group(co_await async::this_executor());
    group.spawn(chat_without_end, std::ref(model), std::move(request));
    while (server.counts().requests == 0) {
        co_await async::yield_now();
    }
    group.cancel();
    co_await group.join();
}

TEST_F(OpenAiTest, CancellingACallClosesItsConnection) {
    serve("{tokens: 1000, gap_ms: 50}");
    runtime.block_on(cancel_chat, std::ref(*model), ask("x"), std::ref(*server));
    EXPECT_TRUE(server->wait_for([](const auto& counts) { return counts.aborted == 1; }));
}

}  // namespace
}  // namespace flowspan::model
