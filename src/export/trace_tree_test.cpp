#include "export/trace_tree.hpp"

#include "export/test_records.hpp"
#include "export/trace_label.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/trace/names.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace flowspan::exporting {
namespace {

namespace names = trace::names;
using opentelemetry::trace::SpanKind;
using testing::HasSubstr;
using testing::Not;

std::string_view text(std::string_view value) {
    return value;
}

std::vector<TestSpan> sample() {
    return {
        {.id = 1, .name = "AppGenerateService.generate", .duration_us = 1'840'000},
        {.id = 2,
         .parent = 1,
         .name = "WorkflowAppRunner.run",
         .start_us = 400,
         .duration_us = 1'839'000},
        {.id = 3,
         .parent = 2,
         .name = "invoke_workflow Translate and check",
         .start_us = 700,
         .duration_us = 1'838'000},
        {.id = 4,
         .parent = 3,
         .name = "node start",
         .start_us = 900,
         .duration_us = 21,
         .attributes = {{names::kNodeType, text("start")}, {names::kDifyNodeTitle, text("Start")}}},
        {.id = 5,
         .parent = 3,
         .name = "node llm",
         .start_us = 1200,
         .duration_us = 1'200'000,
         .attributes =
             {{names::kNodeType, text("llm")},
              {names::kDifyNodeTitle, text("翻译成德语")},
              {names::kGenAiRequestModel, text("gpt-4o")},
              {names::kGenAiUsageInputTokens, std::int64_t{1321}},
              {names::kGenAiUsageOutputTokens, std::int64_t{45}}}},
        {.id = 6,
         .parent = 5,
         .name = "chat gpt-4o",
         .start_us = 1300,
         .duration_us = 1'198'000,
         .attributes =
             {{names::kGenAiOperationName, text("chat")},
              {names::kGenAiRequestModel, text("gpt-4o")},
              {names::kGenAiResponseModel, text("gpt-4o-2024-08-06")},
              {names::kGenAiResponseTimeToFirstChunk, 0.31},
              {names::kGenAiUsageInputTokens, std::int64_t{1321}},
              {names::kGenAiUsageOutputTokens, std::int64_t{45}}},
         .kind = SpanKind::kClient},
        {.id = 7,
         .parent = 6,
         .name = "POST",
         .start_us = 1500,
         .duration_us = 1'197'000,
         .attributes =
             {{names::kHttpRequestMethod, text("POST")},
              {names::kServerAddress, text("api.openai.com")},
              {names::kHttpResponseStatusCode, std::int64_t{200}}},
         .kind = SpanKind::kClient},
        {.id = 8,
         .parent = 3,
         .name = "node if-else",
         .start_us = 1'202'000,
         .duration_us = 35,
         .attributes =
             {{names::kNodeType, text("if-else")},
              {names::kDifyNodeTitle, text("Is it long?")},
              {names::kDifyNodeBranch, text("true")}}},
        {.id = 9,
         .parent = 3,
         .name = "node http-request",
         .start_us = 1'203'000,
         .duration_us = 400'000,
         .attributes =
             {{names::kNodeType, text("http-request")},
              {names::kDifyNodeTitle, text("Notify the reviewer")},
              {names::kErrorType, text("HttpResponseCodeError")},
              {names::kFlowspanAttemptCount, std::int64_t{2}}},
         .error = "Request failed with status code 500"},
        {.id = 10,
         .parent = 9,
         .name = "GET",
         .start_us = 1'203'400,
         .duration_us = 190'000,
         .attributes =
             {{names::kHttpRequestMethod, text("GET")},
              {names::kServerAddress, text("hooks.example.com")},
              {names::kErrorType, text("500")},
              {names::kHttpResponseStatusCode, std::int64_t{500}}},
         .error = "Request failed with status code 500",
         .kind = SpanKind::kClient},
        {.id = 11,
         .parent = 3,
         .name = "node end",
         .start_us = 1'838'000,
         .duration_us = 40,
         .attributes = {{names::kNodeType, text("end")}, {names::kDifyNodeTitle, text("End")}}},
    };
}

std::string without_escapes(std::string_view rendered) {
    std::string plain;
    for (std::size_t at = 0; at < rendered.size(); ++at) {
        if (rendered[at] == '\x1b') {
            at = rendered.find('m', at);
        } else {
            plain += rendered[at];
        }
    }
    return plain;
}

std::size_t widest(const std::string& rendered) {
    std::size_t width = 0;
    const auto plain = without_escapes(rendered);
    for (const auto line : split(plain, '\n')) {
        width = std::max(width, display_width(line));
    }
    return width;
}

std::string render(const std::vector<TestSpan>& spans, const TreeOptions& options) {
    return render_trace_tree(make_records(spans), options);
}

constexpr std::string_view kAsciiTree = R"(
trace 00000000000000000000000000000001  1.84 s  11 spans  1,366 tokens  1 error
                                          tokens      time  0             1.84 s
AppGenerateService.generate                        1.84 s   ====================
`- WorkflowAppRunner.run                           1.84 s   ====================
   `- invoke_workflow Translate an...              1.84 s   ====================
      |- start Start                               21.0 us  =
      |- llm 翻译成德语 gpt-4o         1,321->45   1.20 s   =============
      |  `- chat gpt-4o gpt-4o-202...  1,321->45   1.20 s   =============
      |     `- POST api.openai.com...              1.20 s   =============
      |- if-else Is it long? -> true               35.0 us               =
      |- x http-request Notify the...               400 ms               =====
      |  `- x GET hooks.example.com..               190 ms               ==
      |        Request failed with status code 500
      `- end End                                   40.0 us                     =
)";

