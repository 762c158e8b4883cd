#include "trace/keyed_secrets.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/trace/redactor.hpp"

#include <algorithm>
#include <array>

namespace flowspan::trace {

namespace {

constexpr std::size_t kKeyBytesMax = 64;

constexpr std::array<std::string_view, 31> kBuiltIn = {
    "api_key",
    "api_token",
    "apikey",
    "app_key",
    "auth_token",
    "authorization",
    "client_secret",
    "cookie",
    "credential",
    "credentials",
    "id_token",
    "password",
    "passwd",
    "private_key",
    "proxy_authorization",
    "pwd",
    "refresh_token",
    "secret",
    "secret_key",
    "session_token",
    "set_cookie",
    "signature",
    "subscription_key",
    "token",
    "access_token",
    "access_key",
    "x_api_key",
    "x_auth_token",
    "x_goog_api_key",
    "x_amz_security_token",
    "x_amz_signature",
};

// Also ordinary words, so `unexpected token: x` says nothing; at the start of a line they are keys.
constexpr std::array<std::string_view, 6> kWords = {
    "token", "secret", "signature", "credential", "credentials", "cookie"
};

constexpr std::string_view kLineStarts = "\r\n\"'`{,";

/// Finds `:` and `=`. Every text of every span is looked through, most hold neither, and the
/// library finds one byte many times faster than one of two.
class Separators {
public:
    explicit Separators(std::string_view text) : text_(text) {}

