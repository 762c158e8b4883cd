#pragma once

// How log lines look, and what they must not hold.

#include "flowspan/trace/redactor.hpp"

#include <memory>

namespace flowspan::cli {

/// `flowspan: <message>`, without the secrets of the run that the line comes from; outside of runs
/// without those that `redactor` knows. Call while nobody logs.
void set_log_format(
    const std::shared_ptr<const trace::Redactor>& redactor = trace::Redactor::make_default()
);

}  // namespace flowspan::cli
