#include "tests/chaos/one_run.hpp"

#include "flowspan/async/task.hpp"
#include "flowspan/async/task_group.hpp"
#include "service/form_answer.hpp"
#include "service/loaded_app.hpp"

#include <fmt/format.h>

#include <chrono>
#include <set>
#include <utility>

namespace flowspan::chaos {

namespace {

/// What happens to one run, drawn before it starts; in events that its consumer has seen.
struct Fate {
    std::int64_t stop_after = -1;
    std::int64_t leave_after = -1;
    std::set<std::int64_t> pause_after;
};

/// Sees the events of all parts of a run.
class Consumer final : public engine::EventSink {
public:
    Consumer(Fate fate, engine::RunControl control)
        : fate_(std::move(fate)), control_(std::move(control)) {}

    void on_event(const engine::Event& /*event*/) override {
        ++events_;
        if (events_ == fate_.stop_after) {
            control_.abort("chaos");
        }
        if (fate_.pause_after.contains(events_)) {
            control_.pause("chaos");
        }
    }

    [[nodiscard]] bool should_leave() const noexcept {
        return fate_.leave_after >= 0 && events_ >= fate_.leave_after;
    }

    void control_next(engine::RunControl control) { control_ = std::move(control); }

private:
    Fate fate_;
    engine::RunControl control_;
    std::int64_t events_ = 0;
};

struct OneRun {
    service::GenerateRequest request;
    std::unique_ptr<Consumer> consumer;
    bool is_done = false;
};

/// Goes through text, as another process would have it, and answers every form.
Result<service::ResumeRequest> make_resume_request(
    const OneRun& run, const service::PausedRun& paused
) {
    service::ResumeRequest request;
    request.app = run.request.app;
    FLOWSPAN_TRY(request.paused, service::parse_paused_run(to_json_text(service::to_json(paused))));
    for (const auto& form : service::waiting_forms(*request.paused.run)) {
        FLOWSPAN_TRY(
            auto answer, service::check_form_answer(form, "yes", {{"comment", "all right"}})
        );
        request.answers[string_member(form, "form_id")] = std::move(answer);
    }
    return request;
}

Task<Result<service::GenerateResult>> generate_and_resume(Chaos* chaos, OneRun* run) {
    auto& service = chaos->program.generate_service();
    auto result = co_await service.generate(run->request, *run->consumer);
    while (result && result->paused) {
        ++chaos->tally.pauses;
        auto request = make_resume_request(*run, *result->paused);
        if (!request) {
            co_return failure(std::move(request).error());
        }
        run->consumer->control_next(request->control);
        ++chaos->tally.resumptions;
        result = co_await service.resume(*request, *run->consumer);
    }
    co_return result;
}

Task<void> generate(Chaos* chaos, OneRun* run) {
    struct Done {
        explicit Done(OneRun& the_run) : run(the_run) {}

        ~Done() { run.is_done = true; }

        Done(const Done&) = delete;
        Done& operator=(const Done&) = delete;
        OneRun& run;
    };

    const Done done(*run);
    chaos->tally.add(co_await generate_and_resume(chaos, run));
}

Fate draw_fate(const ChaosOptions& options, Random& random) {
    const auto dice = [&random] { return static_cast<int>(random.next() % 100); };
    const auto event = [&random] { return static_cast<std::int64_t>(random.next() % 12) + 1; };
    Fate fate;
    if (const auto drawn = dice(); drawn < options.stopped_percent) {
        fate.stop_after = event();
    } else if (drawn < options.stopped_percent + options.left_percent) {
        fate.leave_after = event();
    }
    if (dice() < options.paused_percent) {
        for (auto count = random.next() % 3 + 1; count > 0; --count) {
            fate.pause_after.insert(event() + event());
        }
    }
    return fate;
}

}  // namespace

void Tally::add(const Result<service::GenerateResult>& result) {
    if (!result) {
        ++refused;
        return;
    }
    switch (result->run.status) {
        case engine::RunStatus::succeeded:
            ++succeeded;
            break;
        case engine::RunStatus::partial_succeeded:
            ++partial;
            break;
        case engine::RunStatus::stopped:
            ++stopped;
            break;
        default:
            ++failed;
            break;
    }
}

Task<void> run_one(Chaos* chaos, std::int64_t number) {
    const auto random =
        make_seeded_random(chaos->options.seed + static_cast<std::uint64_t>(number) * 7919);
    OneRun run;
    run.request.app = chaos->apps[random->next() % chaos->apps.size()];
    auto fate = draw_fate(chaos->options, *random);
    const bool may_leave = fate.leave_after >= 0;
    run.request.query = "refunds";
    run.request.user = fmt::format("u{}", number);
    run.request.invoke_from = "test";
    run.consumer = std::make_unique<Consumer>(std::move(fate), run.request.control);
    async::TaskGroup group(co_await async::this_executor());
    group.spawn(generate, chaos, &run);
    if (may_leave) {
        // Looks now and then, so that leaving hits every moment of a run.
        while (!run.is_done && !run.consumer->should_leave()) {
            co_await async::sleep(std::chrono::milliseconds(1));
        }
        if (!run.is_done) {
            ++chaos->tally.left;
            group.cancel();
        }
    }
    co_await group.join();
}

}  // namespace flowspan::chaos
