#include "store/span_store.hpp"

#include "store/span_statements.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <system_error>
#include <utility>

namespace flowspan::store {

namespace {

// Another writer's transaction takes milliseconds; retention a little more.
constexpr std::chrono::milliseconds kBusyTimeout{1000};
// Of one reply: the spans of one trace at most.
constexpr std::size_t kRowsMax = 1'000'000;
// Removing many at once would hold up the other writers.
constexpr std::int64_t kRemovedAtOnce = 50;
constexpr std::int64_t kPagesFreedAtOnce = 2000;

sql::DatabaseOptions database_options(const SpanStoreOptions& options) {
    return {
        .path = options.path,
        .busy_timeout = kBusyTimeout,
        .rows_max = kRowsMax,
        .is_read_only = options.is_read_only,
        .reclaims_space = true,
        .checkpoints_on_close = false,
    };
}

sql::Statement make(std::string text, std::vector<sql::Field> parameters = {}) {
    sql::Statement statement;
    statement.text = std::move(text);
    statement.parameters = std::move(parameters);
    return statement;
}

Result<void> only_status(Result<std::vector<sql::Reply>> replies) {
    if (!replies) {
        return failure(std::move(replies).error());
    }
    return {};
}

std::unexpected<Error> no_store(const std::filesystem::path& path) {
    return failure(ErrorCode::not_found, fmt::format("there is no trace store {}", path.string()));
}

}  // namespace

SpanStore::SpanStore(SpanStoreOptions options)
    : options_(std::move(options)), connection_(database_options(options_)) {}

Result<std::unique_ptr<SpanStore>> SpanStore::open(const SpanStoreOptions& options) {
    std::error_code code;
    const auto& path = options.path;
    const bool is_read_only = options.is_read_only;
    if (is_read_only && !std::filesystem::exists(path, code)) {
        return no_store(path);
    }
    if (!is_read_only && path.has_parent_path()) {
        // A failure shows when the files are opened.
        std::filesystem::create_directories(path.parent_path(), code);
    }
    std::unique_ptr<SpanStore> store(new SpanStore(options));
    // First, so that whoever finds the tables finds the locks too.
    FLOWSPAN_TRY(store->locks_, OwnerLocks::open(path, is_read_only));
    if (auto prepared = store->prepare_schema(); !prepared) {
        auto error = std::move(prepared).error();
        if (error.code != ErrorCode::not_found) {
            // The words of the database alone do not say which file.
            error.message = fmt::format("trace store {}: {}", path.string(), error.message);
        }
        return failure(std::move(error));
    }
    return store;
}

Result<void> SpanStore::prepare_schema() {
    // In one statement: another program may be making the tables right now.
    FLOWSPAN_TRY(
        const auto reply,
        connection_.run(make(
            "SELECT user_version, (SELECT count(*) FROM sqlite_schema) FROM pragma_user_version"
        ))
    );
    const auto version = sql::to_integer(reply.rows.front()[0]);
    if (version == kSchemaVersion) {
        return {};
    }
    if (version > kSchemaVersion) {
        return failure(ErrorCode::unsupported, "it was made by a newer version of this program");
    }
    const bool has_tables = sql::to_integer(reply.rows.front()[1]) != 0;
    if (!has_tables && options_.is_read_only) {
        // Somebody is about to make them.
        return no_store(options_.path);
    }
    if (has_tables) {
        return failure(ErrorCode::invalid_input, "the file is no trace store");
    }
    return only_status(connection_.run_batch(make_tables()));
}

Result<std::int64_t> SpanStore::read_number(std::string_view query) {
    FLOWSPAN_TRY(const auto reply, connection_.run(make(std::string(query))));
    return reply.rows.empty() ? 0 : sql::to_integer(reply.rows.front().front());
}

Result<void> SpanStore::begin_process(const ProcessRow& process) {
    // Before the row is there, so that nobody sees it without its owner.
    if (!locks_.try_hold(process.id)) {
        return failure(ErrorCode::unavailable, "the lock of the trace store cannot be taken");
    }
    own_process_ = process.id;
    return only_status(connection_.run_batch({insert_process(process)}));
}

Result<void> SpanStore::add_lost_process(const ProcessRow& process) {
    auto statement = insert_process(process);
    statement.text += " ON CONFLICT(id) DO NOTHING";
    return only_status(connection_.run_batch({std::move(statement)}));
}

Result<void> SpanStore::write(const SpanWrite& write) {
    if (is_full_ && !write.spans.empty()) {
        return failure(
            ErrorCode::limit_exceeded,
            fmt::format("the trace store is full ({} bytes)", options_.bytes_max)
        );
    }
    return only_status(connection_.run_batch(make_write(write)));
}

Result<std::int64_t> SpanStore::used_bytes() {
    FLOWSPAN_TRY(const auto pages, read_number("PRAGMA page_count"));
    FLOWSPAN_TRY(const auto free, read_number("PRAGMA freelist_count"));
    FLOWSPAN_TRY(const auto page_size, read_number("PRAGMA page_size"));
    return (pages - free) * page_size;
}

Result<std::int64_t> SpanStore::remove_traces(
    const std::string& condition, std::vector<sql::Field> parameters
) {
    const auto chosen = fmt::format(
        "SELECT trace_id FROM traces WHERE open = 0 {} ORDER BY start_ns LIMIT {}",
        condition,
        kRemovedAtOnce
    );
    FLOWSPAN_TRY(const auto reply, connection_.run(make(chosen, std::move(parameters))));
    std::vector<sql::Statement> statements;
    for (const auto& row : reply.rows) {
        statements.push_back(make("DELETE FROM spans WHERE trace_id = ?", {row.front()}));
        // Unless it goes on meanwhile; then its spans that remain are removed with it later.
        statements.push_back(
            make("DELETE FROM traces WHERE open = 0 AND trace_id = ?", {row.front()})
        );
    }
    if (auto removed = only_status(connection_.run_batch(statements)); !removed) {
        return failure(std::move(removed).error());
    }
    return std::ssize(reply.rows);
}

Result<std::int64_t> SpanStore::prune(std::int64_t now_ns) {
    const auto oldest_ns =
        now_ns - std::chrono::duration_cast<std::chrono::nanoseconds>(options_.age_max).count();
    // The start alone is indexed.
    FLOWSPAN_TRY(auto removed, remove_traces("AND start_ns < ?1 AND last_ns < ?1", {oldest_ns}));
    const auto bytes_max = static_cast<std::int64_t>(options_.bytes_max);
    FLOWSPAN_TRY(auto used, used_bytes());
    while (used > bytes_max) {
        FLOWSPAN_TRY(const auto more, remove_traces("", {}));
        if (more == 0) {
            break;
        }
        removed += more;
        FLOWSPAN_TRY(used, used_bytes());
    }
    is_full_ = used > bytes_max;
    const auto forget_processes = make(
        "DELETE FROM processes WHERE (ended_ns > 0 OR is_crashed) AND seen_ns < ?", {oldest_ns}
    );
    FLOWSPAN_TRY(const auto forgotten, connection_.run(forget_processes));
    static_cast<void>(forgotten);
    if (removed > 0) {
        FLOWSPAN_TRY(
            const auto freed,
            connection_.run(make(fmt::format("PRAGMA incremental_vacuum({})", kPagesFreedAtOnce)))
        );
        static_cast<void>(freed);
    }
    return removed;
}

void SpanStore::release(std::int64_t process_id) {
    locks_.release(process_id);
}

bool SpanStore::is_alive(std::int64_t process_id) const {
    // A lock of our own is not seen by ourselves.
    return process_id == own_process_ || locks_.is_held(process_id);
}

}  // namespace flowspan::store
