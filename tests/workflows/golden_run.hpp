#pragma once
// One golden case: its files, and a run of it through the whole house in this process.

#include "cli/program.hpp"
#include "export/memory_sink.hpp"
#include "flowspan/async/runtime.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/base/result.hpp"
#include "model_server/script.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::golden {

/// `cancel_after_event` of input.json: aborts the run from within the given event.
struct CancelPoint {
    std::string event;
    std::string node_id;  ///< empty: any
    int count = 1;
};

struct GoldenCase {
    std::filesystem::path folder;
    std::string input_text;  ///< input.json; `$SERVER` in it stands for the server's address
    std::optional<model_server::Script> script;  ///< absent: the demo model answers
    std::string config_text;  ///< flowspan.toml; `$SERVER` in it too; empty: the defaults
    json::object knowledge;   ///< knowledge.json: dataset to documents with `name` and `text`
    std::optional<CancelPoint> cancel;
    /// Nodes run at once, in an order that nobody promises: lines are sorted by node.
    bool has_parallel_nodes = false;

    [[nodiscard]] static Result<GoldenCase> load(const std::filesystem::path& folder);
};

/// What a run said, as stable text.
struct Transcript {
    std::string events;
    std::string spans;

    bool operator==(const Transcript&) const = default;
};

struct GoldenRunOptions {
    std::size_t loops = 1;
    std::size_t runs = 1;          ///< at once
    std::size_t server_slice = 0;  ///< bytes a write of the model server; 0: whole pieces
};

/// Transcripts of all runs, each with its own program and server. Adds a gtest failure if a span
/// was not ended or not recorded.
[[nodiscard]] std::vector<Transcript> run_golden(
    const GoldenCase& golden, const GoldenRunOptions& options
);

}  // namespace flowspan::golden
