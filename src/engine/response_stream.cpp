#include "engine/response_stream.hpp"

#include <algorithm>

namespace flowspan::engine {

namespace {

bool is_special(std::string_view group) {
    return group == value::kSystemPrefix || group == value::kEnvironmentPrefix ||
           group == value::kConversationPrefix;
}

}  // namespace

ResponseStream::ResponseStream(
    const Graph& graph,
    const EdgeStates& states,
    const value::VariablePool& variables,
    EventSink& consumer,
    Random& random
)
    : graph_(graph), states_(states), variables_(variables), consumer_(consumer), random_(random) {
    sessions_.reserve(graph.responses().size());
    for (const auto& response : graph.responses()) {
        sessions_.emplace_back().response = &response;
        for (const auto& piece : response.pieces) {
            const auto& selector = piece.segment.selector;
            if (selector.size() == 2 && find_buffer(selector[0], selector[1]) == nullptr) {
                buffers_.emplace_back().selector = &selector;
            }
        }
    }
    waiting_count_ = sessions_.size();
}

ResponseStream::Session* ResponseStream::find_session(std::string_view node_id) {
    const auto found = std::ranges::find_if(sessions_, [&](const Session& session) {
        return graph_.node(session.response->node).id == node_id;
    });
    return found == sessions_.end() ? nullptr : &*found;
}

ResponseStream::Buffer* ResponseStream::find_buffer(
    std::string_view node_id, std::string_view name
) {
    const auto found = std::ranges::find_if(buffers_, [&](const Buffer& buffer) {
        return (*buffer.selector)[0] == node_id && (*buffer.selector)[1] == name;
    });
    return found == buffers_.end() ? nullptr : &*found;
}

// True if some way from the root has all its blocking edges taken.
bool ResponseStream::is_reachable(const Session& session) {
    const auto& response = *session.response;
    seen_.assign(graph_.nodes().size(), false);
    pending_.assign(1, graph_.root());
    while (!pending_.empty()) {
        const auto index = pending_.back();
        pending_.pop_back();
        if (index == response.node) {
            return true;
        }
        if (seen_[index]) {
            continue;
        }
        seen_[index] = true;
        for (const auto edge : graph_.node(index).outgoing) {
            const auto decision = states_.edge(edge);
            if (decision == Decision::taken ||
                (decision == Decision::unknown && !response.is_blocked_by[index])) {
                pending_.push_back(graph_.edge(edge).target);
            }
        }
    }
    return false;
}

void ResponseStream::activate_reachable(NodeIndex decided) {
    for (auto& session : sessions_) {
        // Edges that block nothing let the way through before they are decided.
        const bool may_open = decided == kNoNode || session.response->is_blocked_by[decided];
        if (!session.is_activated && may_open && is_reachable(session)) {
            session.is_activated = true;
            --waiting_count_;
            active_.push_back(&session);
        }
    }
    flush();
}

void ResponseStream::on_event(const Event& event) {
    if (const auto* chunk = std::get_if<NodeRunStreamChunk>(&event)) {
        on_chunk(*chunk);
        return;
    }
    if (const auto* edge = std::get_if<GraphEdgeDecided>(&event)) {
        if (edge->is_taken && waiting_count_ != 0) {
            activate_reachable(graph_.find_node(edge->source_node_id));
        }
        return;
    }
    if (std::holds_alternative<FrameStarted>(event) || std::holds_alternative<FrameEnded>(event)) {
        return;
    }
    if (const auto* started = std::get_if<NodeRunStarted>(&event)) {
        if (auto* session = find_session(started->node->node_id)) {
            session->run = started->node;
            session->execution_id = started->node->execution_id;
        }
    } else if (const auto* succeeded = std::get_if<NodeRunSucceeded>(&event)) {
        if (auto* session = find_session(succeeded->node->node_id)) {
            session->is_complete = true;
        }
        flush();
    } else if (std::holds_alternative<NodeRunException>(event)) {
        flush();
    }
    consumer_.on_event(event);
    if (std::holds_alternative<GraphRunStarted>(event)) {
        activate_reachable(kNoNode);
    }
    forget_ended_execution(event);
}

// A NodeRun lives only until its result event has been told.
void ResponseStream::forget_ended_execution(const Event& event) {
    const NodeRun* ended = nullptr;
    if (const auto* succeeded = std::get_if<NodeRunSucceeded>(&event)) {
        ended = succeeded->node;
    } else if (const auto* failed = std::get_if<NodeRunFailed>(&event)) {
        ended = failed->node;
    } else if (const auto* handled = std::get_if<NodeRunException>(&event)) {
        ended = handled->node;
    }
    if (ended == nullptr) {
        return;
    }
    for (auto& session : sessions_) {
        if (session.run == ended) {
            session.run = nullptr;
        }
    }
}

void ResponseStream::on_chunk(const NodeRunStreamChunk& chunk) {
    auto* const found = find_buffer(chunk.node_id, chunk.name);
    if (found == nullptr) {
        return;  // no template shows this output
    }
    auto& buffer = *found;
    if (buffer.execution_id != chunk.execution_id) {
        // A node inside a loop streams anew in every round; a template shows the first one.
        if (buffer.is_closed) {
            return;
        }
        buffer.execution_id = chunk.execution_id;
    }
    buffer.has_started = true;
    buffer.is_closed |= chunk.is_final;
    if (const auto* session = find_front(); session != nullptr && buffer.pieces.empty()) {
        const auto& selector = session->response->pieces[session->at].segment.selector;
        if (selector.size() == 2 && selector[0] == chunk.node_id && selector[1] == chunk.name) {
            pass_chunk(chunk);
            if (chunk.is_final) {
                flush();
            }
            return;
        }
    }
    if (!chunk.chunk.empty()) {
        buffer.pieces.emplace_back(chunk.chunk);
    }
}

void ResponseStream::pass_chunk(const NodeRunStreamChunk& chunk) {
    const auto* session = find_front();
    if (session != nullptr && graph_.node(session->response->node).type == "answer") {
        has_answer_ = true;
        answer_.append(chunk.chunk);
    }
    consumer_.on_event(chunk);
}

void ResponseStream::flush() {
    while (auto* const front = find_front()) {
        auto& session = *front;
        while (session.at < session.response->pieces.size()) {
            if (!flush_segment(session)) {
                return;
            }
            ++session.at;
            answer_mark_ = answer_.size();
        }
        ++turn_;
    }
}

bool ResponseStream::flush_segment(Session& session) {
    const auto& piece = session.response->pieces[session.at];
    if (!piece.segment.selector.empty()) {
        return flush_variable(session, piece);
    }
    emit_text(session, piece.segment.text, nullptr);
    return true;
}

bool ResponseStream::flush_variable(Session& session, const ResponsePiece& piece) {
    const auto& segment = piece.segment;
    if (piece.source != kNoNode && states_.node(piece.source) == Decision::skipped) {
        return true;
    }
    auto* const found = segment.selector.size() == 2
                            ? find_buffer(segment.selector[0], segment.selector[1])
                            : nullptr;
    if (found != nullptr && found->has_started) {
        auto& buffer = *found;
        for (const auto& chunk : buffer.pieces) {
            emit_text(session, chunk, &segment.selector);
        }
        buffer.pieces.clear();
        // A stream that broke off and was handled ends with its response node.
        return buffer.is_closed || session.is_complete;
    }
    if (const auto value = variables_.find(segment.selector)) {
        emit_text(session, value->to_markdown(), &segment.selector);
        return true;
    }
    if (!session.is_complete) {
        return false;
    }
    // The response node has rendered without it, so it will never come: show what it shows.
    if (graph_.node(session.response->node).type == "answer") {
        emit_text(session, segment.text, nullptr);
    }
    return true;
}

void ResponseStream::emit_text(
    Session& session, std::string_view text, const value::Selector* selector
) {
    if (session.execution_id.empty()) {
        session.execution_id = make_uuid(random_);
    }
    const auto& node = graph_.node(session.response->node);
    const bool is_last = session.at + 1 == session.response->pieces.size();
    const bool is_own = selector == nullptr || is_special((*selector)[0]);
    pass_chunk(NodeRunStreamChunk{
        session.run,
        is_own ? std::string_view(node.id) : std::string_view((*selector)[0]),
        is_own ? std::string_view("answer") : std::string_view((*selector)[1]),
        session.execution_id,
        text,
        is_last
    });
}

void ResponseStream::finish() {
    flush();
}

StreamSnapshot ResponseStream::capture(
    const std::function<bool(std::string_view execution_id)>& is_to_run_again
) const {
    StreamSnapshot snapshot;
    snapshot.answer = answer_;
    snapshot.has_answer = has_answer_;
    for (const auto& session : sessions_) {
        snapshot.responses.push_back(
            {graph_.node(session.response->node).id,
             static_cast<std::int64_t>(session.at),
             session.execution_id,
             session.is_activated,
             session.is_complete}
        );
    }
    for (const auto* session : active_) {
        snapshot.turns.push_back(graph_.node(session->response->node).id);
    }
    snapshot.turn = static_cast<std::int64_t>(turn_);
    const auto* front = find_front();
    for (const auto& buffer : buffers_) {
        if (!is_to_run_again(buffer.execution_id)) {
            snapshot.buffers.push_back(
                {*buffer.selector,
                 buffer.pieces,
                 buffer.execution_id,
                 buffer.has_started,
                 buffer.is_closed}
            );
        } else if (front != nullptr &&
                   front->response->pieces[front->at].segment.selector == *buffer.selector) {
            snapshot.answer.resize(answer_mark_);
        }
    }
    return snapshot;
}

void ResponseStream::restore(const StreamSnapshot& snapshot) {
    for (const auto& response : snapshot.responses) {
        auto* session = find_session(response.node_id);
        if (session == nullptr) {
            continue;  // the app has changed: what it shows no more is not shown
        }
        session->at =
            std::min(static_cast<std::size_t>(response.at), session->response->pieces.size());
        session->execution_id = response.execution_id;
        session->is_activated = response.is_activated;
        session->is_complete = response.is_complete;
    }
    for (const auto& id : snapshot.turns) {
        if (auto* session = find_session(id); session != nullptr && session->is_activated) {
            active_.push_back(session);
        }
    }
    waiting_count_ =
        static_cast<std::size_t>(std::ranges::count(sessions_, false, &Session::is_activated));
    turn_ = std::min(static_cast<std::size_t>(snapshot.turn), active_.size());
    for (const auto& saved : snapshot.buffers) {
        if (saved.selector.size() != 2) {
            continue;
        }
        if (auto* buffer = find_buffer(saved.selector[0], saved.selector[1])) {
            buffer->pieces = saved.pieces;
            buffer->execution_id = saved.execution_id;
            buffer->has_started = saved.has_started;
            buffer->is_closed = saved.is_closed;
        }
    }
    answer_ = snapshot.answer;
    answer_mark_ = answer_.size();
    has_answer_ = snapshot.has_answer;
}

}  // namespace flowspan::engine
