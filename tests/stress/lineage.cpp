#include "tests/stress/lineage.hpp"

#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>
#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/span_startoptions.h>

#include <bit>
#include <charconv>
#include <cstring>
#include <functional>
#include <thread>
#include <unordered_map>

namespace otel = opentelemetry::trace;

namespace flowspan::stress {

namespace {

constexpr std::size_t kSamplesMax = 5;

constexpr char kTask[] = "stress.task";
constexpr char kTraceHigh[] = "stress.trace_high";
constexpr char kTraceLow[] = "stress.trace_low";
constexpr char kParent[] = "stress.parent";

std::uint64_t key_of(const otel::SpanId& id) {
    std::uint64_t key = 0;
    std::memcpy(&key, id.Id().data(), sizeof(key));
    return key;
}

TraceKey key_of(const otel::TraceId& id) {
    TraceKey key;
    std::memcpy(&key.high, id.Id().data(), sizeof(key.high));
    std::memcpy(&key.low, id.Id().data() + sizeof(key.high), sizeof(key.low));
    return key;
}

std::uint64_t take_hex(std::string_view& text) {
    std::uint64_t value = 0;
    const auto end = std::from_chars(text.data(), text.data() + text.size(), value, 16).ptr;
    const auto used = static_cast<std::size_t>(end - text.data());
    text.remove_prefix(std::min(text.size(), used + 1));
    return value;
}

/// Of spans that the HTTP client made.
void read_query(std::string_view url, LineageRow& row) {
    constexpr std::string_view kMark = "?place=";
    const auto at = url.find(kMark);
    if (at == std::string_view::npos) {
        return;
    }
    auto text = url.substr(at + kMark.size());
    row.task = static_cast<std::int64_t>(take_hex(text));
    row.expected_trace.high = take_hex(text);
    row.expected_trace.low = take_hex(text);
    row.expected_parent = take_hex(text);
    row.has_expectation = true;
}

trace::SpanPtr start_root() {
    otel::StartSpanOptions options;
    options.parent = opentelemetry::context::Context().SetValue(otel::kIsRootSpanKey, true);
    return trace::tracer().StartSpan("task", options);
}

std::string describe(const LineageRow& row) {
    return fmt::format(
        "task {}: span {:016x} hangs under {:016x} in trace {:016x}{:016x}, but should under "
        "{:016x} in {:016x}{:016x}",
        row.task,
        row.span,
        row.parent,
        row.trace.high,
        row.trace.low,
        row.expected_parent,
        row.expected_trace.high,
        row.expected_trace.low
    );
}

struct TraceKeyHash {
    std::size_t operator()(const TraceKey& key) const noexcept {
        return static_cast<std::size_t>(key.high ^ std::rotl(key.low, 1));
    }
};

}  // namespace

std::string Place::query() const {
    return fmt::format(
        "?place={:x}.{:x}.{:x}.{:x}", static_cast<std::uint64_t>(task), trace.high, trace.low, span
    );
}

Place place_of(std::int64_t task, trace::Span& span) {
    const auto context = span.GetContext();
    return {task, key_of(context.trace_id()), key_of(context.span_id())};
}

void write_expectation(trace::Span& span, const Place& parent) {
    trace::set(span, kTask, parent.task);
    trace::set(span, kTraceHigh, static_cast<std::int64_t>(parent.trace.high));
    trace::set(span, kTraceLow, static_cast<std::int64_t>(parent.trace.low));
    trace::set(span, kParent, static_cast<std::int64_t>(parent.span));
}

void Tally::expect_current(const Place& expected, std::source_location where) {
    const auto span = otel::GetSpan(trace::current_context());
    const auto actual = place_of(expected.task, *span);
    if (actual.span == expected.span && actual.trace == expected.trace) {
        return;
    }
    wrong_contexts.fetch_add(1, std::memory_order_relaxed);
    const std::scoped_lock lock(mutex_);
    if (samples_.size() < kSamplesMax) {
        samples_.push_back(fmt::format(
            "line {}: task {}: {:016x} is current instead of {:016x}",
            where.line(),
            expected.task,
            actual.span,
            expected.span
        ));
    }
}

std::vector<std::string> Tally::samples() const {
    const std::scoped_lock lock(mutex_);
    return samples_;
}

LineageSpan::LineageSpan(const Place& parent, std::string_view name)
    : span_(trace::tracer().StartSpan({name.data(), name.size()})),
      place_(place_of(parent.task, *span_)),
      scope_(span_) {
    write_expectation(*span_, parent);
}

LineageSpan::LineageSpan(std::int64_t task)
    : span_(start_root()), place_(place_of(task, *span_)), scope_(span_) {
    write_expectation(*span_, {.task = task, .trace = place_.trace, .span = 0});
}

LineageSpan::~LineageSpan() {
    span_->End();
}

LineageRow read_row(const exporting::SpanRecord& span) {
    LineageRow row;
    row.trace = key_of(span.trace_id);
    row.span = key_of(span.span_id);
    row.parent = key_of(span.parent_span_id);
    if (span.has(kTask)) {
        row.task = span.integer(kTask);
        row.expected_trace.high = static_cast<std::uint64_t>(span.integer(kTraceHigh));
        row.expected_trace.low = static_cast<std::uint64_t>(span.integer(kTraceLow));
        row.expected_parent = static_cast<std::uint64_t>(span.integer(kParent));
        row.has_expectation = true;
    } else {
        read_query(span.text(trace::names::kUrlFull), row);
    }
    return row;
}

Result<exporting::ExportReceipt> LineageSink::export_spans(exporting::SpanBatch batch) {
    const auto thread = std::hash<std::thread::id>()(std::this_thread::get_id());
    auto& shard = shards_[thread % shards_.size()];
    const std::scoped_lock lock(shard.mutex);
    for (const auto& span : batch) {
        shard.rows.push_back(read_row(*span));
    }
    return exporting::ExportReceipt{};
}

std::vector<LineageRow> LineageSink::take() {
    std::vector<LineageRow> rows;
    for (auto& shard : shards_) {
        const std::scoped_lock lock(shard.mutex);
        rows.insert(rows.end(), shard.rows.begin(), shard.rows.end());
        shard.rows.clear();
    }
    return rows;
}

LineageReport check_lineage(const std::vector<LineageRow>& rows) {
    LineageReport report;
    report.spans = static_cast<std::int64_t>(rows.size());
    std::unordered_map<std::uint64_t, TraceKey> spans;
    std::unordered_map<TraceKey, std::int64_t, TraceKeyHash> tasks;
    spans.reserve(rows.size());
    for (const auto& row : rows) {
        report.repeated_ids += spans.emplace(row.span, row.trace).second ? 0 : 1;
        const auto [found, is_new] = tasks.emplace(row.trace, row.task);
        report.shared_traces += is_new || found->second == row.task ? 0 : 1;
    }
    report.traces = static_cast<std::int64_t>(tasks.size());
    for (const auto& row : rows) {
        report.roots += row.parent == 0 ? 1 : 0;
        report.strangers += row.has_expectation ? 0 : 1;
        const bool is_right = !row.has_expectation || (row.parent == row.expected_parent &&
                                                       row.trace == row.expected_trace);
        if (!is_right) {
            ++report.misparented;
            if (report.samples.size() < kSamplesMax) {
                report.samples.push_back(describe(row));
            }
        }
        if (row.parent != 0) {
            const auto parent = spans.find(row.parent);
            report.orphans += parent == spans.end() || parent->second != row.trace ? 1 : 0;
        }
    }
    return report;
}

}  // namespace flowspan::stress
