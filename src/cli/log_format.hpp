#pragma once

// How log lines look, and what they must not hold.

namespace flowspan::cli {

/// `flowspan: <message>`, without the secrets of the run that the line comes from.
void set_log_format();

}  // namespace flowspan::cli
