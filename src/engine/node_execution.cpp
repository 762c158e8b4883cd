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

void NodeExecution::update_variable(std::string_view group, std::string_view name, value::Value v) {
    frame_.variables->set(group, name, v);
    state_.emit(NodeRunVariableUpdated{&run_, group, name, &v});
}

void NodeExecution::warn(std::string_view code, std::string message) {
    state_.emit(NodeRunWarning{&run_, code, message});
}

void NodeExecution::report_container(ContainerEvent event, std::int64_t index, json::object facts) {
    state_.emit(NodeRunContainer{&run_, event, index, &facts});
}

Task<FrameResult> NodeExecution::run_frame(FrameRequest request) {
    return state_.run_frame(frame_, index_, run_, std::move(request));
}

void NodeExecution::erase_child_outputs() {
    for (const auto& node : state_.graph().nodes()) {
        if (node.container == index_) {
            frame_.variables->erase_group(node.id);
        }
    }
}

}  // namespace flowspan::engine
