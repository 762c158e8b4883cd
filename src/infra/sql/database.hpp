#pragma once
// A SQL database behind one connection.

#include "flowspan/async/task.hpp"
#include "flowspan/trace/metrics.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace flowspan::sql {

/// NULL, INTEGER, REAL or TEXT.
using Field = std::variant<std::monostate, std::int64_t, double, std::string>;
using Row = std::vector<Field>;

/// The field, or zero or empty text if it is of another type.
[[nodiscard]] std::int64_t to_integer(const Field& field) noexcept;
[[nodiscard]] double to_number(const Field& field) noexcept;
[[nodiscard]] const std::string& to_text(const Field& field) noexcept;

struct Statement {
    std::string text;       ///< with a `?` for each parameter
    std::string operation;  ///< `SELECT`
    std::string target;     ///< what it works on, as spans name it: `segments`
    std::vector<Field> parameters = {};
};

struct Reply {
    std::vector<Row> rows;
    std::int64_t last_id = 0;  ///< row id of the last insertion on this connection
};

/// Safe to call from any task on any loop. Errors: `unavailable` (busy, or the file cannot be
/// opened or written), `invalid_input` (a constraint does not hold, a statement is wrong),
/// `limit_exceeded`, `internal`; `type` is the database's own code as text.
class Database {
public:
    virtual ~Database() = default;

    [[nodiscard]] virtual Task<Result<Reply>> run(Statement statement) = 0;

    /// All statements in one transaction; replies in their order. An empty batch does nothing.
    [[nodiscard]] virtual Task<Result<std::vector<Reply>>> run_batch(
        std::vector<Statement> statements
    ) = 0;
};

struct DatabaseOptions {
    std::filesystem::path path;  ///< missing folders are made; `:memory:` lives in memory
    /// Runs once when the file is opened; must be harmless on a database that has it already.
    std::string schema = {};
    std::chrono::milliseconds busy_timeout{5000};  ///< how long another writer is waited for
    std::size_t rows_max = 100'000;                ///< of one reply; more is `limit_exceeded`
    /// Makes nothing; the file must be there.
    bool is_read_only = false;
    /// A new file can give its free pages back (`PRAGMA incremental_vacuum`).
    bool reclaims_space = false;
    /// False leaves the log to the next user of the file: closing then waits for no disk.
    bool checkpoints_on_close = true;
    /// Gets `db.client.operation.duration`, a measurement for every call, also while tracing is
    /// off; must outlive the database. Null: nothing is measured.
    trace::MetricRegistry* metrics = nullptr;
};

[[nodiscard]] std::unique_ptr<Database> make_sqlite_database(const DatabaseOptions& options);

}  // namespace flowspan::sql
