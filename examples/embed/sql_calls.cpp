// The instrumented SQL client: a CLIENT span for each statement, below whatever is current.

#include <flowspan/async/runtime.hpp>
#include <flowspan/export/provider.hpp>
#include <flowspan/infra/sql/database.hpp>
#include <flowspan/trace/trace_span.hpp>

#include <string>
#include <vector>

using flowspan::Result;
using flowspan::Task;
namespace sql = flowspan::sql;

namespace {

struct CountCities {
    std::string span_name(auto& /*database*/) const { return "count cities"; }
};

Task<Result<std::int64_t>> count_cities(sql::Database& database) {
    std::vector<sql::Statement> inserts;
    for (const auto* city : {"Oslo", "Rome"}) {
        inserts.push_back(
            {"INSERT INTO cities (name) VALUES (?)", "INSERT", "cities", {std::string(city)}}
        );
    }
    FLOWSPAN_CO_TRY(
        [[maybe_unused]] const auto inserted, co_await database.run_batch(std::move(inserts))
    );
    FLOWSPAN_CO_TRY(
        const auto counted,
        co_await database.run({"SELECT count(*) FROM cities", "SELECT", "cities"})
    );
    co_return sql::to_integer(counted.rows[0][0]);
}

Task<int> run(sql::Database* database) {
    const auto traced = flowspan::trace::trace_span<CountCities>(count_cities);
    const auto count = co_await traced(*database);
    co_return count && *count == 2 ? 0 : 1;
}

}  // namespace

int main() {
    auto telemetry = flowspan::exporting::Telemetry::start(
        flowspan::exporting::TelemetryConfig::from_environment()
    );
    if (!telemetry) {
        return 2;
    }
    const auto database = sql::make_sqlite_database(
        {.path = ":memory:", .schema = "CREATE TABLE IF NOT EXISTS cities (name TEXT)"}
    );
    int code = 0;
    {
        flowspan::async::Runtime runtime;
        code = runtime.block_on(run, database.get());
    }
    static_cast<void>((*telemetry)->shutdown());
    return code;
}
