#include "nodes/testing/node_case.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/value/value.hpp"
#include "nodes/registry.hpp"
#include "nodes/testing/fake_node_context.hpp"
#include "nodes/testing/fake_services.hpp"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <ostream>
#include <utility>

namespace flowspan::nodes::testing {

namespace {

json::value scalar_to_json(const YAML::Node& node) {
    const auto& text = node.Scalar();
    if (node.Tag() == "!") {
        return json::value(text);  // in quotes
    }
    if (text == "null" || text == "~" || text.empty()) {
        return nullptr;
    }
    if (auto parsed = parse_json(text); parsed && (parsed->is_number() || parsed->is_bool())) {
        return *parsed;
    }
    return json::value(text);
}

json::value to_json(const YAML::Node& node) {
    if (node.IsMap()) {
        json::object object;
        for (const auto& member : node) {
            object[member.first.Scalar()] = to_json(member.second);
        }
        return object;
    }
    if (node.IsSequence()) {
        json::array array;
        for (const auto& item : node) {
            array.push_back(to_json(item));
        }
        return array;
    }
    return node.IsScalar() ? scalar_to_json(node) : json::value();
}

const json::object& object_at(const json::value& value, std::string_view key) {
    static const json::object kEmpty;
    const auto* member = find_member(value, key);
    return member != nullptr && member->is_object() ? member->get_object() : kEmpty;
}

const json::array& array_at(const json::value& value, std::string_view key) {
    static const json::array kEmpty;
    const auto* member = find_member(value, key);
    return member != nullptr && member->is_array() ? member->get_array() : kEmpty;
}

std::int64_t integer_at(const json::value& value, std::string_view key) {
    const auto* member = find_member(value, key);
    return member != nullptr && member->is_int64() ? member->get_int64() : 0;
}

bool bool_at(const json::value& value, std::string_view key, bool fallback = false) {
    const auto* member = find_member(value, key);
    return member != nullptr && member->is_bool() ? member->get_bool() : fallback;
}

std::string text_at(const json::value& value, std::string_view key) {
    return std::string(string_member(value, key));
}

std::vector<std::string> texts_at(const json::value& value, std::string_view key) {
    std::vector<std::string> texts;
    for (const auto& item : array_at(value, key)) {
        texts.emplace_back(string_or_empty(item));
    }
    return texts;
}

ErrorCode error_code(std::string_view name) {
    for (int i = 0; i <= static_cast<int>(ErrorCode::internal); ++i) {
        if (to_string(static_cast<ErrorCode>(i)) == name) {
            return static_cast<ErrorCode>(i);
        }
    }
    return ErrorCode::internal;
}

std::optional<Error> error_at(const json::value& value) {
    const auto* error = find_member(value, "error");
    if (error == nullptr) {
        return std::nullopt;
    }
    return Error(error_code(text_at(*error, "code")), text_at(*error, "message"))
        .with_type(text_at(*error, "type"))
        .with_detail(text_at(*error, "detail"));
}

value::Value typed_value(
    const json::value& data,
    const json::value& content,
    std::string_view group,
    std::string_view name
) {
    const json::value types(object_at(content, "types"));
    const json::value types_of_group(object_at(types, group));
    const auto type = string_member(types_of_group, name);
    return type.empty() ? value::Value(data)
                        : value::Value::unchecked(data, value::parse_value_type(type).value());
}

void script_model(const json::value& content, FakeChatModel& chat_model) {
    for (const auto& turn : array_at(content, "model")) {
        FakeChatModel::Script script;
        script.pieces = texts_at(turn, "pieces");
        script.reasoning = texts_at(turn, "reasoning");
        script.error = error_at(turn);
        script.reply.usage.prompt_tokens = integer_at(turn, "prompt_tokens");
        script.reply.usage.completion_tokens = integer_at(turn, "completion_tokens");
        if (const auto reason = text_at(turn, "finish_reason"); !reason.empty()) {
            script.reply.finish_reason = reason;
        }
        for (const auto& call : array_at(turn, "tool_calls")) {
            script.reply.tool_calls.push_back(
                {text_at(call, "id"), text_at(call, "name"), text_at(call, "arguments")}
            );
        }
        chat_model.script.push_back(std::move(script));
    }
    const json::value features(object_at(content, "features"));
    auto& known = chat_model.feature_set;
    known.tool_call = bool_at(features, "tool_call", known.tool_call);
    known.vision = bool_at(features, "vision", known.vision);
    known.document = bool_at(features, "document", known.document);
    known.structured_output = bool_at(features, "structured_output", known.structured_output);
}

void script_services(const json::value& content, FakeServices& fakes) {
    script_model(content, fakes.chat_model);
    for (const auto& reply : array_at(content, "sandbox")) {
        if (auto error = error_at(reply)) {
            fakes.sandbox.script.emplace_back(failure(*std::move(error)));
        } else {
            fakes.sandbox.script.emplace_back(*find_member(reply, "result"));
        }
    }
    for (const auto& reply : array_at(content, "http")) {
        if (auto error = error_at(reply)) {
            fakes.http_client.script.emplace_back(failure(*std::move(error)));
            continue;
        }
        http::HttpResponse response;
        response.status = static_cast<int>(integer_at(reply, "status"));
        response.url = text_at(reply, "url");
        response.body = text_at(reply, "body");
        for (const auto& header : object_at(reply, "headers")) {
            response.headers.emplace_back(header.key(), string_or_empty(header.value()));
        }
        fakes.http_client.script.emplace_back(std::move(response));
    }
    for (const auto& message : array_at(content, "memory")) {
        fakes.memory.messages.push_back({text_at(message, "role"), text_at(message, "text"), {}});
    }
}

void fill_context(const json::value& content, FakeNodeContext& context) {
    for (const auto& group : object_at(content, "variables")) {
        for (const auto& variable : group.value().as_object()) {
            context.pool.set(
                group.key(),
                variable.key(),
                typed_value(variable.value(), content, group.key(), variable.key())
            );
        }
    }
    const json::value run(object_at(content, "run"));
    context.info.conversation_id = text_at(run, "conversation_id");
    context.kept = object_at(content, "kept");
    context.answers = object_at(content, "answers");
    for (const auto& frame : array_at(content, "frames")) {
        FakeNodeContext::FrameScript script;
        script.group = text_at(frame, "group");
        for (const auto& variable : object_at(frame, "variables")) {
            script.variables.push_back({std::string(variable.key()), value::Value(variable.value())}
            );
        }
        script.outputs = object_at(frame, "outputs");
        script.error = error_at(frame);
        script.has_reached_loop_end = bool_at(frame, "loop_end");
        script.tokens = integer_at(frame, "tokens");
        script.yields = static_cast<int>(integer_at(frame, "yields"));
        context.frames.push_back(std::move(script));
    }
}

// Members that `expected` has must be in `actual`; lists are compared item by item.
bool contains(const json::value& actual, const json::value& expected) {
    if (expected.is_object() && actual.is_object()) {
        return std::ranges::all_of(expected.get_object(), [&](const json::key_value_pair& member) {
            const auto* found = actual.get_object().if_contains(member.key());
            return found != nullptr && contains(*found, member.value());
        });
    }
    if (expected.is_array() && actual.is_array()) {
        return std::ranges::equal(actual.get_array(), expected.get_array(), contains);
    }
    return actual == expected;
}

class Findings {
public:
    void expect(bool is_met, std::string_view what, const json::value& actual) {
        if (!is_met) {
            lines.push_back(fmt::format("{} is {}", what, to_json_text(actual)));
        }
    }

