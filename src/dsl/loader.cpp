#include "dsl/loader.hpp"

#include "dsl/data_reader.hpp"
#include "dsl/detail/app_settings.hpp"
#include "dsl/detail/findings.hpp"
#include "dsl/detail/graph_loader.hpp"
#include "dsl/detail/source_text.hpp"
#include "dsl/detail/variables.hpp"
#include "dsl/detail/version.hpp"
#include "dsl/detail/yaml.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <tuple>
#include <utility>

namespace flowspan::dsl {

namespace {

using detail::Findings;

// Files older than the version field count as this.
constexpr std::string_view kVersionDefault = "0.1.0";

// More problems than this are not worth listing; the last entry says how many were left out.
constexpr std::size_t kProblemsMax = 200;

constexpr std::array<AppMode, 6> kModes = {
    AppMode::workflow,
    AppMode::advanced_chat,
    AppMode::chat,
    AppMode::agent_chat,
    AppMode::completion,
    AppMode::agent,
};

std::string text_of(const json::value& data, std::string_view key) {
    const auto* member = find_member(data, key);
    return member == nullptr || member->is_null() ? std::string() : value::python_str(*member);
}

std::string_view describe_document(std::string_view kind) noexcept {
    if (kind == "rag_pipeline") {
        return "a knowledge pipeline";
    }
    return kind == "snippet" ? "a snippet, a part of a workflow" : "another kind of document";
}

// Reads one parsed document; `run` once.
class AppLoader {
public:
    AppLoader(detail::Document document, LoadResult& result)
        : document_(std::move(document)),
          result_(result),
          findings_(result.problems, document_.positions) {}

    void run(App app) {
        if (!is_app()) {
            result_.is_not_an_app = true;
            return;
        }
        const auto& app_data = document_.data.at("app");
        app.name = text_of(app_data, "name");
        app.description = text_of(app_data, "description");
        app.version = read_version();
        const auto mode = read_mode(app_data);
        if (mode) {
            app.mode = *mode;
            load_body(app);
        }
        result_.app = std::move(app);
    }

private:
    // False, with the reason reported, if the document is something else.
    bool is_app() {
        auto& data = document_.data;
        if (!data.is_object()) {
            findings_.error(
                "parse.expected_mapping",
                "",
                data.is_null() ? std::string("Invalid YAML format: the file is empty")
                               : fmt::format(
                                     "Invalid YAML format: content must be a mapping, but is {}",
                                     describe_kind(data)
                                 )
            );
            return false;
        }
        const auto* kind = find_member(data, "kind");
        if (kind != nullptr && !kind->is_null() && string_or_empty(*kind) != "app") {
            const auto word = value::python_str(*kind);
            findings_.error(
                "kind.unsupported",
                "/kind",
                fmt::format(
                    "this file is {} (`kind: {}`), not an app; export an app of kind `app`",
                    describe_document(word),
                    word
                )
            );
            return false;
        }
        const auto* app = find_member(data, "app");
        if (app == nullptr || !app->is_object() || app->get_object().empty()) {
            findings_.error(
                "kind.missing_app",
                "/app",
                "Missing app data in YAML content: an app file has a mapping `app` with name and "
                "mode"
            );
            return false;
        }
        return true;
    }

    std::string read_version() {
        const auto* version = find_member(document_.data, "version");
        if (version == nullptr || version->is_null() ||
            (version->is_string() && version->get_string().empty())) {
            result_.version = kVersionDefault;
            return result_.version;
        }
        result_.version = value::python_str(*version);
        if (!version->is_string()) {
            findings_.error(
                "version.invalid_type",
                "/version",
                fmt::format(
                    "Invalid version type, expected str, got {}; put it in quotes",
                    describe_kind(*version)
                )
            );
            return result_.version;
        }
        const auto parsed = detail::parse_version(result_.version);
        if (!parsed) {
            findings_.error(
                "version.invalid",
                "/version",
                fmt::format("`{}` is no version; write one such as \"0.3.0\"", result_.version)
            );
        } else if (*parsed > detail::kVersionCurrent) {
            findings_.warning(
                "version.newer",
                "/version",
                fmt::format(
                    "version {} is newer than {}, the newest one known; what it added is ignored",
                    result_.version,
                    detail::to_string(detail::kVersionCurrent)
                )
            );
        }
        return result_.version;
    }

    std::optional<AppMode> read_mode(const json::value& app_data) {
        result_.mode = text_of(app_data, "mode");
        if (result_.mode.empty()) {
            findings_.error(
                "app.missing_mode",
                "/app",
                "loss app mode: add `mode` to `app`, for example `workflow` or `advanced-chat`"
            );
            return std::nullopt;
        }
        const auto* mode =
            std::ranges::find(kModes, result_.mode, [](AppMode known) { return to_string(known); });
        if (mode == kModes.end()) {
            findings_.error(
                "app.invalid_mode",
                "/app/mode",
                fmt::format(
                    "Invalid app mode `{}`; use one of `workflow`, `advanced-chat`, `chat`, "
                    "`agent-chat`, `completion`",
                    result_.mode
                )
            );
            return std::nullopt;
        }
        return *mode;
    }

