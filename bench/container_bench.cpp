#include "benches.hpp"
#include "host.hpp"
#include "sample_apps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace flowspan::bench {

namespace {

/// Keeps how much the container's result holds.
class ResultSink final : public engine::EventSink {
public:
    void on_event(const engine::Event& event) override {
        const auto* succeeded = std::get_if<engine::NodeRunSucceeded>(&event);
        if (succeeded == nullptr || succeeded->node->node_id != "rounds") {
            return;
        }
        for (const auto& output : succeeded->result->outputs) {
            bytes_ += held_bytes(output.value.json());
        }
        bytes_ += held_bytes(succeeded->result->record.metadata);
    }

    [[nodiscard]] double bytes() const noexcept { return static_cast<double>(bytes_); }

private:
    static std::size_t held_bytes(const json::value& data) {
        std::size_t bytes = sizeof data;
        if (const auto* text = data.if_string()) {
            return bytes + text->capacity();
        }
        if (const auto* list = data.if_array()) {
            for (const auto& item : *list) {
                bytes += held_bytes(item);
            }
        } else if (const auto* object = data.if_object()) {
            bytes += held_bytes(*object);
        }
        return bytes;
    }

    static std::size_t held_bytes(const json::object& object) {
        std::size_t bytes = 0;
        for (const auto& member : object) {
            // A member's key is a text of its own beside the links of the table.
            bytes += sizeof(json::key_value_pair) - sizeof(json::value) + member.key().size() +
                     held_bytes(member.value());
        }
        return bytes;
    }

    std::size_t bytes_ = 0;
};

struct RunCost {
    double microseconds = 0;  ///< a step: each node that ran, containers' start nodes included
    double peak_bytes = 0;    ///< more than before the run
    double result_bytes = 0;  ///< what the container's result holds
};

Task<double> run_once(
    service::AppGenerateService* service, service::GenerateRequest request, ResultSink* sink
) {
    const auto start = real_clock().steady_now();
    const auto result = co_await service->generate(std::move(request), *sink);
    const std::chrono::duration<double, std::micro> elapsed = real_clock().steady_now() - start;
    if (!result || result->run.status != engine::RunStatus::succeeded) {
        give_up("a run of a container did not succeed");
    }
    co_return elapsed.count() / static_cast<double>(result->run.steps);
}

RunCost run_container(
    Host& host, const std::shared_ptr<const service::LoadedApp>& app, int rounds, std::size_t text
) {
    auto request = make_request(app);
    request.inputs["text"] = std::string(text, 'x');
    json::array items;
    for (int i = 0; i < rounds; ++i) {
        items.emplace_back(i);
    }
    request.inputs["list"] = json::object{{"items", std::move(items)}};
    ResultSink sink;
    RunCost cost;
    reset_peak_resident();
    const auto before = resident_kb();
    cost.microseconds = host.program().runtime().block_on(
        run_once, &host.program().generate_service(), std::move(request), &sink
    );
    const auto peak = peak_resident_kb();
    cost.peak_bytes = static_cast<double>(peak - std::min(before, peak)) * 1024;
    cost.result_bytes = sink.bytes();
    return cost;
}

constexpr int kRounds = 10'000;
// Long enough that what a result holds is texts rather than the bookkeeping around them.
constexpr std::size_t kTextBytes = 2000;

struct ContainerCase {
    std::string name;
    std::string app_text;
    std::string short_app_text;
};

std::vector<Measurement> measure(const Effort& effort, Host& host, const ContainerCase& container) {
    const auto& name = container.name;
    Measurement step{
        name + "_step_us",
        fmt::format("{} of 10,000 rounds, a step, tracing off", name),
        "us",
        {},
        5
    };
    Measurement linear{
        name + "_linear_ratio",
        fmt::format("{}: time of a step with 10,000 rounds beside 1,000", name),
        "times",
        {},
        1.2
    };
    Measurement memory{
        name + "_memory_ratio",
        fmt::format("{} of 10,000 rounds: peak memory beside what the result holds", name),
        "times",
        {},
        1.2
    };
    const auto app = host.load(container.app_text);
    const auto short_app = host.load(container.short_app_text);
    // The first large run also sizes the heap, so it is the one that shows its true memory.
    const auto large = run_container(host, app, kRounds, kTextBytes);
    memory.runs.push_back(large.peak_bytes / large.result_bytes);
    for (int i = 0; i < effort.pick(15, 2); ++i) {
        const auto few = run_container(host, short_app, kRounds / 10, 20);
        const auto many = run_container(host, app, kRounds, 20);
        step.runs.push_back(many.microseconds);
        linear.runs.push_back(many.microseconds / few.microseconds);
    }
    return {std::move(step), std::move(linear), std::move(memory)};
}

}  // namespace

std::vector<Measurement> measure_containers(const Effort& effort) {
    pin_to_core(choose_cores().program);
    std::vector<Measurement> results;
    const ContainerCase cases[] = {
        {"iteration", make_iteration_app(), make_iteration_app()},
        {"loop", make_loop_app(kRounds), make_loop_app(kRounds / 10)},
    };
    for (const auto& container : cases) {
        Host host(Host::Tracing::off);
        std::ranges::move(measure(effort, host, container), std::back_inserter(results));
    }
    unpin();
    return results;
}

}  // namespace flowspan::bench
