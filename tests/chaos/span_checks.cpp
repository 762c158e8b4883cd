#include "tests/chaos/span_checks.hpp"

#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

namespace flowspan::chaos {

namespace names = trace::names;

namespace {

constexpr std::size_t kSamplesMax = 8;

template <class Id>
std::string text_of(const Id& id) {
    if (!id.IsValid()) {
        return {};
    }
    return {reinterpret_cast<const char*>(id.Id().data()), Id::kSize};
}

/// A span's sort, by its name.
enum class Sort : std::uint8_t {
    generate,
    runner,
    workflow,
    node,
    attempt,
    round,
    chat,
    tool,
    agent,
    agent_round,
    retrieval,
    http,
    sql,
    stranger,
};

Sort sort_of(std::string_view name) {
    static constexpr std::pair<std::string_view, Sort> kPrefixes[] = {
        {"AppGenerateService.generate", Sort::generate},
        {"WorkflowAppRunner.run", Sort::runner},
        {"AdvancedChatAppRunner.run", Sort::runner},
        {"invoke_workflow ", Sort::workflow},
        {"node.attempt", Sort::attempt},
        {"node ", Sort::node},
        {"iteration.round", Sort::round},
        {"loop.round", Sort::round},
        {"chat ", Sort::chat},
        {"execute_tool ", Sort::tool},
        {"invoke_agent", Sort::agent},
        {"agent round", Sort::agent_round},
        {"retrieval ", Sort::retrieval},
        {"SELECT ", Sort::sql},
    };
    for (const auto& [prefix, sort] : kPrefixes) {
        if (name.starts_with(prefix)) {
            return sort;
        }
    }
    return name == "GET" || name == "POST" ? Sort::http : Sort::stranger;
}

std::string_view query_value(std::string_view url, std::string_view key) {
    const auto at = url.find(key);
    if (at == std::string_view::npos) {
        return {};
    }
    const auto rest = url.substr(at + key.size());
    return rest.substr(0, rest.find('&'));
}

class Checker {
public:
    explicit Checker(const std::vector<SpanRow>& rows) : rows_(rows) {}

    SpanReport run() {
        report_.spans = static_cast<std::int64_t>(rows_.size());
        std::map<std::string_view, int> traces;
        for (const auto& row : rows_) {
            if (!by_id_.emplace(row.id, &row).second) {
                ++report_.ended_twice;
                note(row, "ended twice");
            }
            ++traces[row.trace];
            ++report_.names[row.name];
        }
        report_.traces = static_cast<std::int64_t>(traces.size());
        for (const auto& row : rows_) {
            check(row);
        }
        return std::move(report_);
    }

private:
    [[nodiscard]] const SpanRow* find_parent(const SpanRow& row) const {
        const auto found = by_id_.find(row.parent);
        return found == by_id_.end() || found->second->trace != row.trace ? nullptr : found->second;
    }

    /// The nearest span of that sort above.
    [[nodiscard]] const SpanRow* find_above(const SpanRow& row, Sort sort) const {
        const auto* at = find_parent(row);
        // The tree is no deeper than nested workflows allow.
        for (int depth = 0; at != nullptr && depth < 100; ++depth) {
            if (sort_of(at->name) == sort) {
                return at;
            }
            at = find_parent(*at);
        }
        return nullptr;
    }

    void note(const SpanRow& row, std::string_view what) {
        if (report_.samples.size() < kSamplesMax) {
            const auto* parent = find_parent(row);
            report_.samples.push_back(fmt::format(
                "{} {} below {} {}: {}",
                row.name,
                row.node_id,
                parent == nullptr ? "nothing" : parent->name,
                parent == nullptr ? "" : parent->node_id,
                what
            ));
        }
    }

    void check(const SpanRow& row) {
        const auto sort = sort_of(row.name);
        // A paused run ends its rounds in order.
        if (sort != Sort::generate && !row.end_reason.empty() &&
            row.end_reason != "the run was paused") {
            report_.leftovers.push_back(
                fmt::format("{} {}: {}", row.name, row.node_id, row.end_reason)
            );
        }
        if (sort == Sort::stranger) {
            ++report_.strangers;
            note(row, "is no name of the table");
            return;
        }
        if (row.parent.empty()) {
            ++report_.roots;
            if (sort != Sort::generate) {
                ++report_.misparented;
                note(row, "is a root");
            }
            return;
        }
        report_.resumed += row.is_resumed ? 1 : 0;
        const auto* parent = find_parent(row);
        if (parent == nullptr) {
            ++report_.orphans;
            note(row, "is an orphan");
            return;
        }
        if (!is_right(row, sort, *parent)) {
            ++report_.misparented;
            note(row, "hangs in the wrong place");
        }
        if (sort == Sort::http || sort == Sort::sql) {
            ++(sort == Sort::http ? report_.http : report_.sql);
            check_call(row);
        }
    }

