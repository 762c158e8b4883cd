#pragma once
// Scores: feedback and evaluations that come after a run and attach to its trace.

#include "flowspan/trace/tracer.hpp"

#include <opentelemetry/trace/span_context.h>

#include <optional>
#include <string>

namespace flowspan::trace {

struct Score {
    std::string name;             ///< what was judged: `helpful`, `user-feedback`
    std::optional<double> value;  ///< a number, or
    std::string label;            ///< a word; both may be given
    std::string comment;          ///< why; goes out as it is but for secrets
    std::string source;           ///< who judged: `user`, `annotator`, a program's name
    std::string session_id;       ///< of the run, if known
    bool is_of_step = false;      ///< judges the target alone rather than the whole trace
};

/// Adds a span `score <name>` to the trace of `target`, below it, now. It goes where all spans go;
/// dialects make of it what their back ends call a score. Does nothing while tracing is off.
void record_score(const Score& score, const opentelemetry::trace::SpanContext& target);

}  // namespace flowspan::trace
