#include "observe/observability_layer.hpp"

#include "observe/run_spans.hpp"

namespace flowspan::observe {

namespace {

// Null while tracing is off, and after the run's end.
RunSpans* find_spans(engine::RunView& run, const engine::Layer& layer) {
    return static_cast<RunSpans*>(run.slot(layer).get());
}

}  // namespace

void ObservabilityLayer::on_graph_start(engine::RunView& run) {
    if (trace::is_tracing_enabled()) {
        run.slot(*this) = std::make_shared<RunSpans>(run, policy_);
    }
}

void ObservabilityLayer::on_node_run_start(engine::RunView& run, const engine::NodeRun& node) {
    auto* spans = find_spans(run, *this);
    if (spans != nullptr && !node.is_hidden) {
        spans->start_node(node, counters_);
    }
}

void ObservabilityLayer::on_node_run_end(
    engine::RunView& run, const engine::NodeRun& node, const Error* error
) {
    auto* spans = find_spans(run, *this);
    if (spans != nullptr && !node.is_hidden) {
        spans->end_body(node, error, counters_);
    }
}

void ObservabilityLayer::on_event(engine::RunView& run, const engine::Event& event) {
    auto* spans = find_spans(run, *this);
    if (spans == nullptr) {
        return;
    }
    if (const auto* succeeded = std::get_if<engine::NodeRunSucceeded>(&event)) {
        spans->take_result(*succeeded->node, *succeeded->result, counters_);
    } else if (const auto* failed = std::get_if<engine::NodeRunFailed>(&event)) {
        spans->take_result(*failed->node, *failed->result, counters_);
    } else if (const auto* handled = std::get_if<engine::NodeRunException>(&event)) {
        spans->take_result(*handled->node, *handled->result, counters_);
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
        spans->close(run, error, counters_);
        run.slot(*this).reset();
    }
}

LayerCounts ObservabilityLayer::counts() const noexcept {
    return {
        counters_.ends_without_start.load(),
        counters_.repeated_starts.load(),
        counters_.late_results.load(),
        counters_.leftovers.load(),
    };
}

}  // namespace flowspan::observe
