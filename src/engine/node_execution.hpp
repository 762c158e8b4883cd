#pragma once
// One node while it runs: the NodeContext that its kind sees.

#include "engine/run_state.hpp"

#include <string_view>

namespace flowspan::engine {

class NodeExecution final : public NodeContext {
public:
    NodeExecution(RunState& state, Frame& frame, NodeIndex index, const NodeRun& run)
        : state_(state), frame_(frame), index_(index), run_(run) {}

    const RunInfo& run() const noexcept override { return state_.info(); }

    const value::VariablePool& variables() const noexcept override { return *frame_.variables; }

    std::string_view node_id() const noexcept override { return run_.node_id; }

    std::string_view execution_id() const noexcept override { return run_.execution_id; }

    NodeRecord& record() noexcept override { return record_; }

    void stream_text(std::string_view name, std::string_view piece, bool is_final) override;
    void stream_reasoning(std::string_view piece, bool is_final) override;
    void report_retrieval(const json::array& resources, std::string_view context) override;
    void update_variable(std::string_view group, std::string_view name, value::Value v) override;
    void warn(std::string_view code, std::string message) override;
    void report_container(ContainerEvent event, std::int64_t index, json::object facts) override;
    Task<FrameResult> run_frame(FrameRequest request) override;
    void erase_child_outputs() override;

private:
    RunState& state_;
    Frame& frame_;
    NodeIndex index_;
    const NodeRun& run_;
    NodeRecord record_;
};

}  // namespace flowspan::engine
