#include "export/trace_forest.hpp"

#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace flowspan::exporting {

namespace {

namespace names = trace::names;
using opentelemetry::trace::StatusCode;

std::uint64_t key_of(const opentelemetry::trace::SpanId& id) noexcept {
    std::uint64_t key = 0;
    std::memcpy(&key, id.Id().data(), sizeof(key));
    return key;
}

std::string key_of(const opentelemetry::trace::TraceId& id) {
    return {reinterpret_cast<const char*>(id.Id().data()), opentelemetry::trace::TraceId::kSize};
}

// Total, so that the same spans always give the same tree.
bool starts_before(const SpanRecord& a, const SpanRecord& b) noexcept {
    return std::tuple(a.start_ns, a.end_ns(), key_of(a.span_id)) <
           std::tuple(b.start_ns, b.end_ns(), key_of(b.span_id));
}

// Every node is below one root or orphan; what a malformed circle of parents hides becomes orphans.
void place_nodes(Trace& trace) {
    std::unordered_map<std::uint64_t, std::size_t> positions;
    for (std::size_t i = 0; i < trace.nodes.size(); ++i) {
        positions.emplace(key_of(trace.nodes[i].span->span_id), i);
    }
    for (std::size_t i = 0; i < trace.nodes.size(); ++i) {
        const auto& span = *trace.nodes[i].span;
        const auto parent = positions.find(key_of(span.parent_span_id));
        if (parent != positions.end() && parent->second != i) {
            trace.nodes[parent->second].children.push_back(i);
        } else if (!span.parent_span_id.IsValid() || span.is_parent_remote) {
            trace.roots.push_back(i);
        } else {
            trace.orphans.push_back(i);
        }
    }
}

// Parents before their children; cuts circles so that the result is a forest.
std::vector<std::size_t> walk_order(Trace& trace) {
    std::vector<std::size_t> order;
    std::vector<bool> is_seen(trace.nodes.size(), false);
    const auto walk_from = [&trace, &order, &is_seen](std::size_t start) {
        is_seen[start] = true;
        order.push_back(start);
        for (auto at = order.size() - 1; at < order.size(); ++at) {
            auto& children = trace.nodes[order[at]].children;
            std::erase_if(children, [&is_seen](std::size_t child) { return is_seen[child]; });
            for (const auto child : children) {
                is_seen[child] = true;
                order.push_back(child);
            }
        }
    };
    for (const auto* list : {&trace.roots, &trace.orphans}) {
        std::ranges::for_each(*list, walk_from);
    }
    for (std::size_t i = 0; i < trace.nodes.size(); ++i) {
        if (!is_seen[i]) {
            trace.orphans.push_back(i);
            walk_from(i);
        }
    }
    return order;
}

void sum_up(Trace& trace, const std::vector<std::size_t>& order) {
    trace.start_ns = std::numeric_limits<std::int64_t>::max();
    trace.end_ns = std::numeric_limits<std::int64_t>::min();
    std::vector<bool> has_tokens_below(trace.nodes.size(), false);
    for (auto at = order.rbegin(); at != order.rend(); ++at) {
        auto& node = trace.nodes[*at];
        trace.start_ns = std::min(trace.start_ns, node.span->start_ns);
        trace.end_ns = std::max(trace.end_ns, node.span->end_ns());
        for (const auto child : node.children) {
            node.has_failure_below = node.has_failure_below || trace.nodes[child].has_failed ||
                                     trace.nodes[child].has_failure_below;
            has_tokens_below[*at] = has_tokens_below[*at] || has_tokens_below[child] ||
                                    trace.nodes[child].tokens.total() > 0;
        }
        if (!has_tokens_below[*at]) {
            trace.tokens += node.tokens;
        }
        trace.errors += node.has_failed && !node.has_failure_below ? 1 : 0;
    }
}

TraceNode make_node(const SpanRecord& span) {
    TraceNode node;
    node.span = &span;
    node.tokens.input = std::max<std::int64_t>(0, span.integer(names::kGenAiUsageInputTokens));
    node.tokens.output = std::max<std::int64_t>(0, span.integer(names::kGenAiUsageOutputTokens));
    node.has_failed = span.status() == StatusCode::kError;
    return node;
}

}  // namespace

std::vector<Trace> build_traces(SpanBatch spans) {
    std::vector<const SpanRecord*> sorted;
    sorted.reserve(spans.size());
    for (const auto& span : spans) {
        sorted.push_back(span.get());
    }
    std::ranges::sort(sorted, [](const auto* a, const auto* b) { return starts_before(*a, *b); });
    std::vector<Trace> traces;
    std::unordered_map<std::string, std::size_t> positions;
    for (const auto* span : sorted) {
        const auto [found, is_new] = positions.emplace(key_of(span->trace_id), traces.size());
        if (is_new) {
            traces.emplace_back().trace_id = span->trace_id;
        }
        traces[found->second].nodes.push_back(make_node(*span));
    }
    for (auto& trace : traces) {
        place_nodes(trace);
        sum_up(trace, walk_order(trace));
    }
    return traces;
}

}  // namespace flowspan::exporting
