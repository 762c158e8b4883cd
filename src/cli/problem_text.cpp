#include "cli/problem_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <vector>

namespace flowspan::cli {

namespace {

std::vector<std::string> describe_problems(const service::AppCheck& check) {
    std::vector<std::string> described;
    for (const auto& problem : check.problems) {
        if (problem.severity == dsl::Problem::Severity::warning) {
            continue;
        }
        // A file that cannot be read has no place in it.
        const auto place =
            problem.position.line == 0
                ? std::string()
                : fmt::format(
                      "{}:{}:{}: ", check.file, problem.position.line, problem.position.column
                  );
        described.push_back(fmt::format("{}{} [{}]", place, problem.message, problem.code));
    }
    return described;
}

}  // namespace

std::string problem_lines(const service::AppCheck& check) {
    std::string lines;
    for (const auto& problem : describe_problems(check)) {
        lines += fmt::format("flowspan: {}\n", problem);
    }
    return lines;
}

std::string problem_text(const service::AppCheck& check) {
    return fmt::format("{}", fmt::join(describe_problems(check), "; "));
}

std::string refusal(const service::AppCheck& check) {
    return fmt::format(
        "`{}` {}",
        check.file,
        check.is_not_an_app ? "is no app that can be run" : "cannot be run as it is"
    );
}

}  // namespace flowspan::cli
