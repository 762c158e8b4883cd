#include "export/stored_trace.hpp"

#include "export/stored_span.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace flowspan::exporting {

namespace {

constexpr std::int64_t kNamedMax = 5;

/// `8-4-4-4-12` hexadecimal digits, in lower case.
bool is_uuid(std::string_view text) noexcept {
    constexpr std::string_view kForm = "00000000-0000-0000-0000-000000000000";
    return std::ranges::equal(text, kForm, [](char given, char form) {
        const bool is_digit = (given >= '0' && given <= '9') || (given >= 'a' && given <= 'f');
        return form == '-' ? given == '-' : is_digit;
    });
}

Result<store::TraceRow> take_only(std::vector<store::TraceRow> traces, std::string_view what) {
    if (traces.empty()) {
        return failure(ErrorCode::not_found, fmt::format("there is no trace {}", what));
    }
    if (traces.size() > 1) {
        std::vector<std::string> ids;
        ids.reserve(traces.size());
        for (const auto& trace : traces) {
            ids.push_back(trace.trace_id);
        }
        return failure(
            ErrorCode::invalid_input,
            fmt::format("there are several traces {}: {}", what, fmt::join(ids, ", "))
        );
    }
    return std::move(traces.front());
}

}  // namespace

Result<store::TraceRow> find_trace(store::SpanStore& store, std::string_view prefix) {
    const auto digits = to_lower_ascii(prefix);
    if (is_uuid(digits)) {
        FLOWSPAN_TRY(auto traces, store.find_traces_with(digits, kNamedMax));
        return take_only(std::move(traces), fmt::format("with the id `{}`", prefix));
    }
    const bool is_hex = !digits.empty() && digits.size() <= 32 &&
                        digits.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (!is_hex) {
        return failure(
            ErrorCode::invalid_input,
            fmt::format("`{}` is no id: up to 32 hexadecimal digits, or a UUID", prefix)
        );
    }
    FLOWSPAN_TRY(auto traces, store.find_traces(digits, kNamedMax));
    return take_only(std::move(traces), fmt::format("that begins with `{}`", prefix));
}

Result<std::vector<StoredPart>> read_trace(
    store::SpanStore& store, std::string_view trace_id, std::int64_t now_ns
) {
    FLOWSPAN_TRY(auto processes, store.processes_of(trace_id));
    FLOWSPAN_TRY(const auto rows, store.read_spans(trace_id));
    std::vector<StoredPart> parts;
    parts.reserve(processes.size());
    for (auto& process : processes) {
        parts.push_back({std::move(process), {}});
    }
    for (const auto& row : rows) {
        FLOWSPAN_TRY(const auto record, read_stored_span(row.record));
        if (record->is_open) {
            record->duration_ns = std::max<std::int64_t>(0, now_ns - record->start_ns);
        }
        const auto owner = std::ranges::find_if(parts, [&row](const StoredPart& part) {
            return part.process.id == row.process_id;
        });
        // One that wrote its first span after we read the processes comes with the next reading.
        if (owner != parts.end()) {
            owner->spans.push_back(record);
        }
    }
    return parts;
}

std::vector<SpanRecordPtr> all_spans(const std::vector<StoredPart>& parts) {
    std::vector<SpanRecordPtr> spans;
    for (const auto& part : parts) {
        spans.insert(spans.end(), part.spans.begin(), part.spans.end());
    }
    return spans;
}

}  // namespace flowspan::exporting