constexpr std::string_view kUnicodeTree = R"(
trace 00000000000000000000000000000001  1.84 s  11 spans  1,366 tokens  1 error
                                                              tokens      time  0                                 1.84 s
AppGenerateService.generate                                            1.84 s   ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
└─ WorkflowAppRunner.run                                               1.84 s   ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
   └─ invoke_workflow Translate and check                              1.84 s   ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━
      ├─ start Start                                                   21.0 µs  ╸
      ├─ llm 翻译成德语 gpt-4o                              1,321→45   1.20 s   ━━━━━━━━━━━━━━━━━━━━━━━━━━
      │  └─ chat gpt-4o gpt-4o-2024-08-06 first token 310…  1,321→45   1.20 s   ━━━━━━━━━━━━━━━━━━━━━━━━━━
      │     └─ POST api.openai.com 200                                 1.20 s   ━━━━━━━━━━━━━━━━━━━━━━━━━━
      ├─ if-else Is it long? → true                                    35.0 µs                            ╸
      ├─ ✗ http-request Notify the reviewer 2 attempts                  400 ms                            ━━━━━━━━━
      │  └─ ✗ GET hooks.example.com 500                                 190 ms                            ━━━━╸
      │        Request failed with status code 500
      └─ end End                                                       40.0 µs                                         ╺
)";

TEST(TraceTree, LooksLikeThisWhenPiped) {
    EXPECT_EQ("\n" + render(sample(), {.width = 80}), kAsciiTree);
}

TEST(TraceTree, LooksLikeThisInATerminal) {
    const auto tree = render(sample(), {.width = 120, .use_color = true, .use_unicode = true});
    EXPECT_EQ("\n" + without_escapes(tree), kUnicodeTree);
    EXPECT_THAT(tree, HasSubstr("\x1b[31mRequest failed with status code 500\x1b[0m"));
}

TEST(TraceTree, FitsEveryWidthExactly) {
    for (std::size_t width = 20; width <= 240; ++width) {
        for (const bool use_unicode : {false, true}) {
            const auto tree =
                render(sample(), {.width = width, .use_color = true, .use_unicode = use_unicode});
            EXPECT_EQ(widest(tree), width) << tree;
        }
    }
}