    void load_body(App& app) {
        switch (app.mode) {
            case AppMode::workflow:
            case AppMode::advanced_chat:
                load_workflow(app);
                return;
            case AppMode::chat:
            case AppMode::agent_chat:
            case AppMode::completion:
                app.model_config = detail::load_model_config(document_.data, findings_);
                return;
            case AppMode::agent:
                findings_.unsupported(
                    "app.unsupported_mode",
                    "/app/mode",
                    "apps of mode `agent` run on a service of their own; use `agent-chat`, or a "
                    "workflow with an agent node"
                );
                return;
        }
    }

    void load_workflow(App& app) {
        auto* workflow = document_.data.get_object().if_contains("workflow");
        if (workflow == nullptr || !workflow->is_object()) {
            findings_.error(
                "app.missing_workflow",
                "/workflow",
                "Missing workflow data for workflow/advanced chat app: add the mapping `workflow`"
            );
            return;
        }
        app.environment_variables =
            detail::load_variables(*workflow, "environment_variables", findings_);
        app.conversation_variables =
            detail::load_variables(*workflow, "conversation_variables", findings_);
        app.features = detail::load_features(*workflow, findings_);
        app.graph = detail::load_graph(*workflow, findings_);
    }

    detail::Document document_;
    LoadResult& result_;
    Findings findings_;
};

void sort_by_place(std::vector<Problem>& problems) {
    std::ranges::sort(problems, {}, [](const Problem& problem) {
        return std::tuple(
            problem.position.line,
            problem.position.column,
            std::string_view(problem.code),
            std::string_view(problem.message)
        );
    });
}

// From top to bottom, cut to a readable number, warnings first.
void tidy(std::vector<Problem>& problems) {
    sort_by_place(problems);
    if (problems.size() <= kProblemsMax) {
        return;
    }
    const auto left_out = problems.size() - kProblemsMax;
    std::ranges::sort(problems, {}, [](const Problem& problem) {
        return std::tuple(problem.severity, problem.position.line, problem.position.column);
    });
    problems.resize(kProblemsMax);
    sort_by_place(problems);
    problems.push_back(
        {Problem::Severity::warning,
         {},
         "file.too_many_problems",
         fmt::format("{} more problems are not listed", left_out)}
    );
}

std::optional<detail::Document> parse(
    std::string_view text, json::value json_document, std::vector<Problem>& problems
) {
    auto document = detail::parse_yaml(text, problems);
    if (!document && json_document.is_object()) {
        // JSON may hold escapes that YAML does not know; then it is read without positions.
        problems.clear();
        document.emplace();
        document->data = std::move(json_document);
    }
    return document;
}

void load(std::string_view text, std::string file, LoadResult& result) {
    text = detail::without_bom(text);
    if (auto problem = detail::find_unreadable(text)) {
        result.problems.push_back(*std::move(problem));
        return;
    }
    auto source = detail::parse_json_source(text);
    if (source && source->wrapped) {
        load(*source->wrapped, std::move(file), result);
        return;
    }
    auto document =
        parse(text, source ? std::move(source->document) : json::value(), result.problems);
    if (!document) {
        return;
    }
    App app;
    app.file = std::move(file);
    app.id = detail::make_content_id(text);
    AppLoader(*std::move(document), result).run(std::move(app));
}

}  // namespace

LoadResult load_app(std::string_view text, std::string file) {
    LoadResult result;
    result.source = text;
    load(text, std::move(file), result);
    const bool has_error = std::ranges::any_of(result.problems, [](const Problem& problem) {
        return problem.severity == Problem::Severity::error;
    });
    if (has_error) {
        result.app.reset();
    }
    tidy(result.problems);
    return result;
}

LoadResult load_app_file(const std::filesystem::path& path) {
    LoadResult result;
    const auto fail = [&](std::string_view reason) {
        result.problems.push_back(
            {Problem::Severity::error,
             {},
             "file.unreadable",
             fmt::format("cannot read {}: {}", path.string(), reason)}
        );
        return result;
    };
    std::error_code code;
    const auto status = std::filesystem::status(path, code);
    if (status.type() == std::filesystem::file_type::not_found) {
        return fail("there is no such file");
    }
    if (std::filesystem::is_directory(status)) {
        return fail("it is a folder; name a file in it");
    }
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
        return fail("it cannot be opened; check its permissions");
    }
    // One piece more than allowed is enough to see that a file is too large.
    std::string text;
    std::array<char, 65536> piece{};
    while (stream && text.size() <= kFileSizeMax) {
        stream.read(piece.data(), static_cast<std::streamsize>(piece.size()));
        text.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
    }
    if (stream.bad()) {
        return fail("reading failed");
    }
    return load_app(text, path.string());
}

}  // namespace flowspan::dsl