    std::vector<std::string> lines;
};

Task<Result<engine::NodeOutcome>> execute(const engine::Node* node, FakeNodeContext* context) {
    co_return co_await node->execute(*context);
}

void check_error(const json::value& expected, const Error& error, Findings& findings) {
    const json::value actual = {{"message", error.full_text()}, {"type", error.type}};
    findings.expect(contains(actual, expected), "the error", actual);
}

void check_outcome(
    const json::value& expect, const engine::NodeOutcome& outcome, Findings& findings
) {
    json::object outputs;
    json::object types;
    for (const auto& [name, value] : outcome.outputs) {
        outputs[name] = value.json();
        types[name] = to_string(value.type());
    }
    const auto& expected = object_at(expect, "outputs");
    findings.expect(
        outputs.size() == expected.size() && contains(outputs, expected), "outputs", outputs
    );
    findings.expect(
        contains(types, json::value(object_at(expect, "types"))), "types of outputs", types
    );
    const auto* pause = find_member(expect, "pause");
    const json::value reason = outcome.pause ? json::value(outcome.pause->reason) : json::value();
    findings.expect(
        (pause == nullptr) == reason.is_null() && (pause == nullptr || contains(reason, *pause)),
        "the reason to pause",
        reason
    );
    const auto handle = string_member(expect, "handle", "source");
    findings.expect(outcome.edge_handle == handle, "the handle", json::value(outcome.edge_handle));
}

void check_records(
    const json::value& expect,
    const FakeNodeContext& context,
    const CallLog& calls,
    Findings& findings
) {
    const auto& record = context.node_record;
    const std::array<std::pair<std::string_view, const json::object*>, 3> parts = {
        {{"inputs", &record.inputs},
         {"process_data", &record.process_data},
         {"metadata", &record.metadata}}
    };
    for (const auto& [name, part] : parts) {
        findings.expect(contains(*part, object_at(expect, name)), name, *part);
    }
    if (find_member(expect, "events") != nullptr) {
        const json::array events(context.events.begin(), context.events.end());
        findings.expect(events == array_at(expect, "events"), "events", events);
    }
    if (find_member(expect, "calls") != nullptr) {
        const json::array actual(calls.begin(), calls.end());
        findings.expect(contains(actual, array_at(expect, "calls")), "calls", actual);
    }
}

void check_problems(const json::value& expect, const Problems& problems, Findings& findings) {
    json::array codes;
    for (const auto& problem : problems) {
        codes.emplace_back(problem.code);
    }
    findings.expect(codes == array_at(expect, "problems"), "problems", codes);
}

dsl::NodeSpec make_spec(const NodeCase& node_case) {
    dsl::NodeSpec spec;
    spec.id = "node";
    spec.title = "Node";
    spec.version = string_member(node_case.content, "version", "1");
    spec.type = string_member(node_case.content, "type");
    if (spec.type.empty()) {
        // The wire name is the folder's with dashes.
        spec.type = node_case.kind;
        std::ranges::replace(spec.type, '_', '-');
    }
    spec.data = object_at(node_case.content, "data");
    return spec;
}

}  // namespace

bool NodeCase::expects_failure() const {
    const auto* expect = find_member(content, "expect");
    return expect != nullptr && (find_member(*expect, "error") != nullptr ||
                                 find_member(*expect, "problems") != nullptr);
}

void PrintTo(const NodeCase& node_case, std::ostream* out) {
    *out << string_member(node_case.content, "title");
}

std::vector<NodeCase> load_cases(const std::filesystem::path& room) {
    std::vector<NodeCase> cases;
    for (const auto& kind : std::filesystem::directory_iterator(room)) {
        if (!std::filesystem::is_directory(kind.path() / "cases")) {
            continue;
        }
        for (const auto& file : std::filesystem::directory_iterator(kind.path() / "cases")) {
            cases.push_back(
                {kind.path().filename().string(),
                 file.path().stem().string(),
                 to_json(YAML::LoadFile(file.path().string()))}
            );
        }
    }
    std::ranges::sort(cases, {}, [](const NodeCase& one) { return std::pair(one.kind, one.name); });
    return cases;
}

std::vector<std::string> run_case(const NodeCase& node_case) {
    FakeServices fakes;
    script_services(node_case.content, fakes);
    const Registry registry(fakes.services());
    FakeNodeContext context;
    fill_context(node_case.content, context);
    const json::value expect(object_at(node_case.content, "expect"));
    Problems problems;
    const auto spec = make_spec(node_case);
    const auto node = registry.build(spec, problems);
    Findings findings;
    check_problems(expect, problems, findings);
    if (node == nullptr) {
        return findings.lines;
    }
    async::Runtime runtime;
    const auto result = runtime.block_on(execute, node.get(), &context);
    const auto* expected_error = find_member(expect, "error");
    if (!result) {
        check_error(
            expected_error != nullptr ? *expected_error : json::value("none"),
            result.error(),
            findings
        );
    } else if (expected_error != nullptr) {
        findings.lines.emplace_back("the node succeeded");
    } else {
        check_outcome(expect, *result, findings);
    }
    check_records(expect, context, fakes.calls, findings);
    return findings.lines;
}

}  // namespace flowspan::nodes::testing
