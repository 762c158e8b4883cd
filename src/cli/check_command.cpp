#include "cli/check_command.hpp"

#include "cli/config.hpp"
#include "cli/program.hpp"
#include "flowspan/base/text.hpp"
#include "service/loaded_app.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace flowspan::cli {

namespace fs = std::filesystem;

namespace {

enum class FileStatus : std::uint8_t { ok, unsupported, invalid, not_an_app };

std::string_view to_string(FileStatus status) {
    constexpr std::array<std::string_view, 4> kNames = {
        "ok", "unsupported", "invalid", "not_an_app"
    };
    return kNames[static_cast<std::size_t>(status)];
}

FileStatus status_of(const service::AppCheck& check) {
    if (check.is_not_an_app) {
        return FileStatus::not_an_app;
    }
    if (check.has_errors()) {
        return FileStatus::invalid;
    }
    return check.has_unsupported() || check.has_node_errors() ? FileStatus::unsupported
                                                              : FileStatus::ok;
}

bool is_app_file(const fs::path& path) {
    const auto extension = to_lower_ascii(path.extension().string());
    return extension == ".yml" || extension == ".yaml" || extension == ".json";
}

/// Files as given, folders with all app files below them, sorted.
Result<std::vector<fs::path>> collect_files(const std::vector<std::string>& paths) {
    std::vector<fs::path> files;
    for (const auto& path : paths) {
        std::error_code code;
        if (!fs::is_directory(path, code)) {
            files.emplace_back(path);  // a missing file is reported by the loader
            continue;
        }
        std::vector<fs::path> found;
        for (fs::recursive_directory_iterator entry(path, code), end; !code && entry != end;
             entry.increment(code)) {
            if (entry->is_regular_file(code) && is_app_file(entry->path())) {
                found.push_back(entry->path());
            }
        }
        if (code) {
            return failure(
                ErrorCode::invalid_input, fmt::format("cannot read `{}`: {}", path, code.message())
            );
        }
        std::ranges::sort(found);
        files.insert(files.end(), found.begin(), found.end());
    }
    return files;
}

json::object to_json(const service::AppCheck& check) {
    json::array problems;
    for (const auto& problem : check.problems) {
        problems.push_back(json::object{
            {"line", problem.position.line},
            {"column", problem.position.column},
            {"code", problem.code},
            {"message", problem.message},
        });
    }
    return {
        {"file", check.file},
        {"mode", check.mode},
        {"version", check.version},
        {"status", to_string(status_of(check))},
        {"problems", std::move(problems)},
    };
}

std::string_view mark_of(dsl::Problem::Severity severity) {
    switch (severity) {
        case dsl::Problem::Severity::error:
        case dsl::Problem::Severity::node_error:
            return "error";
        case dsl::Problem::Severity::unsupported:
            return "unsupported";
        case dsl::Problem::Severity::warning:
            return "warning";
    }
    return "";
}

void print_text(const service::AppCheck& check) {
    std::string text = fmt::format("{}: {}", check.file, to_string(status_of(check)));
    if (!check.mode.empty()) {
        text += fmt::format(" ({}, version {})", check.mode, check.version);
    }
    text += '\n';
    for (const auto& problem : check.problems) {
        const auto place =
            problem.position.line == 0
                ? std::string()
                : fmt::format("{}:{}: ", problem.position.line, problem.position.column);
        text += fmt::format(
            "  {}{}: {} [{}]\n", place, mark_of(problem.severity), problem.message, problem.code
        );
    }
    write_output(text);
}

}  // namespace

ExitCode run_check(const CheckOptions& options, const Terminal& /*terminal*/) {
    const auto files = collect_files(options.paths);
    if (!files) {
        write_error("flowspan: " + files.error().message + "\n");
        return ExitCode::bad_usage;
    }
    // Whether a tool can be run depends on what the configuration maps.
    const auto config = load_config(options.config);
    if (!config) {
        write_error("flowspan: " + config.error().describe() + "\n");
        return ExitCode::bad_usage;
    }
    const OfflineRegistry registry(*config);
    std::array<std::size_t, 4> counts{};
    bool is_any_wrong = false;
    for (const auto& file : *files) {
        const auto check = service::check_app_file(file, registry.factory());
        const auto status = status_of(check);
        ++counts[static_cast<std::size_t>(status)];
        is_any_wrong |= status == FileStatus::invalid || check.has_node_errors();
        if (options.is_json) {
            write_output(to_json_text(to_json(check)) + "\n");
        } else if (!options.is_quiet) {
            print_text(check);
        }
    }
    const auto summary = fmt::format(
        "{}: {} ok, {} unsupported, {} invalid, {} not an app\n",
        count_text(std::ssize(*files), "file"),
        counts[0],
        counts[1],
        counts[2],
        counts[3]
    );
    if (options.is_json) {
        write_error(summary);
    } else {
        write_output(summary);
    }
    return is_any_wrong ? ExitCode::run_failed : ExitCode::done;
}

}  // namespace flowspan::cli