    // Every call made while a node runs is that node's descendant.
    void check_call(const SpanRow& row) {
        const auto* node = find_above(row, Sort::node);
        if (node == nullptr) {
            ++report_.outside_of_nodes;
            note(row, "no node is above");
            return;
        }
        const auto wanted = query_value(row.url, "node=");
        const auto user = query_value(row.url, "user=");
        const auto* generate = find_above(row, Sort::generate);
        if ((!wanted.empty() && node->node_id != wanted) ||
            (!user.empty() && (generate == nullptr || generate->user != user))) {
            ++report_.misparented;
            note(row, "is of another node or run");
        }
    }

    // In the order of the table.
    [[nodiscard]] static bool is_right(const SpanRow& row, Sort sort, const SpanRow& parent) {
        const auto above = sort_of(parent.name);
        const bool is_in_node = above == Sort::node || above == Sort::attempt;
        switch (sort) {
            case Sort::generate:
                // All parts of a run that was paused hang below its first.
                return row.is_resumed ? above == Sort::generate && !parent.is_resumed &&
                                            row.run_id == parent.run_id
                                      : above == Sort::tool;
            case Sort::runner:
                return above == Sort::generate && row.run_id == parent.run_id;
            case Sort::workflow:
                return above == Sort::runner && row.run_id == parent.run_id;
            case Sort::node:
                return is_node_right(row, parent, above);
            case Sort::attempt:
                return above == Sort::node;
            case Sort::round: {
                const auto& container = row.iteration_id.empty() ? row.loop_id : row.iteration_id;
                return above == Sort::node && parent.node_id == container;
            }
            case Sort::chat:
            case Sort::tool:
                return is_in_node || above == Sort::agent_round;
            case Sort::agent:
            case Sort::retrieval:
                return is_in_node;
            case Sort::agent_round:
                return above == Sort::agent;
            case Sort::http:
                return is_in_node || above == Sort::chat;
            case Sort::sql:
                return is_in_node || above == Sort::retrieval;
            case Sort::stranger:
                break;
        }
        return false;
    }

    [[nodiscard]] static bool is_node_right(const SpanRow& row, const SpanRow& parent, Sort above) {
        const bool is_at_top = row.iteration_id.empty() && row.loop_id.empty();
        if (is_at_top) {
            return above == Sort::workflow;
        }
        return above == Sort::round && row.iteration_id == parent.iteration_id &&
               row.loop_id == parent.loop_id && row.index == parent.index;
    }

    const std::vector<SpanRow>& rows_;
    std::unordered_map<std::string_view, const SpanRow*> by_id_;
    SpanReport report_;
};

}  // namespace

SpanRow read_row(const exporting::SpanRecord& span) {
    SpanRow row;
    row.trace = text_of(span.trace_id);
    row.id = text_of(span.span_id);
    row.parent = text_of(span.parent_span_id);
    row.name = span.name();
    row.node_id = span.text(names::kNodeId);
    row.run_id = span.text(names::kDifyWorkflowRunId);
    row.user = span.text(names::kUserId);
    row.iteration_id = span.text(names::kDifyIterationId);
    row.loop_id = span.text(names::kDifyLoopId);
    if (span.has(names::kDifyIterationIndex)) {
        row.index = span.integer(names::kDifyIterationIndex);
    } else if (span.has(names::kDifyLoopIndex)) {
        row.index = span.integer(names::kDifyLoopIndex);
    }
    row.url = span.text(names::kUrlFull);
    row.end_reason = span.text(names::kFlowspanEndReason);
    row.is_resumed = span.has(names::kFlowspanResumed);
    return row;
}

Result<exporting::ExportReceipt> RowSink::export_spans(exporting::SpanBatch batch) {
    const auto thread = std::hash<std::thread::id>()(std::this_thread::get_id());
    auto& shard = shards_[thread % shards_.size()];
    const std::scoped_lock lock(shard.mutex);
    for (const auto& span : batch) {
        shard.rows.push_back(read_row(*span));
    }
    return exporting::ExportReceipt{};
}

std::vector<SpanRow> RowSink::take() {
    std::vector<SpanRow> rows;
    for (auto& shard : shards_) {
        const std::scoped_lock lock(shard.mutex);
        std::ranges::move(shard.rows, std::back_inserter(rows));
        shard.rows.clear();
    }
    return rows;
}

SpanReport check_spans(const std::vector<SpanRow>& rows) {
    return Checker(rows).run();
}

}  // namespace flowspan::chaos
