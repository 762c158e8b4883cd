#include "observe/observability_layer.hpp"

#include "engine/testing/scripted_nodes.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/names.hpp"
#include "observe/testing/quiet_run.hpp"
#include "observe/testing/span_tree.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/trace/context.h>

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::observe {
namespace {

namespace names = trace::names;
using engine::testing::EventLog;
using engine::testing::make_graph;
using opentelemetry::trace::StatusCode;

class ObservabilityLayerTest : public ::testing::Test {
protected:
    SpanTree run(std::string_view nodes, std::string_view edges) {
        ObservabilityLayer layer(policy_);
        {
            async::Runtime runtime;
            runtime.block_on([&]() -> Task<void> {
                engine::RunRequest request;
                request.graph = make_graph(nodes, edges);
                auto info = std::make_shared<engine::RunInfo>();
                info->app_name = "demo";
                request.info = std::move(info);
                engine::GraphEngine engine(
                    std::move(request), real_clock(), real_random(), control_
                );
                engine.add_layer(layer);
                EventLog log;
                result_ = co_await engine.run(log);
            });
        }
        counts_ = layer.counts();
        return SpanTree(recording_.take());
    }

    trace::SpanRecording recording_;
    trace::CapturePolicy policy_;
    engine::RunControl control_;
    engine::RunResult result_;
    LayerCounts counts_;
};

TEST_F(ObservabilityLayerTest, EveryNodeIsAChildOfTheWorkflow) {
    const auto tree = run("start:s\nwork:a\nwork:b\nwork:c\nwork:j", "s>a s>b s>c a>j b>j c>j");
    EXPECT_EQ(tree.all().size(), 6U);
    for (const auto* node : {"node start s", "node work a", "node work b", "node work j"}) {
        EXPECT_EQ(tree.parent_of(node), "invoke_workflow demo") << node;
    }
    EXPECT_EQ(tree.find("invoke_workflow demo")->GetStatus(), StatusCode::kUnset);
    EXPECT_EQ(SpanTree::text(*tree.find("node work a"), names::kDifyNodeStatus), "succeeded");
    EXPECT_EQ(counts_.leftovers, 0U);
}

TEST_F(ObservabilityLayerTest, FailedNodeIsAnErrorAndItsEventStandsOnce) {
    const auto tree = run("start:s\nfail:f", "s>f");
    const auto* node = tree.find("node fail f");
    EXPECT_EQ(node->GetStatus(), StatusCode::kError);
    EXPECT_EQ(SpanTree::text(*node, names::kErrorType), "TestError");
    EXPECT_EQ(node->GetEvents().size(), 1U);
    const auto* workflow = tree.find("invoke_workflow demo");
    EXPECT_EQ(workflow->GetStatus(), StatusCode::kError);
    EXPECT_EQ(workflow->GetEvents().size(), 0U);
    EXPECT_EQ(SpanTree::text(*workflow, names::kDifyWorkflowStatus), "failed");
}

TEST_F(ObservabilityLayerTest, HandledFailureNamesItsStrategyAndIsNoError) {
    const auto tree = run("start:s\nfail:f {\"error_strategy\":\"fail-branch\"}", "s>f");
    const auto* node = tree.find("node fail f");
    EXPECT_EQ(node->GetStatus(), StatusCode::kUnset);
    EXPECT_EQ(SpanTree::text(*node, names::kDifyNodeErrorStrategy), "fail-branch");
    EXPECT_EQ(SpanTree::text(*node, names::kErrorType), "TestError");
    EXPECT_EQ(
        SpanTree::text(*tree.find("invoke_workflow demo"), names::kDifyWorkflowStatus),
        "partial-succeeded"
    );
}

TEST_F(ObservabilityLayerTest, RetryShowsEveryAttemptUnderOneNodeSpan) {
    const auto tree =
        run("start:s\nflaky:f {\"retry_config\":{\"retry_enabled\":true,\"max_retries\":3,"
            "\"retry_interval\":1}}",
            "s>f");
    std::vector<const SpanData*> attempts;
    for (const auto& span : tree.all()) {
        if (span->GetName() == "node.attempt") {
            attempts.push_back(span.get());
            EXPECT_EQ(span->GetParentSpanId(), tree.find("node flaky f")->GetSpanId());
        }
    }
    ASSERT_EQ(attempts.size(), 3U);
    EXPECT_EQ(attempts[0]->GetStatus(), StatusCode::kError);
    EXPECT_EQ(SpanTree::text(*attempts[2], names::kFlowspanAttemptCause), "TestError");
    EXPECT_EQ(attempts[2]->GetStatus(), StatusCode::kUnset);
    EXPECT_EQ(tree.find("node flaky f")->GetStatus(), StatusCode::kUnset);
    EXPECT_EQ(tree.find("node flaky f")->GetEvents().size(), 0U) << "they stand on the attempts";
}

TEST_F(ObservabilityLayerTest, StoppedRunClosesEverySpanWithItsReason) {
    std::jthread stopper([control = control_] { control.abort("user asked"); });
    const auto tree = run("start:s\nhang:h", "s>h");
    const auto* workflow = tree.find("invoke_workflow demo");
    EXPECT_EQ(workflow->GetDescription(), "Aborted: user asked");
    EXPECT_EQ(SpanTree::text(*workflow, names::kErrorType), "cancelled");
    if (const auto* node = tree.find("node hang h")) {
        EXPECT_EQ(SpanTree::text(*node, names::kErrorType), "cancelled");
    }
    EXPECT_EQ(counts_.leftovers, 0U);
}

/// Two executions of a node that a test calls the hooks for.
struct ForeignNode {
    explicit ForeignNode(std::string execution_id) {
        node.node_id = "n";
        node.node_type = "work";
        node.execution_id = std::move(execution_id);
        node.container = &top;
        node.started_at = std::chrono::steady_clock::now();
        node.ready_at = node.started_at;
        result.status = engine::NodeStatus::succeeded;
    }

    [[nodiscard]] engine::Event succeeded() const {
        return engine::NodeRunSucceeded{&node, &result};
    }

    engine::ContainerPosition top;
    engine::NodeRun node;
    engine::NodeResult result;
};

TEST_F(ObservabilityLayerTest, DisorderEndsEverySpanExactlyOnceAndIsCounted) {
    ObservabilityLayer layer(policy_);
    QuietRun foreign;
    const ForeignNode one("e1");
    const ForeignNode lost("e2");

    layer.on_graph_start(foreign);
    layer.on_node_run_end(foreign, one.node, nullptr);  // end without start
    layer.on_node_run_start(foreign, one.node);
    layer.on_node_run_start(foreign, one.node);  // double start
    layer.on_event(foreign, one.succeeded());    // before the body's end
    layer.on_node_run_end(foreign, one.node, nullptr);
    layer.on_node_run_end(foreign, one.node, nullptr);  // double end
    layer.on_event(foreign, one.succeeded());           // late
    layer.on_node_run_start(foreign, lost.node);        // does not end before the graph does
    layer.on_graph_end(foreign, nullptr);
    layer.on_graph_end(foreign, nullptr);                // twice
    layer.on_node_run_end(foreign, lost.node, nullptr);  // after the end
    layer.on_node_run_start(foreign, one.node);

    EXPECT_EQ(
        layer.counts(),
        (LayerCounts{
            .ends_without_start = 2,
            .repeated_starts = 1,
            .late_events = 1,
            .hooks_after_end = 3,
            .leftovers = 1,
        })
    );
    const SpanTree tree(recording_.take());
    EXPECT_EQ(tree.all().size(), 3U) << "workflow and two nodes";
    EXPECT_FALSE(opentelemetry::trace::GetSpan(trace::current_context())->GetContext().IsValid())
        << "nothing is current any more";
}

TEST_F(ObservabilityLayerTest, ResultThatNeverComesIsNotWaitedForLongerThanTheGracePeriod) {
    ObservabilityLayer layer(policy_, {}, std::chrono::seconds(0));
    QuietRun foreign;
    const ForeignNode silent("e1");
    const ForeignNode next("e2");
    layer.on_graph_start(foreign);
    layer.on_node_run_start(foreign, silent.node);
    layer.on_node_run_end(foreign, silent.node, nullptr);
    EXPECT_TRUE(recording_.take().empty());
    layer.on_node_run_start(foreign, next.node);
    const SpanTree tree(recording_.take());
    ASSERT_EQ(tree.all().size(), 1U);
    EXPECT_EQ(SpanTree::text(*tree.all()[0], names::kFlowspanEndReason), "no result came in time");
    layer.on_node_run_end(foreign, next.node, nullptr);
    layer.on_event(foreign, next.succeeded());
    layer.on_graph_end(foreign, nullptr);
    EXPECT_EQ(layer.counts(), (LayerCounts{.expired = 1}));
}

class LogKeeper final : public trace::LogReceiver {
public:
    LogKeeper() { trace::set_log_receiver(this); }

    ~LogKeeper() override { trace::set_log_receiver(nullptr); }

    LogKeeper(const LogKeeper&) = delete;
    LogKeeper& operator=(const LogKeeper&) = delete;

    void on_log(const trace::LogEvent& event) noexcept override {
        spans.push_back(event.span.span_id());
        names.emplace_back(event.name);
    }

    std::vector<opentelemetry::trace::SpanId> spans;
    std::vector<std::string> names;
};

TEST_F(ObservabilityLayerTest, LateEventBecomesALogRecordWithTheIdsOfItsSpan) {
    LogKeeper logs;
    ObservabilityLayer layer(policy_);
    QuietRun foreign;
    const ForeignNode one("e1");
    layer.on_graph_start(foreign);
    layer.on_node_run_start(foreign, one.node);
    layer.on_node_run_end(foreign, one.node, nullptr);
    layer.on_event(foreign, one.succeeded());
    const SpanTree tree(recording_.take());
    ASSERT_EQ(tree.all().size(), 1U);
    layer.on_event(foreign, engine::NodeRunWarning{&one.node, "code", "text"});
    layer.on_graph_end(foreign, nullptr);
    layer.on_event(foreign, one.succeeded());
    ASSERT_EQ(logs.spans.size(), 2U);
    EXPECT_EQ(logs.spans[0], tree.all()[0]->GetSpanId());
    EXPECT_EQ(logs.spans[1], tree.all()[0]->GetSpanId());
    EXPECT_EQ(logs.names[0], names::kFlowspanLateEvent);
    EXPECT_EQ(layer.counts(), (LayerCounts{.late_events = 2}));
}

TEST_F(ObservabilityLayerTest, ParserThatThrowsCostsItsAttributesOnly) {
    const NodeParser bad = [](trace::Span&, const engine::NodeRun&, const engine::NodeResult&) {
        throw std::runtime_error("bad parser");
    };
    const NodeParser good = [](trace::Span& span, const engine::NodeRun&, const auto&) {
        trace::set(span, names::kSessionId, "s1");
    };
    ObservabilityLayer layer(policy_, {bad, good});
    QuietRun foreign;
    const ForeignNode one("e1");
    layer.on_graph_start(foreign);
    layer.on_node_run_start(foreign, one.node);
    layer.on_event(foreign, one.succeeded());
    layer.on_node_run_end(foreign, one.node, nullptr);
    layer.on_graph_end(foreign, nullptr);
    const SpanTree tree(recording_.take());
    const auto* node = tree.find("node work n");
    ASSERT_NE(node, nullptr);
    EXPECT_EQ(SpanTree::text(*node, names::kSessionId), "s1");
    EXPECT_EQ(SpanTree::text(*node, names::kDifyNodeStatus), "succeeded");
    EXPECT_EQ(layer.counts(), (LayerCounts{.parser_failures = 1}));
}

TEST_F(ObservabilityLayerTest, GraphEndRacingLateWorkersEndsEverySpanOnce) {
    constexpr int kThreads = 4;
    constexpr int kNodes = 200;
    ObservabilityLayer layer(policy_);
    QuietRun foreign;
    layer.on_graph_start(foreign);
    {
        std::vector<std::jthread> workers;
        for (int thread = 0; thread < kThreads; ++thread) {
            workers.emplace_back([&layer, &foreign, thread] {
                for (int i = 0; i < kNodes; ++i) {
                    const ForeignNode one(std::to_string(thread) + "/" + std::to_string(i));
                    layer.on_node_run_start(foreign, one.node);
                    layer.on_event(foreign, one.succeeded());
                    layer.on_node_run_end(foreign, one.node, nullptr);
                }
            });
        }
        layer.on_graph_end(foreign, nullptr);
    }
    std::map<opentelemetry::trace::SpanId, int, decltype([](const auto& a, const auto& b) {
                 return std::ranges::lexicographical_compare(a.Id(), b.Id());
             })>
        ends;
    for (const auto& span : recording_.take()) {
        ++ends[span->GetSpanId()];
    }
    for (const auto& [id, count] : ends) {
        EXPECT_EQ(count, 1);
    }
    EXPECT_TRUE(ends.size() >= 1 && ends.size() <= kThreads * kNodes + 1);
}

TEST_F(ObservabilityLayerTest, WaitsOfANodeStandOnItsSpan) {
    const auto tree = run("start:s\nwait:w", "s>w");
    const auto* node = tree.find("node wait w");
    ASSERT_NE(node, nullptr);
    EXPECT_DOUBLE_EQ(SpanTree::number(*node, names::kFlowspanWaitRateLimit), 0.25);
    EXPECT_GT(SpanTree::number(*node, names::kFlowspanWaitWorker), 0) << "for a thread of a pool";
    EXPECT_FALSE(SpanTree::has(*tree.find("node start s"), names::kFlowspanWaitRateLimit));
}

TEST_F(ObservabilityLayerTest, WaitBetweenAttemptsStandsOnTheNode) {
    const auto tree =
        run("start:s\nflaky:f {\"retry_config\":{\"retry_enabled\":true,\"max_retries\":3,"
            "\"retry_interval\":1}}",
            "s>f");
    EXPECT_GE(SpanTree::number(*tree.find("node flaky f"), names::kFlowspanWaitRetry), 0.002);
}

}  // namespace
}  // namespace flowspan::observe
