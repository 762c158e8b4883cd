#include "knowledge/search_words.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace flowspan::knowledge {

namespace {

constexpr std::size_t kTermsMax = 64;

struct Range {
    char32_t first;
    char32_t last;
};

// Han, kana, hangul: written without spaces between words, or with such that do not help.
constexpr std::array<Range, 8> kWordCharacters = {{
    {0x1100, 0x11ff},
    {0x3041, 0x30ff},
    {0x3400, 0x4dbf},
    {0x4e00, 0x9fff},
    {0xa960, 0xa97f},
    {0xac00, 0xd7ff},
    {0xf900, 0xfaff},
    {0x20000, 0x3ffff},
}};
// Punctuation and symbols outside of ASCII.
constexpr std::array<Range, 6> kSeparators = {{
    {0x80, 0xbf},
    {0x2000, 0x2bff},
    {0x3000, 0x3040},
    {0xfe00, 0xfe6f},
    {0xff00, 0xffef},
    {0x1f000, 0x1faff},
}};

bool is_in(char32_t c, const auto& ranges) {
    return std::ranges::any_of(ranges, [c](const Range& one) {
        return c >= one.first && c <= one.last;
    });
}

enum class Script { separator, word, character };

struct CodePoint {
    char32_t value = 0;
    std::string_view bytes;
};

// Of valid UTF-8.
CodePoint take_code_point(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    char32_t value = size == 1 ? first : first & (0xffU >> (size + 1));
    for (std::size_t i = 1; i < size && i < text.size(); ++i) {
        value = value << 6U | (static_cast<unsigned char>(text[i]) & 0x3fU);
    }
    return {value, text.substr(0, size)};
}

// Full-width Latin letters and digits are common between Chinese characters.
char32_t narrow(char32_t c) {
    return c >= 0xff01 && c <= 0xff5e ? c - 0xfee0 : c;
}

Script script_of(char32_t c) {
    if (c < 0x80) {
        const bool is_word =
            (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        return is_word ? Script::word : Script::separator;
    }
    if (is_in(c, kWordCharacters)) {
        return Script::character;
    }
    return is_in(c, kSeparators) ? Script::separator : Script::word;
}

bool is_ascii(std::string_view word) {
    return std::ranges::all_of(word, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// A crude stem: the same for `refund`, `refunds`, `refunded` and `refunding`.
std::string stem(std::string word) {
    if (!is_ascii(word) || word.size() < 4) {
        return word;
    }
    const auto drop = [&word](std::string_view ending, std::string_view instead) {
        if (!word.ends_with(ending) || word.size() < ending.size() + 3) {
            return false;
        }
        word.erase(word.size() - ending.size());
        word += instead;
        return true;
    };
    if (!word.ends_with("ss")) {
        static_cast<void>(drop("ies", "y") || drop("sses", "ss") || drop("s", ""));
    }
    static_cast<void>(drop("ing", "") || drop("ed", ""));
    // `use` and `using`, `policy` and `policies`.
    static_cast<void>(drop("e", ""));
    return word;
}

struct Word {
    std::string text;
    bool is_character = false;
    bool follows_directly = false;  ///< nothing stood between it and the one before
};

std::vector<Word> read_words(std::string_view text) {
    std::vector<Word> words;
    std::string current;
    bool was_character = false;
    const auto end_word = [&] {
        if (!current.empty()) {
            words.push_back({stem(std::exchange(current, {}))});
        }
    };
    while (!text.empty()) {
        const auto point = take_code_point(text);
        text.remove_prefix(std::min(point.bytes.size(), text.size()));
        const auto c = narrow(point.value);
        const auto script = script_of(c);
        if (script == Script::word) {
            if (c >= 0x80) {
                current += point.bytes;
            } else {
                const bool is_upper = c >= 'A' && c <= 'Z';
                current += static_cast<char>(is_upper ? c + ('a' - 'A') : c);
            }
        } else {
            end_word();
        }
        if (script == Script::character) {
            words.push_back({std::string(point.bytes), true, was_character});
        }
        was_character = script == Script::character;
    }
    end_word();
    return words;
}

bool is_common(std::string_view word) {
    constexpr std::array<std::string_view, 41> kCommon = {
        "a",    "an",  "and",  "are",  "as",   "at",  "be",   "by",  "can", "could", "do",
        "does", "for", "from", "has",  "have", "how", "i",    "in",  "is",  "it",    "me",
        "my",   "of",  "on",   "or",   "that", "the", "this", "to",  "was", "we",    "what",
        "when", "who", "why",  "will", "with", "you", "your", "wher"
    };
    return std::ranges::find(kCommon, word) != kCommon.end();
}

}  // namespace

std::string index_words(std::string_view text) {
    std::string out;
    for (const auto& word : read_words(text)) {
        out.append(out.empty() ? "" : " ").append(word.text);
    }
    return out;
}

std::vector<std::string> query_terms(std::string_view question) {
    const auto words = read_words(question);
    std::vector<std::string> terms;
    std::vector<std::string> common;
    const auto add = [](std::vector<std::string>& list, std::string term) {
        if (list.size() < kTermsMax && std::ranges::find(list, term) == list.end()) {
            list.push_back(std::move(term));
        }
    };
    for (std::size_t i = 0; i < words.size(); ++i) {
        const auto& word = words[i];
        if (!word.is_character) {
            add(is_common(word.text) ? common : terms, word.text);
            continue;
        }
        const bool has_next = i + 1 < words.size() && words[i + 1].follows_directly;
        if (has_next) {
            add(terms, fmt::format("{} {}", word.text, words[i + 1].text));
        } else if (!word.follows_directly) {
            add(terms, word.text);
        }
    }
    return terms.empty() ? common : terms;
}

double coverage(const std::vector<std::string>& terms, std::string_view words) {
    if (terms.empty()) {
        return 0;
    }
    const auto padded = fmt::format(" {} ", words);
    const auto found = std::ranges::count_if(terms, [&](const std::string& term) {
        return padded.contains(fmt::format(" {} ", term));
    });
    return static_cast<double>(found) / static_cast<double>(terms.size());
}

}  // namespace flowspan::knowledge
