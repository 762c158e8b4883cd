#include "service/loaded_app.hpp"

#include "dsl/loader.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

namespace flowspan::service {

namespace {

bool has(const std::vector<dsl::Problem>& problems, dsl::Problem::Severity severity) {
    return std::ranges::find(problems, severity, &dsl::Problem::severity) != problems.end();
}

bool is_graph_mode(dsl::AppMode mode) {
    return mode == dsl::AppMode::workflow || mode == dsl::AppMode::advanced_chat;
}

AppCheck compile(dsl::LoadResult loaded, std::string file, const engine::NodeFactory& factory) {
    AppCheck check;
    check.file = std::move(file);
    check.mode = std::move(loaded.mode);
    check.version = std::move(loaded.version);
    check.is_not_an_app = loaded.is_not_an_app;
    check.problems = std::move(loaded.problems);
    if (loaded.app) {
        auto app = std::make_shared<LoadedApp>();
        app->app = *std::move(loaded.app);
        app->source = std::move(loaded.source);
        if (is_graph_mode(app->app.mode)) {
            app->graph = engine::Graph::compile(app->app.graph, factory, check.problems);
        }
        if (!check.has_errors() && (app->graph || !is_graph_mode(app->app.mode))) {
            check.app = std::move(app);
        }
    }
    std::ranges::sort(check.problems, {}, [](const dsl::Problem& problem) {
        return std::tuple(
            problem.position.line,
            problem.position.column,
            std::string_view(problem.code),
            std::string_view(problem.message)
        );
    });
    return check;
}

}  // namespace

bool AppCheck::has_errors() const noexcept {
    return has(problems, dsl::Problem::Severity::error);
}

bool AppCheck::has_node_errors() const noexcept {
    return has(problems, dsl::Problem::Severity::node_error);
}

bool AppCheck::has_unsupported() const noexcept {
    return has(problems, dsl::Problem::Severity::unsupported);
}

AppCheck check_app_file(const std::filesystem::path& path, const engine::NodeFactory& factory) {
    return compile(dsl::load_app_file(path), path.string(), factory);
}

AppCheck check_app_text(
    std::string_view text, std::string file, const engine::NodeFactory& factory
) {
    auto loaded = dsl::load_app(text, file);
    return compile(std::move(loaded), std::move(file), factory);
}

}  // namespace flowspan::service
