#include "flowspan/engine/engine.hpp"

#include "engine/limits_layer.hpp"
#include "engine/testing/scripted_nodes.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::engine {
namespace {

using namespace std::chrono_literals;
using testing::EventLog;
using testing::make_graph;
using Lines = std::vector<std::string>;

/// Sees the raw stream and the hooks.
class LoggingLayer final : public Layer {
public:
    std::string_view name() const noexcept override { return "logging"; }

    void on_graph_start(RunView&) override { lines.emplace_back("graph start"); }

    void on_node_run_start(RunView&, const NodeRun& node) override {
        lines.push_back("> " + std::string(node.node_id));
    }

    void on_node_run_end(RunView&, const NodeRun& node, const Error* error) override {
        lines.push_back("< " + std::string(node.node_id) + (error ? " " + error->type : ""));
    }

    void on_event(RunView&, const Event& event) override {
        log.lines.clear();
        log.on_event(event);
        lines.push_back(log.lines.front());
    }

    void on_graph_end(RunView&, const Error* error) override {
        lines.push_back(error ? "graph end: " + error->message : "graph end");
    }

    EventLog log;
    Lines lines;
};

struct Outcome {
    RunResult result;
    EventLog log;
    Lines hooks;
};

struct Options {
    RunLimits limits;
    RunControl control;
    std::vector<Layer*> layers;
};

Outcome run(const std::shared_ptr<const Graph>& graph, const Options& options = {}) {
    async::Runtime runtime;
    Outcome outcome;
    LoggingLayer layer;
    runtime.block_on([&]() -> Task<void> {
        RunRequest request;
        request.graph = graph;
        request.limits = options.limits;
        GraphEngine engine(std::move(request), real_clock(), real_random(), options.control);
        engine.add_layer(layer);
        for (auto* more : options.layers) {
            engine.add_layer(*more);
        }
        outcome.result = co_await engine.run(outcome.log);
    });
    outcome.hooks = layer.lines;
    return outcome;
}

bool contains(const Lines& lines, const std::string& line) {
    return std::ranges::find(lines, line) != lines.end();
}

TEST(GraphEngine, TellsAChainInTheDocumentedOrder) {
    const auto outcome =
        run(make_graph("start:start\nanswer:answer {\"answer\":\"hi\"}", "start>answer"));
    EXPECT_EQ(outcome.result.status, RunStatus::succeeded);
    EXPECT_EQ(
        outcome.hooks,
        (Lines{
            "graph start",
            "run started",
            "> start",
            "started start",
            "< start",
            "taken start>answer",
            "succeeded start",
            "> answer",
            "started answer",
            "< answer",
            "succeeded answer",
            "run succeeded",
            "graph end",
        })
    );
    EXPECT_EQ(outcome.log.text, "hi");
    EXPECT_EQ(outcome.result.outputs.at("answer").as_string(), "hi");
}

TEST(GraphEngine, BranchSkipsTheOtherSideAndTheJoinRunsOnce) {
    const auto outcome = run(make_graph(
        "start:s\nbranch:b {\"choose\":\"yes\"}\nwork:y\nwork:n\nwork:n2\nwork:join",
        "s>b b>y:yes b>n:no n>n2 y>join n2>join"
    ));
    EXPECT_EQ(outcome.result.status, RunStatus::succeeded);
    EXPECT_TRUE(contains(outcome.hooks, "skipped b>n"));
    EXPECT_TRUE(contains(outcome.hooks, "skipped n2>join"));
    EXPECT_FALSE(contains(outcome.hooks, "started n"));
    EXPECT_EQ(std::ranges::count(outcome.hooks, std::string("started join")), 1);
}

TEST(GraphEngine, JoinWaitsForAllParallelBranches) {
    const auto outcome = run(
        make_graph("start:s\nwork:a\nwork:b\nwork:c\nwork:join", "s>a s>b s>c a>join b>join c>join")
    );
    const auto position = [&](const std::string& line) {
        return std::ranges::find(outcome.hooks, line) - outcome.hooks.begin();
    };
    for (const auto* id : {"a", "b", "c"}) {
        EXPECT_LT(position("succeeded " + std::string(id)), position("started join"));
    }
    EXPECT_LT(position("started c"), position("succeeded a")) << "branches overlap";
}

TEST(GraphEngine, UnhandledFailureEndsTheRunAndCancelsTheRest) {
    const auto outcome = run(make_graph("start:s\nhang:h\nfail:f", "s>h s>f"));
    EXPECT_EQ(outcome.result.status, RunStatus::failed);
    EXPECT_EQ(outcome.result.error->message, "it broke");
    EXPECT_TRUE(contains(outcome.hooks, "< h cancelled"));
    EXPECT_EQ(outcome.hooks.back(), "graph end: it broke");
    EXPECT_EQ(outcome.log.lines.back(), "run failed: it broke");
}

TEST(GraphEngine, ThrowingNodeIsAFailureNotACrash) {
    const auto outcome = run(make_graph("start:s\nthrow:t", "s>t"));
    EXPECT_EQ(outcome.result.status, RunStatus::failed);
    EXPECT_EQ(outcome.result.error->type, "WorkflowNodeError");
    EXPECT_EQ(outcome.result.error->message, "thrown by the node");
}

TEST(GraphEngine, FailBranchHandlesAFailure) {
    const auto outcome = run(make_graph(
        "start:s\nfail:f {\"error_strategy\":\"fail-branch\"}\nwork:good\n"
        "answer:bad {\"answer\":\"{{#f.error_message#}} {{#f.error_type#}}\"}",
        "s>f f>good f>bad:fail-branch"
    ));
    EXPECT_EQ(outcome.result.status, RunStatus::partial_succeeded);
    EXPECT_TRUE(contains(outcome.hooks, "exception f fail-branch"));
    EXPECT_FALSE(contains(outcome.hooks, "started good"));
    EXPECT_EQ(outcome.result.outputs.at("answer").as_string(), "it broke TestError");
}

TEST(GraphEngine, DefaultValueHandlesAFailure) {
    const auto outcome = run(make_graph(
        "start:s\nfail:f {\"error_strategy\":\"default-value\",\"default_value\":"
        "[{\"key\":\"out\",\"type\":\"number\",\"value\":\"5\"}]}\n"
        "answer:a {\"answer\":\"{{#f.out#}}\"}",
        "s>f f>a"
    ));
    EXPECT_EQ(outcome.result.status, RunStatus::partial_succeeded);
    EXPECT_EQ(outcome.result.outputs.at("answer").as_string(), "5.0");
}

TEST(GraphEngine, RetriesUntilSuccessAndStaysPartial) {
    const auto outcome = run(make_graph(
        "start:s\nflaky:f {\"retry_config\":{\"retry_enabled\":true,\"max_retries\":3,"
        "\"retry_interval\":1}}",
        "s>f"
    ));
    EXPECT_EQ(outcome.result.status, RunStatus::partial_succeeded);
    EXPECT_EQ(outcome.result.exceptions_count, 2);
    EXPECT_EQ(std::ranges::count(outcome.hooks, std::string("> f")), 3);
    EXPECT_EQ(std::ranges::count(outcome.hooks, std::string("started f")), 1);
    EXPECT_TRUE(contains(outcome.hooks, "retry f 2"));
}

TEST(GraphEngine, ReadsRetrySettingsThatAreWrittenAsText) {
    const auto flaky = [](std::string_view enabled) {
        return run(make_graph(
            "start:s\nflaky:f {\"retry_config\":{\"retry_enabled\":\"" + std::string(enabled) +
                "\",\"max_retries\":\"3\",\"retry_interval\":\"1\"}}",
            "s>f"
        ));
    };
    EXPECT_EQ(flaky("true").result.status, RunStatus::partial_succeeded);
    EXPECT_EQ(flaky("false").result.status, RunStatus::failed);
}

TEST(GraphEngine, AbortFromAnotherThreadStopsTheRun) {
    Options options;
    std::jthread stopper([control = options.control] { control.abort("user asked"); });
    const auto outcome = run(make_graph("start:s\nhang:h", "s>h"), options);
    EXPECT_EQ(outcome.result.status, RunStatus::stopped);
    EXPECT_EQ(outcome.result.error->message, "Aborted: user asked");
    EXPECT_EQ(outcome.log.lines.back(), "run Aborted: user asked");
}

TEST(GraphEngine, TimeAndStepLimitsStopTheRun) {
    Options slow;
    slow.limits.time_max = 5ms;
    const auto timed = run(make_graph("start:s\nhang:h", "s>h"), slow);
    EXPECT_EQ(timed.result.status, RunStatus::stopped);
    EXPECT_EQ(timed.result.error->message, "Aborted: Maximum execution time exceeded: 0.005s");

    LimitsLayer limits(2);
    Options few;
    few.layers = {&limits};
    const auto stepped = run(make_graph("start:s\nwork:a\nwork:b\nwork:c", "s>a a>b b>c"), few);
    EXPECT_EQ(stepped.result.status, RunStatus::stopped);
    EXPECT_EQ(stepped.result.error->message, "Aborted: Maximum execution steps exceeded: 3 > 2");
}

TEST(GraphEngine, CancelledCallerGetsAnOrderlyEnd) {
    async::Runtime runtime;
    EventLog log;
    LoggingLayer layer;
    runtime.block_on([&]() -> Task<void> {
        RunRequest request;
        request.graph = make_graph("start:s\nhang:h", "s>h");
        GraphEngine engine(std::move(request), real_clock(), real_random());
        engine.add_layer(layer);
        async::TaskGroup group(co_await async::this_executor());
        group.spawn(
            [](GraphEngine* running, EventLog* sink) -> Task<void> {
                static_cast<void>(co_await running->run(*sink));
            },
            &engine,
            &log
        );
        co_await async::sleep(2ms);
        group.cancel();
        co_await group.join();
    });
    EXPECT_EQ(log.lines.back(), "run Aborted: the caller was cancelled");
    EXPECT_EQ(layer.lines.back(), "graph end: Aborted: the caller was cancelled");
}

TEST(GraphEngine, BrokenLayerIsSwitchedOffAndHarmsNothing) {
    class Broken final : public Layer {
    public:
        std::string_view name() const noexcept override { return "broken"; }

        void on_event(RunView&, const Event&) override {
            ++calls;
            throw std::runtime_error("observer bug");
        }

        void on_graph_end(RunView&, const Error*) override { has_cleaned_up = true; }

        int calls = 0;
        bool has_cleaned_up = false;
    };

    Broken broken;
    Options options;
    options.layers = {&broken};
    const auto before = layer_failure_count();
    const auto outcome = run(make_graph("start:s\nwork:a", "s>a"), options);
    EXPECT_EQ(outcome.result.status, RunStatus::succeeded);
    EXPECT_EQ(broken.calls, 1);
    EXPECT_TRUE(broken.has_cleaned_up);
    EXPECT_EQ(layer_failure_count(), before + 1);
}

TEST(GraphEngine, AnswersStreamInTemplateOrderNotInTimeOrder) {
    const auto outcome = run(make_graph(
        "start:s\nsay:fast {\"pieces\":\"F1|F2\"}\nsay:slow {\"pieces\":\"S1|S2|S3|S4|S5\"}\n"
        "answer:a {\"answer\":\"[{{#slow.text#}}] [{{#fast.text#}}]\"}",
        "s>fast s>slow fast>a slow>a"
    ));
    EXPECT_EQ(outcome.log.text, "[S1S2S3S4S5] [F1F2]");
    EXPECT_EQ(outcome.result.outputs.at("answer").as_string(), "[S1S2S3S4S5] [F1F2]");
    EXPECT_TRUE(contains(outcome.log.lines, "chunk slow 'S1'"));
}

TEST(GraphEngine, AnswerBehindABranchStreamsOnlyWhenTaken) {
    const auto outcome = run(make_graph(
        "start:s\nsay:l {\"pieces\":\"x\"}\nbranch:b {\"choose\":\"one\"}\n"
        "answer:a1 {\"answer\":\"1:{{#l.text#}}\"}\nanswer:a2 {\"answer\":\"2:{{#l.text#}}\"}",
        "s>l l>b b>a1:one b>a2:two"
    ));
    EXPECT_EQ(outcome.log.text, "1:x");
}

TEST(GraphEngine, MissingVariableInAnAnswerShowsItsPathAndBlocksNothing) {
    const auto outcome = run(make_graph(
        "start:s\nanswer:a {\"answer\":\"Hi {{#s.nobody#}}!\"}\nanswer:b {\"answer\":\" B\"}",
        "s>a a>b"
    ));
    EXPECT_EQ(outcome.log.text, "Hi s.nobody! B");
    EXPECT_EQ(outcome.result.outputs.at("answer").as_string(), "Hi s.nobody! B");
}

}  // namespace
}  // namespace flowspan::engine
