#include "cli/problem_text.hpp"

#include <fmt/format.h>

namespace flowspan::cli {

std::string problem_lines(const service::AppCheck& check) {
    std::string lines;
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
        lines += fmt::format("flowspan: {}{} [{}]\n", place, problem.message, problem.code);
    }
    return lines;
}

std::string refusal(const service::AppCheck& check) {
    return fmt::format(
        "`{}` {}",
        check.file,
        check.is_not_an_app ? "is no app that can be run" : "cannot be run as it is"
    );
}

}  // namespace flowspan::cli
