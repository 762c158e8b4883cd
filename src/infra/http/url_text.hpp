#pragma once
// Reading and redacting URLs as text.

#include <cstdint>
#include <string>
#include <string_view>

namespace flowspan::http {

/// Who answers for a URL.
struct Origin {
    std::string scheme;  ///< lower case
    std::string host;    ///< without brackets, without credentials
    std::int64_t port = 0;

    bool operator==(const Origin&) const = default;

    /// `host:port`, with brackets around an IPv6 address.
    [[nodiscard]] std::string authority() const;
};

/// Tolerant: parts that are missing stay empty, a missing port is the scheme's own.
[[nodiscard]] Origin read_origin(std::string_view url);

/// For spans and messages: credentials become `REDACTED:REDACTED@`, values of query keys that name
/// a secret become `REDACTED`, the fragment is left out.
[[nodiscard]] std::string redact_url(std::string_view url);

}  // namespace flowspan::http
