#include "flowspan/base/error.hpp"

#include <cstdio>
#include <cstdlib>

namespace flowspan {

std::string_view to_string(ErrorCode code) noexcept {
    switch (code) {
        case ErrorCode::invalid_input:
            return "invalid_input";
        case ErrorCode::not_found:
            return "not_found";
        case ErrorCode::unsupported:
            return "unsupported";
        case ErrorCode::type_mismatch:
            return "type_mismatch";
        case ErrorCode::limit_exceeded:
            return "limit_exceeded";
        case ErrorCode::unauthorized:
            return "unauthorized";
        case ErrorCode::timeout:
            return "timeout";
        case ErrorCode::unavailable:
            return "unavailable";
        case ErrorCode::rate_limited:
            return "rate_limited";
        case ErrorCode::remote_failure:
            return "remote_failure";
        case ErrorCode::execution_failed:
            return "execution_failed";
        case ErrorCode::internal:
            return "internal";
    }
    return "internal";
}

bool is_retryable(ErrorCode code) noexcept {
    return code == ErrorCode::timeout || code == ErrorCode::unavailable ||
           code == ErrorCode::rate_limited;
}

std::string Error::describe() const {
    std::string text = message;
    if (!context.empty()) {
        text += " (";
        for (std::size_t i = 0; i < context.size(); ++i) {
            text += i == 0 ? "while " : "; while ";
            text += context[i];
        }
        text += ')';
    }
    return text;
}

std::string Error::full_text() const {
    return detail.empty() ? message : message + ": " + detail;
}

void fail_assertion(const char* condition, const char* what, std::source_location where) noexcept {
    std::fprintf(
        stderr,
        "flowspan: bug at %s:%u: %s (%s)\n",
        where.file_name(),
        where.line(),
        what,
        condition
    );
    std::abort();
}

}  // namespace flowspan
