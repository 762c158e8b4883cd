#include "tests/stress/stress_task.hpp"

#include "flowspan/async/deadline.hpp"
#include "flowspan/async/pools.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/trace_span.hpp"

#include <opentelemetry/trace/context.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <functional>
#include <utility>

namespace flowspan::stress {

using namespace std::chrono_literals;

namespace {

constexpr int kDepthMax = 5;
constexpr int kCancelTurns = 45;

/// The parts of one task, handed down its calls.
struct Strand {
    Stress* stress = nullptr;
    std::int64_t* suspensions = nullptr;  ///< of the task's own line; null in its children

    [[nodiscard]] Strand for_child() const { return {.stress = stress}; }
};

void count_suspension(const Strand& strand, const Place& here) {
    if (strand.suspensions != nullptr) {
        ++*strand.suspensions;
    }
    strand.stress->tally.suspensions.fetch_add(1, std::memory_order_relaxed);
    strand.stress->tally.expect_current(here);
}

/// In a pool thread: the task's span is current there too, and spans hang under it.
void work_elsewhere(Tally& tally, const Place& here) {
    tally.pool_hops.fetch_add(1, std::memory_order_relaxed);
    tally.expect_current(here);
    const LineageSpan span(here, "pool");
    tally.expect_current(span.place());
}

Task<void> suspend(Strand strand, Dice& dice, const Place& here) {
    auto& tally = strand.stress->tally;
    const int sort = dice.roll(20);
    if (sort < 5) {
        tally.timers.fetch_add(1, std::memory_order_relaxed);
        co_await async::sleep(std::chrono::microseconds(dice.roll(500)));
    } else if (sort == 5 && strand.stress->options.should_use_pools) {
        co_await async::on_cpu([&tally, here] { work_elsewhere(tally, here); });
    } else if (sort == 6 && strand.stress->options.should_use_pools) {
        co_await async::on_blocking([&tally, here] { work_elsewhere(tally, here); });
    } else {
        co_await async::yield_now();
    }
    count_suspension(strand, here);
}

struct NestHandler {
    std::string_view span_name(const Strand&, const Dice&, const Place&, int) const {
        return "traced";
    }

