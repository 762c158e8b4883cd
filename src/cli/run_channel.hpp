#pragma once
// How another process stops or pauses a run: each running program listens on a socket file.

#include "flowspan/async/task_executor.hpp"
#include "flowspan/base/result.hpp"
#include "flowspan/engine/engine.hpp"
#include "flowspan/engine/layer.hpp"

#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::cli {

/// Where the sockets are: `$XDG_RUNTIME_DIR/flowspan`, or a folder of the user's own in the folder
/// for temporary files. One file a process, named by its id.
[[nodiscard]] std::filesystem::path run_channel_folder();

/// Knows the id of the program's run once it has started.
class RunIdLayer final : public engine::Layer {
public:
    std::string_view name() const noexcept override { return "run id"; }

    bool wants_chunks() const noexcept override { return false; }

    void on_graph_start(engine::RunView& run) override;

    /// Empty before the run starts. From any thread.
    [[nodiscard]] std::string run_id() const;

private:
    mutable std::mutex mutex_;
    std::string run_id_;
};

/// Listens while it lives. Only this user can connect. A program that cannot listen runs all the
/// same.
class RunChannel {
public:
    /// `control` is what commands go to; `app` is shown to whoever asks. `run_id` is asked on the
    /// executor's loop and must outlive it.
    RunChannel(
        const async::TaskExecutor& executor,
        engine::RunControl control,
        std::string app,
        const RunIdLayer& run_id
    );
    ~RunChannel();
    RunChannel(const RunChannel&) = delete;
    RunChannel& operator=(const RunChannel&) = delete;

    /// Whether somebody asked the run to stop.
    [[nodiscard]] bool has_stopped() const noexcept;

private:
    struct State;
    // Also owned by the pending accept and its connections.
    std::shared_ptr<State> state_;
};

struct ListedRun {
    std::string run_id;
    std::string app;
    std::filesystem::path socket;
};

/// The runs of this user's programs. Sockets that nobody listens on are removed.
[[nodiscard]] std::vector<ListedRun> list_runs();

/// Sends `{"command_type": "abort" | "pause", "reason": ...}`. Errors: `unavailable` if the program
/// has gone, `remote_failure` with its own words.
[[nodiscard]] Result<void> send_command(
    const ListedRun& run, std::string_view command_type, std::string_view reason
);

}  // namespace flowspan::cli
