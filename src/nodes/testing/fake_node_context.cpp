#include "nodes/testing/fake_node_context.hpp"

#include "flowspan/async/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::nodes::testing {

namespace {

std::string quoted(std::string_view text) {
    return to_json_text(json::value(text));
}

std::string_view to_string(engine::ContainerEvent event) {
    switch (event) {
        case engine::ContainerEvent::started:
            return "started";
        case engine::ContainerEvent::next:
            return "next";
        case engine::ContainerEvent::succeeded:
            return "succeeded";
        case engine::ContainerEvent::failed:
            return "failed";
    }
    return "";
}

}  // namespace

void FakeNodeContext::stream_text(std::string_view name, std::string_view piece, bool is_final) {
    events.push_back(fmt::format("{}{} {}", name, is_final ? " final" : "", quoted(piece)));
}

void FakeNodeContext::stream_reasoning(std::string_view piece, bool is_final) {
    events.push_back(fmt::format("reasoning{} {}", is_final ? " final" : "", quoted(piece)));
}

void FakeNodeContext::report_retrieval(const json::array& resources, std::string_view context) {
    events.push_back(fmt::format("retrieval {} {}", resources.size(), quoted(context)));
}

void FakeNodeContext::report_agent_log(const json::object& log) {
    logs.push_back(log);
}

void FakeNodeContext::update_variable(
    std::string_view group, std::string_view name, value::Value v
) {
    events.push_back(fmt::format("update {}.{} {}", group, name, to_json_text(v.json())));
    pool.set(group, name, std::move(v));
}

void FakeNodeContext::warn(std::string_view code, std::string /*message*/) {
    events.push_back(fmt::format("warn {}", code));
}

const json::object* FakeNodeContext::find_answer(std::string_view session_id) const noexcept {
    const auto* answer = answers.if_contains(session_id);
    return answer == nullptr ? nullptr : answer->if_object();
}

void FakeNodeContext::report_form_filled(const engine::FormFacts& form) {
    events.push_back(fmt::format("form filled {}", form.action_id));
}

void FakeNodeContext::report_form_timeout(SystemTime /*expired_at*/) {
    events.emplace_back("form timeout");
}

void FakeNodeContext::report_container(
    engine::ContainerEvent event, std::int64_t index, const json::object& facts
) {
    events.push_back(
        fmt::format("{} {} {}", to_string(event), index, to_json_text(json::value(facts)))
    );
}

Task<engine::FrameResult> FakeNodeContext::run_frame(engine::FrameRequest request) {
    events.push_back(fmt::format("frame {} {}", request.index_name, request.index));
    FrameScript script;
    if (!frames.empty()) {
        script = std::move(frames.front());
        frames.pop_front();
    }
    frames_active_max = std::max(frames_active_max, ++frames_active);
    for (int i = 0; i < script.yields; ++i) {
        co_await async::yield_now();
    }
    --frames_active;
    engine::FrameResult result;
    result.variables = pool;
    auto& variables = request.shares_variables ? pool : result.variables;
    for (auto& [name, value] : request.variables) {
        variables.set(id, name, std::move(value));
    }
    for (auto& [name, value] : script.variables) {
        variables.set(script.group, name, std::move(value));
    }
    if (request.shares_variables) {
        result.variables = pool;
    }
    result.outputs = std::move(script.outputs);
    result.error = std::move(script.error);
    result.has_reached_loop_end = script.has_reached_loop_end;
    result.usage.prompt_tokens = script.tokens;
    co_return result;
}

void FakeNodeContext::erase_child_outputs() {
    events.emplace_back("erase children");
}

}  // namespace flowspan::nodes::testing
