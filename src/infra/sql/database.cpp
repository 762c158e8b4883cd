#include "infra/sql/database.hpp"

#include "flowspan/async/pools.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/trace_span.hpp"
#include "infra/sql/connection.hpp"
#include "trace/call_timer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <utility>

namespace flowspan::sql {

namespace names = trace::names;

namespace {

// The bounds that the database conventions give.
constexpr std::array kSeconds = {0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0};

trace::Instrument* find_durations(trace::MetricRegistry* registry) {
    if (registry == nullptr) {
        return nullptr;
    }
    return &registry->instrument(
        {names::kMetricDbOperationDuration,
         "s",
         "Time of a call to a database",
         trace::MetricKind::histogram,
         kSeconds,
         false}
    );
}

std::vector<trace::Label> labels_of(std::string_view operation) {
    return {
        {names::kDbSystemName, std::string_view("sqlite")},
        {names::kDbOperationName, operation},
    };
}

struct StatementHandler {
    static constexpr auto kKind = opentelemetry::trace::SpanKind::kClient;

    static std::string span_name(const Statement& statement) {
        return fmt::format("{} {}", statement.operation, statement.target);
    }

    static void on_start(trace::Span& span, const Statement& statement) {
        trace::set(span, names::kDbSystemName, "sqlite");
        trace::set(span, names::kDbOperationName, statement.operation);
        trace::set(span, names::kDbCollectionName, statement.target);
        trace::set(span, names::kDbQuerySummary, span_name(statement));
        trace::set(span, names::kDbQueryText, statement.text);
    }

    static void on_result(trace::Span& span, const Result<Reply>& reply) {
        trace::set(
            span, names::kDbResponseReturnedRows, static_cast<std::int64_t>(reply->rows.size())
        );
    }

    static void on_error(trace::Span& span, const Error& error) {
        if (!error.type.empty()) {
            trace::set(span, names::kDbResponseStatusCode, error.type);
        }
    }
};

struct BatchHandler {
    static constexpr auto kKind = opentelemetry::trace::SpanKind::kClient;

    using Statements = std::vector<Statement>;

    static bool is_uniform(const Statements& batch) {
        return std::ranges::all_of(batch, [&](const Statement& one) {
            return one.operation == batch.front().operation;
        });
    }

    static std::string operation(const Statements& batch) {
        return is_uniform(batch) ? "BATCH " + batch.front().operation : "BATCH";
    }

    // The targets in their order, each once.
    static std::string span_name(const Statements& batch) {
        std::vector<std::string_view> targets;
        for (const auto& one : batch) {
            if (std::ranges::find(targets, one.target) == targets.end()) {
                targets.push_back(one.target);
            }
        }
        return fmt::format("{} {}", operation(batch), fmt::join(targets, " "));
    }

    static void on_start(trace::Span& span, const Statements& batch) {
        trace::set(span, names::kDbSystemName, "sqlite");
        trace::set(span, names::kDbOperationName, operation(batch));
        trace::set(span, names::kDbQuerySummary, span_name(batch));
        trace::set(span, names::kDbOperationBatchSize, static_cast<std::int64_t>(batch.size()));
        std::vector<std::string_view> texts;
        for (const auto& one : batch) {
            if (std::ranges::find(texts, one.text) == texts.end()) {
                texts.push_back(one.text);
            }
        }
        trace::set(span, names::kDbQueryText, fmt::format("{}", fmt::join(texts, "; ")));
    }

    static void on_error(trace::Span& span, const Error& error) {
        StatementHandler::on_error(span, error);
    }
};

/// The lock is taken on a pool thread only, around one blocking call.
struct Shared {
    std::mutex mutex;
    Connection connection;
};

struct RunStatement {
    Shared* shared;

    Task<Result<Reply>> operator()(const Statement& statement) const {
        return async::on_blocking([shared_now = shared, &statement] {
            const std::scoped_lock lock(shared_now->mutex);
            return shared_now->connection.run(statement);
        });
    }
};

struct RunBatch {
    Shared* shared;

    Task<Result<std::vector<Reply>>> operator()(const std::vector<Statement>& batch) const {
        return async::on_blocking([shared_now = shared, &batch] {
            const std::scoped_lock lock(shared_now->mutex);
            return shared_now->connection.run_batch(batch);
        });
    }
};

class SqliteDatabase final : public Database {
public:
    explicit SqliteDatabase(const DatabaseOptions& options)
        : shared_({}, Connection(options)),
          statement_({}, RunStatement{&shared_}),
          batch_({}, RunBatch{&shared_}),
          durations_(find_durations(options.metrics)) {}

    Task<Result<Reply>> run(Statement statement) override {
        trace::CallTimer timer(durations_, labels_of(statement.operation));
        timer.add_label({names::kDbCollectionName, std::string_view(statement.target)});
        auto reply = co_await statement_(statement);
        timer.finish(reply);
        co_return reply;
    }

    Task<Result<std::vector<Reply>>> run_batch(std::vector<Statement> statements) override {
        if (statements.empty()) {
            co_return std::vector<Reply>();
        }
        if (statements.size() == 1) {
            // By the conventions a batch of one is no batch.
            FLOWSPAN_CO_TRY(auto reply, co_await run(std::move(statements.front())));
            std::vector<Reply> replies;
            replies.push_back(std::move(reply));
            co_return replies;
        }
        const auto operation = BatchHandler::operation(statements);
        trace::CallTimer timer(durations_, labels_of(operation));
        auto all = co_await batch_(statements);
        timer.finish(all);
        co_return all;
    }

private:
    Shared shared_;
    trace::TracedCallable<StatementHandler, RunStatement> statement_;
    trace::TracedCallable<BatchHandler, RunBatch> batch_;
    trace::Instrument* durations_;
};

}  // namespace

std::int64_t to_integer(const Field& field) noexcept {
    const auto* number = std::get_if<std::int64_t>(&field);
    return number == nullptr ? 0 : *number;
}

double to_number(const Field& field) noexcept {
    if (const auto* number = std::get_if<double>(&field)) {
        return *number;
    }
    return static_cast<double>(to_integer(field));
}

const std::string& to_text(const Field& field) noexcept {
    static const std::string kEmpty;
    const auto* text = std::get_if<std::string>(&field);
    return text == nullptr ? kEmpty : *text;
}

std::unique_ptr<Database> make_sqlite_database(const DatabaseOptions& options) {
    return std::make_unique<SqliteDatabase>(options);
}

}  // namespace flowspan::sql
