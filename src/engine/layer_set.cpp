#include "engine/layer_set.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>
#include <exception>

namespace flowspan::engine {

namespace {

std::atomic<std::uint64_t> g_layer_failures{0};

void report_failure(const Layer& layer, std::string_view hook, std::string_view what) {
    g_layer_failures.fetch_add(1, std::memory_order_relaxed);
    spdlog::warn(
        "layer {} failed in {} and is switched off for this run: {}", layer.name(), hook, what
    );
}

}  // namespace

std::uint64_t layer_failure_count() noexcept {
    return g_layer_failures.load(std::memory_order_relaxed);
}

void LayerSet::add(Layer& layer) {
    entries_.push_back({&layer, nullptr, false, layer.wants_chunks()});
    wants_chunks_ |= layer.wants_chunks();
}

template <class Call>
void LayerSet::guard(Entry& entry, std::string_view hook, const Call& call) {
    // Observing never breaks a run, so this is one of the few places that catch everything.
    try {
        call(*entry.layer);
    } catch (const std::exception& error) {
        entry.is_off = true;
        report_failure(*entry.layer, hook, error.what());
    } catch (...) {
        entry.is_off = true;
        report_failure(*entry.layer, hook, "unknown exception");
    }
}

template <class Call>
void LayerSet::for_each(std::string_view hook, const Call& call) {
    for (auto& entry : entries_) {
        if (!entry.is_off) {
            guard(entry, hook, call);
        }
    }
}

void LayerSet::on_graph_start(RunView& run) {
    for_each("on_graph_start", [&](Layer& layer) { layer.on_graph_start(run); });
}

void LayerSet::on_node_run_start(RunView& run, const NodeRun& node) {
    for_each("on_node_run_start", [&](Layer& layer) { layer.on_node_run_start(run, node); });
}

void LayerSet::on_event(RunView& run, const Event& event) {
    const bool is_chunk = std::holds_alternative<NodeRunStreamChunk>(event) ||
                          std::holds_alternative<NodeRunReasoningChunk>(event);
    if (is_chunk && !wants_chunks_) {
        return;
    }
    for (auto& entry : entries_) {
        if (!entry.is_off && (!is_chunk || entry.wants_chunks)) {
            guard(entry, "on_event", [&](Layer& layer) { layer.on_event(run, event); });
        }
    }
}

void LayerSet::on_node_run_end(RunView& run, const NodeRun& node, const Error* error) {
    for_each("on_node_run_end", [&](Layer& layer) { layer.on_node_run_end(run, node, error); });
}

void LayerSet::on_graph_end(RunView& run, const Error* error) {
    for (auto& entry : entries_) {
        guard(entry, "on_graph_end", [&](Layer& layer) { layer.on_graph_end(run, error); });
        entry.slot.reset();
    }
}

std::shared_ptr<void>& LayerSet::slot(const Layer& layer) {
    const auto found = std::ranges::find(entries_, &layer, &Entry::layer);
    FLOWSPAN_ASSERT(
        found != entries_.end(), "a layer asked for the slot of a run it is not part of"
    );
    return found->slot;
}

}  // namespace flowspan::engine
