#include "engine/graph.hpp"
#include "engine/testing/scripted_nodes.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/engine/engine.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::engine {
namespace {

using testing::EventLog;
using testing::make_graph;

using GraphPtr = std::shared_ptr<const Graph>;

/// Hands on what a hook wants to see.
class HookedLog final : public EventSink {
public:
    explicit HookedLog(std::function<void(const std::string&)> hook) : hook_(std::move(hook)) {}

    void on_event(const Event& event) override {
        log.on_event(event);
        if (hook_) {
            hook_(log.lines.back());
        }
    }

    EventLog log;

private:
    std::function<void(const std::string&)> hook_;
};

RunRequest start_request(const GraphPtr& graph) {
    RunRequest request;
    request.graph = graph;
    auto info = std::make_shared<RunInfo>();
    info->run_id = "r";
    request.info = std::move(info);
    return request;
}

/// As another process would get it.
RunRequest resume_request(const GraphPtr& graph, const RunResult& paused) {
    const auto text = to_json_text(to_json(*paused.snapshot));
    auto snapshot = parse_run_snapshot(*parse_json(text));
    EXPECT_TRUE(snapshot) << snapshot.error().describe();
    EXPECT_TRUE(check_snapshot(*snapshot, *graph));
    auto request = start_request(graph);
    request.variables = *snapshot->root.variables;
    request.resume_from = std::make_shared<const RunSnapshot>(*std::move(snapshot));
    return request;
}

RunResult run_part(RunRequest request, EventSink& sink, const RunControl& control = {}) {
    async::Runtime runtime;
    return runtime.block_on([&]() -> Task<RunResult> {
        GraphEngine engine(std::move(request), real_clock(), real_random(), control);
        co_return co_await engine.run(sink);
    });
}

GraphPtr make_chain(int length) {
    std::string nodes = "start:s";
    std::string edges = "s>n0";
    for (int i = 0; i < length; ++i) {
        nodes += "\nwork:n" + std::to_string(i);
        if (i > 0) {
            edges += " n" + std::to_string(i - 1) + ">n" + std::to_string(i);
        }
    }
    return make_graph(nodes, edges);
}

TEST(RunPause, LetsNodesAtWorkFinishAndStartsNoOthers) {
    const auto graph = make_graph(
        "start:s\nwork:a\nsay:b {\"pieces\":\"1|2|3|4|5\"}\nwork:after_a\nwork:after_b\nwork:join",
        "s>a s>b a>after_a b>after_b after_a>join after_b>join"
    );
    RunControl control;
    HookedLog first([&](const std::string& line) {
        if (line == "started a") {
            control.pause("lunch");
        }
    });
    const auto paused = run_part(start_request(graph), first, control);
    ASSERT_EQ(paused.status, RunStatus::paused);
    EXPECT_FALSE(paused.error);
    EXPECT_EQ(
        paused.snapshot->pause_reasons,
        (json::array{json::object{{"TYPE", "scheduled_pause"}, {"message", "lunch"}}})
    );
    const auto& lines = first.log.lines;
    EXPECT_NE(std::ranges::find(lines, "succeeded b"), lines.end());
    EXPECT_EQ(std::ranges::find(lines, "started after_a"), lines.end());
    std::vector<std::string> due;
    for (const auto& pending : paused.snapshot->root.pending) {
        due.push_back(pending.node_id);
    }
    EXPECT_EQ(due, (std::vector<std::string>{"after_a", "after_b"}));

    EventLog second;
    const auto resumed = run_part(resume_request(graph, paused), second);
    EXPECT_EQ(resumed.status, RunStatus::succeeded);
    EXPECT_EQ(resumed.steps, 6);
    EXPECT_NE(std::ranges::find(second.lines, "succeeded join"), second.lines.end());
}

TEST(RunPause, BeforeTheStartHoldsBackTheRoot) {
    const auto graph = make_chain(1);
    RunControl control;
    control.pause("not now");
    EventLog nothing;
    const auto paused = run_part(start_request(graph), nothing, control);
    ASSERT_EQ(paused.status, RunStatus::paused);
    EXPECT_EQ(paused.steps, 0);
    EventLog log;
    EXPECT_EQ(run_part(resume_request(graph, paused), log).status, RunStatus::succeeded);
}

TEST(RunPause, ComesTooLateForARunWithNothingLeftToDo) {
    RunControl control;
    HookedLog log([&](const std::string& line) {
        if (line == "started n1") {
            control.pause("too late");
        }
    });
    EXPECT_EQ(run_part(start_request(make_chain(2)), log, control).status, RunStatus::succeeded);
}

TEST(RunPause, LosesAgainstAStopAndAFailure) {
    RunControl control;
    HookedLog stopped([&](const std::string& line) {
        if (line == "succeeded s") {
            control.pause("first");
            control.abort("second");
        }
    });
    EXPECT_EQ(run_part(start_request(make_chain(2)), stopped, control).status, RunStatus::stopped);

    RunControl other;
    HookedLog failed([&](const std::string& line) {
        if (line == "started f") {
            other.pause("while it fails");
        }
    });
    const auto graph = make_graph("start:s\nfail:f\nwork:after", "s>f f>after");
    EXPECT_EQ(run_part(start_request(graph), failed, other).status, RunStatus::failed);
}

/// Runs with a pause from another thread, at a moment that nobody chose, then to the end. How often
/// each node succeeded.
std::map<std::string, int> run_with_a_pause(const GraphPtr& graph) {
    std::map<std::string, int> successes;
    HookedLog log([&](const std::string& line) {
        if (line.starts_with("succeeded")) {
            ++successes[line];
        }
    });
    RunControl control;
    const std::jthread pauser([control] { control.pause("from another thread"); });
    const auto first = run_part(start_request(graph), log, control);
    if (first.status == RunStatus::paused) {
        EXPECT_EQ(run_part(resume_request(graph, first), log).status, RunStatus::succeeded);
    } else {
        EXPECT_EQ(first.status, RunStatus::succeeded);
    }
    return successes;
}

TEST(RunPause, FromOtherThreadsRunsEveryNodeExactlyOnce) {
    constexpr int kNodes = 40;
    constexpr int kRunsOfAThread = 25;
    const auto graph = make_chain(kNodes);
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 4; ++caller) {
        callers.emplace_back([&graph] {
            for (int i = 0; i < kRunsOfAThread; ++i) {
                const auto successes = run_with_a_pause(graph);
                EXPECT_EQ(successes.size(), kNodes + 1U);
                EXPECT_TRUE(std::ranges::all_of(successes, [](const auto& node) {
                    return node.second == 1;
                }));
            }
        });
    }
}

}  // namespace
}  // namespace flowspan::engine
