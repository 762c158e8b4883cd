#pragma once
// A failure as JSON, for what has to outlive a process.

#include "base/described_json.hpp"
#include "flowspan/base/error.hpp"

#include <string>
#include <utility>

namespace flowspan {

/// The place in our own source is not kept.
template <>
struct JsonForm<Error> {
    static json::value write(const Error& error) {
        return {
            {"code", to_string(error.code)},
            {"message", error.message},
            {"detail", error.detail},
            {"type", error.type},
            {"context", write_json(error.context)},
        };
    }

    static Result<Error> read(const json::value& data) {
        auto error = Error(read_code(string_member(data, "code")), "")
                         .with_type(std::string(string_member(data, "type")))
                         .with_detail(std::string(string_member(data, "detail")));
        error.message = string_member(data, "message");
        if (const auto* context = find_member(data, "context")) {
            if (auto read = read_json(*context, error.context); !read) {
                return failure(detail::at_place("context", std::move(read).error()));
            }
        }
        return error;
    }

    static ErrorCode read_code(std::string_view text) {
        for (int code = 0; code < static_cast<int>(ErrorCode::internal); ++code) {
            if (to_string(static_cast<ErrorCode>(code)) == text) {
                return static_cast<ErrorCode>(code);
            }
        }
        return ErrorCode::internal;
    }
};

}  // namespace flowspan
