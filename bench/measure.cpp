#include "measure.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string_view>
#include <thread>

namespace flowspan::bench {

namespace {

// The value behind `name` in a file of `name: value` lines.
std::string find_line(const char* path, std::string_view name) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name)) {
            const auto colon = line.find(':');
            return std::string(trim(std::string_view(line).substr(colon + 1)));
        }
    }
    return {};
}

std::size_t find_kb(const char* path, std::string_view name) {
    const auto text = find_line(path, name);
    std::size_t kb = 0;
    std::from_chars(text.data(), text.data() + text.size(), kb);
    return kb;
}

cpu_set_t& initial_cores() {
    static cpu_set_t cores = [] {
        cpu_set_t set;
        CPU_ZERO(&set);
        sched_getaffinity(0, sizeof(set), &set);
        return set;
    }();
    return cores;
}

}  // namespace

double Measurement::median() const {
    auto sorted = runs;
    std::ranges::sort(sorted);
    const auto middle = sorted.size() / 2;
    return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

double quantile(std::vector<double> values, double share) {
    std::ranges::sort(values);
    const auto rank = std::ceil(share * static_cast<double>(values.size()));
    return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

double time_us(const std::function<void()>& work) {
    const auto start = real_clock().steady_now();
    work();
    return std::chrono::duration<double, std::micro>(real_clock().steady_now() - start).count();
}

bool pin_to_core(int core) {
    static_cast<void>(initial_cores());
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    return sched_setaffinity(0, sizeof(set), &set) == 0;
}

void unpin() {
    sched_setaffinity(0, sizeof(cpu_set_t), &initial_cores());
}

void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

std::size_t resident_kb() {
    return find_kb("/proc/self/status", "VmRSS");
}

std::size_t peak_resident_kb() {
    return find_kb("/proc/self/status", "VmHWM");
}

void reset_peak_resident() {
    // 5: reset the peak, see proc(5).
    std::ofstream("/proc/self/clear_refs") << "5";
}

Machine describe_machine() {
    Machine machine;
    machine.cpu = find_line("/proc/cpuinfo", "model name");
    machine.cores = std::thread::hardware_concurrency();
    machine.memory_mb = find_kb("/proc/meminfo", "MemTotal") / 1024;
    utsname name{};
    if (uname(&name) == 0) {
        machine.kernel = fmt::format("{} {}", name.sysname, name.release);
    }
    machine.compiler = "Clang " __clang_version__;
    machine.build = FLOWSPAN_BENCH_BUILD;
    return machine;
}

}  // namespace flowspan::bench
