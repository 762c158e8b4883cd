#include "model/openai_reply.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace flowspan::model {
namespace {

using namespace std::chrono_literals;

class Pieces final : public ChatListener {
public:
    void on_text(std::string_view piece) override { text.append(piece).append("|"); }

    void on_reasoning(std::string_view piece) override { reasoning.append(piece).append("|"); }

    std::string text;
    std::string reasoning;
};

constexpr SteadyTime kStart{1h};

std::string text_chunk(std::string_view text_in_json) {
    return fmt::format(
        R"({{"id":"r","model":"m","choices":[{{"index":0,"delta":{{"content":"{}"}},)"
        R"("finish_reason":null}}],"usage":null}})",
        text_in_json
    );
}

TEST(OpenAiReply, JoinsTextAndHandsItOnPieceByPiece) {
    Pieces pieces;
    OpenAiReply reply(pieces);
    EXPECT_TRUE(
        reply.add_chunk(R"({"choices":[{"delta":{"role":"assistant","content":""}}]})", kStart)
    );
    EXPECT_FALSE(reply.has_content());
    // Plain text, text that the shortcut must not take, and text again.
    for (const auto* text : {"a", "b ", R"(\"c\")", R"(\n\u00e9)", "h\xC3\xA9", "", "d", "e"}) {
        EXPECT_TRUE(reply.add_chunk(text_chunk(text), kStart)) << text;
    }
    EXPECT_FALSE(reply.is_complete());
    EXPECT_TRUE(reply.add_chunk(R"({"choices":[{"delta":{},"finish_reason":"stop"}]})", kStart));
    EXPECT_TRUE(reply.is_complete());
    EXPECT_FALSE(reply.is_done());
    EXPECT_TRUE(reply.add_chunk(
        R"({"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":5,)"
        R"("prompt_tokens_details":{"cached_tokens":3},)"
        R"("completion_tokens_details":{"reasoning_tokens":2}}})",
        kStart
    ));
    EXPECT_TRUE(reply.add_chunk(" [DONE]", kStart));
    EXPECT_TRUE(reply.is_done());
    EXPECT_EQ(pieces.text, "a|b |\"c\"|\n\xC3\xA9|h\xC3\xA9|d|e|");
    const auto result = reply.take();
    EXPECT_EQ(
        result.text,
        "ab \"c\"\n\xC3\xA9h\xC3\xA9"
        "de"
    );
    EXPECT_EQ(result.finish_reason, "stop");
    EXPECT_EQ(result.response_id, "r");
    EXPECT_EQ(result.response_model, "m");
    EXPECT_EQ(result.usage.prompt_tokens, 7);
    EXPECT_EQ(result.usage.completion_tokens, 5);
    EXPECT_EQ(result.usage.cached_tokens, 3);
    EXPECT_EQ(result.usage.reasoning_tokens, 2);
    EXPECT_EQ(result.timing.chunk_count, 7);
}

TEST(OpenAiReply, AFrameThatOnlyLooksTheSameIsParsed) {
    struct Case {
        std::string_view data;
        std::string_view added;
    };

    const Case cases[] = {
        // Another role of the same bytes: the text ends early and another member follows.
        {R"({"choices":[{"delta":{"content":"b","refusal":"c"}}]})", "b|c|"},
        {R"({"choices":[{"delta":{"content":""}}]})", ""},
        {R"({"choices":[{"delta":{"content":"b"},"finish_reason":"stop"}]})", "b|"},
        {R"({"choices":[{"delta":{"reasoning":"b"}}]})", ""},
    };
    for (const auto& [data, added] : cases) {
        Pieces pieces;
        OpenAiReply reply(pieces);
        EXPECT_TRUE(reply.add_chunk(R"({"choices":[{"delta":{"content":"a"}}]})", kStart));
        EXPECT_TRUE(reply.add_chunk(data, kStart)) << data;
        EXPECT_EQ(pieces.text, std::string("a|").append(added)) << data;
    }
}

TEST(OpenAiReply, MeasuresTheGapsBetweenPieces) {
    Pieces pieces;
    OpenAiReply reply(pieces);
    auto now = kStart;
    for (const auto gap : {0ms, 10ms, 40ms, 10ms}) {
        now += gap;
        EXPECT_TRUE(reply.add_chunk(text_chunk("x"), now));
    }
    EXPECT_EQ(reply.first_content(), kStart);
    const auto timing = reply.take().timing;
    EXPECT_EQ(timing.chunk_count, 4);
    EXPECT_DOUBLE_EQ(timing.chunk_gap_max, 0.04);
    EXPECT_DOUBLE_EQ(timing.chunk_gap_mean, 0.02);
}

TEST(OpenAiReply, KeepsReasoningApart) {
    for (const auto* key : {"reasoning_content", "reasoning"}) {
        Pieces pieces;
        OpenAiReply reply(pieces);
        const auto chunk =
            fmt::format(R"({{"choices":[{{"delta":{{"{}":"hmm","content":null}}}}]}})", key);
        EXPECT_TRUE(reply.add_chunk(chunk, kStart));
        EXPECT_TRUE(reply.add_chunk(text_chunk("yes"), kStart));
        EXPECT_EQ(pieces.reasoning, "hmm|");
        EXPECT_EQ(pieces.text, "yes|");
        EXPECT_EQ(reply.take().reasoning, "hmm");
    }
}

TEST(OpenAiReply, AssemblesToolCallsFromDeltas) {
    Pieces pieces;
    OpenAiReply reply(pieces);
    const std::string_view deltas[] = {
        R"([{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":""}}])",
        R"([{"index":0,"function":{"arguments":"{\"a\":"}}])",
        R"([{"index":1,"id":"c2","function":{"name":"g","arguments":"{}"}}])",
        R"([{"index":0,"function":{"arguments":"1}"}}])",
        R"([{"index":3,"id":"c4","function":{"name":"h","arguments":{"b":2}}}])",
    };
    for (const auto delta : deltas) {
        EXPECT_TRUE(reply.add_chunk(
            fmt::format(R"({{"choices":[{{"delta":{{"tool_calls":{}}}}}]}})", delta), kStart
        ));
    }
    const auto calls = reply.take().tool_calls;
    ASSERT_EQ(calls.size(), 3U);
    EXPECT_EQ(calls[0].id, "c1");
    EXPECT_EQ(calls[0].name, "f");
    EXPECT_EQ(calls[0].arguments, R"({"a":1})");
    EXPECT_EQ(calls[1].name, "g");
    EXPECT_EQ(calls[2].id, "c4");
    EXPECT_EQ(calls[2].arguments, R"({"b":2})");
}

