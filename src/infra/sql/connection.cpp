#include "infra/sql/connection.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <system_error>
#include <type_traits>
#include <utility>

namespace flowspan::sql {

namespace {

// Statements are fixed texts of the program, so few; the cap only guards against a mistake.
constexpr std::size_t kPreparedMax = 200;

ErrorCode error_code(int code) {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_CANTOPEN:
        case SQLITE_IOERR:
        case SQLITE_READONLY:
        case SQLITE_PERM:
            return ErrorCode::unavailable;
        case SQLITE_FULL:
        case SQLITE_TOOBIG:
            return ErrorCode::limit_exceeded;
        case SQLITE_CONSTRAINT:
        case SQLITE_ERROR:
        case SQLITE_NOTADB:
        case SQLITE_CORRUPT:
            return ErrorCode::invalid_input;
        default:
            return ErrorCode::internal;
    }
}

Row read_row(sqlite3_stmt* prepared) {
    Row row;
    const int count = sqlite3_column_count(prepared);
    for (int i = 0; i < count; ++i) {
        switch (sqlite3_column_type(prepared, i)) {
            case SQLITE_NULL:
                row.emplace_back(std::monostate());
                break;
            case SQLITE_INTEGER:
                row.emplace_back(static_cast<std::int64_t>(sqlite3_column_int64(prepared, i)));
                break;
            case SQLITE_FLOAT:
                row.emplace_back(sqlite3_column_double(prepared, i));
                break;
            default: {
                // Text, or bytes, which no table of ours has.
                const auto* text = sqlite3_column_text(prepared, i);
                const auto size = static_cast<std::size_t>(sqlite3_column_bytes(prepared, i));
                row.emplace_back(std::string(reinterpret_cast<const char*>(text), size));
            }
        }
    }
    return row;
}

int bind_field(sqlite3_stmt* prepared, int index, const Field& field) {
    if (const auto* number = std::get_if<std::int64_t>(&field)) {
        return sqlite3_bind_int64(prepared, index, *number);
    }
    if (const auto* number = std::get_if<double>(&field)) {
        return sqlite3_bind_double(prepared, index, *number);
    }
    if (const auto* text = std::get_if<std::string>(&field)) {
        // The statement is reset before its parameters go away, so nothing needs to be copied.
        return sqlite3_bind_text64(
            prepared, index, text->data(), text->size(), SQLITE_STATIC, SQLITE_UTF8
        );
    }
    return sqlite3_bind_null(prepared, index);
}

}  // namespace

void Connection::Close::operator()(sqlite3* connection) const noexcept {
    sqlite3_close_v2(connection);
}

void Connection::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

std::unexpected<Error> Connection::fail(int code) const {
    return failure(Error(error_code(code), fmt::format("database: {}", sqlite3_errstr(code)))
                       .with_type(std::to_string(code))
                       .with_detail(connection_ ? sqlite3_errmsg(connection_.get()) : ""));
}

Result<void> Connection::execute(const char* script) {
    const int code = sqlite3_exec(connection_.get(), script, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) {
        return fail(sqlite3_extended_errcode(connection_.get()));
    }
    return {};
}

Result<void> Connection::open() {
    if (connection_ != nullptr) {
        return {};
    }
    const auto folder = options_.path.parent_path();
    if (!folder.empty() && !options_.is_read_only) {
        std::error_code code;
        std::filesystem::create_directories(folder, code);
        if (code) {
            return failure(ErrorCode::unavailable, "database: its folder cannot be made");
        }
    }
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(
        options_.path.c_str(),
        &opened,
        (options_.is_read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
        ) | SQLITE_OPEN_NOMUTEX |
            SQLITE_OPEN_EXRESCODE,
        nullptr
    );
    connection_.reset(opened);
    auto done = code == SQLITE_OK ? Result<void>() : Result<void>(fail(code));
    if (done) {
        sqlite3_busy_timeout(opened, static_cast<int>(options_.busy_timeout.count()));
        done = options_.is_read_only ? Result<void>() : prepare_file();
    }
    if (!done) {
        connection_.reset();
    }
    return done;
}

Result<void> Connection::prepare_file() {
    if (!options_.checkpoints_on_close) {
        sqlite3_db_config(connection_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
    }
    // Only heard by a file that has no page yet.
    if (options_.reclaims_space) {
        if (auto done = execute("PRAGMA auto_vacuum=INCREMENTAL"); !done) {
            return done;
        }
    }
    auto done =
        execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;");
    return done ? execute(options_.schema.c_str()) : done;
}

Result<sqlite3_stmt*> Connection::prepare(const std::string& text) {
    if (const auto found = prepared_.find(text); found != prepared_.end()) {
        return found->second.get();
    }
    sqlite3_stmt* prepared = nullptr;
    const int code = sqlite3_prepare_v3(
        connection_.get(),
        text.data(),
        static_cast<int>(text.size()),
        SQLITE_PREPARE_PERSISTENT,
        &prepared,
        nullptr
    );
    if (code != SQLITE_OK) {
        return fail(code);
    }
    if (prepared_.size() >= kPreparedMax) {
        prepared_.clear();
    }
    prepared_.emplace(text, Prepared(prepared));
    return prepared;
}

Result<void> Connection::bind(sqlite3_stmt* prepared, const std::vector<Field>& parameters) {
    for (std::size_t i = 0; i < parameters.size(); ++i) {
        const int code = bind_field(prepared, static_cast<int>(i) + 1, parameters[i]);
        if (code != SQLITE_OK) {
            return fail(code);
        }
    }
    return {};
}

Result<Reply> Connection::step(sqlite3_stmt* prepared) {
    Reply reply;
    while (true) {
        const int code = sqlite3_step(prepared);
        if (code == SQLITE_DONE) {
            reply.last_id = sqlite3_last_insert_rowid(connection_.get());
            return reply;
        }
        if (code != SQLITE_ROW) {
            return fail(sqlite3_extended_errcode(connection_.get()));
        }
        if (reply.rows.size() >= options_.rows_max) {
            return failure(
                ErrorCode::limit_exceeded,
                fmt::format("database: a reply has more than {} rows", options_.rows_max)
            );
        }
        reply.rows.push_back(read_row(prepared));
    }
}

Result<Reply> Connection::run(const Statement& statement) {
    if (auto opened = open(); !opened) {
        return failure(std::move(opened).error());
    }
    FLOWSPAN_TRY(auto* const prepared, prepare(statement.text));
    const auto bound = bind(prepared, statement.parameters);
    auto reply = bound ? step(prepared) : Result<Reply>(failure(bound.error()));
    sqlite3_reset(prepared);
    sqlite3_clear_bindings(prepared);
    return reply;
}

Result<std::vector<Reply>> Connection::run_batch(const std::vector<Statement>& statements) {
    std::vector<Reply> replies;
    if (statements.empty()) {
        return replies;
    }
    if (auto opened = open(); !opened) {
        return failure(std::move(opened).error());
    }
    if (auto begun = execute("BEGIN IMMEDIATE"); !begun) {
        return failure(std::move(begun).error());
    }
    for (const auto& statement : statements) {
        auto reply = run(statement);
        if (!reply) {
            // The first failure is the one to tell; a failed rollback leaves nothing committed.
            static_cast<void>(execute("ROLLBACK"));
            return failure(std::move(reply).error());
        }
        replies.push_back(*std::move(reply));
    }
    if (auto committed = execute("COMMIT"); !committed) {
        static_cast<void>(execute("ROLLBACK"));
        return failure(std::move(committed).error());
    }
    return replies;
}

}  // namespace flowspan::sql
