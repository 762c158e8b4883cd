#include "agent/agent.hpp"

#include "agent/react.hpp"
#include "flowspan/async/runtime.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::agent {
namespace {

TEST(Strategy, IsReadFromTheNamesThatFilesHave) {
    EXPECT_EQ(parse_strategy("function_calling"), Strategy::function_calling);
    EXPECT_EQ(parse_strategy("mcp_sse_function_calling"), Strategy::function_calling);
    EXPECT_EQ(parse_strategy("ReAct"), Strategy::react);
    EXPECT_EQ(parse_strategy("cot"), Strategy::react);
    EXPECT_EQ(parse_strategy("router"), std::nullopt);
    EXPECT_EQ(parse_strategy(""), std::nullopt);
}

TEST(React, ReadsActionsAnswersAndPlainText) {
    struct Row {
        std::string_view text;
        std::string_view thought;
        std::string_view action;  ///< empty: an answer
        std::string_view input_or_answer;
    };

    const Row rows[] = {
        {"Thought: hm\nAction:\n```json\n{\"action\": \"f\", \"action_input\": {\"a\": 1}}\n```",
         "hm",
         "f",
         R"({"a":1})"},
        {"{\"action\": \"f\"}", "", "f", "{}"},
        {"Action: f\nAction Input: {\"a\": 2}\nObservation: made up", "", "f", R"({"a":2})"},
        {"Action: f\nAction Input: just text", "", "f", "\"just text\""},
        {"Thought: x\nFinal Answer: 42\n", "x", "", "42"},
        {"{\"action\": \"Final Answer\", \"action_input\": \"done\"}", "", "", "done"},
        {"Final Answer: {\"action\": \"f\"}", "", "", "{\"action\": \"f\"}"},
        {"Just an answer {with braces}.", "", "", "Just an answer {with braces}."},
        {"", "", "", ""},
        {"{\"action\": \"f\", \"action_input\": \"cut",
         "",
         "",
         "{\"action\": \"f\", \"action_input\": \"cut"},
    };
    for (const auto& row : rows) {
        const auto reply = read_react_reply(row.text);
        EXPECT_EQ(reply.thought, row.thought) << row.text;
        if (row.action.empty()) {
            ASSERT_TRUE(reply.answer) << row.text;
            EXPECT_EQ(*reply.answer, row.input_or_answer) << row.text;
        } else {
            ASSERT_FALSE(reply.answer) << row.text;
            EXPECT_EQ(reply.action, row.action) << row.text;
            EXPECT_EQ(to_json_text(reply.action_input), row.input_or_answer) << row.text;
        }
    }
}

// Answers from a script and keeps what it was asked.
class ScriptedModel final : public model::ChatModel {
public:
    Task<Result<model::ChatReply>> chat(
        const model::ChatRequest& request, model::ChatListener& listener
    ) override {
        requests.push_back(request);
        if (script.empty()) {
            co_return failure(ErrorCode::unavailable, "the model is gone");
        }
        auto reply = script.front();
        script.pop_front();
        listener.on_text(reply.text);
        co_return reply;
    }

    model::ModelFeatures features(const model::ModelRef& /*model*/) const override { return {}; }

    model::EndpointFacts endpoint(const model::ModelRef& /*model*/) const override { return {}; }

    std::deque<model::ChatReply> script;
    std::vector<model::ChatRequest> requests;
};

class Adder final : public tools::Tool {
public:
    const tools::ToolDescription& description() const noexcept override { return description_; }

    Task<Result<tools::ToolReply>> invoke(json::object arguments, const tools::ToolContext& context)
        const override {
        if (!arguments.contains("n")) {
            co_return failure(Error(ErrorCode::remote_failure, "no number").with_detail("why"));
        }
        tools::ToolReply reply;
        reply.messages.emplace_back(
            tools::TextMessage{to_json_text(arguments) + " by " + context.call_id}
        );
        reply.messages.emplace_back(tools::VariableMessage{"sum", 3});
        co_return reply;
    }

private:
    tools::ToolDescription description_;
};

class Recorder final : public AgentListener {
public:
    void on_text(std::string_view piece) override { text += piece; }

    void on_log(const AgentLog& log) override { logs.push_back(log.label + " " + log.status); }

