#pragma once
// The one failure value of Flowspan: what went wrong, in words that are safe to log and export.

#include <cstdint>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan {

/// Closed list of failure classes. The comment says whether trying again can help.
enum class ErrorCode : std::uint8_t {
    invalid_input,     ///< The caller's data is wrong. Not retryable.
    not_found,         ///< A named thing does not exist. Not retryable.
    unsupported,       ///< Valid, but this program cannot do it. Not retryable.
    type_mismatch,     ///< A value has another type than needed. Not retryable.
    limit_exceeded,    ///< A stated limit was reached. Not retryable.
    unauthorized,      ///< Credentials missing or refused. Not retryable.
    timeout,           ///< A deadline of ours passed. Retryable.
    unavailable,       ///< The other side could not be reached or broke off. Retryable.
    rate_limited,      ///< The other side asked us to slow down. Retryable after a wait.
    remote_failure,    ///< The other side answered with an error. Retryable for 5xx only.
    execution_failed,  ///< User code or a user template failed. Not retryable by itself.
    internal,          ///< A bug in Flowspan. Not retryable.
};

/// The wire spelling, for example `rate_limited`.
[[nodiscard]] std::string_view to_string(ErrorCode code) noexcept;

/// True if the same call may succeed later without any change by the user.
[[nodiscard]] bool is_retryable(ErrorCode code) noexcept;

/// Where in an input text a problem stands; 0 means unknown. Both count from 1.
struct SourcePosition {
    std::uint32_t line = 0;
    std::uint32_t column = 0;

    bool operator==(const SourcePosition&) const = default;
};

/// A failure as a value. `message` and `context` are our words; `detail` may hold user or provider
/// text and leaves the process only when the content policy allows it.
struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string message;
    std::string detail;
    /// Class name shown to apps as `error_type` (for example `VariableNotFoundError`); may be
    /// empty.
    std::string type;
    std::vector<std::string> context;
    std::source_location location;
    /// Set once an exception event for this failure stands on a span, so that no outer span repeats
    /// it.
    bool is_recorded = false;

    Error(
        ErrorCode error_code,
        std::string text,
        std::source_location where = std::source_location::current()
    )
        : code(error_code), message(std::move(text)), location(where) {}

    /// Adds a "while ..." line, innermost first.
    Error&& while_doing(std::string what) && {
        context.push_back(std::move(what));
        return std::move(*this);
    }

    Error&& with_type(std::string name) && {
        type = std::move(name);
        return std::move(*this);
    }

    Error&& with_detail(std::string text) && {
        detail = std::move(text);
        return std::move(*this);
    }

    /// `message (while a; while b)`, without `detail`.
    [[nodiscard]] std::string describe() const;

    /// `message: detail` as shown to the app's own user; for logs and spans use `describe`.
    [[nodiscard]] std::string full_text() const;
};

/// Thrown for bugs found by FLOWSPAN_INVARIANT in release builds.
[[noreturn]] void fail_assertion(
    const char* condition,
    const char* what,
    std::source_location where = std::source_location::current()
) noexcept;

}  // namespace flowspan

/// Always on; aborts with the place and the reason. For what no input can cause.
#define FLOWSPAN_ASSERT(condition, what)                    \
    do {                                                    \
        if (!(condition)) [[unlikely]] {                    \
            ::flowspan::fail_assertion(#condition, (what)); \
        }                                                   \
    } while (false)
