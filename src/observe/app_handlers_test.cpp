// The app span is owned by the stream: how it ends, and what it says of the answer.

#include "observe/app_handlers.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "observe/testing/span_tree.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace flowspan::observe {
namespace {

namespace names = trace::names;
using opentelemetry::trace::StatusCode;

enum class Ending : std::uint8_t { succeeds, fails, is_stopped, is_refused, never_ends };

/// Streams three pieces and one model node's result, then ends as it was told.
class ScriptedService final : public service::AppGenerateService {
public:
    explicit ScriptedService(Ending ending) : ending_(ending) {}

    Task<Result<service::GenerateResult>> resume(
        const service::ResumeRequest& /*request*/, engine::EventSink& /*consumer*/
    ) override {
        co_return failure(ErrorCode::unsupported, "nothing is resumed here");
    }

    Task<Result<service::GenerateResult>> generate(
        const service::GenerateRequest& /*request*/, engine::EventSink& consumer
    ) override {
        if (ending_ == Ending::is_refused) {
            co_return failure(Error(ErrorCode::invalid_input, "no").with_type("ValueError"));
        }
        for (const auto* piece : {"a", "b", ""}) {
            co_await async::yield_now();
            consumer.on_event(engine::NodeRunStreamChunk{nullptr, "n", "text", "", piece, false});
        }
        engine::NodeRun node;
        engine::NodeResult result;
        engine::ModelFacts facts;
        facts.prompt_tokens = 10;
        facts.completion_tokens = 5;
        facts.total_price = 0.5;
        result.record.facts = facts;
        consumer.on_event(engine::NodeRunSucceeded{&node, &result});
        if (ending_ == Ending::never_ends) {
            co_await async::sleep(std::chrono::hours(1));
        }
        co_return conclude();
    }

private:
    [[nodiscard]] Result<service::GenerateResult> conclude() const {
        service::GenerateResult generated;
        generated.run.total_tokens = 15;
        generated.run.status = engine::RunStatus::succeeded;
        if (ending_ == Ending::fails) {
            generated.run.status = engine::RunStatus::failed;
            generated.run.error = Error(ErrorCode::internal, "broke").with_type("TestError");
        } else if (ending_ == Ending::is_stopped) {
            generated.run.status = engine::RunStatus::stopped;
            generated.run.error =
                Error(ErrorCode::unavailable, "Aborted: enough").with_type("cancelled");
        }
        return generated;
    }

    Ending ending_;
};

class ChunkCounter final : public engine::EventSink {
public:
    void on_event(const engine::Event& event) override {
        chunks += std::holds_alternative<engine::NodeRunStreamChunk>(event) ? 1 : 0;
        events += 1;
    }

    int chunks = 0;
    int events = 0;
};

Task<void> generate_once(service::AppGenerateService* service, engine::EventSink* sink) {
    service::GenerateRequest request;
    request.app = std::make_shared<service::LoadedApp>();
    static_cast<void>(co_await service->generate(request, *sink));
}

Task<void> leave_in_the_middle(service::AppGenerateService* service, ChunkCounter* sink) {
    async::TaskGroup group(co_await async::this_executor());
    group.spawn(generate_once, service, sink);
    while (sink->events < 4) {
        co_await async::yield_now();
    }
    group.cancel();
    co_await group.join();
}

class AppSpanTest : public ::testing::Test {
protected:
    const SpanData& run(Ending ending) {
        ScriptedService inner(ending);
        const trace::CapturePolicy policy;
        const auto traced = trace_generate_service(inner, policy);
        {
            async::Runtime runtime;
            if (ending == Ending::never_ends) {
                runtime.block_on(
                    runtime.next_executor(), leave_in_the_middle, traced.get(), &sink_
                );
            } else {
                runtime.block_on(
                    runtime.next_executor(),
                    generate_once,
                    traced.get(),
                    static_cast<engine::EventSink*>(&sink_)
                );
            }
        }
        tree_ = std::make_unique<SpanTree>(recording_.take());
        EXPECT_EQ(tree_->all().size(), 1U);
        return *tree_->all().at(0);
    }

    trace::SpanRecording recording_;
    ChunkCounter sink_;
    std::unique_ptr<SpanTree> tree_;
};

TEST_F(AppSpanTest, EndsWhenTheAnswerIsExhaustedAndTellsHowItWasStreamed) {
    const auto& span = run(Ending::succeeds);
    EXPECT_EQ(SpanTree::text(span, names::kFlowspanEndReason), "exhausted");
    EXPECT_EQ(span.GetStatus(), StatusCode::kUnset);
    EXPECT_EQ(SpanTree::integer(span, names::kFlowspanChunkCount), 2) << "empty pieces are none";
    EXPECT_GT(SpanTree::number(span, names::kFlowspanFirstChunk), 0);
    EXPECT_TRUE(SpanTree::has(span, names::kFlowspanChunkGapMax));
    EXPECT_EQ(SpanTree::integer(span, names::kDifyWorkflowTotalTokens), 15);
    EXPECT_EQ(sink_.chunks, 3) << "the consumer gets everything";
}

TEST_F(AppSpanTest, NamesWhyTheAnswerEndedEarly) {
    struct Row {
        Ending ending;
        const char* reason;
        const char* error_type;
        StatusCode status;
    };

    for (const auto& row : {
             Row{Ending::fails, "failed", "TestError", StatusCode::kError},
             Row{Ending::is_stopped, "stopped", "cancelled", StatusCode::kError},
             Row{Ending::is_refused, "refused", "ValueError", StatusCode::kError},
         }) {
        const auto& span = run(row.ending);
        EXPECT_EQ(SpanTree::text(span, names::kFlowspanEndReason), row.reason);
        EXPECT_EQ(SpanTree::text(span, names::kErrorType), row.error_type);
        EXPECT_EQ(span.GetStatus(), row.status) << row.reason;
    }
}

TEST_F(AppSpanTest, ClientThatLeavesIsNamedAndTokensSoFarAreTold) {
    const auto& span = run(Ending::never_ends);
    EXPECT_EQ(SpanTree::text(span, names::kFlowspanEndReason), "client left");
    EXPECT_EQ(SpanTree::text(span, names::kErrorType), "cancelled");
    EXPECT_EQ(SpanTree::integer(span, names::kDifyWorkflowTotalTokens), 15);
    EXPECT_DOUBLE_EQ(SpanTree::number(span, names::kDifyWorkflowTotalPrice), 0.5);
    EXPECT_EQ(SpanTree::integer(span, names::kFlowspanChunkCount), 2);
    EXPECT_EQ(span.GetEvents().size(), 0U) << "leaving is no exception";
}

}  // namespace
}  // namespace flowspan::observe
