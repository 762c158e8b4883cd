// Spans around a program's own coroutines. The current span belongs to the task: it is right after
// every co_await, whatever other tasks did on the same thread meanwhile.

#include <flowspan/async/runtime.hpp>
#include <flowspan/async/task_group.hpp>
#include <flowspan/export/provider.hpp>
#include <flowspan/trace/trace_span.hpp>

#include <chrono>
#include <cstdint>
#include <string>

using namespace std::chrono_literals;
using flowspan::Task;

namespace {

// Names the span and writes attributes; a program's own names need no table.
struct LookUp {
    std::string span_name(const std::string& city) const { return "look up " + city; }

    void on_start(flowspan::trace::Span& span, const std::string& city) const {
        flowspan::trace::set(span, "weather.city", city);
    }

    void on_result(flowspan::trace::Span& span, const int& degrees) const {
        flowspan::trace::set(span, "weather.degrees", std::int64_t{degrees});
    }
};

Task<int> ask_the_sky(std::string city) {
    co_await flowspan::async::sleep(5ms);
    // Anything that uses the OpenTelemetry API finds its parent by itself.
    auto span = flowspan::trace::tracer().StartSpan("the sky");
    co_await flowspan::async::sleep(1ms);
    span->End();
    co_return city == "Oslo" ? 4 : 21;
}

struct Report {
    std::string span_name() const { return "report"; }
};

Task<void> look_up(std::string city) {
    const auto traced = flowspan::trace::trace_span<LookUp>(ask_the_sky);
    static_cast<void>(co_await traced(city));
}

Task<void> look_up_all() {
    // Children start with a copy of their parent's current context.
    flowspan::async::TaskGroup group(co_await flowspan::async::this_executor());
    group.spawn(look_up, std::string("Oslo"));
    group.spawn(look_up, std::string("Rome"));
    co_await group.join();
}

Task<void> report() {
    const auto traced = flowspan::trace::trace_span<Report>(look_up_all);
    co_await traced();
}

}  // namespace

int main() {
    auto telemetry = flowspan::exporting::Telemetry::start(
        flowspan::exporting::TelemetryConfig::from_environment()
    );
    if (!telemetry) {
        return 2;
    }
    flowspan::async::Runtime runtime({.loops = 2});
    runtime.block_on(report);
    return (*telemetry)->shutdown().lost == 0 ? 0 : 1;
}
