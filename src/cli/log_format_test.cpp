#include "cli/log_format.hpp"

#include "flowspan/trace/run_scope.hpp"

#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <sstream>
#include <vector>

namespace flowspan::cli {
namespace {

TEST(LogFormat, HoldsNoSecretOfTheRun) {
    const auto before = spdlog::default_logger();
    std::ostringstream lines;
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(lines)
    ));
    set_log_format();
    const std::vector<Secret> secrets{Secret("hunter2")};
    auto scope = std::make_shared<trace::RunScope>();
    scope->redactor = trace::Redactor::make_default()->with_secrets(secrets);
    {
        const trace::CurrentRunScope run(scope);
        spdlog::warn("cannot use hunter2");
    }
    spdlog::warn("outside: hunter2 password=x");
    set_log_format(trace::Redactor::make({.secrets = secrets}).value());
    spdlog::warn("settings say hunter2");
    spdlog::set_default_logger(before);
    EXPECT_EQ(
        lines.str(),
        "flowspan: cannot use [redacted]\nflowspan: outside: hunter2 password=[redacted]\n"
        "flowspan: settings say [redacted]\n"
    );
}

}  // namespace
}  // namespace flowspan::cli
