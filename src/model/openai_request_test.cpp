#include "model/openai_request.hpp"

#include <gtest/gtest.h>

namespace flowspan::model {
namespace {

json::value body_of(const ChatRequest& request) {
    return parse_json(make_openai_body(request)).value();
}

ChatRequest hello() {
    ChatRequest request;
    request.model = {.provider = "openai", .name = "m"};
    request.messages.push_back({.role = "user", .text = "hello"});
    return request;
}

TEST(OpenAiRequest, AsksForAStreamWithUsage) {
    EXPECT_EQ(
        body_of(hello()),
        parse_json(R"({
        "model": "m", "messages": [{"role": "user", "content": "hello"}],
        "stream": true, "stream_options": {"include_usage": true}})")
            .value()
    );
}

TEST(OpenAiRequest, PassesParametersOnUnlessNullOrOurs) {
    auto request = hello();
    request.parameters = parse_json(R"({"temperature": 0.5, "max_tokens": 10, "seed": 1,
        "top_p": null, "enable_thinking": false, "stream": false, "model": "x"})")
                             .value()
                             .as_object();
    request.user = "someone";
    const auto body = body_of(request);
    EXPECT_EQ(*find_member(body, "temperature"), json::value(0.5));
    EXPECT_EQ(*find_member(body, "max_tokens"), json::value(10));
    EXPECT_EQ(*find_member(body, "enable_thinking"), json::value(false));
    EXPECT_EQ(find_member(body, "top_p"), nullptr);
    EXPECT_EQ(*find_member(body, "stream"), json::value(true));
    EXPECT_EQ(string_member(body, "model"), "m");
    EXPECT_EQ(string_member(body, "user"), "someone");
}

TEST(OpenAiRequest, PutsResponseFormatsIntoTheProtocolsForm) {
    struct Case {
        std::string_view parameters;
        std::string_view expected;
    };

    const Case cases[] = {
        {R"({})", "null"},
        {R"({"response_format": "text"})", R"({"type": "text"})"},
        {R"({"response_format": "json_object"})", R"({"type": "json_object"})"},
        {R"({"response_format": "JSON"})", R"({"type": "json_object"})"},
        {R"({"response_format": {"type": "x"}})", R"({"type": "x"})"},
        {R"({"response_format": "json_schema"})", "null"},
        {R"({"response_format": "json_schema", "json_schema": "no json"})", "null"},
        {R"({"response_format": "json_schema", "json_schema": "{\"type\": \"object\"}"})",
         R"({"type": "json_schema",
             "json_schema": {"name": "response", "schema": {"type": "object"}}})"},
        {R"({"response_format": "json_schema", "json_schema": {"name": "n", "schema": {}}})",
         R"({"type": "json_schema", "json_schema": {"name": "n", "schema": {}}})"},
    };
    for (const auto& [parameters, expected] : cases) {
        auto request = hello();
        request.parameters = parse_json(parameters).value().as_object();
        const auto body = body_of(request);
        const auto* format = find_member(body, "response_format");
        EXPECT_EQ(format == nullptr ? json::value() : *format, parse_json(expected).value())
            << parameters;
        EXPECT_EQ(find_member(body, "json_schema"), nullptr);
    }
}

TEST(OpenAiRequest, AsksForASchemaWhereTheRequestHasOne) {
    auto request = hello();
    request.response_schema = parse_json(R"({"type": "object"})").value();
    request.parameters = {{"response_format", "text"}};
    EXPECT_EQ(
        *find_member(body_of(request), "response_format"),
        parse_json(R"({"type": "json_schema",
            "json_schema": {"name": "response", "schema": {"type": "object"}}})")
            .value()
    );
}

TEST(OpenAiRequest, JoinsStopWords) {
    auto request = hello();
    request.stop = {"a", "b"};
    request.parameters = {{"stop", json::array{"b", "", 1}}};
    EXPECT_EQ(*find_member(body_of(request), "stop"), parse_json(R"(["b", "a"])").value());
}

TEST(OpenAiRequest, WritesMessagesOfAllRolesAndParts) {
    ChatRequest request;
    request.model.name = "m";
    request.messages = {
        {.role = "user",
         .parts =
             {{.kind = ContentPart::Kind::text, .text = "look"},
              {.kind = ContentPart::Kind::image, .url = "http://x/y.png", .detail = "high"},
              {.kind = ContentPart::Kind::audio,
               .url = "data:audio/wav;base64,AAAA",
               .format = "wav"},
              {.kind = ContentPart::Kind::document,
               .url = "data:application/pdf;base64,BBBB",
               .filename = "a.pdf"},
              {.kind = ContentPart::Kind::video, .url = "http://x/y.mp4"}}},
        {.role = "assistant", .tool_calls = {{.id = "1", .name = "f", .arguments = "{}"}}},
        {.role = "tool", .text = "result", .tool_call_id = "1"},
    };
    request.tools = {{.name = "f", .description = "d", .parameters = json::object{}}};
    const auto body = body_of(request);
    EXPECT_EQ(
        *find_member(body, "messages"),
        parse_json(R"([
        {"role": "user", "content": [
            {"type": "text", "text": "look"},
            {"type": "image_url", "image_url": {"url": "http://x/y.png", "detail": "high"}},
            {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
            {"type": "file", "file": {"filename": "a.pdf",
                "file_data": "data:application/pdf;base64,BBBB"}},
            {"type": "video_url", "video_url": {"url": "http://x/y.mp4"}}]},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
        {"role": "tool", "content": "result", "tool_call_id": "1"}])")
            .value()
    );
    EXPECT_EQ(
        *find_member(body, "tools"),
        parse_json(R"([{"type": "function", "function":
        {"name": "f", "description": "d", "parameters": {}}}])")
            .value()
    );
}

TEST(OpenAiRequest, PlainCompletionsHaveAPrompt) {
    auto request = hello();
    request.is_completion = true;
    request.messages.push_back({.role = "user", .text = "world"});
    const auto body = body_of(request);
    EXPECT_EQ(string_member(body, "prompt"), "hello\nworld");
    EXPECT_EQ(find_member(body, "messages"), nullptr);
}

}  // namespace
}  // namespace flowspan::model
