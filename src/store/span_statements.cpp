#include "store/span_statements.hpp"

#include <string>

namespace flowspan::store {

namespace {

sql::Statement make(const char* operation, const char* target, const char* text) {
    return {.text = text, .operation = operation, .target = target};
}

constexpr auto kProcesses = R"(
CREATE TABLE IF NOT EXISTS processes(
    id INTEGER PRIMARY KEY,
    pid INTEGER NOT NULL,
    resource TEXT NOT NULL,
    started_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL,
    ended_ns INTEGER NOT NULL DEFAULT 0,
    is_crashed INTEGER NOT NULL DEFAULT 0,
    books TEXT NOT NULL DEFAULT ''))";

// The sums stand here so that a list of traces reads no span.
constexpr auto kTraces = R"(
CREATE TABLE IF NOT EXISTS traces(
    trace_id TEXT PRIMARY KEY,
    start_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    spans INTEGER NOT NULL,
    open INTEGER NOT NULL,
    errors INTEGER NOT NULL,
    interrupted INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    root_name TEXT NOT NULL,
    app_id TEXT NOT NULL,
    app_name TEXT NOT NULL,
    status TEXT NOT NULL,
    sampling TEXT NOT NULL) WITHOUT ROWID)";

constexpr auto kSpans = R"(
CREATE TABLE IF NOT EXISTS spans(
    id INTEGER PRIMARY KEY,
    trace_id TEXT NOT NULL,
    span_id TEXT NOT NULL,
    process_id INTEGER NOT NULL,
    start_ns INTEGER NOT NULL,
    end_ns INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    change INTEGER NOT NULL,
    record TEXT NOT NULL,
    UNIQUE(trace_id, span_id)))";

constexpr auto kPutSpan = R"(
INSERT INTO spans(trace_id, span_id, process_id, start_ns, end_ns, sequence, record, change)
VALUES(?, ?, ?, ?, ?, ?, ?, (SELECT value FROM change))
ON CONFLICT(trace_id, span_id) DO UPDATE SET
    end_ns = excluded.end_ns, sequence = excluded.sequence, record = excluded.record,
    change = excluded.change)";

constexpr auto kAddToTrace = R"(
INSERT INTO traces(trace_id, start_ns, last_ns, spans, open, errors, interrupted, tokens, bytes,
    root_name, app_id, app_name, status, sampling)
VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '')
ON CONFLICT(trace_id) DO UPDATE SET
    start_ns = min(start_ns, excluded.start_ns),
    last_ns = max(last_ns, excluded.last_ns),
    spans = spans + excluded.spans,
    open = open + excluded.open,
    errors = errors + excluded.errors,
    interrupted = interrupted + excluded.interrupted,
    tokens = tokens + excluded.tokens,
    bytes = bytes + excluded.bytes,
    root_name = CASE excluded.root_name WHEN '' THEN root_name ELSE excluded.root_name END,
    app_id = CASE excluded.app_id WHEN '' THEN app_id ELSE excluded.app_id END,
    app_name = CASE excluded.app_name WHEN '' THEN app_name ELSE excluded.app_name END,
    status = CASE excluded.status WHEN '' THEN status ELSE excluded.status END)";

constexpr auto kUpdateProcess = R"(
UPDATE processes SET seen_ns = ?, ended_ns = ?, is_crashed = ?, books = ? WHERE id = ?)";

}  // namespace

std::vector<sql::Statement> make_tables() {
    return {
        make("CREATE", "processes", kProcesses),
        make("CREATE", "traces", kTraces),
        make("CREATE", "traces", "CREATE INDEX IF NOT EXISTS traces_start ON traces(start_ns)"),
        make("CREATE", "spans", kSpans),
        make(
            "CREATE",
            "spans",
            "CREATE INDEX IF NOT EXISTS spans_open ON spans(process_id) WHERE end_ns = 0"
        ),
        make("CREATE", "change", "CREATE TABLE IF NOT EXISTS change(value INTEGER NOT NULL)"),
        make(
            "INSERT",
            "change",
            "INSERT INTO change SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM change)"
        ),
        make("PRAGMA", "user_version", "PRAGMA user_version = 1"),
    };
}

sql::Statement insert_process(const ProcessRow& process) {
    auto statement = make(
        "INSERT",
        "processes",
        "INSERT INTO processes(id, pid, resource, started_ns, seen_ns) VALUES(?, ?, ?, ?, ?)"
    );
    statement.parameters = {
        process.id, process.pid, process.resource, process.started_ns, process.seen_ns
    };
    return statement;
}

std::vector<sql::Statement> make_write(const SpanWrite& write) {
    std::vector<sql::Statement> statements;
    statements.reserve(write.spans.size() + write.traces.size() + 2);
    statements.push_back(make("UPDATE", "change", "UPDATE change SET value = value + 1"));
    for (const auto& span : write.spans) {
        auto& put = statements.emplace_back(make("INSERT", "spans", kPutSpan));
        put.parameters = {
            span.trace_id,
            span.span_id,
            span.process_id,
            span.start_ns,
            span.end_ns,
            span.sequence,
            span.record,
        };
    }
    for (const auto& trace : write.traces) {
        auto& add = statements.emplace_back(make("INSERT", "traces", kAddToTrace));
        add.parameters = {
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
        };
    }
    for (const auto& judgement : write.judgements) {
        auto& update = statements.emplace_back(
            make("UPDATE", "traces", "UPDATE traces SET sampling = ? WHERE trace_id = ?")
        );
        update.parameters = {judgement.text, judgement.trace_id};
    }
    if (write.process) {
        const auto& process = *write.process;
        auto& update = statements.emplace_back(make("UPDATE", "processes", kUpdateProcess));
        update.parameters = {
            process.seen_ns,
            process.ended_ns,
            static_cast<std::int64_t>(process.is_crashed),
            process.books,
            process.id,
        };
    }
    return statements;
}

}  // namespace flowspan::store