    void on_start(trace::Span& span, const Strand&, const Dice&, const Place& parent, int) const {
        write_expectation(span, parent);
    }
};

Task<Result<int>> nest(Strand strand, Dice& dice, const Place& parent, int depth);

/// The body of a span that trace_span made: its place can only be read from the context, so that
/// is checked by the parent that the span carries.
Task<Result<int>> traced_body(Strand strand, Dice& dice, const Place& parent, int depth) {
    const auto span = opentelemetry::trace::GetSpan(trace::current_context());
    const auto here = place_of(parent.task, *span);
    co_await suspend(strand, dice, here);
    const auto result = co_await nest(strand, dice, here, depth);
    strand.stress->tally.expect_current(here);
    co_return result;
}

const auto kTraced = trace::trace_span<NestHandler>(traced_body);

Task<Result<int>> nest(Strand strand, Dice& dice, const Place& parent, int depth) {
    const LineageSpan span(parent, "nested");
    const auto& here = span.place();
    co_await suspend(strand, dice, here);
    if (depth == 0) {
        if (dice.chance(10)) {
            co_return failure(ErrorCode::remote_failure, "as the dice said");
        }
        co_return 1;
    }
    const auto result = dice.chance(30) ? co_await kTraced(strand, dice, here, depth - 1)
                                        : co_await nest(strand, dice, here, depth - 1);
    strand.stress->tally.expect_current(here);
    co_await suspend(strand, dice, here);
    co_return result;
}

Task<void> run_branch(Strand strand, Dice dice, Place parent, int depth) {
    strand.stress->tally.children.fetch_add(1, std::memory_order_relaxed);
    // A child starts with what was current where it was spawned.
    strand.stress->tally.expect_current(parent);
    static_cast<void>(co_await nest(strand, dice, parent, depth));
    strand.stress->tally.expect_current(parent);
}

Task<void> spawn_and_go_on(
    async::TaskGroup& group, Strand strand, Dice& dice, const Place& here, Place* open
) {
    {
        const LineageSpan passing(here, "spawner");
        // These outlive the span that was current when they were spawned.
        group.spawn(run_branch, strand.for_child(), dice.fork(), passing.place(), 1);
        group.spawn(run_branch, strand.for_child(), dice.fork(), passing.place(), 2);
    }
    group.spawn(run_branch, strand.for_child(), dice.fork(), here, 1);
    const LineageSpan beside(here, "beside");
    *open = beside.place();
    co_await suspend(strand, dice, beside.place());
    co_await suspend(strand, dice, beside.place());
    if (dice.chance(5)) {
        group.cancel();
    }
}

/// Parallel children beside work of the parent's own.
Task<void> run_parallel(Strand strand, Dice& dice, Place parent) {
    const LineageSpan span(parent, "parallel");
    async::TaskGroup group(co_await async::this_executor());
    std::exception_ptr failure;
    Place open;
    try {
        co_await spawn_and_go_on(group, strand, dice, span.place(), &open);
    } catch (...) {
        failure = std::current_exception();
        group.cancel();
    }
    strand.stress->tally.expect_current(span.place());
    co_await async::even_if_cancelled;
    co_await group.join();
    count_suspension(strand, span.place());
    if (failure) {
        std::rethrow_exception(failure);
    }
}

Task<Result<int>> sleep_long(Strand strand, Dice dice, Place parent) {
    const LineageSpan span(parent, "late");
    co_await suspend(strand, dice, span.place());
    co_await async::sleep(1h);
    co_return 1;
}

/// A child that a deadline cuts off in its middle.
Task<void> run_into_deadline(Strand strand, Dice& dice, Place parent) {
    const LineageSpan span(parent, "deadline");
    strand.stress->tally.deadlines.fetch_add(1, std::memory_order_relaxed);
    const auto until = real_clock().steady_now() + std::chrono::microseconds(dice.roll(2000));
    const auto result = co_await async::with_deadline<int>(
        until, sleep_long(strand.for_child(), dice.fork(), span.place())
    );
    count_suspension(strand, span.place());
    if (result) {
        throw std::logic_error("an hour has passed");
    }
}

/// Reads the stream of the loopback server, with spans of its own from within libcurl's callback.
class PieceListener final : public http::BodyListener {
public:
    PieceListener(Tally& tally, Place here) : tally_(tally), here_(here) {}

    void on_headers(int /*status*/, const http::Headers& /*headers*/) override { listen(); }

    bool on_data(std::string_view /*piece*/) override {
        listen();
        return true;
    }

private:
    void listen() {
        tally_.callbacks.fetch_add(1, std::memory_order_relaxed);
        tally_.expect_current(here_);
        const LineageSpan span(here_, "callback");
        tally_.expect_current(span.place());
    }

