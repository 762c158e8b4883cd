// What SpanStore reads.

#include "store/span_store.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::store {

namespace {

// The order of the fields is the order in which rows are read below.
constexpr auto kTraceColumns =
    "trace_id, start_ns, last_ns, spans, open, errors, interrupted, tokens, bytes, root_name, "
    "app_id, app_name, CASE WHEN open > 0 THEN 'running' WHEN status <> '' THEN status "
    "WHEN errors > 0 THEN 'failed' ELSE 'ok' END AS shown, sampling";
constexpr auto kSpanColumns = "trace_id, span_id, process_id, start_ns, end_ns, sequence, record";
constexpr auto kProcessColumns =
    "id, pid, resource, started_ns, seen_ns, ended_ns, is_crashed, books";

class FieldReader {
public:
    explicit FieldReader(const sql::Row& row) : row_(row) {}

    void into(std::int64_t& number) { number = sql::to_integer(row_[next_++]); }

    void into(bool& flag) { flag = sql::to_integer(row_[next_++]) != 0; }

    void into(std::string& text) { text = sql::to_text(row_[next_++]); }

private:
    const sql::Row& row_;
    std::size_t next_ = 0;
};

template <class... Fields>
void read_fields(const sql::Row& row, Fields&... fields) {
    FieldReader reader(row);
    (reader.into(fields), ...);
}

TraceRow read_trace(const sql::Row& row) {
    TraceRow trace;
    read_fields(
        row,
        trace.trace_id,
        trace.start_ns,
        trace.last_ns,
        trace.spans,
        trace.open,
        trace.errors,
        trace.interrupted,
        trace.tokens,
        trace.bytes,
        trace.root_name,
        trace.app_id,
        trace.app_name,
        trace.status,
        trace.sampling
    );
    return trace;
}

SpanRow read_span(const sql::Row& row) {
    SpanRow span;
    read_fields(
        row,
        span.trace_id,
        span.span_id,
        span.process_id,
        span.start_ns,
        span.end_ns,
        span.sequence,
        span.record
    );
    return span;
}

ProcessRow read_process(const sql::Row& row) {
    ProcessRow process;
    read_fields(
        row,
        process.id,
        process.pid,
        process.resource,
        process.started_ns,
        process.seen_ns,
        process.ended_ns,
        process.is_crashed,
        process.books
    );
    return process;
}

template <class Read>
auto read_all(Result<sql::Reply> reply, Read read)
    -> Result<std::vector<decltype(read(sql::Row()))>> {
    if (!reply) {
        return failure(std::move(reply).error());
    }
    std::vector<decltype(read(sql::Row()))> items;
    items.reserve(reply->rows.size());
    for (const auto& row : reply->rows) {
        items.push_back(read(row));
    }
    return items;
}

sql::Statement make(std::string text, std::vector<sql::Field> parameters) {
    sql::Statement statement;
    statement.text = std::move(text);
    statement.parameters = std::move(parameters);
    return statement;
}

}  // namespace

Result<std::vector<ProcessRow>> SpanStore::find_lost_processes() {
    FLOWSPAN_TRY(
        auto processes,
        read_all(
            connection_.run(make(
                fmt::format(
                    "SELECT {} FROM processes WHERE ended_ns = 0 AND is_crashed = 0 ORDER BY "
                    "started_ns",
                    kProcessColumns
                ),
                {}
            )),
            read_process
        )
    );
    std::erase_if(processes, [this](const ProcessRow& process) { return is_alive(process.id); });
    return processes;
}

Result<std::optional<ProcessRow>> SpanStore::hold_if(
    std::int64_t process_id, std::string_view condition
) {
    if (!locks_.try_hold(process_id)) {
        return std::nullopt;
    }
    // Read under the lock: another may have been at it between our look and our lock.
    auto processes = read_all(
        connection_.run(make(
            fmt::format("SELECT {} FROM processes WHERE id = ? AND {}", kProcessColumns, condition),
            {process_id}
        )),
        read_process
    );
    if (!processes || processes->empty()) {
        locks_.release(process_id);
        return processes ? Result<std::optional<ProcessRow>>(std::nullopt)
                         : failure(std::move(processes).error());
    }
    return std::move(processes->front());
}

Result<std::optional<ProcessRow>> SpanStore::take_over(std::int64_t process_id) {
    return hold_if(process_id, "ended_ns = 0 AND is_crashed = 0");
}

Result<std::optional<ProcessRow>> SpanStore::take_over_closed(std::int64_t process_id) {
    return hold_if(process_id, "is_crashed = 1");
}

Result<std::vector<ProcessRow>> SpanStore::list_crashed_processes() {
    return read_all(
        connection_.run(make(
            fmt::format(
                "SELECT {} FROM processes WHERE is_crashed = 1 ORDER BY started_ns", kProcessColumns
            ),
            {}
        )),
        read_process
    );
}

