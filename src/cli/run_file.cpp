#include "cli/run_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <utility>

namespace flowspan::cli {

namespace fs = std::filesystem;

namespace {

constexpr std::chrono::milliseconds kSettleMax{500};

bool write_all(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const auto written = write(descriptor, text.data(), text.size());
        if (written < 0 && errno != EINTR) {
            return false;
        }
        text.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
    }
    return true;
}

/// Written beside the target, onto the disk, then renamed over it.
bool replace_file(const fs::path& path, std::string_view text) {
    const auto fresh = path.native() + ".new";
    const int descriptor =
        open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (descriptor < 0) {
        return false;
    }
    const bool is_written = write_all(descriptor, text) && fsync(descriptor) == 0;
    const bool is_closed = close(descriptor) == 0;
    if (is_written && is_closed && rename(fresh.c_str(), path.c_str()) == 0) {
        return true;
    }
    const int cause = errno;
    unlink(fresh.c_str());
    errno = cause;
    return false;
}

}  // namespace

void RunFile::keep(const service::PausedRun& paused) {
    error_.reset();
    if (telemetry_ != nullptr) {
        // A store that is too slow for this costs spans if the program is killed, no more.
        static_cast<void>(telemetry_->settle_store(kSettleMax));
    }
    if (path_.empty()) {
        path_ = fmt::format("flowspan-{}.json", paused.run->info.run_id);
    }
    if (!replace_file(path_, to_json_text(to_json(paused)) + "\n")) {
        error_ = Error(
            ErrorCode::unavailable,
            fmt::format("cannot write {}: {}", path_.string(), std::strerror(errno))
        );
    }
}

Result<service::PausedRun> read_run_file(const fs::path& path) {
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
        return failure(
            ErrorCode::not_found,
            fmt::format("cannot read {}: there is no such file", path.string())
        );
    }
    const std::string text{std::istreambuf_iterator<char>(stream), {}};
    auto paused = service::parse_paused_run(text);
    if (!paused) {
        auto error = std::move(paused).error();
        error.message = fmt::format("{}: {}", path.string(), error.message);
        return failure(std::move(error));
    }
    return paused;
}

}  // namespace flowspan::cli
