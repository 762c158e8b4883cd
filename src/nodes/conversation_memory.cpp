#include "nodes/conversation_memory.hpp"

#include <algorithm>
#include <cstddef>

namespace flowspan::nodes {

namespace {

// What a chat protocol spends on a message besides its text.
constexpr std::int64_t kTokensPerMessage = 4;
// What providers charge for a picture at low detail, roughly.
constexpr std::int64_t kTokensPerFile = 85;

std::int64_t tokens_of(const MemoryMessage& message) {
    return kTokensPerMessage + estimate_tokens(message.text) +
           kTokensPerFile * static_cast<std::int64_t>(message.files.size());
}

}  // namespace

std::int64_t estimate_tokens(std::string_view text) noexcept {
    std::int64_t narrow = 0;
    std::int64_t wide = 0;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80) {
            ++narrow;
        } else if (byte >= 0xE0) {
            ++wide;  // the first byte of a code point from U+0800 on
        } else if (byte >= 0xC0) {
            narrow += 2;
        }
    }
    return (narrow + 3) / 4 + wide;
}

void fit_to_tokens(std::vector<MemoryMessage>& messages, std::int64_t tokens_max) {
    std::int64_t total = 0;
    std::size_t kept = 0;
    for (auto at = messages.rbegin(); at != messages.rend(); ++at) {
        total += tokens_of(*at);
        if (total > tokens_max && kept > 0) {
            break;
        }
        ++kept;
    }
    messages.erase(messages.begin(), messages.end() - static_cast<std::ptrdiff_t>(kept));
}

std::string to_transcript(
    const std::vector<MemoryMessage>& messages,
    std::string_view user_prefix,
    std::string_view assistant_prefix
) {
    std::string out;
    for (const auto& message : messages) {
        if (!out.empty()) {
            out += '\n';
        }
        out += message.role == "user" ? user_prefix : assistant_prefix;
        out += ": ";
        out += message.text;
        for (const auto& file : message.files) {
            if (string_member(file, "type") == "image") {
                out += "\n[image]";
            }
        }
    }
    return out;
}

}  // namespace flowspan::nodes
