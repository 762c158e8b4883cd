#include "observe/observability_layer.hpp"

#include "observe/run_spans.hpp"

namespace flowspan::observe {

namespace {

// Null while tracing is off.
RunSpans* find_spans(engine::RunView& run, const engine::Layer& layer) {
    return static_cast<RunSpans*>(run.slot(layer).get());
}

}  // namespace

void ObservabilityLayer::on_graph_start(engine::RunView& run) {
    if (trace::is_tracing_enabled()) {
        run.slot(*this) =
            std::make_shared<RunSpans>(run, SpanShop{policy_, parsers_, counters_, grace_period_});
    }
}

void ObservabilityLayer::on_node_run_start(engine::RunView& run, const engine::NodeRun& node) {
    auto* spans = find_spans(run, *this);
    if (spans != nullptr && !node.is_hidden) {
        spans->start_node(node);
    }
}

void ObservabilityLayer::on_node_run_end(
    engine::RunView& run, const engine::NodeRun& node, const Error* error
) {
    auto* spans = find_spans(run, *this);
    if (spans != nullptr && !node.is_hidden) {
        spans->end_body(node, error);
    }
}

void ObservabilityLayer::on_event(engine::RunView& run, const engine::Event& event) {
    auto* spans = find_spans(run, *this);
    if (spans == nullptr) {
        return;
    }
    if (const auto* succeeded = std::get_if<engine::NodeRunSucceeded>(&event)) {
        spans->take_result(*succeeded->node, *succeeded->result);
    } else if (const auto* failed = std::get_if<engine::NodeRunFailed>(&event)) {
        spans->take_result(*failed->node, *failed->result);
    } else if (const auto* handled = std::get_if<engine::NodeRunException>(&event)) {
        spans->take_result(*handled->node, *handled->result);
    } else if (const auto* paused = std::get_if<engine::NodeRunPauseRequested>(&event)) {
        spans->take_result(*paused->node, *paused->result);
    } else if (const auto* warning = std::get_if<engine::NodeRunWarning>(&event)) {
        spans->note_warning(*warning);
    } else if (const auto* retry = std::get_if<engine::NodeRunRetry>(&event)) {
        spans->note_retry(*retry);
    } else if (const auto* round = std::get_if<engine::FrameStarted>(&event)) {
        spans->start_round(*round);
    } else if (const auto* ended = std::get_if<engine::FrameEnded>(&event)) {
        spans->end_round(*ended);
    }
}

void ObservabilityLayer::on_graph_end(engine::RunView& run, const Error* error) {
    if (auto* spans = find_spans(run, *this)) {
        // The slot stays until the run is gone: hooks of other threads may still be under way.
        spans->close(run, error);
    }
}

LayerCounts ObservabilityLayer::counts() const noexcept {
    return {
        counters_.ends_without_start.load(),
        counters_.repeated_starts.load(),
        counters_.late_events.load(),
        counters_.hooks_after_end.load(),
        counters_.leftovers.load(),
        counters_.expired.load(),
        counters_.parser_failures.load(),
    };
}

}  // namespace flowspan::observe
