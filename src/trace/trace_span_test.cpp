#include "flowspan/trace/trace_span.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/run_scope.hpp"
#include "trace/span_recording.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace flowspan::trace {
namespace {

using namespace std::chrono_literals;
using opentelemetry::trace::StatusCode;

struct NamedSpan {
    std::string name = "call";

    template <class... Arguments>
    std::string_view span_name(const Arguments&...) const {
        return name;
    }
};

struct ReadsEverything {
    std::string_view span_name(int /*left*/, const std::string& /*right*/) const { return "add"; }

    void on_start(Span& span, int left, const std::string& right) const {
        set(span, names::kNodeId, right);
        set(span, names::kDifyNodeIndex, static_cast<std::int64_t>(left));
    }

    void on_result(Span& span, const Result<std::string>& result) const {
        set(span, names::kOutputValue, *result);
    }
};

Task<Result<std::string>> join_slowly(int left, const std::string& right) {
    co_await async::yield_now();
    if (left < 0) {
        co_return failure(ErrorCode::invalid_input, "left is negative");
    }
    co_return std::to_string(left) + right;
}

struct Overloaded {
    int operator()(int number) const { return number + 1; }

    std::string operator()(std::string text) const { return text + "!"; }

    std::unique_ptr<int> operator()(std::unique_ptr<int> owned) const { return owned; }
};

struct HoldsAScope {
    std::string_view span_name(const std::vector<std::string>& /*seen*/) const { return "held"; }

    auto enter(const std::vector<std::string>& /*seen*/) const {
        auto scope = std::make_shared<RunScope>();
        scope->run_id = "run-1";
        return CurrentRunScope(std::move(scope));
    }

    void on_start(Span& span, const std::vector<std::string>& /*seen*/) const {
        set(span, names::kNodeId, current_run_scope()->run_id);
    }
};

std::string current_run() {
    const auto scope = current_run_scope();
    return scope == nullptr ? "none" : scope->run_id;
}

Task<int> note_scope(std::vector<std::string>& seen) {
    seen.push_back(current_run());
    co_await async::yield_now();
    seen.push_back(current_run());
    co_return 1;
}

Task<void> call_and_note(std::vector<std::string>& seen) {
    const auto traced = trace_span<HoldsAScope>(note_scope);
    seen.push_back(std::to_string(co_await traced(seen)));
    seen.push_back(current_run());
}

TEST(TraceSpan, HoldsWhatTheHandlerEntersFromBeforeTheStartUntilAfterTheEnd) {
    SpanRecording recording;
    async::Runtime runtime;
    std::vector<std::string> seen;
    runtime.block_on([&]() { return call_and_note(seen); });
    EXPECT_EQ(seen, (std::vector<std::string>{"run-1", "run-1", "1", "none"}));
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(
        opentelemetry::nostd::get<std::string>(spans[0]->GetAttributes().at(names::kNodeId)),
        "run-1"
    );
}

/// Notes when it is made and when it goes.
struct Watcher {
    explicit Watcher(std::vector<std::string>& seen) : notes(seen) { notes.emplace_back("made"); }

    ~Watcher() { notes.emplace_back("gone"); }

    Watcher(const Watcher&) = delete;
    Watcher& operator=(const Watcher&) = delete;

    std::vector<std::string>& notes;
};

struct HoldsAWatcher {
    std::string_view span_name(const std::vector<std::string>& /*seen*/) const { return "watched"; }

    Watcher hold(const SpanPtr& span, std::vector<std::string>& seen) const {
        seen.emplace_back(span->IsRecording() ? "recording" : "ended");
        return Watcher(seen);
    }

    void on_result(Span& span, int result) const {
        set(span, names::kDifyNodeIndex, static_cast<std::int64_t>(result));
    }
};

struct TakesTheWatcher {
    Task<int> operator()(std::vector<std::string>& seen) const {
        seen.emplace_back("alone");
        co_return 0;
    }

