#include "cli/run_display.hpp"

#include "flowspan/trace/tracer.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>

namespace flowspan::cli {

namespace {

std::string current_trace_id() {
    const auto context = trace::tracer().GetCurrentSpan()->GetContext();
    if (!context.IsValid()) {
        return {};
    }
    std::array<char, 32> text{};
    context.trace_id().ToLowerBase16(text);
    return {text.data(), text.size()};
}

std::string format_duration(std::chrono::nanoseconds duration) {
    const double milliseconds = std::chrono::duration<double, std::milli>(duration).count();
    return milliseconds < 1000 ? fmt::format("{:.1f} ms", milliseconds)
                               : fmt::format("{:.2f} s", milliseconds / 1000);
}

}  // namespace

RunDisplay::RunDisplay(const RunOptions& options, const Terminal& terminal)
    : shows_text_(!options.is_json && !options.has_events),
      shows_progress_(terminal.is_error_terminal && !options.is_quiet && !options.has_events),
      shows_warnings_(!options.is_quiet && !options.has_events),
      has_color_(terminal.has_color) {}

void RunDisplay::show_text(std::string_view text) {
    text_ += text;
    if (!shows_text_ || text.empty()) {
        return;
    }
    write_output(text);
    is_mid_line_ = text.back() != '\n';
}

void RunDisplay::finish_line() {
    if (is_mid_line_) {
        write_output("\n");
        is_mid_line_ = false;
    }
}

void RunDisplay::show_node(const engine::NodeRun& node, const engine::NodeResult& result) {
    if (!shows_progress_ || is_mid_line_) {
        // Progress never cuts into a line of the answer.
        return;
    }
    const bool is_good = result.status == engine::NodeStatus::succeeded;
    const auto* mark = is_good ? "✓" : (result.error_strategy.empty() ? "✗" : "!");
    const auto line = fmt::format(
        "{} {} ({}) {}{}",
        mark,
        node.title.empty() ? node.node_id : node.title,
        node.node_type,
        format_duration(result.finished_at - node.started_at),
        result.error ? "  " + result.error->message : ""
    );
    write_error(has_color_ ? fmt::format("\x1b[2m{}\x1b[0m\n", line) : line + "\n");
}

void RunDisplay::on_event(const engine::Event& event) {
    if (trace_id_.empty()) {
        trace_id_ = current_trace_id();
    }
    if (const auto* chunk = std::get_if<engine::NodeRunStreamChunk>(&event)) {
        show_text(chunk->chunk);
    } else if (const auto* succeeded = std::get_if<engine::NodeRunSucceeded>(&event)) {
        show_node(*succeeded->node, *succeeded->result);
    } else if (const auto* failed = std::get_if<engine::NodeRunFailed>(&event)) {
        show_node(*failed->node, *failed->result);
        const auto& node = *failed->node;
        failed_node_ = node.title.empty() ? std::string(node.node_id)
                                          : fmt::format("{} ({})", node.title, node.node_id);
    } else if (const auto* handled = std::get_if<engine::NodeRunException>(&event)) {
        show_node(*handled->node, *handled->result);
    } else if (const auto* warning = std::get_if<engine::NodeRunWarning>(&event)) {
        if (shows_warnings_) {
            finish_line();
            write_error(fmt::format("! {}: {}\n", warning->node->title, warning->message));
        }
    }
}

void EventPrinter::on_event(engine::RunView& /*run*/, const engine::Event& event) {
    if (const auto object = engine::to_json(event)) {
        write_output(value::python_json(*object) + "\n");
    }
}

}  // namespace flowspan::cli
