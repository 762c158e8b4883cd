#include "engine/frame.hpp"

#include <algorithm>

namespace flowspan::engine {

EdgeStates::EdgeStates(const Graph& graph)
    : graph_(graph), nodes_(graph.nodes().size()), edges_(graph.edges().size()) {}

EdgeStates::Changes EdgeStates::complete(NodeIndex node, const std::string* handle) {
    Changes changes;
    const auto& outgoing = graph_.node(node).outgoing;
    if (handle != nullptr) {
        for (const auto edge : outgoing) {
            if (graph_.edge(edge).handle != *handle) {
                skip(edge, changes);
            }
        }
    }
    for (const auto edge : outgoing) {
        if (handle == nullptr || graph_.edge(edge).handle == *handle) {
            take(edge, changes);
        }
    }
    return changes;
}

EdgeStates::Changes EdgeStates::skip_root(NodeIndex node) {
    Changes changes;
    nodes_[node] = Decision::skipped;
    for (const auto edge : graph_.node(node).outgoing) {
        skip(edge, changes);
    }
    return changes;
}

void EdgeStates::make_ready(NodeIndex node, Changes& changes) {
    // A node is queued at most once a frame: by its last decided edge.
    if (nodes_[node] == Decision::unknown) {
        nodes_[node] = Decision::taken;
        changes.ready.push_back(node);
    }
}

void EdgeStates::take(EdgeIndex edge, Changes& changes) {
    edges_[edge] = Decision::taken;
    changes.edges.push_back({edge, true});
    const auto target = graph_.edge(edge).target;
    for (const auto incoming : graph_.node(target).incoming) {
        if (edges_[incoming] == Decision::unknown) {
            return;
        }
    }
    make_ready(target, changes);
}

void EdgeStates::skip(EdgeIndex first, Changes& changes) {
    // An explicit stack: a chain may be longer than the thread's stack would stand.
    std::vector<EdgeIndex> pending{first};
    while (!pending.empty()) {
        const auto edge = pending.back();
        pending.pop_back();
        edges_[edge] = Decision::skipped;
        changes.edges.push_back({edge, false});
        const auto target = graph_.edge(edge).target;
        bool is_open = false;
        bool is_any_taken = false;
        for (const auto incoming : graph_.node(target).incoming) {
            is_open |= edges_[incoming] == Decision::unknown;
            is_any_taken |= edges_[incoming] == Decision::taken;
        }
        if (is_open) {
            continue;
        }
        if (is_any_taken) {
            make_ready(target, changes);
            continue;
        }
        nodes_[target] = Decision::skipped;
        const auto& outgoing = graph_.node(target).outgoing;
        pending.insert(pending.end(), outgoing.rbegin(), outgoing.rend());
    }
}

ActiveNode::ActiveNode(Frame& frame, NodeIndex index, const NodeRun& run, const PendingNode* from)
    : frame_(&frame), index_(index), run_(run), from_(from), next_(frame.first_active) {
    if (next_ != nullptr) {
        next_->previous_ = this;
    }
    frame.first_active = this;
    if (from != nullptr) {
        for (const auto& round : from->frames) {
            waiting_rounds_.push_back(&round);
        }
    }
}

ActiveNode::~ActiveNode() {
    leave();
}

void ActiveNode::leave() {
    if (frame_ == nullptr) {
        return;
    }
    (previous_ == nullptr ? frame_->first_active : previous_->next_) = next_;
    if (next_ != nullptr) {
        next_->previous_ = previous_;
    }
    frame_ = nullptr;
}

const FrameSnapshot* ActiveNode::take_round(std::int64_t round) {
    const auto found = std::ranges::find(waiting_rounds_, round, &FrameSnapshot::index);
    if (found == waiting_rounds_.end()) {
        return nullptr;
    }
    const auto* snapshot = *found;
    waiting_rounds_.erase(found);
    return snapshot;
}

const PendingNode* Frame::dequeue(NodeIndex node) {
    const auto found = std::ranges::find(queued, node, &QueuedNode::index);
    const auto* from = found->from;
    queued.erase(found);
    return from;
}

}  // namespace flowspan::engine