    Tally& tally_;
    Place here_;
};

Task<void> run_transfer(Strand strand, Place parent) {
    const LineageSpan span(parent, "transfer");
    auto& tally = strand.stress->tally;
    tally.transfers.fetch_add(1, std::memory_order_relaxed);
    PieceListener listener(tally, span.place());
    http::HttpRequest request;
    request.method = "POST";
    request.url = strand.stress->server_url + "/v1/chat/completions" + span.place().query();
    request.headers = {{"Content-Type", "application/json"}};
    request.body = R"({"model":"m","stream":true,"messages":[{"role":"user","content":"go"}]})";
    const auto response = co_await strand.stress->client->stream(std::move(request), listener);
    count_suspension(strand, span.place());
    tally.transfers_done.fetch_add(1, std::memory_order_relaxed);
    if (!response || !response->is_success()) {
        tally.transfers_failed.fetch_add(1, std::memory_order_relaxed);
    }
}

Task<Result<int>> clean_up(Strand strand, Dice dice, Place parent) {
    const LineageSpan span(parent, "clean-up");
    co_await suspend(strand, dice, span.place());
    co_await suspend(strand, dice, span.place());
    strand.stress->tally.shields.fetch_add(1, std::memory_order_relaxed);
    co_return 1;
}

Task<void> run_steps(Strand strand, Dice& dice, const Place& here) {
    static_cast<void>(co_await nest(strand, dice, here, kDepthMax));
    co_await run_parallel(strand, dice, here);
    if (strand.stress->client != nullptr && dice.chance(strand.stress->options.transfer_percent)) {
        co_await run_transfer(strand, here);
    }
    if (dice.chance(20)) {
        co_await run_into_deadline(strand, dice, here);
    }
    static_cast<void>(co_await kTraced(strand, dice, here, kDepthMax - 2));
    strand.stress->tally.expect_current(here);
}

Task<void> run_body(Stress& stress, std::int64_t id, Dice dice) {
    const LineageSpan span(id);
    std::int64_t suspensions = 0;
    const Strand strand{&stress, &suspensions};
    std::exception_ptr failure;
    try {
        co_await run_steps(strand, dice, span.place());
    } catch (...) {
        failure = std::current_exception();
    }
    stress.tally.expect_current(span.place());
    if (async::is_cancelled(failure)) {
        stress.tally.tasks_cancelled.fetch_add(1, std::memory_order_relaxed);
    }
    if (failure && dice.chance(50)) {
        co_await async::even_if_cancelled;
        static_cast<void>(co_await async::shielded<int>(
            1h, clean_up(strand.for_child(), dice.fork(), span.place())
        ));
    }
    if (failure) {
        std::rethrow_exception(failure);
    }
    stress.tally.tasks_done.fetch_add(1, std::memory_order_relaxed);
    auto least = stress.tally.suspensions_min.load();
    while (suspensions < least &&
           !stress.tally.suspensions_min.compare_exchange_weak(least, suspensions)) {
    }
}

/// A number of turns on the loop hits every stage of a body, however busy the loop is.
Task<void> cancel_after(async::TaskGroup& group, int turns) {
    for (int i = 0; i < turns; ++i) {
        co_await async::yield_now();
    }
    group.cancel();
}

/// Ends the canceller when the body is through.
Task<void> run_until_done(
    async::TaskGroup& cancellers, Stress& stress, std::int64_t id, Dice dice
) {
    struct Stop {
        explicit Stop(async::TaskGroup& stopped) : group(stopped) {}

        ~Stop() { group.cancel(); }

        Stop(const Stop&) = delete;
        Stop& operator=(const Stop&) = delete;
        async::TaskGroup& group;
    };

    const Stop stop(cancellers);
    co_await run_body(stress, id, std::move(dice));
}

}  // namespace

Task<void> run_stress_task(Stress& stress, std::int64_t id) {
    Dice dice(stress.options.seed + static_cast<std::uint64_t>(id) * 0x9E3779B97F4A7C15ULL);
    const auto executor = co_await async::this_executor();
    async::TaskGroup body(executor);
    async::TaskGroup cancellers(executor);
    body.spawn(run_until_done, std::ref(cancellers), std::ref(stress), id, dice.fork());
    if (dice.chance(stress.options.cancelled_percent)) {
        cancellers.spawn(cancel_after, std::ref(body), dice.roll(kCancelTurns));
    }
    co_await body.join();
    co_await cancellers.join();
}

Task<void> run_stress_tasks(Stress& stress, std::int64_t first, std::int64_t step) {
    async::TaskGroup group(co_await async::this_executor());
    for (auto id = first; id < stress.options.tasks; id += step) {
        group.spawn(run_stress_task, std::ref(stress), id);
    }
    co_await group.join();
}

}  // namespace flowspan::stress
