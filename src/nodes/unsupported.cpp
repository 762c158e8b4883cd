#include "nodes/unsupported.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace flowspan::nodes {

namespace {

using engine::NodeShape;

constexpr std::array<UnsupportedKind, 2> kKinds = {{
    {"datasource",
     {.shape = NodeShape::root},
     "pass the content as an input of a start node instead"},
    {"knowledge-index",
     {.shape = NodeShape::response},
     "rag pipelines need the knowledge store of the product they were made with"},
}};

class UnsupportedNode final : public engine::Node {
public:
    explicit UnsupportedNode(std::string message) : message_(std::move(message)) {}

    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& /*context*/) const override {
        co_return failure(Error(ErrorCode::unsupported, message_).with_type("UnsupportedNodeError")
        );
    }

private:
    std::string message_;
};

}  // namespace

const UnsupportedKind* find_unsupported_kind(std::string_view type) noexcept {
    const auto found = std::ranges::find(kKinds, type, &UnsupportedKind::type);
    return found == kKinds.end() ? nullptr : &*found;
}

std::unique_ptr<engine::Node> build_unsupported(const dsl::NodeSpec& spec, Problems& problems) {
    const auto* kind = find_unsupported_kind(spec.type);
    const auto advice =
        kind != nullptr ? kind->advice : std::string_view("replace the node, or route around it");
    auto message = fmt::format("node type `{}` cannot run here: {}", spec.type, advice);
    problems.push_back(
        {dsl::Problem::Severity::unsupported,
         spec.position,
         "node.unsupported_type",
         fmt::format("node `{}` ({}): {}", spec.id, spec.title, message)}
    );
    return std::make_unique<UnsupportedNode>(std::move(message));
}

}  // namespace flowspan::nodes
