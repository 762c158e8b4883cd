#pragma once
// For tests: the engine as one node sees it, with everything the node does written down.

#include "flowspan/engine/node.hpp"

#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes::testing {

class FakeNodeContext final : public engine::NodeContext {
public:
    FakeNodeContext() {
        info.run_id = "run-1";
        info.user_id = "user-1";
    }

    const engine::RunInfo& run() const noexcept override { return info; }

    const value::VariablePool& variables() const noexcept override { return pool; }

    std::string_view node_id() const noexcept override { return id; }

    std::string_view execution_id() const noexcept override { return "execution-1"; }

    engine::NodeRecord& record() noexcept override { return node_record; }

    void stream_text(std::string_view name, std::string_view piece, bool is_final) override;
    void stream_reasoning(std::string_view piece, bool is_final) override;
    void report_retrieval(const json::array& resources, std::string_view context) override;
    void report_agent_log(const json::object& log) override;
    void update_variable(std::string_view group, std::string_view name, value::Value v) override;
    void warn(std::string_view code, std::string message) override;

    void keep_state(const engine::StateKeeper& state_keeper) override { keeper = &state_keeper; }

    const json::object* kept_state() const noexcept override {
        return kept.empty() ? nullptr : &kept;
    }

    const json::object* find_answer(std::string_view session_id) const noexcept override;
    void report_form_filled(const engine::FormFacts& form) override;
    void report_form_timeout(SystemTime expired_at) override;
    void report_container(
        engine::ContainerEvent event, std::int64_t index, const json::object& facts
    ) override;

    /// Takes the next of `frames` (a frame that does nothing if there is none left); the script's
    /// variables are set in a copy of the pool, or in the pool itself if the frame shares it.
    Task<engine::FrameResult> run_frame(engine::FrameRequest request) override;
    void erase_child_outputs() override;

    struct FrameScript {
        std::string group;  ///< whose variables the frame sets
        std::vector<engine::NodeOutput> variables;
        json::object outputs;
        std::optional<Error> error;
        bool has_reached_loop_end = false;
        std::int64_t tokens = 0;
        int yields = 0;  ///< how often it lets others run before it ends
    };

    std::string id = "node";
    engine::RunInfo info;
    value::VariablePool pool;
    engine::NodeRecord node_record;
    std::deque<FrameScript> frames;
    json::object kept;     ///< what an interrupted execution kept
    json::object answers;  ///< by session id
    const engine::StateKeeper* keeper = nullptr;
    std::size_t frames_active = 0;
    std::size_t frames_active_max = 0;
    /// `text "Hel"`, `text final ""`, `update conversation.x 3`, `warn variable.missing`, ...
    std::vector<std::string> events;
    std::vector<json::object> logs;  ///< of agents; kept apart, because their ids are random
};

}  // namespace flowspan::nodes::testing
