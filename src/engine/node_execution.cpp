#include "engine/node_execution.hpp"

#include <utility>

namespace flowspan::engine {

void NodeExecution::stream_text(std::string_view name, std::string_view piece, bool is_final) {
    state_.emit(NodeRunStreamChunk{&run_, run_.node_id, name, run_.execution_id, piece, is_final});
}

void NodeExecution::stream_reasoning(std::string_view piece, bool is_final) {
    state_.emit(NodeRunReasoningChunk{&run_, piece, is_final});
}

void NodeExecution::report_retrieval(const json::array& resources, std::string_view context) {
    state_.emit(NodeRunRetrieverResource{&run_, &resources, context});
}

void NodeExecution::report_agent_log(const json::object& log) {
    state_.emit(NodeRunAgentLog{&run_, &log});
}

void NodeExecution::update_variable(std::string_view group, std::string_view name, value::Value v) {
    frame_.variables->set(group, name, v);
    state_.emit(NodeRunVariableUpdated{&run_, group, name, &v});
}

void NodeExecution::warn(std::string_view code, std::string message) {
    state_.emit(NodeRunWarning{&run_, code, message});
}

const json::object* NodeExecution::kept_state() const noexcept {
    const auto* from = active_.from();
    return from == nullptr || from->state.empty() ? nullptr : &from->state;
}

const json::object* NodeExecution::find_answer(std::string_view session_id) const noexcept {
    const auto* answer = state_.request_.answers.if_contains(session_id);
    return answer == nullptr ? nullptr : answer->if_object();
}

void NodeExecution::report_form_filled(const FormFacts& form) {
    state_.emit(NodeRunHumanInputFormFilled{&run_, &form});
}

void NodeExecution::report_form_timeout(SystemTime expired_at) {
    state_.emit(NodeRunHumanInputFormTimeout{&run_, expired_at});
}

void NodeExecution::report_container(
    ContainerEvent event, std::int64_t index, const json::object& facts
) {
    state_.emit(NodeRunContainer{&run_, event, index, &facts});
}

Task<FrameResult> NodeExecution::run_frame(FrameRequest request) {
    return state_.run_frame(frame_, active_, std::move(request));
}

void NodeExecution::erase_child_outputs() {
    for (const auto& node : state_.graph().nodes()) {
        if (node.container == active_.index()) {
            frame_.variables->erase_group(node.id);
        }
    }
}

}  // namespace flowspan::engine