    /// The first at or after `at`, which only grows; the text's size if there is none.
    std::size_t next(std::size_t at) noexcept {
        if (!has_begun_ || colon_ < at) {
            colon_ = std::min(text_.find(':', at), text_.size());
        }
        if (!has_begun_ || equals_ < at) {
            equals_ = std::min(text_.find('=', at), text_.size());
        }
        has_begun_ = true;
        return std::min(colon_, equals_);
    }

private:
    std::string_view text_;
    std::size_t colon_ = 0;
    std::size_t equals_ = 0;
    bool has_begun_ = false;
};

bool is_key_byte(char byte) noexcept {
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '_' || byte == '-';
}

char normal(char byte) noexcept {
    if (byte == '-') {
        return '_';
    }
    return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
}

bool is_blank(char byte) noexcept {
    return byte == ' ' || byte == '\t';
}

/// A quote as it stands in the text: `"`, `'`, or `\"` inside of a JSON text; empty if none.
std::string_view quote_at(std::string_view text, std::size_t at) noexcept {
    if (at < text.size() && (text[at] == '"' || text[at] == '\'')) {
        return text.substr(at, 1);
    }
    return text.substr(std::min(at, text.size())).starts_with("\\\"") ? text.substr(at, 2)
                                                                      : std::string_view();
}

struct Key {
    std::string_view name;
    bool is_quoted = false;
    bool starts_line = false;
};

/// The key that ends before the separator at `at`.
Key key_before(std::string_view text, std::size_t at, std::size_t floor) noexcept {
    Key key;
    while (at > floor && is_blank(text[at - 1])) {
        --at;
    }
    if (at > floor && (text[at - 1] == '"' || text[at - 1] == '\'')) {
        key.is_quoted = true;
        --at;
        if (at > floor && text[at - 1] == '\\') {
            --at;
        }
    }
    auto begin = at;
    while (begin > floor && at - begin <= kKeyBytesMax && is_key_byte(text[begin - 1])) {
        --begin;
    }
    // A line break inside of a JSON text is written as `\n`.
    const bool is_escape = begin > 0 && begin < at && text[begin - 1] == '\\' && !key.is_quoted;
    if (is_escape) {
        ++begin;
    }
    key.name = text.substr(begin, at - begin);
    key.starts_line = is_escape || begin == 0 || kLineStarts.contains(text[begin - 1]);
    return key;
}

/// Where the quoted text that starts at `at` ends: at its closing quote, or with the text.
std::size_t quoted_end(std::string_view text, std::size_t at, std::string_view quote) noexcept {
    while (at < text.size()) {
        if (text.substr(at).starts_with(quote)) {
            return at;
        }
        if (text[at] != '\\') {
            ++at;
            continue;
        }
        // An escaped byte is part of the value. In a JSON text inside of another one, two
        // backslashes are one, and what they escape may have a backslash of its own.
        at += 2;
        if (quote.size() == 2 && at < text.size() && text[at - 1] == '\\') {
            at += text[at] == '\\' ? 2 : 1;
        }
    }
    return text.size();
}

struct Extent {
    std::size_t begin = 0;
    std::size_t end = 0;
};

/// The value after the separator at `at`.
Extent value_after(std::string_view text, std::size_t at, bool is_key_quoted) noexcept {
    const bool is_assignment = text[at] == '=';
    ++at;
    while (at < text.size() && is_blank(text[at])) {
        ++at;
    }
    if (const auto quote = quote_at(text, at); !quote.empty()) {
        const auto begin = at + quote.size();
        return {begin, quoted_end(text, begin, quote)};
    }
    // A JSON number ends at a comma, a query's value at `&`, a header's with its line.
    std::string_view stops = "\r\n\"\\";
    if (is_key_quoted) {
        stops = ",}] \t\r\n\"\\";
    } else if (is_assignment) {
        stops = "&;,)<>}] \t\r\n\"'\\";
    }
    return {at, std::min(text.find_first_of(stops, at), text.size())};
}

bool is_prose(const Key& key) noexcept {
    return !key.is_quoted && !key.starts_line && std::ranges::any_of(kWords, [&](auto word) {
        return equals_ignore_case(word, key.name);
    });
}

/// A nested document keeps its form: what in it is secret has a key of its own.
bool can_stay(std::string_view value) noexcept {
    // Where `]` ends a value, the mark stands without it.
    const bool is_mark = value.size() + 1 >= kRedacted.size() && kRedacted.starts_with(value);
    return value.empty() || is_mark || value == "null" || value.front() == '{' ||
           value.starts_with("[{") || value == "[]";
}

}  // namespace

SecretKeys::SecretKeys() {
    for (const auto name : kBuiltIn) {
        add(name);
    }
}

void SecretKeys::add(std::string_view key) {
    if (key.empty() || key.size() > kKeyBytesMax) {
        return;
    }
    std::string name(key);
    std::ranges::transform(name, name.begin(), normal);
    first_bytes_.set(static_cast<unsigned char>(name.front()));
    lengths_.set(name.size());
    names_.insert(std::move(name));
}

bool SecretKeys::has(std::string_view key) const noexcept {
    if (key.empty() || key.size() > kKeyBytesMax || !lengths_.test(key.size()) ||
        !first_bytes_.test(static_cast<unsigned char>(normal(key.front())))) {
        return false;
    }
    std::array<char, kKeyBytesMax> buffer{};
    std::ranges::transform(key, buffer.begin(), normal);
    return names_.contains(std::string_view(buffer.data(), key.size()));
}

std::optional<std::string> SecretKeys::redact(std::string_view text) const {
    std::optional<std::string> out;
    std::size_t done = 0;
    Separators separators(text);
    for (auto at = separators.next(0); at < text.size(); at = separators.next(at)) {
        const auto key = key_before(text, at, done);
        if (!has(key.name) || (text[at] == ':' && is_prose(key))) {
            ++at;
            continue;
        }
        const auto value = value_after(text, at, key.is_quoted);
        const auto old = text.substr(value.begin, value.end - value.begin);
        at = value.begin;
        if (!can_stay(old)) {
            if (!out) {
                out.emplace();
            }
            out->append(text.substr(done, value.begin - done)).append(kRedacted);
            done = value.end;
            at = value.end;
        }
    }
    if (out) {
        out->append(text.substr(done));
    }
    return out;
}

}  // namespace flowspan::trace
