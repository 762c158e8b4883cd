#include "cli/graph_command.hpp"

#include "cli/config.hpp"
#include "cli/problem_text.hpp"
#include "cli/program.hpp"
#include "draw/diagram.hpp"
#include "draw/label.hpp"
#include "draw/svg_drawing.hpp"
#include "draw/text_drawing.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>
#include <string>
#include <system_error>
#include <vector>

namespace flowspan::cli {

namespace {

ExitCode refuse(const std::string& text) {
    write_error("flowspan: " + text + "\n");
    return ExitCode::bad_usage;
}

/// Asks each node by itself, because a problem names its place but not its node.
std::set<std::string, std::less<>> find_unsupported(
    const dsl::Graph& graph, const engine::NodeFactory& factory
) {
    std::set<std::string, std::less<>> ids;
    for (const auto& spec : graph.nodes) {
        std::vector<dsl::Problem> problems;
        [[maybe_unused]] const auto node = factory.build(spec, problems);
        const bool is_unsupported = std::ranges::any_of(problems, [](const auto& problem) {
            return problem.severity == dsl::Problem::Severity::unsupported;
        });
        if (is_unsupported) {
            ids.insert(spec.id);
        }
    }
    return ids;
}

std::string name_of(const dsl::App& app) {
    return app.name.empty() ? app.file : app.name;
}

std::string draw_as_text(
    const dsl::App& app, const draw::Diagram& diagram, const draw::TextOptions& options
) {
    return fmt::format(
               "{}  {}, {}, {}\n\n",
               draw::to_single_line(name_of(app)),
               dsl::to_string(app.mode),
               count_text(std::ssize(app.graph.nodes), "node"),
               count_text(std::ssize(app.graph.edges), "edge")
           ) +
           draw::draw_text(diagram, options);
}

/// A file may be read anywhere later, so only a terminal limits width and has colour.
draw::TextOptions text_options(const GraphOptions& options, const Terminal& terminal) {
    const bool is_for_terminal = options.output.empty() && terminal.is_output_terminal;
    draw::TextOptions text;
    text.width = is_for_terminal ? terminal.width : 0;
    text.has_unicode = terminal.has_unicode || !is_for_terminal;
    text.has_color = is_for_terminal && terminal.has_color;
    return text;
}

Result<void> write_file(const std::string& path, std::string_view content) {
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(
        std::fopen(path.c_str(), "wbe"), &std::fclose
    );
    const bool is_written =
        file != nullptr &&
        std::fwrite(content.data(), 1, content.size(), file.get()) == content.size() &&
        std::fflush(file.get()) == 0;
    if (!is_written) {
        const auto reason = std::generic_category().message(errno);
        return failure(
            ErrorCode::invalid_input, fmt::format("cannot write `{}`: {}", path, reason)
        );
    }
    return {};
}

}  // namespace

ExitCode draw_graph(const GraphOptions& options, const Terminal& terminal) {
    const auto config = load_config(options.config);
    if (!config) {
        return refuse(config.error().message);
    }
    const OfflineRegistry registry(*config);
    const auto check = service::check_app_file(options.file, registry.factory());
    if (!check.app) {
        write_error(problem_lines(check));
        return refuse(refusal(check));
    }
    const auto& app = check.app->app;
    if (check.app->graph == nullptr) {
        return refuse(fmt::format(
            "`{}` is an app of mode {}, which has no graph", options.file, dsl::to_string(app.mode)
        ));
    }
    const auto diagram =
        draw::make_diagram(app.graph, find_unsupported(app.graph, registry.factory()));
    const auto drawing = options.is_svg || options.output.ends_with(".svg")
                             ? draw::draw_svg(diagram, name_of(app))
                             : draw_as_text(app, diagram, text_options(options, terminal));
    if (options.output.empty()) {
        write_output(drawing);
    } else if (const auto written = write_file(options.output, drawing); !written) {
        return refuse(written.error().message);
    }
    return ExitCode::done;
}

}  // namespace flowspan::cli
