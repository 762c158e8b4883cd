#include "observe/observability_layer.hpp"

#include "engine/testing/scripted_nodes.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/trace/names.hpp"
#include "trace/span_recording.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::observe {
namespace {

namespace names = trace::names;
using engine::testing::EventLog;
using engine::testing::make_graph;
using opentelemetry::trace::StatusCode;
using SpanData = trace::SpanRecording::SpanData;

/// The recorded spans of one run, as a tree.
class SpanTree {
public:
    explicit SpanTree(std::vector<std::unique_ptr<SpanData>> spans) : spans_(std::move(spans)) {}

    [[nodiscard]] const std::vector<std::unique_ptr<SpanData>>& all() const { return spans_; }

    [[nodiscard]] static std::string text(const SpanData& span, const char* key) {
        const auto& attributes = span.GetAttributes();
        const auto found = attributes.find(key);
        return found == attributes.end() ? std::string()
                                         : opentelemetry::nostd::get<std::string>(found->second);
    }

    /// `name` of the span, for nodes with the node's id.
    [[nodiscard]] static std::string label(const SpanData& span) {
        const auto id = text(span, names::kNodeId);
        std::string name(span.GetName());
        return id.empty() ? name : name + " " + id;
    }

    [[nodiscard]] const SpanData* find(const std::string& wanted) const {
        const auto found =
            std::ranges::find_if(spans_, [&](const auto& span) { return label(*span) == wanted; });
        return found == spans_.end() ? nullptr : found->get();
    }

    [[nodiscard]] std::string parent_of(const std::string& wanted) const {
        const auto* span = find(wanted);
        for (const auto& other : spans_) {
            if (span != nullptr && other->GetSpanId() == span->GetParentSpanId()) {
                return label(*other);
            }
        }
        return "";
    }

private:
    std::vector<std::unique_ptr<SpanData>> spans_;
};

struct Traced {
    engine::RunResult result;
    LayerCounts counts;
};

class ObservabilityLayerTest : public ::testing::Test {
protected:
    SpanTree run(std::string_view nodes, std::string_view edges) {
        ObservabilityLayer layer(policy_);
        {
            async::Runtime runtime;
            runtime.block_on([&]() -> Task<void> {
                engine::RunRequest request;
                request.graph = make_graph(nodes, edges);
                request.info.app_name = "demo";
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

/// A run as a user's own engine might present it.
class ForeignRun final : public engine::RunView {
public:
    const engine::RunInfo& info() const noexcept override { return info_; }

    const value::VariablePool& variables() const noexcept override { return variables_; }

    std::int64_t step_count() const noexcept override { return 0; }

    std::int64_t total_tokens() const noexcept override { return 0; }

    double total_price() const noexcept override { return 0; }

    SteadyTime started_at() const noexcept override { return {}; }

    engine::RunStatus status() const noexcept override { return engine::RunStatus::succeeded; }

    void request_abort(std::string /*reason*/) override {}

    std::shared_ptr<void>& slot(const engine::Layer& /*layer*/) override { return slot_; }

private:
    engine::RunInfo info_;
    value::VariablePool variables_;
    std::shared_ptr<void> slot_;
};

TEST_F(ObservabilityLayerTest, DisorderEndsEverySpanExactlyOnceAndIsCounted) {
    ObservabilityLayer layer(policy_);
    ForeignRun foreign;
    engine::ContainerPosition top;
    engine::NodeRun node;
    node.node_id = "n";
    node.node_type = "work";
    node.execution_id = "e1";
    node.container = &top;
    engine::NodeResult result;
    result.status = engine::NodeStatus::succeeded;
    engine::NodeRun lost = node;
    lost.execution_id = "e2";

    layer.on_graph_start(foreign);
    layer.on_node_run_end(foreign, node, nullptr);  // end without start
    layer.on_node_run_start(foreign, node);
    layer.on_node_run_start(foreign, node);                             // double start
    layer.on_event(foreign, engine::NodeRunSucceeded{&node, &result});  // before the body's end
    layer.on_node_run_end(foreign, node, nullptr);
    layer.on_node_run_end(foreign, node, nullptr);                      // double end
    layer.on_event(foreign, engine::NodeRunSucceeded{&node, &result});  // late
    layer.on_node_run_start(foreign, lost);                             // never ends
    layer.on_graph_end(foreign, nullptr);

    const auto counts = layer.counts();
    EXPECT_EQ(counts.ends_without_start, 2U);
    EXPECT_EQ(counts.repeated_starts, 1U);
    EXPECT_EQ(counts.late_results, 1U);
    EXPECT_EQ(counts.leftovers, 1U);
    EXPECT_EQ(recording_.take().size(), 3U) << "workflow and two nodes";
}

}  // namespace
}  // namespace flowspan::observe
