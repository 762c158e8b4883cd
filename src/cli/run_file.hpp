#pragma once
// The file that holds a paused or interrupted run.

#include "flowspan/export/provider.hpp"
#include "service/paused_run.hpp"

#include <filesystem>
#include <string>

namespace flowspan::cli {

/// Replaces its file as a whole, so that a crash leaves the earlier run or the later one, never a
/// part. Only the user can read it: it holds what the app holds, secrets included.
class RunFile final : public service::RunKeeper {
public:
    /// An empty path is replaced by `flowspan-<run id>.json` once the run is known. `telemetry` may
    /// be null.
    explicit RunFile(std::filesystem::path path, exporting::Telemetry* telemetry = nullptr)
        : path_(std::move(path)), telemetry_(telemetry) {}

    /// What the file calls done never runs again, so the local store gets its spans first.
    void keep(const service::PausedRun& paused) override;

    /// What went wrong with the last write.
    [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
    exporting::Telemetry* telemetry_;
    std::optional<Error> error_;
};

/// Errors: `not_found` or `invalid_input`, with the file's name.
[[nodiscard]] Result<service::PausedRun> read_run_file(const std::filesystem::path& path);

}  // namespace flowspan::cli
