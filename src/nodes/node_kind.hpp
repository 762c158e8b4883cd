#pragma once
// What a node kind tells about itself; each folder beside this file defines one.

#include "dsl/app.hpp"
#include "flowspan/engine/node.hpp"
#include "nodes/services.hpp"

#include <memory>
#include <string_view>
#include <vector>

namespace flowspan::nodes {

using Problems = std::vector<dsl::Problem>;

/// One key of a kind's `data`, for docs and schemas.
struct ConfigField {
    std::string_view key;
    std::string_view type;  ///< `text`, `template`, `selector`, `list of conditions`, ...
    std::string_view description;
    bool is_required = false;
};

struct NodeKind {
    std::string_view type;                       ///< wire name, for example `if-else`
    std::vector<std::string_view> aliases = {};  ///< other wire names of old files
    std::string_view description;                ///< one sentence
    engine::NodeTraits traits = {};
    std::vector<ConfigField> config = {};

    /// Reads and checks `spec.data` once; on failure adds problems and returns null.
    std::unique_ptr<engine::Node> (*build)(
        const dsl::NodeSpec& spec, const Services& services, Problems& problems
    ) = nullptr;

    /// Marks that exist only inside of this kind (where a container's children start and end).
    std::vector<NodeKind> companions = {};
};

}  // namespace flowspan::nodes
