#pragma once
// An app ready to run: its file's content and the compiled graph.

#include "dsl/app.hpp"
#include "engine/graph.hpp"

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::service {

struct LoadedApp {
    dsl::App app;
    std::string source;                          ///< the file's text
    std::shared_ptr<const engine::Graph> graph;  ///< shared by all runs; null for modes without one
};

/// What checking a file found. `app` is set if it loads; some of its nodes may still fail if a run
/// reaches them, as `has_node_errors` and `has_unsupported` say.
struct AppCheck {
    std::string file;
    std::string mode;
    std::string version;
    bool is_not_an_app = false;
    std::vector<dsl::Problem> problems;  ///< in the order of their place in the file
    std::shared_ptr<const LoadedApp> app;

    [[nodiscard]] bool has_errors() const noexcept;
    [[nodiscard]] bool has_node_errors() const noexcept;
    [[nodiscard]] bool has_unsupported() const noexcept;
};

/// Loads a file and builds all its nodes; collects every problem.
[[nodiscard]] AppCheck check_app_file(
    const std::filesystem::path& path, const engine::NodeFactory& factory
);

/// The same for text that is already in memory; `file` is used in messages.
[[nodiscard]] AppCheck check_app_text(
    std::string_view text, std::string file, const engine::NodeFactory& factory
);

}  // namespace flowspan::service
