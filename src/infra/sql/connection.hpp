#pragma once
// A blocking connection to SQLite; its calls belong on the blocking pool.

#include "infra/sql/database.hpp"

#include <map>
#include <memory>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace flowspan::sql {

/// Used by one thread at a time.
class Connection {
public:
    explicit Connection(const DatabaseOptions& options) : options_(options) {}

    [[nodiscard]] Result<Reply> run(const Statement& statement);
    [[nodiscard]] Result<std::vector<Reply>> run_batch(const std::vector<Statement>& statements);

private:
    struct Close {
        void operator()(sqlite3* connection) const noexcept;
    };

    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };

    using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

    [[nodiscard]] Result<void> open();
    [[nodiscard]] Result<void> prepare_file();
    [[nodiscard]] Result<void> execute(const char* script);
    [[nodiscard]] Result<sqlite3_stmt*> prepare(const std::string& text);
    [[nodiscard]] Result<void> bind(sqlite3_stmt* prepared, const std::vector<Field>& parameters);
    [[nodiscard]] Result<Reply> step(sqlite3_stmt* prepared);
    [[nodiscard]] std::unexpected<Error> fail(int code) const;

    DatabaseOptions options_;
    std::unique_ptr<sqlite3, Close> connection_;
    // Finalized before the connection closes.
    std::map<std::string, Prepared, std::less<>> prepared_;
};

}  // namespace flowspan::sql
