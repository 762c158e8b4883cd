#include "model_server/reply.hpp"

#include "flowspan/base/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace flowspan::model_server {

namespace {

constexpr std::string_view kId = "chatcmpl-scripted";

std::string head(
    int status,
    const std::vector<std::pair<std::string, std::string>>& headers,
    std::string_view content_type
) {
    auto text = fmt::format("HTTP/1.1 {} {}\r\n", status, status < 400 ? "OK" : "Error");
    if (!content_type.empty()) {
        fmt::format_to(std::back_inserter(text), "Content-Type: {}\r\n", content_type);
    }
    for (const auto& [name, value] : headers) {
        fmt::format_to(std::back_inserter(text), "{}: {}\r\n", name, value);
    }
    return text;
}

/// Words with the white space that follows them, so that joined they are the text.
std::vector<std::string> pieces_of(std::string_view text) {
    std::vector<std::string> pieces;
    while (!text.empty()) {
        const auto space = text.find_first_of(" \n");
        const auto end = space == std::string_view::npos ? text.size() : space + 1;
        pieces.emplace_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return pieces;
}

std::vector<std::string> tokens_of(const Script& script, const ScriptedReply& scripted) {
    if (scripted.text) {
        return pieces_of(*scripted.text);
    }
    std::vector<std::string> pieces;
    if (scripted.tool_calls.empty()) {
        for (int i = 1; i <= scripted.tokens.value_or(script.tokens); ++i) {
            pieces.push_back(fmt::format("tok{} ", i));
        }
    }
    return pieces;
}

json::object usage_json(const ScriptedUsage& usage) {
    return {
        {"prompt_tokens", usage.prompt_tokens},
        {"completion_tokens", usage.completion_tokens},
        {"total_tokens", usage.prompt_tokens + usage.completion_tokens},
        {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}}},
        {"completion_tokens_details", {{"reasoning_tokens", usage.reasoning_tokens}}},
    };
}

json::object tool_call_json(const ScriptedToolCall& call) {
    return {
        {"id", call.id},
        {"type", "function"},
        {"function", {{"name", call.name}, {"arguments", call.arguments}}},
    };
}

/// Writes a stream step by step.
class StreamWriter {
public:
    StreamWriter(Reply& reply, std::string_view model, bool is_chat)
        : reply_(reply), model_(model), is_chat_(is_chat) {}

    void event(const json::value& data) { raw(to_json_text(data)); }

    void raw(std::string_view data) {
        fmt::format_to(
            std::back_inserter(reply_.bytes), "{:x}\r\ndata: {}\n\n\r\n", data.size() + 8, data
        );
    }

    void delta(const json::object& delta, const json::value& finish_reason = nullptr) {
        json::object choice{{"index", 0}};
        if (is_chat_) {
            choice["delta"] = delta;
        } else {
            const auto* content = delta.if_contains("content");
            choice["text"] = content == nullptr ? json::value("") : *content;
        }
        choice["finish_reason"] = finish_reason;
        event(envelope(json::array{choice}));
    }

    [[nodiscard]] json::object envelope(json::array choices) const {
        return {
            {"id", kId},
            {"object", is_chat_ ? "chat.completion.chunk" : "text_completion"},
            {"created", 1700000000},
            {"model", model_},
            {"choices", std::move(choices)},
        };
    }

    void end_step() { reply_.ends.push_back(reply_.bytes.size()); }

private:
    Reply& reply_;
    std::string_view model_;
    bool is_chat_;
};

/// A call comes as providers send it: first its name, then the arguments in two halves.
void write_tool_call(StreamWriter& out, const ScriptedToolCall& call, std::int64_t index) {
    const auto half = call.arguments.size() / 2;
    json::object start{
        {"index", index},
        {"id", call.id},
        {"type", "function"},
        {"function", {{"name", call.name}, {"arguments", ""}}},
    };
    out.delta({{"tool_calls", json::array{start}}});
    for (const auto& part : {call.arguments.substr(0, half), call.arguments.substr(half)}) {
        json::object more{{"index", index}, {"function", {{"arguments", part}}}};
        out.delta({{"tool_calls", json::array{more}}});
    }
}

std::string finish_reason_of(const ScriptedReply& scripted) {
    if (!scripted.finish_reason.empty()) {
        return scripted.finish_reason;
    }
    return scripted.tool_calls.empty() ? "stop" : "tool_calls";
}

