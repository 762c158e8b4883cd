#pragma once
// Runs users' code and templates: real Python, Node.js and Jinja2, confined by bubblewrap.

#include "flowspan/async/task.hpp"
#include "flowspan/base/json.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::infra::sandbox {

BOOST_DEFINE_ENUM_CLASS(Language, python3, javascript)

/// What one execution may use. Whoever exceeds one is killed, and the error names the limit.
struct Limits {
    /// Resident memory, without the files in /tmp.
    std::size_t memory_bytes = 512UL << 20U;
    /// From the moment the code gets its inputs. The deadline of the calling task applies as well.
    std::chrono::milliseconds wall_time = std::chrono::seconds(15);
    /// Of all threads together.
    std::chrono::milliseconds processor_time = std::chrono::seconds(15);
    /// For the JSON of the result (or the rendered text), and separately for all that is printed.
    std::size_t output_bytes = 10UL << 20U;
    /// How much of what is printed is kept; more is dropped without an error.
    std::size_t printed_bytes = 64UL << 10U;
    std::size_t threads = 64;

    bool operator==(const Limits&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    Limits, (), (memory_bytes, wall_time, processor_time, output_bytes, printed_bytes, threads)
)

struct CodeRequest {
    Language language = Language::python3;
    /// Defines `main`: called with keyword arguments in Python, with one object in JavaScript.
    std::string code;
    json::object inputs;
    /// Instead of the configured ones. JavaScript's heap stays sized for the configured memory.
    std::optional<Limits> limits;
};

struct CodeReply {
    /// What `main` returned, always an object.
    json::value result;
    /// Standard output and error, the first `Limits::printed_bytes` of them; valid UTF-8.
    std::string printed;
};

/// Errors are `Error::type` `CodeExecutionError` where the user's code is at fault (raised, broke a
/// limit, tried something forbidden), `WorkflowNodeError` for a result that is no object, and
/// `TemplateRenderError` for templates. `Error::detail` holds the exception's own text. A sandbox
/// that cannot be set up is `unsupported`, a full waiting queue `unavailable`.
class Sandbox {
public:
    virtual ~Sandbox() = default;

    /// Runs `main` in an interpreter of its own. Cancelling the task kills it.
    [[nodiscard]] virtual Task<Result<CodeReply>> run_code(CodeRequest request) = 0;

    /// Renders `source` as Jinja2's default environment does; undefined names render as nothing.
    [[nodiscard]] virtual Task<Result<std::string>> render_jinja2(
        std::string source, json::object variables
    ) = 0;
};

struct SandboxConfig {
    /// Looked up in PATH unless it has a slash.
    std::string bwrap = "bwrap";
    /// Paths inside the sandbox, which shows the system's /usr and nothing else.
    std::string python = "/usr/bin/python3";
    std::string node = "/usr/bin/node";
    /// Further folders to show, read-only, at the same place.
    std::vector<std::string> read_only_paths;
    Limits limits;
    /// Size of each execution's private /tmp.
    std::size_t temp_bytes = 64UL << 20U;
    /// Code and inputs as JSON; larger requests are refused.
    std::size_t request_bytes = 64UL << 20U;
    std::size_t concurrent_max = 16;
    /// Calls that wait for their turn beyond `concurrent_max`; further ones fail as `unavailable`.
    std::size_t waiting_max = 256;
    /// Workers kept ready, each for one execution.
    std::size_t python_spares = 2;
    std::size_t node_spares = 2;
    std::chrono::milliseconds start_timeout = std::chrono::seconds(10);

    bool operator==(const SandboxConfig&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    SandboxConfig,
    (),
    (bwrap,
     python,
     node,
     read_only_paths,
     limits,
     temp_bytes,
     request_bytes,
     concurrent_max,
     waiting_max,
     python_spares,
     node_spares,
     start_timeout)
)

/// Starts nothing before the first call. May be used from several loops; all calls must have ended
/// before it is destroyed, which waits (milliseconds) for the sandbox's processes to be gone.
[[nodiscard]] std::unique_ptr<Sandbox> make_sandbox(SandboxConfig config);

}  // namespace flowspan::infra::sandbox
