#include "observe/traced_message_services.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/trace/names.hpp"
#include "observe/testing/span_tree.hpp"
#include "trace/span_recording.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/trace/scope.h>

#include <string>
#include <utility>

namespace flowspan::observe {
namespace {

namespace names = trace::names;
using opentelemetry::trace::StatusCode;

class FakeModeration final : public service::Moderation {
public:
    Task<Result<service::ModerationResult>> check(const service::ModerationRequest& request
    ) override {
        if (request.query == "fail") {
            co_return failure(ErrorCode::unavailable, "nobody moderates");
        }
        service::ModerationResult result;
        result.is_flagged = request.query == "bad";
        result.action = "direct_output";
        result.preset_response = "not here";
        co_return result;
    }
};

class FakeSuggester final : public service::QuestionSuggester {
public:
    Task<Result<service::Suggestions>> suggest(const service::SuggestionRequest& /*request*/
    ) override {
        co_return service::Suggestions{{"why?", "and then?"}, {"openai", "m", 5, 2}};
    }
};

class FakeNamer final : public service::ConversationNamer {
public:
    Task<Result<service::ConversationName>> find_name(const service::NamingRequest& request
    ) override {
        co_return service::ConversationName{"About " + request.query, {}};
    }
};

class MessageServicesTest : public ::testing::Test {
protected:
    template <class Function>
    SpanTree record(Function function) {
        async::Runtime runtime;
        runtime.block_on(runtime.next_executor(), std::move(function));
        return SpanTree(recording_.take());
    }

    trace::SpanRecording recording_;
    trace::CapturePolicy policy_;
};

TEST_F(MessageServicesTest, ModerationSaysWhetherItStepsIn) {
    FakeModeration inner;
    const auto traced = trace_moderation(inner, policy_);
    const auto tree = record([&traced]() -> Task<void> {
        service::ModerationRequest request;
        request.message.message_id = "m1";
        request.query = "bad";
        EXPECT_TRUE((co_await traced->check(request))->is_flagged);
    });
    const auto* span = tree.find("moderation");
    ASSERT_NE(span, nullptr);
    EXPECT_EQ(SpanTree::text(*span, names::kGenAiOperationName), "moderation");
    EXPECT_EQ(SpanTree::text(*span, names::kFlowspanModerationAction), "direct_output");
    EXPECT_EQ(SpanTree::text(*span, names::kDifyMessageId), "m1");
    EXPECT_FALSE(span->GetAttributes().contains(names::kInputValue)) << "metadata only";
    EXPECT_TRUE(span->GetAttributes().contains(names::kFlowspanInputBytes));
}

TEST_F(MessageServicesTest, AFailureIsTheSpansOwn) {
    FakeModeration inner;
    const auto traced = trace_moderation(inner, policy_);
    const auto tree = record([&traced]() -> Task<void> {
        service::ModerationRequest request;
        request.query = "fail";
        EXPECT_FALSE(co_await traced->check(request));
    });
    EXPECT_EQ(tree.find("moderation")->GetStatus(), StatusCode::kError);
}

TEST_F(MessageServicesTest, WhatComesAfterTheRunGoesOnItsTrace) {
    FakeSuggester suggester;
    FakeNamer namer;
    policy_.readers = {trace::ContentRules{trace::ContentModes(trace::CaptureMode::full), {}}};
    const auto suggest = trace_question_suggester(suggester, policy_);
    const auto find_name = trace_conversation_namer(namer, policy_);
    const std::string trace_id = "0af7651916cd43dd8448eb211c80319c";
    service::MessageRef message{
        "m1", "c1", {{"traceparent", "00-" + trace_id + "-b7ad6b7169203331-01"}}
    };
    const auto tree = record([&]() -> Task<void> {
        EXPECT_EQ((co_await suggest->suggest({message, "hi"}))->questions.size(), 2U);
        EXPECT_EQ((co_await find_name->find_name({message, "cats"}))->name, "About cats");
    });
    ASSERT_EQ(tree.all().size(), 2U);
    for (const auto& span : tree.all()) {
        std::string id(32, '0');
        span->GetTraceId().ToLowerBase16(opentelemetry::nostd::span<char, 32>(id.data(), id.size())
        );
        EXPECT_EQ(id, trace_id);
        EXPECT_EQ(SpanTree::text(*span, names::kGenAiConversationId), "c1");
    }
    const auto* suggested = tree.find("suggest_questions");
    EXPECT_EQ(SpanTree::text(*suggested, names::kGenAiRequestModel), "m");
    EXPECT_EQ(SpanTree::text(*suggested, names::kOutputValue), R"(["why?","and then?"])");
    EXPECT_EQ(SpanTree::text(*tree.find("generate_name"), names::kOutputValue), "About cats");
}

}  // namespace
}  // namespace flowspan::observe
