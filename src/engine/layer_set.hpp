#pragma once
// The layers of one run: calls their hooks in order and keeps a broken one from harming the run.

#include "flowspan/engine/layer.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace flowspan::engine {

class LayerSet {
public:
    void add(Layer& layer);

    void on_graph_start(RunView& run);
    void on_node_run_start(RunView& run, const NodeRun& node);
    void on_event(RunView& run, const Event& event);
    void on_node_run_end(RunView& run, const NodeRun& node, const Error* error);
    void on_graph_end(RunView& run, const Error* error);

    [[nodiscard]] std::shared_ptr<void>& slot(const Layer& layer);

private:
    struct Entry {
        Layer* layer;
        std::shared_ptr<void> slot;  // owned here, shared with nobody else by design
        bool is_off;
        bool wants_chunks;
    };

    template <class Call>
    static void guard(Entry& entry, std::string_view hook, const Call& call);

    template <class Call>
    void for_each(std::string_view hook, const Call& call);

    std::vector<Entry> entries_;
    bool wants_chunks_ = false;
};

}  // namespace flowspan::engine
