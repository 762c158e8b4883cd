#pragma once
// Results as a table for people, JSON for programs and Markdown for docs/performance.md.

#include "measure.hpp"

#include <string>
#include <vector>

namespace flowspan::bench {

[[nodiscard]] std::string to_table(const std::vector<Measurement>& results);

/// One member a measurement: {median, runs, unit, target}, and `machine`.
[[nodiscard]] std::string to_json(const std::vector<Measurement>& results, const Machine& machine);

/// A page: machine, how it was measured, measured beside target.
[[nodiscard]] std::string to_markdown(
    const std::vector<Measurement>& results, const Machine& machine
);

}  // namespace flowspan::bench
