#pragma once
// What a person sees while a run goes on: the answer as it comes, and the nodes' progress.

#include "cli/options.hpp"
#include "cli/terminal.hpp"
#include "flowspan/engine/event.hpp"
#include "flowspan/engine/layer.hpp"

#include <string>

namespace flowspan::cli {

/// Streams text to standard output (unless JSON is wanted there) and progress to a terminal on
/// standard error.
class RunDisplay final : public engine::EventSink {
public:
    RunDisplay(const RunOptions& options, const Terminal& terminal);

    void on_event(const engine::Event& event) override;

    /// All text that was streamed.
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    /// Hex id of the run's trace; empty if nothing started or tracing is off.
    [[nodiscard]] const std::string& trace_id() const noexcept { return trace_id_; }

    /// The node that ended the run, as people know it; empty if none did.
    [[nodiscard]] const std::string& failed_node() const noexcept { return failed_node_; }

    /// Ends an unfinished line of streamed text.
    void finish_line();

private:
    void show_text(std::string_view text);
    void show_node(const engine::NodeRun& node, const engine::NodeResult& result);

    bool shows_text_;
    bool shows_progress_;
    bool shows_warnings_;
    bool has_color_;
    bool is_mid_line_ = false;
    std::string text_;
    std::string trace_id_;
    std::string failed_node_;
};

/// Prints every raw event as a JSON line.
class EventPrinter final : public engine::Layer {
public:
    std::string_view name() const noexcept override { return "event printer"; }

    void on_event(engine::RunView& run, const engine::Event& event) override;
};

}  // namespace flowspan::cli
