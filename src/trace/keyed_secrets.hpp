#pragma once
// Finds `key: value` and `key=value` in any text (JSON, headers, URLs, log lines) and takes out the
// values of keys that name secrets.

#include <bitset>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace flowspan::trace {

class SecretKeys {
public:
    /// With the built-in names.
    SecretKeys();

    void add(std::string_view key);

    [[nodiscard]] bool has(std::string_view key) const noexcept;

    /// The text without the values, or nothing if there was none.
    [[nodiscard]] std::optional<std::string> redact(std::string_view text) const;

private:
    std::set<std::string, std::less<>> names_;  // lower case, with `_` for `-`
    // Of the names: first bytes and lengths. Most keys have neither, and need no search.
    std::bitset<256> first_bytes_;
    std::bitset<128> lengths_;
};

}  // namespace flowspan::trace