    std::string text;
    std::vector<std::string> logs;
};

class AgentRun : public ::testing::Test {
protected:
    AgentRun() {
        request_.model = {"openai", "m"};
        request_.query = "Add";
        AgentTool tool;
        tool.tool = &adder_;
        tool.definition = {"add", "Adds", parse_json(R"({"properties": {"n": {}}})").value()};
        tool.parameters = {{.name = "n", .type = tools::ParameterType::number}};
        tool.fixed_arguments = {{"unit", "m"}};
        request_.tools.push_back(std::move(tool));
    }

    static Task<Result<AgentResult>> start(
        Agent* agent, const AgentRequest* request, AgentListener* listener
    ) {
        co_return co_await agent->run(*request, *listener);
    }

    Result<AgentResult> run() {
        const auto random = make_seeded_random(1);
        const auto round = make_agent_round(model_, *random);
        const auto agent = make_agent(*round);
        return runtime_.block_on(start, agent.get(), &request_, &recorder_);
    }

    void say(std::string text, std::vector<model::ToolCall> calls = {}) {
        model::ChatReply reply;
        reply.text = std::move(text);
        reply.tool_calls = std::move(calls);
        reply.usage.prompt_tokens = 2;
        model_.script.push_back(std::move(reply));
    }

    ScriptedModel model_;
    Adder adder_;
    AgentRequest request_;
    Recorder recorder_;
    async::Runtime runtime_;
};

TEST_F(AgentRun, TellsTheModelWhatItsCallsGave) {
    say("", {{"c1", "add", R"({"n": "1", "unit": "km"})"}, {"c2", "add", "{}"}, {"c3", "sub", ""}});
    say("Three");
    const auto result = run();
    ASSERT_TRUE(result) << result.error().full_text();
    EXPECT_EQ(result->text, "Three");
    EXPECT_EQ(result->rounds, 2);
    EXPECT_EQ(result->usage.prompt_tokens, 4);
    ASSERT_EQ(result->messages.size(), 1U);
    ASSERT_EQ(model_.requests.size(), 2U);
    const auto& messages = model_.requests[1].messages;
    ASSERT_EQ(messages.size(), 5U);
    EXPECT_EQ(messages[2].text, "{\"n\":1,\"unit\":\"m\"} by c1\nsum: 3");
    EXPECT_EQ(messages[3].text, "tool invoke error: no number: why");
    EXPECT_EQ(messages[4].text, "tool invoke error: there is not a tool named sub");
    EXPECT_EQ(
        recorder_.logs,
        (std::vector<std::string>{
            "ROUND 1 start",
            "CALL add start",
            "CALL add success",
            "CALL add start",
            "CALL add error",
            "CALL sub start",
            "CALL sub error",
            "ROUND 1 success",
            "ROUND 2 start",
            "ROUND 2 success"
        })
    );
}

TEST_F(AgentRun, WithholdsToolsInTheLastRound) {
    request_.rounds_max = 1;
    say("", {{"c1", "add", R"({"n": 1})"}});
    say("", {{"c2", "add", R"({"n": 1})"}});
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::limit_exceeded);
    EXPECT_EQ(model_.requests[0].tools.size(), 1U);
    EXPECT_TRUE(model_.requests[1].tools.empty());
}

TEST_F(AgentRun, EndsWithTheModelsFailure) {
    const auto result = run();
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::unavailable);
    EXPECT_EQ(recorder_.logs.back(), "ROUND 1 error");
}

TEST_F(AgentRun, GoesByThoughtsAndActions) {
    request_.strategy = Strategy::react;
    request_.instruction = "Be exact.";
    say("Thought: add\nAction: {\"action\": \"add\", \"action_input\": 5}");
    say("Final Answer: five");
    const auto result = run();
    ASSERT_TRUE(result) << result.error().full_text();
    EXPECT_EQ(result->text, "five");
    EXPECT_EQ(recorder_.text, "five");
    const auto& first = model_.requests[0];
    EXPECT_TRUE(first.messages[0].text.starts_with("Be exact."));
    EXPECT_NE(first.messages[0].text.find("\"name\": \"add\""), std::string::npos);
    EXPECT_EQ(first.stop, std::vector<std::string>{"Observation"});
    EXPECT_EQ(
        model_.requests[1].messages.back().text, "Observation: {\"n\":5,\"unit\":\"m\"} by \nsum: 3"
    );
}

}  // namespace
}  // namespace flowspan::agent
