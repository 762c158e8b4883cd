#include "infra/sandbox/detail/reply.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace flowspan::infra::sandbox {

namespace {

/// What is executed, in the words of its errors.
struct Subject {
    std::string_view noun;
    const char* error_type;
};

constexpr Subject kCode = {"code", "CodeExecutionError"};
constexpr Subject kTemplate = {"template", "TemplateRenderError"};
// For results that break the contract of `main`; the program itself ran to its end.
constexpr const char* kContractErrorType = "WorkflowNodeError";

std::string size_text(std::size_t bytes) {
    if (bytes >= (1U << 20U) && bytes % (1U << 20U) == 0) {
        return fmt::format("{} MiB", bytes >> 20U);
    }
    if (bytes >= (1U << 10U) && bytes % (1U << 10U) == 0) {
        return fmt::format("{} KiB", bytes >> 10U);
    }
    return fmt::format("{} bytes", bytes);
}

std::string time_text(std::chrono::milliseconds time) {
    if (time.count() % 1000 == 0) {
        return fmt::format("{} s", time.count() / 1000);
    }
    return fmt::format("{} ms", time.count());
}

Error memory_error(const Subject& subject, const Limits& limits) {
    return {
        ErrorCode::limit_exceeded,
        fmt::format(
            "the {} used more than {} of memory and was stopped",
            subject.noun,
            size_text(limits.memory_bytes)
        )
    };
}

Error breach_error(Breach breach, const Subject& subject, const Limits& limits) {
    const auto noun = subject.noun;
    switch (breach) {
        case Breach::wall_time:
            return {
                ErrorCode::timeout,
                fmt::format(
                    "the {} ran longer than {} and was stopped", noun, time_text(limits.wall_time)
                )
            };
        case Breach::deadline:
            return {
                ErrorCode::timeout,
                fmt::format("the {} was stopped because the run's deadline passed", noun)
            };
        case Breach::processor_time:
            return {
                ErrorCode::limit_exceeded,
                fmt::format(
                    "the {} used more than {} of processor time and was stopped",
                    noun,
                    time_text(limits.processor_time)
                )
            };
        case Breach::memory:
            return memory_error(subject, limits);
        case Breach::threads:
            return {
                ErrorCode::limit_exceeded,
                fmt::format(
                    "the {} started more than {} threads and was stopped", noun, limits.threads
                )
            };
        case Breach::printed:
            return {
                ErrorCode::limit_exceeded,
                fmt::format(
                    "the {} printed more than {} and was stopped",
                    noun,
                    size_text(limits.output_bytes)
                )
            };
        case Breach::reply_size:
        case Breach::none:
            break;
    }
    return {
        ErrorCode::limit_exceeded,
        fmt::format("the {} returned more than {}", noun, size_text(limits.output_bytes))
    };
}

/// The process ended before it replied.
Error end_error(const Outcome& outcome, const Subject& subject, const Limits& limits) {
    const std::string_view end = outcome.end;
    if (end.empty()) {
        return {ErrorCode::unavailable, "the sandbox ended while the code ran"};
    }
    // V8 says so on standard error and aborts.
    if (end.starts_with("signal") && outcome.printed.contains("out of memory")) {
        return memory_error(subject, limits);
    }
    if (end.starts_with("signal")) {
        return {
            ErrorCode::execution_failed,
            fmt::format("the {}'s process was ended by {}", subject.noun, end)
        };
    }
    return {
        ErrorCode::execution_failed,
        fmt::format(
            "the {} ended its process ({} status {}) before main returned",
            subject.noun,
            end.substr(0, 4),
            trim(end.substr(4))
        )
    };
}

std::string at_line(const json::value* line) {
    return line != nullptr && line->is_int64() ? fmt::format(" at line {}", line->get_int64()) : "";
}

/// A failure that the worker reports, see explain() in python_worker.py.
Error reported_error(std::string_view body, const Subject& subject, const Limits& limits) {
    const auto report = parse_json(body);
    if (!report) {
        return {ErrorCode::execution_failed, "the sandbox's report of a failure is unreadable"};
    }
    const auto kind = string_member(*report, "kind");
    const std::string text(string_member(*report, "text"));
    const auto place = at_line(find_member(*report, "line"));
    if (kind == "memory") {
        return memory_error(subject, limits);
    }
    if (kind == "forbidden") {
        // User code can forge a report, so `text` is not taken for ours.
        const bool is_network = text.contains("network");
        return {
            ErrorCode::execution_failed,
            fmt::format(
                "the {} tried to {}{}: not allowed in the sandbox",
                subject.noun,
                is_network ? "open a network connection" : "start a process",
                place
            )
        };
    }
    if (kind == "result") {
        return Error(ErrorCode::execution_failed, "Failed to parse JSON response")
            .with_detail(text)
            .with_type(kContractErrorType);
    }
    if (kind == "ended") {
        return Error(
                   ErrorCode::execution_failed,
                   fmt::format("the {} ended{} before main returned", subject.noun, place)
        )
            .with_detail(text);
    }
    return Error(ErrorCode::execution_failed, fmt::format("the {} failed{}", subject.noun, place))
        .with_detail(text);
}

/// The body of a reply that starts with `letter`, or why there is none.
Result<std::string_view> read_body(
    const Outcome& outcome, char letter, const Subject& subject, const Limits& limits
) {
    const std::string_view reply = outcome.reply;
    std::optional<Error> error;
    if (outcome.breach != Breach::none) {
        error = breach_error(outcome.breach, subject, limits);
    } else if (reply.empty()) {
        error = end_error(outcome, subject, limits);
    } else if (reply.front() == 'E' && letter != 'E') {
        error = reported_error(reply.substr(1), subject, limits);
    } else if (reply.size() - 1 > limits.output_bytes) {
        error = breach_error(Breach::reply_size, subject, limits);
    } else if (reply.front() != letter) {
        error = Error(ErrorCode::execution_failed, "the sandbox's reply is unreadable");
    }
    if (!error) {
        return reply.substr(1);
    }
    if (error->type.empty()) {
        error->type = subject.error_type;
    }
    return failure(*std::move(error));
}

/// Text of the form -1.5e+10: the original reads it as a number wherever it stands in a result.
std::optional<double> read_scientific(std::string_view text) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const auto skip_digits = [&](std::size_t at) {
        while (at < text.size() && is_digit(text[at])) {
            ++at;
        }
        return at;
    };
    const std::size_t start = text.starts_with('-') ? 1 : 0;
    std::size_t at = skip_digits(start);
    if (at == start) {
        return std::nullopt;
    }
    if (at < text.size() && text[at] == '.') {
        at = skip_digits(at + 1);
    }
    if (at + 2 >= text.size() || (text[at] | 0x20) != 'e' ||
        (text[at + 1] != '+' && text[at + 1] != '-') || skip_digits(at + 2) != text.size()) {
        return std::nullopt;
    }
    double number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
    if (parsed.ec != std::errc() || !std::isfinite(number)) {
        return std::nullopt;
    }
    return number;
}

