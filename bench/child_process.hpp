#pragma once
// Programs that a bench starts: the model server, itself again for a clean measurement, flowspan.

#include "flowspan/base/result.hpp"

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace flowspan::bench {

/// The folder of the running program, where its siblings are.
[[nodiscard]] std::filesystem::path program_folder();

inline constexpr int kAnyCore = -1;

/// One started program; the destructor ends it (SIGTERM) and waits for it.
class ChildProcess {
public:
    /// `command` begins with the program's path. Standard output is read by this object, standard
    /// error is shared.
    [[nodiscard]] static Result<ChildProcess> start(
        const std::vector<std::string>& command, int core = kAnyCore
    );

    ChildProcess(ChildProcess&& other) noexcept;
    ChildProcess& operator=(ChildProcess&&) = delete;
    ~ChildProcess();

    /// The next line of its standard output without the line break; empty at the end.
    [[nodiscard]] std::string read_line();

    /// Waits for its end; the exit code, or 128 + the signal.
    int wait();

private:
    ChildProcess(pid_t pid, int output) : pid_(pid), output_(output) {}

    pid_t pid_ = -1;
    int output_ = -1;
    std::string read_;
};

/// The scripted model server.
class ModelServerProcess {
public:
    struct Script {
        int tokens = 64;
        int first_ms = 0;
        int gap_ms = 0;
    };

    [[nodiscard]] static Result<ModelServerProcess> start(const Script& script, int core);

    /// What a provider's base URL is: `http://127.0.0.1:<port>/v1`.
    [[nodiscard]] const std::string& base_url() const noexcept { return base_url_; }

private:
    ModelServerProcess(ChildProcess process, std::string base_url)
        : process_(std::move(process)), base_url_(std::move(base_url)) {}

    ChildProcess process_;
    std::string base_url_;
};

}  // namespace flowspan::bench