    Task<int> operator()(std::vector<std::string>& seen, Watcher& watcher) const {
        co_await async::yield_now();
        watcher.notes.emplace_back("called");
        if (seen.size() > 4) {
            throw std::logic_error("no");
        }
        co_return 1;
    }
};

TEST(TraceSpan, HoldsWhatTheHandlerHoldsUntilBeforeTheResultIsRead) {
    SpanRecording recording;
    async::Runtime runtime;
    std::vector<std::string> seen;
    const auto traced = trace_span<HoldsAWatcher>(TakesTheWatcher{});
    EXPECT_EQ(runtime.block_on([&]() { return traced(seen); }), 1);
    EXPECT_EQ(seen, (std::vector<std::string>{"recording", "made", "called", "gone"}));
    EXPECT_THROW(runtime.block_on([&]() { return traced(seen); }), std::logic_error);
    EXPECT_EQ(seen.size(), 8U);
    EXPECT_EQ(seen.back(), "gone");
    EXPECT_EQ(recording.take().size(), 2U);
}

TEST(TraceSpan, PlainCallHoldsToo) {
    SpanRecording recording;
    std::vector<std::string> seen;
    const auto traced = trace_span<HoldsAWatcher>([](std::vector<std::string>& notes) {
        notes.emplace_back("called");
        return 1;
    });
    EXPECT_EQ(traced(seen), 1);
    EXPECT_EQ(seen, (std::vector<std::string>{"recording", "made", "called", "gone"}));
}

TEST(TraceSpan, WhileOffNothingIsHeld) {
    set_tracer_provider({});
    async::Runtime runtime;
    std::vector<std::string> seen;
    const auto traced = trace_span<HoldsAWatcher>(TakesTheWatcher{});
    EXPECT_EQ(runtime.block_on([&]() { return traced(seen); }), 0);
    EXPECT_EQ(seen, (std::vector<std::string>{"alone"}));
}

TEST(TraceSpan, HandlerReadsArgumentsAndResultOfACoroutine) {
    SpanRecording recording;
    async::Runtime runtime;
    const auto traced = trace_span<ReadsEverything>(join_slowly);
    const std::string right = "b";
    const auto result = runtime.block_on([&]() { return traced(1, right); });
    EXPECT_EQ(*result, "1b");
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(spans[0]->GetName(), "add");
    const auto& attributes = spans[0]->GetAttributes();
    EXPECT_EQ(opentelemetry::nostd::get<std::string>(attributes.at(names::kOutputValue)), "1b");
    EXPECT_EQ(opentelemetry::nostd::get<std::int64_t>(attributes.at(names::kDifyNodeIndex)), 1);
}

TEST(TraceSpan, FailedResultIsAnErrorRecordedOnce) {
    SpanRecording recording;
    async::Runtime runtime;
    const auto inner = trace_span<ReadsEverything>(join_slowly);
    const auto outer = trace_span<NamedSpan>([&inner](int left, const std::string& right) {
        return inner(left, right);
    });
    const auto result = runtime.block_on([&]() { return outer(-1, std::string("x")); });
    ASSERT_FALSE(result);
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 2U);
    EXPECT_EQ(spans[0]->GetParentSpanId(), spans[1]->GetSpanId());
    for (const auto& span : spans) {
        EXPECT_EQ(span->GetStatus(), StatusCode::kError);
        EXPECT_EQ(
            opentelemetry::nostd::get<std::string>(span->GetAttributes().at(names::kErrorType)),
            "invalid_input"
        );
    }
    EXPECT_EQ(spans[0]->GetEvents().size(), 1U);
    EXPECT_EQ(spans[1]->GetEvents().size(), 0U);
}

TEST(TraceSpan, WorksWithOverloadsReferencesAndMoveOnlyTypes) {
    SpanRecording recording;
    const auto traced = trace_span<NamedSpan>(Overloaded{}, NamedSpan{"overloaded"});
    EXPECT_EQ(traced(1), 2);
    EXPECT_EQ(traced(std::string("hey")), "hey!");
    EXPECT_EQ(*traced(std::make_unique<int>(7)), 7);

    int target = 0;
    const auto by_reference = trace_span<NamedSpan>([](int& number) -> int& { return ++number; });
    EXPECT_EQ(&by_reference(target), &target);
    EXPECT_EQ(target, 1);

    struct Counter {
        int count = 0;

        void add(int more) { count += more; }
    };

    Counter counter;
    const auto method = trace_span<NamedSpan>(&Counter::add);
    method(counter, 3);
    EXPECT_EQ(counter.count, 3);
    EXPECT_EQ(recording.take().size(), 5U);
}

TEST(TraceSpan, ExceptionIsRecordedAndRethrown) {
    SpanRecording recording;
    const auto traced = trace_span<NamedSpan>([] { throw std::logic_error("no"); });
    EXPECT_THROW(traced(), std::logic_error);
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(spans[0]->GetStatus(), StatusCode::kError);
    EXPECT_EQ(
        opentelemetry::nostd::get<std::string>(spans[0]->GetAttributes().at(names::kErrorType)),
        "std::logic_error"
    );
    EXPECT_EQ(spans[0]->GetEvents().size(), 1U);
}

TEST(TraceSpan, CancelledCoroutineEndsItsSpanAsCancelled) {
    SpanRecording recording;
    async::Runtime runtime;
    const auto traced = trace_span<NamedSpan>([]() -> Task<void> { co_await async::sleep(1h); });
    runtime.block_on([&traced]() -> Task<void> {
        async::TaskGroup group(co_await async::this_executor());
        group.spawn(
            [](const decltype(traced)* call) -> Task<void> { co_await (*call)(); }, &traced
        );
        co_await async::sleep(1ms);
        group.cancel();
        co_await group.join();
    });
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 1U);
    EXPECT_EQ(
        opentelemetry::nostd::get<std::string>(spans[0]->GetAttributes().at(names::kErrorType)),
        "cancelled"
    );
    EXPECT_TRUE(spans[0]->GetEvents().empty());
}

TEST(TraceSpan, OffMeansTheHandlerIsNeverAsked) {
    struct Forbidden {
        std::string_view span_name() const {
            ADD_FAILURE() << "asked for a name while tracing is off";
            return "x";
        }
    };

    set_tracer_provider({});
    const auto traced = trace_span<Forbidden>([] { return 1; });
    EXPECT_EQ(traced(), 1);
}

}  // namespace
}  // namespace flowspan::trace
