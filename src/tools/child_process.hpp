#pragma once
// Runs one local program: text in, text out, with limits.

#include "flowspan/async/task.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

namespace flowspan::tools {

struct ProcessRequest {
    std::vector<std::string> command;  ///< program (looked up in PATH) and arguments
    std::string input;
    std::chrono::milliseconds timeout = std::chrono::seconds(60);
    std::size_t output_bytes_max = std::size_t{10} * 1024 * 1024;
};

struct ProcessReply {
    int exit_code = 0;   ///< 128 + the signal's number if one ended it
    std::string output;  ///< standard output
    std::string errors;  ///< the first 4 KiB of standard error
};

/// The program runs in a process group of its own, with this process's environment but for names
/// that start with `FLOWSPAN_`, and with the current trace as TRACEPARENT and TRACESTATE. The whole
/// group is killed when the task is cancelled, when time is up (`timeout`), or when the output is
/// too large (`limit_exceeded`). A program that cannot be started is `not_found`. The exit code is
/// never an error here.
[[nodiscard]] Task<Result<ProcessReply>> run_process(ProcessRequest request);

}  // namespace flowspan::tools
