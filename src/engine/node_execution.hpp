#pragma once
// One node while it runs: the NodeContext that its kind sees.

#include "engine/run_state.hpp"

#include <string_view>

namespace flowspan::engine {

class NodeExecution final : public NodeContext {
public:
    NodeExecution(RunState& state, Frame& frame, ActiveNode& active)
        : state_(state), frame_(frame), active_(active), run_(active.run()) {}

    const RunInfo& run() const noexcept override { return state_.info(); }

    const value::VariablePool& variables() const noexcept override { return *frame_.variables; }

    std::string_view node_id() const noexcept override { return run_.node_id; }

    std::string_view execution_id() const noexcept override { return run_.execution_id; }

    NodeRecord& record() noexcept override { return record_; }

    void stream_text(std::string_view name, std::string_view piece, bool is_final) override;
    void stream_reasoning(std::string_view piece, bool is_final) override;
    void report_retrieval(const json::array& resources, std::string_view context) override;
    void report_agent_log(const json::object& log) override;
    void update_variable(std::string_view group, std::string_view name, value::Value v) override;
    void warn(std::string_view code, std::string message) override;

    void keep_state(const StateKeeper& keeper) override { active_.keeper = &keeper; }

    const json::object* kept_state() const noexcept override;
    const json::object* find_answer(std::string_view session_id) const noexcept override;
    void report_form_filled(const FormFacts& form) override;
    void report_form_timeout(SystemTime expired_at) override;
    void report_container(ContainerEvent event, std::int64_t index, const json::object& facts)
        override;
    Task<FrameResult> run_frame(FrameRequest request) override;
    void erase_child_outputs() override;

private:
    RunState& state_;
    Frame& frame_;
    ActiveNode& active_;
    const NodeRun& run_;
    NodeRecord record_;
};

}  // namespace flowspan::engine
