#include "model/demo.hpp"

#include "flowspan/async/runtime.hpp"
#include "model/schema_instance.hpp"

#include <gmock/gmock.h>

namespace flowspan::model {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class Pieces final : public ChatListener {
public:
    void on_text(std::string_view piece) override {
        text.append(piece);
        ++count;
    }

    std::string text;
    int count = 0;
};

ChatReply chat(const ChatRequest& request, Pieces& pieces) {
    async::Runtime runtime;
    const auto model = make_demo_model(real_clock());
    auto reply = runtime.block_on([&] { return model->chat(request, pieces); });
    EXPECT_TRUE(reply);
    return *std::move(reply);
}

ChatRequest ask(std::string text) {
    ChatRequest request;
    request.messages.push_back({.role = "system", .text = "be kind"});
    request.messages.push_back({.role = "user", .text = std::move(text)});
    return request;
}

TEST(DemoModel, SaysThatItIsOneAndEchoesTheLastUserMessage) {
    Pieces pieces;
    const auto reply = chat(ask("what is 2+2?"), pieces);
    EXPECT_THAT(reply.text, StartsWith("[demo model]"));
    EXPECT_THAT(reply.text, HasSubstr("what is 2+2?"));
    EXPECT_EQ(pieces.text, reply.text);
    EXPECT_GT(pieces.count, 5);
    EXPECT_EQ(reply.timing.chunk_count, pieces.count);
    EXPECT_EQ(reply.finish_reason, "stop");
    EXPECT_GT(reply.usage.prompt_tokens, 0);
    EXPECT_GT(reply.usage.completion_tokens, 0);
}

TEST(DemoModel, GivesTheSameReplyToTheSameRequest) {
    Pieces first;
    Pieces second;
    const auto a = chat(ask("hello"), first);
    const auto b = chat(ask("hello"), second);
    EXPECT_EQ(a.text, b.text);
    EXPECT_EQ(a.usage.total_tokens(), b.usage.total_tokens());
}

TEST(DemoModel, CallsTheFirstToolOnceAndThenAnswers) {
    auto request = ask("weather?");
    request.tools.push_back(
        {.name = "look_up",
         .description = "",
         .parameters = parse_json(R"({"type": "object", "properties": {"city":
            {"type": "string"}}})")
                           .value()}
    );
    Pieces pieces;
    const auto call = chat(request, pieces);
    ASSERT_EQ(call.tool_calls.size(), 1U);
    EXPECT_EQ(call.tool_calls[0].name, "look_up");
    EXPECT_EQ(call.tool_calls[0].arguments, R"({"city":"demo"})");
    EXPECT_EQ(call.finish_reason, "tool_calls");

    request.messages.push_back({.role = "tool", .text = "sunny"});
    const auto answer = chat(request, pieces);
    EXPECT_TRUE(answer.tool_calls.empty());
    EXPECT_THAT(answer.text, StartsWith("[demo model]"));
}

TEST(DemoModel, AnswersWithAnInstanceOfTheSchema) {
    auto request = ask("x");
    request.response_schema = parse_json(R"({"type": "object", "properties": {
        "name": {"type": "string"}, "age": {"type": "integer"}}})")
                                  .value();
    Pieces pieces;
    const auto reply = chat(request, pieces);
    EXPECT_EQ(parse_json(reply.text).value(), parse_json(R"({"name": "demo", "age": 1})").value());
}

TEST(SchemaInstance, FitsTheSchema) {
    struct Case {
        std::string_view schema;
        std::string_view instance;
    };

    const Case cases[] = {
        {R"({"type": "string"})", R"("demo")"},
        {R"({"type": "string", "enum": ["a", "b"]})", R"("a")"},
        {R"({"const": 7})", "7"},
        {R"({"type": "string", "default": "x"})", R"("x")"},
        {R"({"type": "string", "minLength": 6})", R"("demo..")"},
        {R"({"type": "string", "maxLength": 2})", R"("de")"},
        {R"({"type": "string", "format": "date"})", R"("2024-01-01")"},
        {R"({"type": ["null", "integer"]})", "1"},
        {R"({"type": "null"})", "null"},
        {R"({"type": "integer", "minimum": 5})", "5"},
        {R"({"type": "integer", "maximum": -3})", "-3"},
        {R"({"type": "integer", "exclusiveMinimum": 5})", "6"},
        {R"({"type": "number"})", "1.5"},
        {R"({"type": "boolean"})", "true"},
        {R"({"type": "array", "items": {"type": "integer"}})", "[1]"},
        {R"({"type": "array", "items": {"type": "integer"}, "minItems": 3})", "[1, 1, 1]"},
        {R"({"type": "array", "maxItems": 0})", "[]"},
        {R"({"anyOf": [{"type": "integer"}, {"type": "string"}]})", "1"},
        {R"({"properties": {"a": {"type": "boolean"}}})", R"({"a": true})"},
        {R"({"allOf": [{"properties": {"a": {"const": 1}}}, {"properties": {"b": {"const": 2}}}]})",
         R"({"a": 1, "b": 2})"},
        {R"({"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}},
             "$defs": {"x": {"type": "integer"}}})",
         R"({"a": 1})"},
        {R"({"type": "array", "items": {"$ref": "#/nowhere"}})", "[{}]"},
        {"{}", "{}"},
        {"5", "null"},
    };
    for (const auto& [schema, instance] : cases) {
        EXPECT_EQ(make_schema_instance(parse_json(schema).value()), parse_json(instance).value())
            << schema;
    }
}

TEST(SchemaInstance, EndsForRecursiveSchemas) {
    const auto schema = parse_json(R"({"type": "object", "properties": {"next": {"$ref": "#"},
        "child": {"$ref": "#/properties/child"}}})")
                            .value();
    EXPECT_TRUE(make_schema_instance(schema).is_object());
}

}  // namespace
}  // namespace flowspan::model
