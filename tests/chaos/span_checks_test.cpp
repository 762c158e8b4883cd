// The oracle finds what is broken.

#include "tests/chaos/span_checks.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

namespace flowspan::chaos {
namespace {

SpanRow row(std::string id, std::string parent, std::string name) {
    SpanRow made;
    made.trace = "t";
    made.id = std::move(id);
    made.parent = std::move(parent);
    made.name = std::move(name);
    made.run_id = "r";
    return made;
}

std::vector<SpanRow> whole_tree() {
    std::vector<SpanRow> rows = {
        row("1", "", "AppGenerateService.generate"),
        row("2", "1", "WorkflowAppRunner.run"),
        row("3", "2", "invoke_workflow x"),
        row("4", "3", "node iteration"),
        row("5", "4", "iteration.round"),
        row("6", "5", "node http-request"),
        row("7", "6", "node.attempt"),
        row("8", "7", "GET"),
        row("9", "3", "node llm"),
        row("a", "9", "chat m"),
        row("b", "a", "POST"),
        row("c", "1", "AppGenerateService.generate"),
        row("d", "c", "WorkflowAppRunner.run"),
    };
    rows[11].is_resumed = true;
    rows[0].user = "u1";
    rows[3].node_id = "it";
    rows[4].iteration_id = "it";
    rows[4].index = 2;
    rows[5].iteration_id = "it";
    rows[5].index = 2;
    rows[5].node_id = "get";
    rows[7].url = "http://x/?node=get&user=u1";
    return rows;
}

TEST(SpanChecks, FindNothingInAWholeTree) {
    const auto report = check_spans(whole_tree());
    EXPECT_EQ(report.faults(), 0) << (report.samples.empty() ? "" : report.samples[0]);
    EXPECT_EQ(report.roots, 1);
    EXPECT_EQ(report.traces, 1);
    EXPECT_EQ(report.http, 2);
    EXPECT_EQ(report.resumed, 1);
}

TEST(SpanChecks, FindEachFault) {
    struct Row {
        const char* what;
        std::function<void(std::vector<SpanRow>&)> damage;
        std::int64_t SpanReport::* count;
    };

    const Row rows[] = {
        {"an id twice", [](auto& all) { all.push_back(all[10]); }, &SpanReport::ended_twice},
        {"no parent", [](auto& all) { all[10].parent = "zz"; }, &SpanReport::orphans},
        {"a parent in another trace", [](auto& all) { all[10].trace = "u"; }, &SpanReport::orphans},
        {"a call of the workflow",
         [](auto& all) { all[10].parent = "3"; },
         &SpanReport::outside_of_nodes},
        {"a node below a node", [](auto& all) { all[8].parent = "4"; }, &SpanReport::misparented},
        {"another round", [](auto& all) { all[5].index = 1; }, &SpanReport::misparented},
        {"another run", [](auto& all) { all[2].run_id = "s"; }, &SpanReport::misparented},
        {"another node's call",
         [](auto& all) { all[7].url = "http://x/?node=put"; },
         &SpanReport::misparented},
        {"another user's call",
         [](auto& all) { all[7].url = "http://x/?node=get&user=u2"; },
         &SpanReport::misparented},
        {"a root of another sort", [](auto& all) { all[8].parent = ""; }, &SpanReport::misparented},
        {"a second part of another run",
         [](auto& all) { all[11].run_id = all[12].run_id = "s"; },
         &SpanReport::misparented},
        {"a second part that is no resumption",
         [](auto& all) { all[11].is_resumed = false; },
         &SpanReport::misparented},
        {"an unknown name", [](auto& all) { all[9].name = "surprise"; }, &SpanReport::strangers},
    };
    for (const auto& [what, damage, count] : rows) {
        auto tree = whole_tree();
        damage(tree);
        EXPECT_GE(check_spans(tree).*count, 1) << what;
    }
}

}  // namespace
}  // namespace flowspan::chaos
