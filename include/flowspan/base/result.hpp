#pragma once
// Result<T>, and the two macros that pass a failure on.

#include "flowspan/base/error.hpp"

#include <expected>
#include <utility>

namespace flowspan {

template <class T>
using Result = std::expected<T, Error>;

/// Builds the failing side of a Result: `return failure(ErrorCode::not_found, "no such app");`
[[nodiscard]] inline std::unexpected<Error> failure(
    ErrorCode code,
    std::string message,
    std::source_location where = std::source_location::current()
) {
    return std::unexpected<Error>(Error(code, std::move(message), where));
}

[[nodiscard]] inline std::unexpected<Error> failure(Error error) {
    return std::unexpected<Error>(std::move(error));
}

}  // namespace flowspan

#define FLOWSPAN_DETAIL_CONCAT2(a, b) a##b
#define FLOWSPAN_DETAIL_CONCAT(a, b) FLOWSPAN_DETAIL_CONCAT2(a, b)
#define FLOWSPAN_DETAIL_TRY(name, decl, expr, ret)                         \
    auto name = (expr);                                                    \
    if (!name) [[unlikely]] {                                              \
        ret ::std::unexpected<::flowspan::Error>(std::move(name).error()); \
    }                                                                      \
    decl = *std::move(name)

/// `FLOWSPAN_TRY(auto app, load_app(path));` returns the error, or declares `app`.
#define FLOWSPAN_TRY(decl, expr) \
    FLOWSPAN_DETAIL_TRY(FLOWSPAN_DETAIL_CONCAT(flowspan_try_, __LINE__), decl, expr, return)

/// The same inside a coroutine.
#define FLOWSPAN_CO_TRY(decl, expr) \
    FLOWSPAN_DETAIL_TRY(FLOWSPAN_DETAIL_CONCAT(flowspan_try_, __LINE__), decl, expr, co_return)
