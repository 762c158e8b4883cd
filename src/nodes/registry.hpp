#pragma once
// All node kinds, and the factory that the engine builds its graphs with.

#include "engine/graph.hpp"
#include "nodes/node_kind.hpp"
#include "nodes/services.hpp"

#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace flowspan::nodes {

/// Kinds in the order of kinds.def, companions not among them.
[[nodiscard]] std::vector<NodeKind> all_kinds();

/// Immutable, so any number of threads may build nodes at a time.
class Registry final : public engine::NodeFactory {
public:
    /// What `services` refers to must outlive the registry and every node that it builds.
    explicit Registry(Services services);

    [[nodiscard]] const engine::NodeTraits* find_traits(std::string_view type) const override;

    [[nodiscard]] std::unique_ptr<engine::Node> build(
        const dsl::NodeSpec& spec, std::vector<dsl::Problem>& problems
    ) const override;

    [[nodiscard]] const std::vector<NodeKind>& kinds() const noexcept { return kinds_; }

private:
    void index(const NodeKind& kind);

    Services services_;
    std::vector<NodeKind> kinds_;
    // Into kinds_, which does not change after construction.
    std::map<std::string_view, const NodeKind*> by_type_;
};

}  // namespace flowspan::nodes
