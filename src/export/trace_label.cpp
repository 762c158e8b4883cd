#include "export/trace_label.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace flowspan::exporting {

namespace {

namespace names = trace::names;

constexpr std::int64_t kMicrosecond = 1'000;
constexpr std::int64_t kMillisecond = 1'000'000;
constexpr std::int64_t kSecond = 1'000'000'000;

class LabelWriter {
public:
    LabelWriter(const TraceNode& node, const Symbols& marks)
        : span_(*node.span), symbols_(marks), has_failed_(node.has_failed) {}

    std::vector<Piece> write() {
        write_name();
        write_place();
        write_call();
        write_outcome();
        return std::move(pieces_);
    }

private:
    void add(std::string_view text, Style style) {
        if (!text.empty()) {
            pieces_.push_back({(pieces_.empty() ? "" : " ") + printable(text), style});
        }
    }

    void write_name() {
        const auto type = span_.text(names::kNodeType);
        if (has_failed_) {
            add(symbols_.cross, Style::bold_red);
        }
        add(type.empty() ? span_.name() : type, has_failed_ ? Style::bold_red : Style::bold);
        if (const auto title = span_.text(names::kDifyNodeTitle); title != type) {
            add(title, has_failed_ ? Style::red : Style::plain);
        }
    }

    // Which of several: rounds of a container, attempts of a node.
    void write_place() {
        if (span_.has(names::kNodeType)) {
            return;
        }
        for (const auto* key :
             {names::kDifyIterationIndex, names::kDifyLoopIndex, names::kFlowspanAttempt}) {
            if (span_.has(key)) {
                add(fmt::format("#{}", span_.integer(key)), Style::bold);
            }
        }
        if (span_.is_parent_remote) {
            add("(remote parent)", Style::dim);
        }
    }

    void write_call() {
        const auto answered = span_.text(names::kGenAiResponseModel);
        const auto model = answered.empty() ? span_.text(names::kGenAiRequestModel) : answered;
        if (!model.empty() && span_.name().find(model) == std::string_view::npos) {
            add(model, Style::magenta);
        }
        if (span_.has(names::kHttpRequestMethod)) {
            add(span_.text(names::kServerAddress), Style::plain);
            if (const auto status = span_.integer(names::kHttpResponseStatusCode); status > 0) {
                add(fmt::format("{}", status), status < 400 ? Style::dim : Style::yellow);
            }
        }
        if (span_.has(names::kGenAiToolName)) {
            add(span_.text(names::kGenAiToolName), Style::plain);
        }
        if (const auto first = span_.number(names::kGenAiResponseTimeToFirstChunk); first > 0) {
            const auto ns = static_cast<std::int64_t>(first * static_cast<double>(kSecond));
            add(fmt::format("first token {}", duration_text(ns, symbols_)), Style::dim);
        }
    }

    void write_outcome() {
        const auto branch = span_.text(names::kDifyNodeBranch);
        if (!branch.empty()) {
            add(fmt::format("{} {}", symbols_.arrow, branch), Style::cyan);
        }
        if (const auto attempts = span_.integer(names::kFlowspanAttemptCount); attempts > 1) {
            add(count_text(attempts, "attempt"), Style::yellow);
        }
        const auto strategy = span_.text(names::kDifyNodeErrorStrategy);
        if (!strategy.empty() && !has_failed_) {
            add(strategy == branch ? "failed" : fmt::format("failed, {}", strategy), Style::yellow);
        }
        if (span_.has(names::kFlowspanDocumentCount)) {
            add(count_text(span_.integer(names::kFlowspanDocumentCount), "document"), Style::dim);
        }
        if (span_.is_open) {
            add("running", Style::yellow);
        }
        if (span_.has(names::kFlowspanInterrupted)) {
            add("interrupted", Style::red);
        }
        // That an answer was read to its end is nothing to look at.
        if (const auto reason = span_.text(names::kFlowspanEndReason); reason != "exhausted") {
            add(reason, Style::yellow);
        }
        if (span_.has(names::kFlowspanTruncated)) {
            add("(cut)", Style::yellow);
        }
    }

    const SpanRecord& span_;
    const Symbols& symbols_;
    const bool has_failed_;
    std::vector<Piece> pieces_;
};

std::string three_digits(double number, std::string_view unit) {
    const int decimals = number < 9.995 ? 2 : number < 99.95 ? 1 : 0;
    return fmt::format("{:.{}f} {}", number, decimals, unit);
}

// Of the failure that somebody handled: the words of its event.
std::string handled_text(const SpanRecord& span) {
    std::string type;
    std::string message;
    for (std::size_t i = 0; i < span.event_count(); ++i) {
        if (span.event(i).name != names::kExceptionEvent) {
            continue;
        }
        span.for_each_event_attribute(i, [&](const AttributeView& attribute) {
            if (const auto* text = std::get_if<std::string_view>(&attribute.value)) {
                (attribute.key == names::kExceptionType ? type : message) = *text;
            }
        });
    }
    return message.empty() ? "" : printable(fmt::format("{}: {}", type, message));
}

}  // namespace

std::vector<Piece> label_pieces(const TraceNode& node, const Symbols& symbols) {
    return LabelWriter(node, symbols).write();
}

std::string failure_text(const SpanRecord& span) {
    if (span.status() != opentelemetry::trace::StatusCode::kError) {
        return span.has(names::kDifyNodeErrorStrategy) ? handled_text(span) : std::string();
    }
    const auto type = span.text(names::kErrorType);
    const auto text = span.status_description();
    if (text.empty() || type.empty() || text.find(type) != std::string_view::npos) {
        return printable(text.empty() ? type : text);
    }
    return printable(fmt::format("{}: {}", type, text));
}

std::string duration_text(std::int64_t duration_ns, const Symbols& symbols) {
    const auto number = static_cast<double>(duration_ns);
    if (duration_ns < 999'500) {
        return three_digits(number / static_cast<double>(kMicrosecond), symbols.microseconds);
    }
    if (duration_ns < 999'500'000) {
        return three_digits(number / static_cast<double>(kMillisecond), "ms");
    }
    if (duration_ns < 60 * kSecond) {
        return three_digits(number / static_cast<double>(kSecond), "s");
    }
    const auto seconds = duration_ns / kSecond;
    if (seconds < 3600) {
        return fmt::format("{}m {:02}s", seconds / 60, seconds % 60);
    }
    return seconds < 360'000 ? fmt::format("{}h {:02}m", seconds / 3600, seconds / 60 % 60)
                             : fmt::format("{} h", std::min<std::int64_t>(seconds / 3600, 999'999));
}

std::string tokens_text(const TokenCount& tokens, const Symbols& symbols) {
    if (tokens.total() == 0) {
        return {};
    }
    return fmt::format(
        "{}{}{}", number_text(tokens.input), symbols.arrow, number_text(tokens.output)
    );
}

}  // namespace flowspan::exporting
