#pragma once
// What the span store keeps: spans, the sums of each trace, and the processes that wrote them.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::store {

/// One span as it is known now. Times are nanoseconds since 1970, UTC.
struct SpanRow {
    std::string trace_id;  ///< 32 hex digits
    std::string span_id;   ///< 16 hex digits
    std::int64_t process_id = 0;
    std::int64_t start_ns = 0;
    std::int64_t end_ns = 0;    ///< 0 while it runs
    std::int64_t sequence = 0;  ///< its place in the order in which its process ended spans
    std::string record;         ///< the whole span, in the writer's format
};

/// What a write adds to the sums of a trace; texts that are empty leave what is there.
struct TraceDelta {
    std::string trace_id;
    std::int64_t start_ns = 0;
    std::int64_t last_ns = 0;  ///< the latest time known
    std::int64_t spans = 0;
    std::int64_t open = 0;
    std::int64_t errors = 0;
    std::int64_t interrupted = 0;
    std::int64_t tokens = 0;
    std::int64_t bytes = 0;
    std::string root_name;
    std::string app_id;
    std::string app_name;
    std::string status;
};

/// Why the spans of a trace were exported, or not.
struct Judgement {
    std::string trace_id;
    std::string text;
};

struct TraceRow {
    std::string trace_id;
    std::int64_t start_ns = 0;
    std::int64_t last_ns = 0;
    std::int64_t spans = 0;
    std::int64_t open = 0;
    std::int64_t errors = 0;
    std::int64_t interrupted = 0;
    std::int64_t tokens = 0;
    std::int64_t bytes = 0;
    std::string root_name;
    std::string app_id;
    std::string app_name;
    /// `running`, else the status written last, else `failed` or `ok` by the spans' errors.
    std::string status;
    std::string sampling;
};

/// A process that writes or wrote to the store.
struct ProcessRow {
    std::int64_t id = 0;
    std::int64_t pid = 0;
    std::string resource;  ///< who it was, in the writer's format
    std::int64_t started_ns = 0;
    std::int64_t seen_ns = 0;   ///< its last write
    std::int64_t ended_ns = 0;  ///< 0: it did not end in order, or has not ended
    bool is_crashed = false;    ///< it went away without ending; its open spans are closed
    std::string books;          ///< where its spans are, in the writer's format
};

/// One transaction of a writer.
struct SpanWrite {
    std::vector<SpanRow> spans;
    std::vector<TraceDelta> traces;
    std::vector<Judgement> judgements;  ///< of traces that are there
    std::optional<ProcessRow> process;  ///< seen_ns, ended_ns, is_crashed and books are written
};

struct TraceFilter {
    std::string app = {};       ///< part of the app's name, ignoring case, or its id
    std::string status = {};    ///< as TraceRow has it
    std::int64_t since_ns = 0;  ///< started at or after
    std::int64_t limit = 20;
};

}  // namespace flowspan::store
