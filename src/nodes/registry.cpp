#include "nodes/registry.hpp"

#include "nodes/unsupported.hpp"

#include <utility>

namespace flowspan::nodes {

#define NODE_KIND(name)            \
    namespace name {               \
    [[nodiscard]] NodeKind kind(); \
    }
#include "nodes/kinds.def"
#undef NODE_KIND

std::vector<NodeKind> all_kinds() {
    std::vector<NodeKind> kinds;
#define NODE_KIND(name) kinds.push_back(name::kind());
#include "nodes/kinds.def"
#undef NODE_KIND
    return kinds;
}

Registry::Registry(Services services) : services_(services), kinds_(all_kinds()) {
    for (const auto& kind : kinds_) {
        index(kind);
        for (const auto& companion : kind.companions) {
            index(companion);
        }
    }
}

void Registry::index(const NodeKind& kind) {
    by_type_.emplace(kind.type, &kind);
    for (const auto alias : kind.aliases) {
        by_type_.emplace(alias, &kind);
    }
}

const engine::NodeTraits* Registry::find_traits(std::string_view type) const {
    if (const auto found = by_type_.find(type); found != by_type_.end()) {
        return &found->second->traits;
    }
    const auto* unsupported = find_unsupported_kind(type);
    return unsupported == nullptr ? nullptr : &unsupported->traits;
}

std::unique_ptr<engine::Node> Registry::build(
    const dsl::NodeSpec& spec, std::vector<dsl::Problem>& problems
) const {
    const auto found = by_type_.find(spec.type);
    if (found == by_type_.end()) {
        return build_unsupported(spec, problems);
    }
    return found->second->build(spec, services_, problems);
}

}  // namespace flowspan::nodes