TEST(OpenAiReply, ReadsWholeReplies) {
    Pieces pieces;
    OpenAiReply reply(pieces);
    EXPECT_TRUE(reply.add_whole(
        R"({"id":"r","model":"m","choices":[{"message":{"content":"hello",
            "tool_calls":[{"id":"c","function":{"name":"f","arguments":"{}"}}]},
            "finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2}})",
        kStart
    ));
    EXPECT_TRUE(reply.is_complete());
    EXPECT_EQ(pieces.text, "hello|");
    const auto result = reply.take();
    EXPECT_EQ(result.tool_calls.size(), 1U);
    EXPECT_EQ(result.finish_reason, "tool_calls");
    EXPECT_EQ(result.usage.total_tokens(), 3);
}

TEST(OpenAiReply, ReadsPlainCompletionsAndContentInParts) {
    Pieces pieces;
    OpenAiReply reply(pieces);
    EXPECT_TRUE(reply.add_chunk(R"({"choices":[{"text":"a"}]})", kStart));
    EXPECT_TRUE(reply.add_chunk(
        R"({"choices":[{"delta":{"content":[{"type":"text","text":"b"}]}}]})", kStart
    ));
    EXPECT_EQ(pieces.text, "a|b|");
}

TEST(OpenAiReply, RepairsBrokenUnicode) {
    struct Case {
        std::string_view json;
        std::string_view text;
    };

    const Case cases[] = {
        {R"(\ud83d\ude00)", "\xF0\x9F\x98\x80"},
        {R"(a\ud83d)", "a\xEF\xBF\xBD"},
        {R"(\ude00b)",
         "\xEF\xBF\xBD"
         "b"},
        {R"(\\ud83d)", R"(\ud83d)"},
        {"a\xC3", "a\xEF\xBF\xBD"},
    };
    for (const auto& [json, text] : cases) {
        Pieces pieces;
        OpenAiReply reply(pieces);
        EXPECT_TRUE(reply.add_chunk(text_chunk(json), kStart)) << json;
        EXPECT_EQ(pieces.text, std::string(text) + "|") << json;
    }
}

TEST(OpenAiReply, GarbageIsAnErrorThatKeepsTheWordsOutOfTheMessage) {
    struct Case {
        std::string_view data;
        std::string_view detail;
    };

    const Case cases[] = {
        {"<html>secret</html>", "<html>secret</html>"},
        {"[1,2]", "[1,2]"},
        {"{\"choices\":", "{\"choices\":"},
        {R"({"error":{"message":"secret"}})", "secret"},
        {R"({"error":"secret"})", "secret"},
    };
    for (const auto& [data, detail] : cases) {
        Pieces pieces;
        OpenAiReply reply(pieces);
        EXPECT_FALSE(reply.add_chunk(data, kStart)) << data;
        ASSERT_TRUE(reply.error());
        EXPECT_EQ(reply.error()->code, ErrorCode::remote_failure);
        EXPECT_EQ(reply.error()->detail, detail);
        EXPECT_EQ(reply.error()->message.find("secret"), std::string::npos);
    }
}

TEST(OpenAiReply, OddButHarmlessChunksAreTaken) {
    for (const auto* data :
         {"{}",
          R"({"choices":[]})",
          R"({"choices":null})",
          R"({"choices":[{}]})",
          R"({"choices":[{"delta":null}]})",
          R"({"choices":[{"delta":{"content":1,"tool_calls":5}}]})",
          R"({"choices":[{"index":1,"delta":{"content":"second choice"}}]})",
          R"({"choices":[5],"usage":"x","error":null})"}) {
        Pieces pieces;
        OpenAiReply reply(pieces);
        EXPECT_TRUE(reply.add_chunk(data, kStart)) << data;
        EXPECT_EQ(pieces.text, "") << data;
        EXPECT_FALSE(reply.is_complete());
    }
}

TEST(OpenAiReply, ProviderErrorsAreReadInTheirManyForms) {
    struct Case {
        std::string_view body;
        std::string_view words;
        std::string_view code;
    };

    const Case cases[] = {
        {R"({"error":{"message":"no","code":"insufficient_quota","type":"t"}})",
         "no",
         "insufficient_quota"},
        {R"({"error":{"message":"no","code":null,"type":"t"}})", "no", "t"},
        {R"([{"error":{"message":"no"}}])", "no", ""},
        {R"({"error":"no"})", "no", ""},
        {R"({"message":"no"})", "no", ""},
        {R"({"detail":"no"})", "no", ""},
        {" <html>\xFF ", "<html>\xEF\xBF\xBD", ""},
        {"", "", ""},
    };
    for (const auto& [body, words, code] : cases) {
        const auto error = read_provider_error(body);
        EXPECT_EQ(error.words, words);
        EXPECT_EQ(error.code, code);
    }
}

}  // namespace
}  // namespace flowspan::model
