#pragma once
// Orders streamed text for the user: by the response templates, not by the time it was produced.

#include "engine/frame.hpp"
#include "engine/graph.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/engine/event.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::engine {

/// Stands between the run and its consumer. Response nodes (answer, end) become active once no
/// undecided branch, container, response node or relevant assigner lies between the start and them;
/// active ones stream one after the other. Chunks that arrive before their turn are kept. Edges are
/// not passed on.
class ResponseStream {
public:
    /// All references must outlive the stream.
    ResponseStream(
        const Graph& graph,
        const EdgeStates& states,
        const value::VariablePool& variables,
        EventSink& consumer,
        Random& random
    );

    void on_event(const Event& event);

    /// Emits what can still be emitted; call before the terminal event.
    void finish();

    /// `is_to_run_again` says of an execution id whether its text will come once more: what has
    /// come of it so far is left out.
    [[nodiscard]] StreamSnapshot capture(
        const std::function<bool(std::string_view execution_id)>& is_to_run_again
    ) const;

    /// Goes on where an earlier process stood; before the first event.
    void restore(const StreamSnapshot& snapshot);

    /// Text of answer nodes that was streamed so far.
    [[nodiscard]] const std::string& answer() const noexcept { return answer_; }

    [[nodiscard]] bool has_answer() const noexcept { return has_answer_; }

private:
    /// What came of an output that a template names and has not been shown yet.
    struct Buffer {
        const value::Selector* selector = nullptr;
        std::vector<std::string> pieces;
        std::string execution_id;
        bool has_started = false;
        bool is_closed = false;
    };

    struct Session {
        const Response* response = nullptr;
        std::size_t at = 0;
        std::string execution_id;
        bool is_activated = false;
        bool is_complete = false;  ///< the response node itself has succeeded
        const NodeRun* run = nullptr;
    };

    /// Activates what can be reached now that an edge out of `decided` is taken; kNoNode: at first.
    void activate_reachable(NodeIndex decided);
    [[nodiscard]] bool is_reachable(const Session& session);
    void on_chunk(const NodeRunStreamChunk& chunk);
    void flush();
    /// False if the segment has to wait.
    bool flush_segment(Session& session);
    bool flush_variable(Session& session, const ResponsePiece& piece);
    void emit_text(Session& session, std::string_view text, const value::Selector* selector);
    void forget_ended_execution(const Event& event);
    void pass_chunk(const NodeRunStreamChunk& chunk);

    /// The session whose turn it is, or null.
    [[nodiscard]] Session* find_front() const noexcept {
        return turn_ < active_.size() ? active_[turn_] : nullptr;
    }

    [[nodiscard]] Session* find_session(std::string_view node_id);
    [[nodiscard]] Buffer* find_buffer(std::string_view node_id, std::string_view name);

    const Graph& graph_;
    const EdgeStates& states_;
    const value::VariablePool& variables_;
    EventSink& consumer_;
    Random& random_;
    std::vector<Session> sessions_;  // by node id; fixed after construction
    std::vector<Session*> active_;   // in the order of their turns
    std::size_t turn_ = 0;           // index of the active session that streams
    std::vector<Buffer> buffers_;    // only outputs that a template names
    std::size_t waiting_count_ = 0;  // sessions not activated yet
    std::vector<bool> seen_;         // is_reachable's own, kept for its memory
    std::vector<NodeIndex> pending_;
    std::string answer_;
    std::size_t answer_mark_ = 0;  // how much of it stands before the piece that streams
    bool has_answer_ = false;
};

}  // namespace flowspan::engine