// The depth is bounded by the parser's.
void convert_scientific(json::value& value) {
    if (const auto* text = value.if_string()) {
        if (const auto number = read_scientific(*text)) {
            value = *number;
        }
    } else if (auto* array = value.if_array()) {
        for (auto& item : *array) {
            convert_scientific(item);
        }
    } else if (auto* object = value.if_object()) {
        for (auto& member : *object) {
            convert_scientific(member.value());
        }
    }
}

}  // namespace

Result<CodeReply> read_code_reply(const Outcome& outcome, const Limits& limits) {
    FLOWSPAN_TRY(const auto body, read_body(outcome, 'R', kCode, limits));
    auto result = parse_json(body);
    if (!result) {
        return failure(Error(ErrorCode::execution_failed, "Failed to parse JSON response")
                           .with_detail(result.error().message)
                           .with_type(kContractErrorType));
    }
    if (!result->is_object()) {
        return failure(Error(
                           ErrorCode::execution_failed,
                           fmt::format("Result must be a dict, got {}", python_type_name(*result))
        )
                           .with_type(kContractErrorType));
    }
    convert_scientific(*result);
    return CodeReply{*std::move(result), to_valid_utf8(outcome.printed)};
}

Result<std::string> read_template_reply(const Outcome& outcome, const Limits& limits) {
    FLOWSPAN_TRY(const auto body, read_body(outcome, 'T', kTemplate, limits));
    return to_valid_utf8(body);
}

}  // namespace flowspan::infra::sandbox