TEST(TraceTree, SumsUpRepeatedSiblingsButShowsTheFailed) {
    std::vector<TestSpan> spans = {{.id = 1, .name = "loop", .duration_us = 200'000}};
    for (std::uint8_t round = 0; round < 100; ++round) {
        spans.push_back(
            {.id = static_cast<std::uint8_t>(round + 2),
             .parent = 1,
             .name = "loop.round",
             .start_us = round * 2000,
             .duration_us = 2000,
             .attributes = {{names::kDifyLoopIndex, std::int64_t{round}}},
             .error = round >= 90 ? "boom" : ""}
        );
    }
    const auto tree = render(spans, {.width = 80});
    EXPECT_THAT(tree, HasSubstr("loop.round #19 "));
    EXPECT_THAT(tree, Not(HasSubstr("loop.round #20 ")));
    EXPECT_THAT(tree, HasSubstr("... 75 more (5 failed) loop.round"));
    EXPECT_THAT(tree, HasSubstr("x loop.round #94 "));
    EXPECT_THAT(tree, Not(HasSubstr("loop.round #95 ")));
    EXPECT_THAT(tree, HasSubstr("101 spans  10 errors"));
}

TEST(TraceTree, SaysWhatWasHandledAndHow) {
    const auto record = make_record(
        {.name = "node code",
         .attributes =
             {{names::kNodeType, text("code")},
              {names::kDifyNodeTitle, text("Count")},
              {names::kDifyNodeBranch, text("fail-branch")},
              {names::kDifyNodeErrorStrategy, text("fail-branch")},
              {names::kErrorType, text("CodeExecutionError")}}}
    );
    record->begin_event(names::kExceptionEvent, kTestStartNs, {});
    record->add_event_attribute(names::kExceptionType, text("CodeExecutionError"), {});
    record->add_event_attribute(names::kExceptionMessage, text("the code failed at line 2"), {});
    const std::vector<SpanRecordPtr> spans = {record};
    const auto tree = render_trace_tree(spans, {.width = 80});
    EXPECT_THAT(tree, HasSubstr("code Count -> fail-branch failed "));
    EXPECT_THAT(tree, HasSubstr("CodeExecutionError: the code failed at line 2\n"));
    EXPECT_THAT(tree, HasSubstr("no errors"));
}

TEST(TraceTree, ShowsSpansWithoutTheirParentUnderANote) {
    const auto tree = render(
        {{.id = 1, .name = "root"},
         {.id = 2, .parent = 9, .name = "lost"},
         {.id = 3, .parent = 2, .name = "child of lost"}},
        {.width = 60}
    );
    EXPECT_THAT(tree, HasSubstr("\n1 span whose parent is missing:\nlost "));
    EXPECT_THAT(tree, HasSubstr("\n`- child of lost "));
}

TEST(TraceTree, RemoteParentMakesARoot) {
    auto records = make_records({{.id = 1, .parent = 9, .name = "continued"}});
    auto remote = std::make_shared<SpanRecord>(*records[0]);
    remote->is_parent_remote = true;
    records[0] = remote;
    const auto tree = render_trace_tree(records, {.width = 80});
    EXPECT_THAT(tree, HasSubstr("continued (remote parent)"));
    EXPECT_THAT(tree, Not(HasSubstr("missing")));
}

TEST(TraceTree, SurvivesCirclesTwinsAndOneSelf) {
    const auto tree = render(
        {{.id = 1, .parent = 2, .name = "a"},
         {.id = 2, .parent = 1, .name = "b"},
         {.id = 3, .parent = 3, .name = "self"},
         {.id = 4, .name = "twin"},
         {.id = 4, .name = "twin"}},
        {.width = 80}
    );
    for (const auto* name : {"a ", "b ", "self ", "twin "}) {
        EXPECT_THAT(tree, HasSubstr(name));
    }
    EXPECT_THAT(tree, HasSubstr("5 spans"));
}

TEST(TraceTree, DeepTreesKeepRoomForNames) {
    std::vector<TestSpan> spans;
    for (std::uint8_t level = 0; level < 60; ++level) {
        spans.push_back(
            {.id = static_cast<std::uint8_t>(level + 1), .parent = level, .name = "level"}
        );
    }
    const auto tree = render(spans, {.width = 60, .use_unicode = true});
    EXPECT_LE(widest(tree), 60U);
    std::size_t names_seen = 0;
    for (const auto line : split(tree, '\n')) {
        names_seen += line.find("level") != std::string_view::npos ? 1 : 0;
    }
    EXPECT_EQ(names_seen, 60U);
}

TEST(TraceTree, NamesCannotSteerTheTerminal) {
    const auto tree = render(
        {{.name = "evil\x1b[2J\n\r\xC2\x9B"
                  "31mname",
          .error = "bad\nnews\x07"}},
        {.width = 80}
    );
    EXPECT_EQ(tree.find_first_of("\x1b\r\x07\x9B"), std::string::npos);
    EXPECT_THAT(tree, HasSubstr("x evil [2J   31mname"));
    EXPECT_THAT(tree, HasSubstr("bad news"));
}

TEST(TraceTree, EachTraceHasItsOwnTree) {
    const auto tree = render(
        {{.id = 1, .name = "one", .trace = 1}, {.id = 1, .name = "two", .start_us = 5, .trace = 2}},
        {.width = 80}
    );
    EXPECT_LT(tree.find("0001"), tree.find("one"));
    EXPECT_LT(tree.find("one"), tree.find("0002"));
    EXPECT_LT(tree.find("0002"), tree.find("two"));
    EXPECT_EQ(render({}, {}), "");
}

TEST(TraceTree, StopsAtItsLimitOfLines) {
    std::vector<TestSpan> spans;
    for (std::uint8_t i = 0; i < 50; ++i) {
        spans.push_back({.id = static_cast<std::uint8_t>(i + 1), .name = "span"});
    }
    const auto tree = render(spans, {.width = 80, .siblings_max = 100, .lines_max = 10});
    EXPECT_EQ(std::ranges::count(tree, '\n'), 11);
    EXPECT_THAT(tree, HasSubstr("the rest is left out"));
}

TEST(TraceTree, DurationsHaveThreeDigitsAndAUnit) {
    struct Case {
        std::int64_t ns;
        const char* text;
    };

    const Case cases[] = {
        {0, "0.00 us"},
        {999, "1.00 us"},
        {21'000, "21.0 us"},
        {999'499, "999 us"},
        {999'500, "1.00 ms"},
        {12'345'678, "12.3 ms"},
        {99'950'000, "100 ms"},
        {999'499'999, "999 ms"},
        {1'840'000'000, "1.84 s"},
        {61'000'000'000, "1m 01s"},
        {3'660'000'000'000, "1h 01m"},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(duration_text(test.ns, symbols(false)), test.text);
        EXPECT_LE(std::string_view(test.text).size(), 8U);
    }
}

}  // namespace
}  // namespace flowspan::exporting
