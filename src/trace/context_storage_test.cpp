#include "flowspan/trace/context_storage.hpp"

#include "flowspan/async/pools.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "trace/span_recording.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/trace/scope.h>

#include <string>
#include <utility>

namespace flowspan::trace {
namespace {

using opentelemetry::trace::Scope;

std::string current_span_id() {
    char text[16];
    tracer().GetCurrentSpan()->GetContext().span_id().ToLowerBase16(text);
    return {text, sizeof(text)};
}

std::string id_of(const SpanPtr& span) {
    char text[16];
    span->GetContext().span_id().ToLowerBase16(text);
    return {text, sizeof(text)};
}

Task<void> hold_scope_over_suspensions(std::string parent) {
    EXPECT_EQ(current_span_id(), parent);
    const auto span = tracer().StartSpan("child");
    const Scope scope(span);
    for (int i = 0; i < 20; ++i) {
        co_await async::yield_now();
        EXPECT_EQ(current_span_id(), id_of(span));
    }
    const auto seen = co_await async::on_cpu([] { return current_span_id(); });
    EXPECT_EQ(seen, id_of(span));
    span->End();
}

TEST(ContextStorage, InterleavedTasksKeepTheirOwnScopes) {
    SpanRecording recording;
    async::Runtime runtime;
    runtime.block_on([]() -> Task<void> {
        const auto root = tracer().StartSpan("root");
        const Scope scope(root);
        async::TaskGroup group(co_await async::this_executor());
        for (int i = 0; i < 50; ++i) {
            group.spawn(hold_scope_over_suspensions, id_of(root));
        }
        co_await group.join();
        EXPECT_EQ(current_span_id(), id_of(root));
        root->End();
    });
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 51U);
    const auto& root = *spans.back();
    for (const auto& span : spans) {
        EXPECT_EQ(span->GetTraceId(), root.GetTraceId());
    }
    EXPECT_EQ(leaked_scope_count(), 0U);
}

TEST(ContextStorage, ThreadsOutsideOfTasksHaveTheirOwnStack) {
    SpanRecording recording;
    const auto span = tracer().StartSpan("plain");
    {
        const Scope scope(span);
        EXPECT_EQ(current_span_id(), id_of(span));
    }
    EXPECT_EQ(current_span_id(), std::string(16, '0'));
}

TEST(ContextStorage, ChildForkedInsideAScopeKeepsItAfterTheParentLeft) {
    SpanRecording recording;
    async::Runtime runtime;
    runtime.block_on([]() -> Task<void> {
        async::TaskGroup group(co_await async::this_executor());
        {
            const auto span = tracer().StartSpan("short");
            const Scope scope(span);
            group.spawn(hold_scope_over_suspensions, id_of(span));
        }
        EXPECT_EQ(current_span_id(), std::string(16, '0'));
        co_await group.join();
    });
}

Task<void> hold_contexts(int number) {
    const auto outer_span = tracer().StartSpan("outer");
    CurrentContext outer(context_with(outer_span));
    for (int i = 0; i < 20; ++i) {
        const auto inner_span = tracer().StartSpan("inner");
        CurrentContext inner(context_with(inner_span));
        co_await async::yield_now();
        EXPECT_EQ(current_span_id(), id_of(inner_span)) << number;
        // The other way of making a span current stands in the same stack.
        {
            const Scope scope(outer_span);
            EXPECT_EQ(current_span_id(), id_of(outer_span)) << number;
        }
        EXPECT_EQ(current_span_id(), id_of(inner_span)) << number;
        inner.release();
        inner.release();
        EXPECT_EQ(current_span_id(), id_of(outer_span)) << number;
    }
    auto moved = std::move(outer);
    EXPECT_EQ(current_span_id(), id_of(outer_span)) << number;
    moved = CurrentContext();
    EXPECT_EQ(current_span_id(), std::string(16, '0')) << number;
}

TEST(ContextStorage, CurrentContextsStandInTheSameStackAsScopes) {
    SpanRecording recording;
    async::Runtime runtime(async::RuntimeOptions{.loops = 2});
    runtime.block_on([]() -> Task<void> {
        async::TaskGroup group(co_await async::this_executor());
        for (int i = 0; i < 50; ++i) {
            group.spawn(hold_contexts, i);
        }
        co_await group.join();
    });
    EXPECT_EQ(leaked_scope_count(), 0U);
}

TEST(ContextStorage, ReleasedInAnotherTaskItLeavesThatTaskAlone) {
    SpanRecording recording;
    async::Runtime runtime;
    runtime.block_on([]() -> Task<void> {
        CurrentContext kept;
        const auto span = tracer().StartSpan("kept");
        async::TaskGroup group(co_await async::this_executor());
        group.spawn(
            [](CurrentContext* out, SpanPtr held) -> Task<void> {
                *out = CurrentContext(context_with(held));
                out->release();
                co_return;
            },
            &kept,
            span
        );
        co_await group.join();
        const auto own = tracer().StartSpan("own");
        const CurrentContext current(context_with(own));
        kept.release();
        EXPECT_EQ(current_span_id(), id_of(own));
    });
}

}  // namespace
}  // namespace flowspan::trace
