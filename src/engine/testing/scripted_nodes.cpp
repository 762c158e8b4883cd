#include "engine/testing/scripted_nodes.hpp"

#include "flowspan/async/pools.hpp"
#include "flowspan/async/waits.hpp"
#include "flowspan/base/text.hpp"

#include <map>
#include <sstream>

namespace flowspan::engine::testing {

namespace {

const std::map<std::string, NodeTraits, std::less<>>& traits() {
    static const std::map<std::string, NodeTraits, std::less<>> table{
        {"start", {NodeShape::root, false, false}},
        {"work", {}},
        {"fail", {NodeShape::executable, true, false}},
        {"flaky", {NodeShape::executable, true, false}},
        {"branch", {NodeShape::branch, false, false}},
        {"hang", {}},
        {"say", {}},
        {"throw", {}},
        {"wait", {}},
        {"answer", {NodeShape::response, false, false}},
    };
    return table;
}

class ScriptedNode final : public Node {
public:
    ScriptedNode(std::string type, json::value data)
        : type_(std::move(type)), data_(std::move(data)), text_(string_member(data_, "answer")) {}

    Task<Result<NodeOutcome>> execute(NodeContext& context) const override {
        if (type_ == "hang") {
            co_await async::sleep(std::chrono::hours(1));
        }
        if (type_ == "wait") {
            co_await async::on_blocking([] {
                async::add_wait(async::WaitKind::rate_limit, std::chrono::milliseconds(250));
            });
        }
        if (type_ == "throw") {
            throw std::runtime_error("thrown by the node");
        }
        if (type_ == "fail" || (type_ == "flaky" && failures_++ < 2)) {
            co_return failure(Error(ErrorCode::execution_failed, "it broke").with_type("TestError")
            );
        }
        NodeOutcome outcome;
        if (type_ == "branch") {
            outcome.edge_handle = std::string(string_member(data_, "choose"));
        } else if (type_ == "answer") {
            outcome.outputs.push_back(
                {"answer", value::Value::string(text_.to_markdown(context.variables()))}
            );
        } else if (type_ == "say") {
            std::string all;
            for (const auto piece : split(string_member(data_, "pieces"), '|')) {
                co_await async::yield_now();
                context.stream_text("text", piece, false);
                all += piece;
            }
            context.stream_text("text", "", true);
            outcome.outputs.push_back({"text", value::Value::string(all)});
        } else {
            co_await async::yield_now();
            outcome.outputs.push_back({"out", value::Value::string(context.node_id())});
        }
        co_return outcome;
    }

    std::vector<value::TextTemplate::Segment> response_template() const override {
        return type_ == "answer" ? text_.segments() : std::vector<value::TextTemplate::Segment>();
    }

private:
    std::string type_;
    json::value data_;
    value::TextTemplate text_;
    mutable int failures_ = 0;
};

struct Describe {
    std::string operator()(const GraphRunStarted&) const { return "run started"; }

    std::string operator()(const GraphRunSucceeded&) const { return "run succeeded"; }

    std::string operator()(const GraphRunPartialSucceeded& event) const {
        return "run partial-succeeded " + std::to_string(event.exceptions_count);
    }

    std::string operator()(const GraphRunFailed& event) const {
        return "run failed: " + event.error->message;
    }

    std::string operator()(const GraphRunAborted& event) const {
        return "run " + std::string(event.reason);
    }

    std::string operator()(const GraphEdgeDecided& event) const {
        return std::string(event.is_taken ? "taken " : "skipped ") +
               std::string(event.source_node_id) + ">" + std::string(event.target_node_id);
    }

    std::string operator()(const NodeRunStarted& event) const {
        return line("started", *event.node);
    }

    std::string operator()(const NodeRunSucceeded& event) const {
        return line("succeeded", *event.node);
    }

    std::string operator()(const NodeRunFailed& event) const { return line("failed", *event.node); }

    std::string operator()(const NodeRunException& event) const {
        return line("exception", *event.node) + " " + event.result->error_strategy;
    }

    std::string operator()(const NodeRunRetry& event) const {
        return line("retry", *event.node) + " " + std::to_string(event.retry_index);
    }

    std::string operator()(const NodeRunStreamChunk& event) const {
        return "chunk " + std::string(event.node_id) + " '" + std::string(event.chunk) + "'" +
               (event.is_final ? " final" : "");
    }

    template <class Other>
    std::string operator()(const Other&) const {
        return "other";
    }

    static std::string line(std::string_view what, const NodeRun& node) {
        return std::string(what) + " " + std::string(node.node_id);
    }
};

}  // namespace

const NodeTraits* ScriptedNodes::find_traits(std::string_view type) const {
    const auto found = traits().find(type);
    return found == traits().end() ? nullptr : &found->second;
}

std::unique_ptr<Node> ScriptedNodes::build(
    const dsl::NodeSpec& spec, std::vector<dsl::Problem>& /*problems*/
) const {
    return std::make_unique<ScriptedNode>(spec.type, spec.data);
}

std::shared_ptr<const Graph> make_graph(std::string_view nodes, std::string_view edges) {
    dsl::Graph graph;
    for (const auto line : split(nodes, '\n')) {
        const auto text = trim(line);
        if (text.empty()) {
            continue;
        }
        const auto colon = text.find(':');
        const auto space = text.find(' ');
        dsl::NodeSpec spec;
        spec.type = text.substr(0, colon);
        spec.id =
            text.substr(colon + 1, space == std::string_view::npos ? space : space - colon - 1);
        spec.title = spec.id;
        spec.data = space == std::string_view::npos ? json::value(json::object())
                                                    : *parse_json(text.substr(space));
        graph.nodes.push_back(std::move(spec));
    }
    graph.root_id = graph.nodes.front().id;
    std::istringstream stream{std::string(edges)};
    for (std::string edge; stream >> edge;) {
        dsl::EdgeSpec spec;
        const auto arrow = edge.find('>');
        const auto colon = edge.find(':');
        spec.id = "edge_" + std::to_string(graph.edges.size());
        spec.source = edge.substr(0, arrow);
        spec.target =
            edge.substr(arrow + 1, colon == std::string::npos ? colon : colon - arrow - 1);
        spec.source_handle = colon == std::string::npos ? "source" : edge.substr(colon + 1);
        graph.edges.push_back(std::move(spec));
    }
    std::vector<dsl::Problem> problems;
    return Graph::compile(graph, ScriptedNodes(), problems);
}

void EventLog::on_event(const Event& event) {
    lines.push_back(std::visit(Describe{}, event));
    if (const auto* chunk = std::get_if<NodeRunStreamChunk>(&event)) {
        text += chunk->chunk;
    }
}

}  // namespace flowspan::engine::testing
