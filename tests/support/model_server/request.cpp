#include "model_server/request.hpp"

#include "flowspan/base/json.hpp"
#include "flowspan/base/text.hpp"

#include <algorithm>
#include <charconv>

namespace flowspan::model_server {

namespace {

constexpr std::size_t kHeadBytesMax = 64UL * 1024;
constexpr std::size_t kBodyBytesMax = 64UL * 1024 * 1024;

void append_text(const json::value& content, std::string& out) {
    if (content.is_string()) {
        out.append(content.get_string());
    } else if (content.is_array()) {
        for (const auto& part : content.get_array()) {
            out.append(string_member(part, "text"));
        }
    }
}

std::size_t count_words(std::string_view text) {
    std::size_t words = 0;
    bool is_in_word = false;
    for (const char c : text) {
        const bool is_space = c == ' ' || c == '\n' || c == '\t' || c == '\r';
        words += !is_space && !is_in_word ? 1 : 0;
        is_in_word = !is_space;
    }
    return words;
}

bool read_head(std::string_view head, Request& request) {
    auto lines = split(head, '\n');
    const auto words = split(trim(lines.front()), ' ');
    if (words.size() != 3) {
        return false;
    }
    request.method = words[0];
    request.target = words[1];
    for (std::size_t i = 1; i < lines.size(); ++i) {
        const auto line = trim(lines[i]);
        const auto colon = line.find(':');
        if (colon == std::string_view::npos) {
            return false;
        }
        request.headers.emplace_back(
            to_lower_ascii(line.substr(0, colon)), trim(line.substr(colon + 1))
        );
    }
    return true;
}

}  // namespace

std::string_view Request::header(std::string_view name) const noexcept {
    const auto found =
        std::ranges::find_if(headers, [name](const auto& entry) { return entry.first == name; });
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

ReadState read_request(std::string_view bytes, ReadRequest& out) {
    const auto head_size = bytes.substr(0, kHeadBytesMax).find("\r\n\r\n");
    if (head_size == std::string_view::npos) {
        return bytes.size() >= kHeadBytesMax ? ReadState::bad : ReadState::partial;
    }
    out.request = {};
    if (!read_head(bytes.substr(0, head_size), out.request) ||
        !out.request.header("transfer-encoding").empty()) {
        return ReadState::bad;
    }
    std::size_t body_size = 0;
    const auto length = out.request.header("content-length");
    std::from_chars(length.data(), length.data() + length.size(), body_size);
    if (body_size > kBodyBytesMax) {
        return ReadState::bad;
    }
    const auto body_at = head_size + 4;
    if (bytes.size() - body_at < body_size) {
        const bool is_waiting =
            bytes.size() == body_at && out.request.header("expect") == "100-continue";
        return is_waiting ? ReadState::expects_continue : ReadState::partial;
    }
    out.request.body = bytes.substr(body_at, body_size);
    out.size = body_at + body_size;
    return ReadState::complete;
}

std::optional<ChatFacts> read_chat(std::string_view body) {
    const auto parsed = parse_json(body);
    if (!parsed || !parsed->is_object()) {
        return std::nullopt;
    }
    ChatFacts facts;
    facts.model = string_member(*parsed, "model");
    const auto* stream = find_member(*parsed, "stream");
    facts.is_stream = stream != nullptr && stream->is_bool() && stream->get_bool();
    if (const auto* options = find_member(*parsed, "stream_options")) {
        const auto* usage = find_member(*options, "include_usage");
        facts.is_usage_included = usage != nullptr && usage->is_bool() && usage->get_bool();
    }
    if (const auto* messages = find_member(*parsed, "messages");
        messages != nullptr && messages->is_array()) {
        for (const auto& message : messages->get_array()) {
            const auto* content = find_member(message, "content");
            if (content == nullptr) {
                continue;
            }
            std::string text;
            append_text(*content, text);
            facts.all_messages.append(text).append("\n");
            if (string_member(message, "role") == "user") {
                facts.last_user_message = std::move(text);
            }
        }
    } else if (const auto prompt = string_member(*parsed, "prompt"); !prompt.empty()) {
        facts.all_messages = prompt;
        facts.last_user_message = prompt;
    }
    facts.word_count = count_words(facts.all_messages);
    return facts;
}

}  // namespace flowspan::model_server
