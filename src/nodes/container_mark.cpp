#include "nodes/container_mark.hpp"

namespace flowspan::nodes {

namespace {

class ContainerMark final : public engine::Node {
public:
    Task<Result<engine::NodeOutcome>> execute(engine::NodeContext& /*context*/) const override {
        co_return engine::NodeOutcome();
    }
};

}  // namespace

std::unique_ptr<engine::Node> build_container_mark(
    const dsl::NodeSpec& /*spec*/, const Services& /*services*/, Problems& /*problems*/
) {
    return std::make_unique<ContainerMark>();
}

}  // namespace flowspan::nodes