void write_stream(
    Reply& reply,
    const ScriptedReply& scripted,
    const std::vector<std::string>& tokens,
    const ScriptedUsage& usage,
    StreamWriter out,
    bool is_usage_included
) {
    reply.bytes = head(scripted.status, scripted.headers, "text/event-stream; charset=utf-8");
    reply.bytes += "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n";
    const auto head_size = reply.bytes.size();
    out.delta({{"role", "assistant"}, {"content", ""}});
    for (const auto& piece : pieces_of(scripted.reasoning)) {
        out.delta({{"reasoning_content", piece}});
        out.end_step();
    }
    for (const auto& piece : tokens) {
        out.delta({{"content", piece}});
        out.end_step();
    }
    for (std::size_t i = 0; i < scripted.tool_calls.size(); ++i) {
        write_tool_call(out, scripted.tool_calls[i], static_cast<std::int64_t>(i));
        out.end_step();
    }
    const auto cut = scripted.disconnect_after ? scripted.disconnect_after : scripted.hang_after;
    if (cut) {
        reply.end = scripted.disconnect_after ? Reply::End::close : Reply::End::hang;
        reply.ends.resize(std::min(reply.ends.size(), static_cast<std::size_t>(*cut)));
        reply.bytes.resize(reply.ends.empty() ? head_size : reply.ends.back());
        if (reply.ends.empty()) {
            out.end_step();
        }
        return;
    }
    if (!reply.ends.empty()) {
        reply.ends.pop_back();  // The end goes out with the last piece.
    }
    if (!scripted.finish_reason.starts_with("none")) {
        out.delta({}, json::value(finish_reason_of(scripted)));
    }
    if (is_usage_included) {
        auto last = out.envelope({});
        last["usage"] = usage_json(usage);
        out.event(last);
    }
    if (scripted.has_done_mark) {
        out.raw("[DONE]");
    }
    reply.bytes += "0\r\n\r\n";
    out.end_step();
}

std::string whole_completion(
    const ScriptedReply& scripted,
    const std::vector<std::string>& tokens,
    const ScriptedUsage& usage,
    std::string_view model,
    bool is_chat
) {
    std::string text;
    for (const auto& piece : tokens) {
        text += piece;
    }
    json::object choice{{"index", 0}, {"finish_reason", finish_reason_of(scripted)}};
    if (is_chat) {
        json::object message{{"role", "assistant"}, {"content", text}};
        if (!scripted.reasoning.empty()) {
            message["reasoning_content"] = scripted.reasoning;
        }
        json::array calls;
        for (const auto& call : scripted.tool_calls) {
            calls.push_back(tool_call_json(call));
        }
        if (!calls.empty()) {
            message["tool_calls"] = calls;
        }
        choice["message"] = message;
    } else {
        choice["text"] = text;
    }
    return to_json_text(json::object{
        {"id", kId},
        {"object", is_chat ? "chat.completion" : "text_completion"},
        {"created", 1700000000},
        {"model", model},
        {"choices", json::array{choice}},
        {"usage", usage_json(usage)},
    });
}

}  // namespace

Reply make_plain(
    int status,
    const std::vector<std::pair<std::string, std::string>>& headers,
    std::string_view content_type,
    std::string_view body
) {
    Reply reply;
    reply.bytes = head(status, headers, content_type);
    fmt::format_to(
        std::back_inserter(reply.bytes), "Content-Length: {}\r\n\r\n{}", body.size(), body
    );
    reply.ends.push_back(reply.bytes.size());
    return reply;
}

Reply make_completion(
    const Script& script, const ScriptedReply& scripted, const ChatFacts& facts, bool is_chat
) {
    if (scripted.body || scripted.status >= 400) {
        auto reply = make_plain(
            scripted.status,
            scripted.headers,
            scripted.content_type.empty() ? "application/json" : scripted.content_type,
            scripted.body.value_or("")
        );
        reply.first_delay = scripted.first_delay.value_or(std::chrono::microseconds(0));
        reply.slice = scripted.slice;
        return reply;
    }
    const auto tokens = tokens_of(script, scripted);
    const auto usage = scripted.usage.value_or(ScriptedUsage{
        .prompt_tokens = static_cast<std::int64_t>(facts.word_count),
        .completion_tokens = static_cast<std::int64_t>(tokens.size())
    });
    Reply reply;
    const auto gap = scripted.gap.value_or(script.gap);
    const auto first = scripted.first_delay.value_or(script.first_delay);
    if (facts.is_stream) {
        write_stream(
            reply,
            scripted,
            tokens,
            usage,
            StreamWriter(reply, facts.model, is_chat),
            facts.is_usage_included
        );
        reply.first_delay = first;
        reply.gap = gap;
    } else {
        reply = make_plain(
            scripted.status,
            scripted.headers,
            "application/json",
            whole_completion(scripted, tokens, usage, facts.model, is_chat)
        );
        reply.first_delay = first + gap * std::max<std::int64_t>(std::ssize(tokens) - 1, 0);
    }
    reply.slice = scripted.slice;
    return reply;
}

}  // namespace flowspan::model_server
