#pragma once
// What `flowspan trace` can be told.

#include <cstdint>
#include <optional>
#include <string>

// The library's own name.
namespace CLI {  // NOLINT(readability-identifier-naming)
class App;
}

namespace flowspan::cli {

enum class TraceAction : std::uint8_t { list, show, follow, status, test, score, content };

struct TraceOptions {
    TraceAction action = TraceAction::list;
    std::string config;
    std::string store;     ///< the store's file; empty: as configured
    std::string trace_id;  ///< a prefix is enough
    std::string app;
    std::string status;
    std::string since;  ///< `2h`, `7d`, `2026-01-31`
    std::int64_t limit = 20;
    std::int64_t process_limit = 3;
    bool is_json = false;
    // Scores.
    std::string score_name;
    std::optional<double> score_value;
    std::string score_label;
    std::string score_comment;
    std::string score_source = "user";
    std::string span_id;    ///< empty: the trace's root
    std::string reference;  ///< of stored content
};

void add_trace(CLI::App& program, TraceOptions& options);

}  // namespace flowspan::cli
