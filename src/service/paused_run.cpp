#include "service/paused_run.hpp"

#include "flowspan/trace/propagation.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::service {

namespace {

constexpr std::string_view kFormat = "flowspan-run";

std::unexpected<Error> damaged(std::string_view what) {
    return failure(ErrorCode::invalid_input, fmt::format("the file is damaged: {}", what));
}

Result<json::object> object_member(const json::value& data, std::string_view key) {
    const auto* found = find_member(data, key);
    if (found == nullptr || !found->is_object()) {
        return damaged(fmt::format("`{}` must be an object", key));
    }
    return found->get_object();
}

Result<void> check_format(const json::value& data) {
    if (string_member(data, "format") != kFormat) {
        return failure(
            ErrorCode::invalid_input,
            "this is no paused run; name the file that `flowspan run` wrote when the run paused"
        );
    }
    const auto* version = find_member(data, "version");
    if (version == nullptr || !version->is_int64()) {
        return damaged("`version` must be a whole number");
    }
    if (version->get_int64() != PausedRun::kVersion) {
        return failure(
            ErrorCode::unsupported,
            fmt::format(
                "the file has version {}, but this program reads version {}; resume it with {}",
                version->get_int64(),
                PausedRun::kVersion,
                version->get_int64() > PausedRun::kVersion ? "a newer program"
                                                           : "the program that wrote it"
            )
        );
    }
    return {};
}

}  // namespace

json::object to_json(const PausedRun& paused) {
    return {
        {"format", kFormat},
        {"version", PausedRun::kVersion},
        {"app", {{"file", paused.app_file}, {"source", paused.app_source}}},
        {"trace", paused.trace},
        {"run", engine::to_json(*paused.run)},
    };
}

Result<PausedRun> parse_paused_run(std::string_view text) {
    auto read = parse_json(text);
    if (!read) {
        return failure(
            ErrorCode::invalid_input,
            fmt::format("this is no paused run, or not all of one: {}", read.error().message)
        );
    }
    const auto data = *std::move(read);
    if (auto checked = check_format(data); !checked) {
        return failure(std::move(checked).error());
    }
    FLOWSPAN_TRY(const auto app, object_member(data, "app"));
    FLOWSPAN_TRY(const auto run, object_member(data, "run"));
    PausedRun paused;
    FLOWSPAN_TRY(paused.trace, object_member(data, "trace"));
    paused.app_file = string_member(app, "file");
    paused.app_source = string_member(app, "source");
    if (paused.app_source.empty()) {
        return damaged("`app.source` is missing");
    }
    FLOWSPAN_TRY(auto snapshot, engine::parse_run_snapshot(run));
    paused.run = std::make_shared<const engine::RunSnapshot>(std::move(snapshot));
    return paused;
}

json::object trace_headers() {
    json::object headers;
    trace::inject([&headers](std::string_view name, std::string_view value) {
        headers[name] = value;
    });
    return headers;
}

}  // namespace flowspan::service
