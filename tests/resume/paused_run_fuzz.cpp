// Feeds damaged files of paused runs to what reads them, and goes on with those that are taken,
// with real nodes whose services answer nothing: it must refuse or go on, never crash or hang.

#include "engine/limits_layer.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/error.hpp"
#include "flowspan/engine/engine.hpp"
#include "nodes/registry.hpp"
#include "nodes/testing/fake_services.hpp"
#include "service/form_answer.hpp"
#include "service/loaded_app.hpp"
#include "service/paused_run.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>

extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t max_size);

namespace {

using namespace flowspan;

constexpr std::int64_t kStepsMax = 40;

class NoEvents final : public engine::EventSink {
public:
    void on_event(const engine::Event& /*event*/) override {}
};

Task<engine::RunResult> run(const engine::RunRequest* request) {
    NoEvents events;
    const engine::RunControl control;
    engine::LimitsLayer limits(kStepsMax);
    engine::GraphEngine engine(*request, real_clock(), real_random(), control);
    engine.add_layer(limits);
    co_return co_await engine.run(events);
}

json::object answer_all(const engine::RunSnapshot& snapshot) {
    json::object answers;
    for (const auto& form : service::waiting_forms(snapshot)) {
        if (auto answer = service::check_form_answer(form, "yes", {{"c", "all right"}})) {
            answers[string_member(form, "form_id")] = *std::move(answer);
        }
    }
    return answers;
}

/// Goes on until the run ends, pauses or has taken its steps.
void go_on(const service::PausedRun& paused) {
    nodes::testing::FakeServices fakes;
    const nodes::Registry registry(fakes.services());
    const auto check = service::check_app_text(paused.app_source, "fuzz.yml", registry);
    if (check.app == nullptr || check.app->graph == nullptr ||
        !engine::check_snapshot(*paused.run, *check.app->graph)) {
        return;
    }
    engine::RunRequest request;
    request.graph = check.app->graph;
    request.info = std::make_shared<const engine::RunInfo>(paused.run->info);
    request.variables = *paused.run->root.variables;
    request.limits.time_max = std::chrono::milliseconds(500);
    request.resume_from = paused.run;
    request.answers = answer_all(*paused.run);
    async::Runtime runtime({.loops = 1});
    const auto result = runtime.block_on(run, &request);
    if (result.snapshot) {
        FLOWSPAN_ASSERT(
            engine::parse_run_snapshot(engine::to_json(*result.snapshot)),
            "a run paused that nobody can resume"
        );
    }
}

/// A part of the value, chosen at random.
json::value& pick(json::value& value, std::minstd_rand& random) {
    auto* at = &value;
    while (at->is_structured() && random() % 8 != 0) {
        if (auto* array = at->if_array(); array != nullptr && !array->empty()) {
            at = &(*array)[random() % array->size()];
        } else if (auto* object = at->if_object(); object != nullptr && !object->empty()) {
            at = &(object->begin() + random() % object->size())->value();
        } else {
            break;
        }
    }
    return *at;
}

void damage(json::value& file, std::minstd_rand& random) {
    constexpr std::array<std::int64_t, 6> kNumbers = {0, -1, 2, 1'000'000, INT64_MAX, INT64_MIN};
    auto& part = pick(file, random);
    switch (random() % 6) {
        case 0:
            part = kNumbers.at(random() % kNumbers.size());
            break;
        case 1:
            part = json::value(pick(file, random));
            break;
        case 2:
            part = nullptr;
            break;
        case 3:
            if (auto* array = part.if_array(); array != nullptr && !array->empty()) {
                array->push_back(json::value((*array)[random() % array->size()]));
            }
            break;
        case 4:
            if (auto* array = part.if_array(); array != nullptr && !array->empty()) {
                array->pop_back();
            } else if (auto* object = part.if_object(); object != nullptr && !object->empty()) {
                object->erase(object->begin() + random() % object->size());
            }
            break;
        default:
            part = random() % 2 == 0;
    }
}

}  // namespace

/// Half of the mutations keep the file JSON: bytes that are no JSON are refused at once.
extern "C" std::size_t LLVMFuzzerCustomMutator(
    std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned int seed
) {
    std::minstd_rand random(seed);
    auto file = parse_json({reinterpret_cast<const char*>(data), size});
    if (!file || random() % 4 == 0) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    for (auto count = 1 + random() % 3; count > 0; --count) {
        damage(*file, random);
    }
    const auto text = to_json_text(*file);
    if (text.size() > max_size) {
        return LLVMFuzzerMutate(data, size, max_size);
    }
    std::ranges::copy(text, data);
    return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto paused = service::parse_paused_run({reinterpret_cast<const char*>(data), size});
    if (!paused) {
        return 0;
    }
    const auto text = to_json_text(service::to_json(*paused));
    const auto again = service::parse_paused_run(text);
    FLOWSPAN_ASSERT(
        again && to_json_text(service::to_json(*again)) == text,
        "what was read is written and read differently"
    );
    go_on(*paused);
    return 0;
}