Result<std::vector<SpanRow>> SpanStore::ended_spans_of(std::int64_t process_id) {
    return read_all(
        connection_.run(make(
            fmt::format(
                "SELECT {} FROM spans WHERE process_id = ? AND end_ns > 0 ORDER BY sequence, id",
                kSpanColumns
            ),
            {process_id}
        )),
        read_span
    );
}

Result<std::vector<SpanRow>> SpanStore::open_spans_of(std::int64_t process_id) {
    return read_all(
        connection_.run(make(
            fmt::format(
                "SELECT {} FROM spans WHERE process_id = ? AND end_ns = 0 ORDER BY start_ns, id",
                kSpanColumns
            ),
            {process_id}
        )),
        read_span
    );
}

Result<std::optional<SpanRow>> SpanStore::find_span(
    std::string_view trace_id, std::string_view span_id
) {
    FLOWSPAN_TRY(
        auto spans,
        read_all(
            connection_.run(make(
                fmt::format(
                    "SELECT {} FROM spans WHERE trace_id = ? AND span_id = ?", kSpanColumns
                ),
                {std::string(trace_id), std::string(span_id)}
            )),
            read_span
        )
    );
    return spans.empty() ? std::optional<SpanRow>() : std::move(spans.front());
}

Result<std::vector<TraceRow>> SpanStore::list_traces(const TraceFilter& filter) {
    // `instr` knows no case, and a name may hold what LIKE takes for a pattern.
    auto text = fmt::format(
        "SELECT {} FROM traces WHERE start_ns >= ?1 "
        "AND (?2 = '' OR instr(lower(app_name), lower(?2)) > 0 OR app_id = ?2) "
        "AND (?3 = '' OR shown = ?3) ORDER BY start_ns DESC, trace_id LIMIT ?4",
        kTraceColumns
    );
    return read_all(
        connection_.run(
            make(std::move(text), {filter.since_ns, filter.app, filter.status, filter.limit})
        ),
        read_trace
    );
}

Result<std::vector<TraceRow>> SpanStore::find_traces(
    std::string_view id_prefix, std::int64_t limit
) {
    // Ids are hexadecimal, so `g` ends the range of the prefix.
    return read_all(
        connection_.run(make(
            fmt::format(
                "SELECT {} FROM traces WHERE trace_id >= ? AND trace_id < ? ORDER BY trace_id "
                "LIMIT ?",
                kTraceColumns
            ),
            {std::string(id_prefix), std::string(id_prefix) + "g", limit}
        )),
        read_trace
    );
}

Result<std::vector<TraceRow>> SpanStore::find_traces_with(
    std::string_view value, std::int64_t limit
) {
    return read_all(
        connection_.run(make(
            fmt::format(
                "SELECT {} FROM traces WHERE trace_id IN "
                "(SELECT trace_id FROM spans WHERE instr(record, ?) > 0) "
                "ORDER BY start_ns DESC, trace_id LIMIT ?",
                kTraceColumns
            ),
            {fmt::format("\"{}\"", value), limit}
        )),
        read_trace
    );
}

Result<std::vector<SpanRow>> SpanStore::read_spans(
    std::string_view trace_id, std::int64_t after_change
) {
    return read_all(
        connection_.run(make(
            fmt::format(
                "SELECT {} FROM spans WHERE trace_id = ? AND change > ? ORDER BY start_ns, id",
                kSpanColumns
            ),
            {std::string(trace_id), after_change}
        )),
        read_span
    );
}

Result<std::int64_t> SpanStore::last_change() {
    return read_number("SELECT value FROM change");
}

Result<std::vector<ProcessRow>> SpanStore::list_processes(std::int64_t limit) {
    return read_all(
        connection_.run(make(
            fmt::format(
                "SELECT {} FROM processes ORDER BY started_ns DESC, id LIMIT ?", kProcessColumns
            ),
            {limit}
        )),
        read_process
    );
}

Result<std::vector<ProcessRow>> SpanStore::processes_of(std::string_view trace_id) {
    return read_all(
        connection_.run(make(
            fmt::format(
                "SELECT {} FROM processes WHERE id IN (SELECT process_id FROM spans WHERE trace_id "
                "= ?) ORDER BY started_ns",
                kProcessColumns
            ),
            {std::string(trace_id)}
        )),
        read_process
    );
}

Result<StoreSize> SpanStore::size() {
    StoreSize size;
    FLOWSPAN_TRY(size.file_bytes, used_bytes());
    FLOWSPAN_TRY(size.traces, read_number("SELECT count(*) FROM traces"));
    FLOWSPAN_TRY(size.spans, read_number("SELECT coalesce(sum(spans), 0) FROM traces"));
    return size;
}

}  // namespace flowspan::store
