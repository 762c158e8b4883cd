#include "nodes/json_repair.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace flowspan::nodes {

namespace {

void append_code_point(std::string& out, std::uint32_t code) {
    if (code < 0x80) {
        out += static_cast<char>(code);
    } else if (code < 0x800) {
        out += static_cast<char>(0xC0U | code >> 6U);
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else if (code < 0x10000) {
        out += static_cast<char>(0xE0U | code >> 12U);
        out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    } else {
        out += static_cast<char>(0xF0U | code >> 18U);
        out += static_cast<char>(0x80U | (code >> 12U & 0x3FU));
        out += static_cast<char>(0x80U | (code >> 6U & 0x3FU));
        out += static_cast<char>(0x80U | (code & 0x3FU));
    }
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kQuotes = {{
    {"\"", "\""},
    {"'", "'"},
    {"\u201c", "\u201d"},
    {"`", "`"},
}};

// A forgiving recursive-descent reader. It always moves on, so it ends on any input.
class Repairer {
public:
    explicit Repairer(std::string_view text) : text_(text) {}

    std::optional<json::value> read_document() {
        const auto start = text_.find_first_of("{[");
        if (start == std::string_view::npos) {
            return std::nullopt;
        }
        at_ = start;
        return read_value(0);
    }

private:
    [[nodiscard]] bool is_done() const noexcept { return at_ >= text_.size(); }

    [[nodiscard]] char peek() const noexcept { return is_done() ? '\0' : text_[at_]; }

    [[nodiscard]] std::string_view rest() const noexcept { return text_.substr(at_); }

    bool take(std::string_view token) noexcept {
        if (!rest().starts_with(token)) {
            return false;
        }
        at_ += token.size();
        return true;
    }

    void skip_space() {
        while (!is_done()) {
            if (std::string_view(" \t\r\n\f\v").find(peek()) != std::string_view::npos ||
                peek() == '\0') {
                ++at_;
            } else if (rest().starts_with("//") || peek() == '#') {
                at_ = std::min(text_.find('\n', at_), text_.size());
            } else if (rest().starts_with("/*")) {
                const auto end = text_.find("*/", at_ + 2);
                at_ = end == std::string_view::npos ? text_.size() : end + 2;
            } else if (!take("\u00a0") && !take("\ufeff")) {
                return;
            }
        }
    }

    json::value read_value(std::size_t depth) {
        skip_space();
        if (depth >= kJsonDepthMax) {
            at_ = text_.size();
            return nullptr;
        }
        if (peek() == '{') {
            return read_object(depth);
        }
        if (peek() == '[') {
            return read_array(depth);
        }
        if (find_quote() != nullptr) {
            return json::value(read_quoted(false));
        }
        return read_bare();
    }

    json::value read_object(std::size_t depth) {
        json::object object;
        ++at_;
        while (true) {
            skip_separators();
            if (is_done() || take("}")) {
                return object;
            }
            if (peek() == ']') {
                return object;  // the closing brace was forgotten
            }
            const auto start = at_;
            auto key = find_quote() != nullptr ? read_quoted(true) : read_bare_key();
            skip_space();
            if (take(":") || take("=>") || take("=")) {
                skip_space();
                const bool is_value_missing = is_done() || peek() == ',' || peek() == '}';
                object[key] = is_value_missing ? json::value("") : read_value(depth + 1);
            } else if (!key.empty()) {
                object[key] = "";
            }
            if (at_ == start) {
                ++at_;
            }
        }
    }

    json::value read_array(std::size_t depth) {
        json::array array;
        ++at_;
        while (true) {
            skip_separators();
            if (is_done() || take("]")) {
                return array;
            }
            if (peek() == '}') {
                return array;  // the closing bracket was forgotten
            }
            const auto start = at_;
            array.push_back(read_value(depth + 1));
            if (at_ == start) {
                ++at_;
            }
        }
    }

    void skip_separators() {
        skip_space();
        while (peek() == ',' || peek() == ';') {
            ++at_;
            skip_space();
        }
    }

    [[nodiscard]] const std::pair<std::string_view, std::string_view>* find_quote() const {
        for (const auto& quote : kQuotes) {
            if (rest().starts_with(quote.first)) {
                return &quote;
            }
        }
        return nullptr;
    }

    // A quote ends a text only if what follows fits there; others were forgotten to be escaped.
    [[nodiscard]] bool closes_text(std::size_t after, bool is_key) const {
        const auto next = text_.find_first_not_of(" \t\r\n", after);
        if (next == std::string_view::npos) {
            return true;
        }
        const char c = text_[next];
        if (is_key) {
            return c == ':' || c == '=' || c == ',' || c == '}';
        }
        if (c == '}' || c == ']') {
            return true;
        }
        if (c == ',') {
            const auto following = text_.find_first_not_of(" \t\r\n", next + 1);
            return following == std::string_view::npos ||
                   std::string_view("\"'`{[]}-0123456789tfnTFN/#\xe2").find(text_[following]) !=
                       std::string_view::npos ||
                   is_key_at(following);
        }
        // A missing comma: the next key starts on another line or right here.
        return (c == '"' || c == '\'') && is_key_at(next);
    }

    // Is there `name:` or `"name":`?
    [[nodiscard]] bool is_key_at(std::size_t at) const {
        if (at < text_.size() && (text_[at] == '"' || text_[at] == '\'')) {
            const auto end = text_.find(text_[at], at + 1);
            const auto colon =
                end == std::string_view::npos ? end : text_.find_first_not_of(" \t\r\n", end + 1);
            return colon != std::string_view::npos && text_[colon] == ':';
        }
        const auto end = text_.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-", at
        );
        return end != std::string_view::npos && end > at && text_[end] == ':';
    }

    std::string read_quoted(bool is_key) {
        const auto& quote = *find_quote();
        at_ += quote.first.size();
        std::string out;
        while (!is_done()) {
            if (peek() == '\\') {
                ++at_;
                read_escape(out);
            } else if (rest().starts_with(quote.second)) {
                if (closes_text(at_ + quote.second.size(), is_key)) {
                    at_ += quote.second.size();
                    return out;
                }
                at_ += quote.second.size();
                out += quote.second;
            } else {
                out += text_[at_++];
            }
        }
        while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) {
            out.pop_back();
        }
        return out;
    }

    void read_escape(std::string& out) {
        if (is_done()) {
            return;
        }
        const char c = text_[at_++];
        switch (c) {
            case 'n':
                out += '\n';
                return;
            case 't':
                out += '\t';
                return;
            case 'r':
                out += '\r';
                return;
            case 'b':
                out += '\b';
                return;
            case 'f':
                out += '\f';
                return;
            case 'u':
                read_unicode_escape(out);
                return;
            case '"':
            case '\'':
            case '\\':
            case '/':
            case '`':
                out += c;
                return;
            default:
                // A lone backslash, as in a Windows path.
                out += '\\';
                out += c;
        }
    }

    std::optional<std::uint32_t> read_hex4() {
        const auto digits = rest().substr(0, 4);
        std::uint32_t code = 0;
        const auto [end, ec] =
            std::from_chars(digits.data(), digits.data() + digits.size(), code, 16);
        if (ec != std::errc() || digits.size() != 4 || end != digits.data() + 4) {
            return std::nullopt;
        }
        at_ += 4;
        return code;
    }

    void read_unicode_escape(std::string& out) {
        const auto high = read_hex4();
        if (!high) {
            out += "\\u";
            return;
        }
        std::uint32_t code = *high;
        if (code >= 0xD800 && code < 0xDC00 && take("\\u")) {
            const auto low = read_hex4();
            code = low && *low >= 0xDC00 && *low < 0xE000
                       ? 0x10000U + ((code - 0xD800U) << 10U) + (*low - 0xDC00U)
                       : 0xFFFDU;
        }
        append_code_point(out, code >= 0xD800 && code < 0xE000 ? 0xFFFDU : code);
    }

    std::string read_bare_key() {
        const auto end = std::min(text_.find_first_of(":=,{}[]\n", at_), text_.size());
        const auto key = trim(text_.substr(at_, end - at_));
        at_ = end;
        return std::string(key);
    }

    // A number, a word such as true or None, or a text without quotes.
    json::value read_bare() {
        const auto end = std::min(text_.find_first_of(",{}[]\n:", at_), text_.size());
        auto word = trim(text_.substr(at_, end - at_));
        const auto comment = word.find("//");
        if (comment != std::string_view::npos && (comment == 0 || word[comment - 1] == ' ')) {
            word = trim(word.substr(0, comment));
        }
        at_ = end;
        if (const auto number = parse_json(word); number && number->is_number()) {
            return *number;
        }
        if (equals_ignore_case(word, "true")) {
            return true;
        }
        if (equals_ignore_case(word, "false")) {
            return false;
        }
        for (const auto* name : {"null", "none", "undefined", "nan"}) {
            if (equals_ignore_case(word, name)) {
                return nullptr;
            }
        }
        while (!word.empty() && (word.back() == '"' || word.back() == '\'')) {
            word.remove_suffix(1);
        }
        return json::value(word);
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

// The text inside the first code fence, or all of it.
std::string_view without_fence(std::string_view text) {
    const auto open = text.find("```");
    if (open == std::string_view::npos) {
        return text;
    }
    // Brackets before the fence mean that the fence is inside a value.
    if (text.substr(0, open).find_first_of("{[") != std::string_view::npos) {
        return text;
    }
    const auto line = text.find_first_of("\n{[", open + 3);
    if (line == std::string_view::npos) {
        return text;
    }
    const auto close = text.rfind("```");
    return text.substr(line, close > line ? close - line : std::string_view::npos);
}

// The end of the bracketed text that starts at `open`, or npos; brackets in quotes do not count.
std::size_t balanced_end(std::string_view text, std::size_t open) {
    std::size_t depth = 0;
    bool is_quoted = false;
    for (auto i = open; i < text.size(); ++i) {
        const char c = text[i];
        if (is_quoted) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                is_quoted = false;
            }
        } else if (c == '"') {
            is_quoted = true;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            return i + 1;
        }
    }
    return std::string_view::npos;
}

// A text full of opening braces must not make the search quadratic.
constexpr int kObjectAttemptsMax = 64;

}  // namespace

json::value repair_json(std::string_view text) {
    const auto valid = to_valid_utf8(trim(text));
    if (auto parsed = parse_json(valid)) {
        return *std::move(parsed);
    }
    const auto body = without_fence(valid);
    if (auto parsed = parse_json(trim(body))) {
        return *std::move(parsed);
    }
    auto repaired = Repairer(body).read_document();
    return repaired ? *std::move(repaired) : json::value("");
}

json::value find_json_object(std::string_view text) {
    auto open = text.find('{');
    for (int attempt = 0; open != std::string_view::npos && attempt < kObjectAttemptsMax;
         ++attempt) {
        const auto end = balanced_end(text, open);
        if (end != std::string_view::npos) {
            if (auto parsed = parse_json(text.substr(open, end - open));
                parsed && parsed->is_object()) {
                return *std::move(parsed);
            }
        }
        open = text.find('{', open + 1);
    }
    return nullptr;
}

}  // namespace flowspan::nodes
