#pragma once
// For tests of this room: a factory of nodes whose behaviour is written in their data, graphs from
// a few lines, and a log of what layers and consumers were told.

#include "engine/graph.hpp"
#include "flowspan/engine/engine.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::engine::testing {

/// Types: `start`, `work` (yields, then outputs `out`), `fail`, `flaky` (fails `failures` times per
/// process), `branch` (takes `data.choose`), `hang`, `say` (streams `data.pieces` on `text`),
/// `answer` (template `data.answer`), `throw`, `wait` (hops to a pool and says that a rate limit
/// held it up for 250 ms).
class ScriptedNodes final : public NodeFactory {
public:
    const NodeTraits* find_traits(std::string_view type) const override;
    std::unique_ptr<Node> build(const dsl::NodeSpec& spec, std::vector<dsl::Problem>& problems)
        const override;
};

/// `make_graph("start:start work:a answer:end {\"answer\":\"hi\"}", "start>a a>end:handle")`:
/// nodes one a line as `type:id [json]`, edges as `source>target[:handle]` separated by spaces.
std::shared_ptr<const Graph> make_graph(std::string_view nodes, std::string_view edges);

/// Writes down every event as one short line.
class EventLog final : public EventSink {
public:
    void on_event(const Event& event) override;

    std::vector<std::string> lines;
    std::string text;  ///< streamed chunks
};

}  // namespace flowspan::engine::testing
