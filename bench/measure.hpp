#pragma once
// What every bench needs: numbers with their runs, the machine, the process's memory.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::bench {

/// One line of the table: `runs` are single measurements in `unit`; the median is the result.
struct Measurement {
    std::string key;
    std::string title;
    std::string unit;
    std::vector<double> runs;
    std::optional<double> target;  ///< at most

    [[nodiscard]] double median() const;

    [[nodiscard]] bool is_met() const { return !target || median() <= *target; }
};

/// 0 <= share <= 1; nearest rank. `values` must not be empty.
[[nodiscard]] double quantile(std::vector<double> values, double share);

/// Microseconds that `work` takes.
[[nodiscard]] double time_us(const std::function<void()>& work);

/// Keeps this thread, and those it starts from now on, on one core. False if the system refuses.
bool pin_to_core(int core);

/// Back to all cores that the process had when it started.
void unpin();

/// As many file descriptors as the system allows.
void raise_descriptor_limit();

/// Of this process, in KB.
[[nodiscard]] std::size_t resident_kb();
[[nodiscard]] std::size_t peak_resident_kb();

/// Peak memory counts from now on.
void reset_peak_resident();

struct Machine {
    std::string cpu;
    std::size_t cores = 0;
    std::size_t memory_mb = 0;
    std::string kernel;
    std::string compiler;
    std::string build;
};

[[nodiscard]] Machine describe_machine();

}  // namespace flowspan::bench
