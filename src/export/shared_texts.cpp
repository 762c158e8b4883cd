#include "export/shared_texts.hpp"

#include "flowspan/base/text.hpp"

#include <array>
#include <bit>
#include <mutex>
#include <string>
#include <unordered_map>

namespace flowspan::exporting::shared_texts {

namespace {

// A text is written before its number is known to anybody, and never again: reading needs no lock.
std::array<std::string_view, kCountMax> g_texts;

class Table {
public:
    std::optional<std::uint32_t> number_of(std::string_view text) {
        const std::scoped_lock lock(mutex_);
        if (const auto found = numbers_.find(text); found != numbers_.end()) {
            return found->second;
        }
        const auto number = static_cast<std::uint32_t>(numbers_.size());
        if (number == kCountMax) {
            return std::nullopt;
        }
        const auto added = numbers_.emplace(text, number).first;
        g_texts[number] = added->first;
        return number;
    }

private:
    struct Hash {
        using is_transparent = void;

        std::size_t operator()(std::string_view text) const noexcept {
            return std::hash<std::string_view>()(text);
        }
    };

    std::mutex mutex_;
    std::unordered_map<std::string, std::uint32_t, Hash, std::equal_to<>> numbers_;
};

// Never destroyed: spans may end while the process goes down.
Table& table() {
    static auto* const table = new Table();
    return *table;
}

/// What a thread asked for last, by where the text stands: names are constants, so the same address
/// nearly always holds the same text. Two places for each address.
class Recent {
public:
    [[nodiscard]] std::optional<std::uint32_t> find(std::string_view text) noexcept {
        const auto at = place_of(text);
        for (const auto place : {at, at ^ 1U}) {
            const auto& entry = entries_[place];
            if (entry.data == text.data() && entry.size == text.size() &&
                g_texts[entry.number] == text) {
                return entry.number;
            }
        }
        return std::nullopt;
    }

    void add(std::string_view text, std::uint32_t number) noexcept {
        const auto at = place_of(text);
        entries_[at ^ 1U] = entries_[at];
        entries_[at] = {text.data(), static_cast<std::uint32_t>(text.size()), number};
    }

private:
    struct Entry {
        const char* data = nullptr;
        std::uint32_t size = 0;
        std::uint32_t number = 0;
    };

    static constexpr unsigned kPlaceBits = 9;

    static std::size_t place_of(std::string_view text) noexcept {
        // Fibonacci hashing: neighbouring addresses go far apart.
        constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15ULL;
        return (std::bit_cast<std::uintptr_t>(text.data()) * kGolden) >> (64U - kPlaceBits);
    }

    std::array<Entry, 1U << kPlaceBits> entries_{};
};

constinit thread_local Recent t_recent;

}  // namespace

std::optional<std::uint32_t> number_of(std::string_view text) {
    if (text.empty() || text.size() > kBytesMax) {
        return std::nullopt;
    }
    if (const auto known = t_recent.find(text)) {
        return known;
    }
    if (!is_valid_utf8(text)) {
        return std::nullopt;
    }
    const auto number = table().number_of(text);
    if (number) {
        t_recent.add(text, *number);
    }
    return number;
}

std::string_view text_of(std::uint32_t number) noexcept {
    return g_texts[number];
}

}  // namespace flowspan::exporting::shared_texts
