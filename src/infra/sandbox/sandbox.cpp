#include "infra/sandbox/sandbox.hpp"

#include "flowspan/async/waits.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/text.hpp"
#include "infra/sandbox/detail/execution.hpp"
#include "infra/sandbox/detail/gate.hpp"
#include "infra/sandbox/detail/live_worker.hpp"
#include "infra/sandbox/detail/reply.hpp"
#include "infra/sandbox/detail/worker_pool.hpp"

#include <array>
#include <utility>

namespace flowspan::infra::sandbox {

namespace {

// A worker may die with its zygote; the second attempt has a fresh one.
constexpr int kAttempts = 2;

class BubblewrapSandbox final : public Sandbox {
public:
    explicit BubblewrapSandbox(SandboxConfig config)
        : config_(std::move(config)),
          gate_(config_.concurrent_max, config_.waiting_max),
          pool_(config_) {}

    Task<Result<CodeReply>> run_code(CodeRequest request) override;
    Task<Result<std::string>> render_jinja2(std::string source, json::object variables) override;

private:
    [[nodiscard]] Task<Result<Outcome>> execute(
        WorkerKind kind, json::object request, const Limits& limits
    );
    [[nodiscard]] Task<Result<std::unique_ptr<LiveWorker>>> take_worker(WorkerKind kind);
    /// Why a worker never said that it is ready.
    [[nodiscard]] Task<Error> explain_failed_start(LiveWorker& worker);

    const SandboxConfig config_;
    Gate gate_;
    WorkerPool pool_;
};

Task<Result<CodeReply>> BubblewrapSandbox::run_code(CodeRequest request) {
    const auto kind = request.language == Language::python3 ? WorkerKind::python : WorkerKind::node;
    const Limits limits = request.limits.value_or(config_.limits);
    json::object message;
    message["code"] = request.code;
    message["inputs"] = std::move(request.inputs);
    FLOWSPAN_CO_TRY(auto outcome, co_await execute(kind, std::move(message), limits));
    co_return read_code_reply(outcome, limits);
}

Task<Result<std::string>> BubblewrapSandbox::render_jinja2(
    std::string source, json::object variables
) {
    json::object message;
    message["template"] = source;
    message["variables"] = std::move(variables);
    FLOWSPAN_CO_TRY(
        auto outcome, co_await execute(WorkerKind::python, std::move(message), config_.limits)
    );
    co_return read_template_reply(outcome, config_.limits);
}

Task<Result<Outcome>> BubblewrapSandbox::execute(
    WorkerKind kind, json::object request, const Limits& limits
) {
    std::string text = to_json_text(request);
    if (text.size() > config_.request_bytes) {
        co_return failure(
            ErrorCode::limit_exceeded,
            "code and inputs are larger than " + std::to_string(config_.request_bytes) + " bytes"
        );
    }
    if (!is_valid_utf8(text)) {
        text = to_valid_utf8(text);
    }
    auto waiting_since = real_clock().steady_now();
    FLOWSPAN_CO_TRY(const auto pass, co_await gate_.enter());
    for (int attempt = 1;; ++attempt) {
        FLOWSPAN_CO_TRY(const auto worker, co_await take_worker(kind));
        async::add_wait(async::WaitKind::worker, real_clock().steady_now() - waiting_since);
        worker->limit(limits, config_.temp_bytes);
        Execution execution(*worker, limits);
        auto outcome = co_await execution.run(text);
        // Code in the sandbox has no effects outside, so it may simply run again.
        if (!outcome.is_lost() || attempt == kAttempts) {
            co_return outcome;
        }
        pool_.retire(worker->generation());
        waiting_since = real_clock().steady_now();
    }
}

Task<Result<std::unique_ptr<LiveWorker>>> BubblewrapSandbox::take_worker(WorkerKind kind) {
    const auto executor = co_await async::this_executor();
    for (int attempt = 1;; ++attempt) {
        FLOWSPAN_CO_TRY(auto idle, pool_.take(kind));
        auto worker = std::make_unique<LiveWorker>(executor.inner(), std::move(idle));
        const auto is_ready = co_await worker->wait_ready(config_.start_timeout);
        if (!is_ready) {
            co_return failure(ErrorCode::unavailable, "the sandbox did not start in time");
        }
        if (*is_ready) {
            pool_.refill(kind);
            co_return worker;
        }
        auto error = co_await explain_failed_start(*worker);
        if (attempt == kAttempts) {
            co_return failure(std::move(error));
        }
    }
}

Task<Error> BubblewrapSandbox::explain_failed_start(LiveWorker& worker) {
    const auto end = co_await worker.wait_end();
    if (end.empty()) {
        co_return pool_.retire(worker.generation());
    }
    std::array<char, 1024> buffer{};
    const auto size = ::read(worker.printed().native_handle(), buffer.data(), buffer.size());
    const std::string_view words(buffer.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    co_return Error(
        ErrorCode::unsupported,
        "the sandbox could not start " +
            (worker.kind() == WorkerKind::node ? config_.node : config_.python) + " (" + end +
            "): " + to_valid_utf8(trim(words))
    );
}

}  // namespace

std::unique_ptr<Sandbox> make_sandbox(SandboxConfig config) {
    return std::make_unique<BubblewrapSandbox>(std::move(config));
}

}  // namespace flowspan::infra::sandbox
