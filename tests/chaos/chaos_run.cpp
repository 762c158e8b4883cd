#include "tests/chaos/chaos_run.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/export/provider.hpp"
#include "model_server/model_server.hpp"
#include "service/loaded_app.hpp"
#include "tests/chaos/chaos_program.hpp"

#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace flowspan::chaos {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kApps[] = {
    "streaming",
    "iteration",
    "loop",
    "handled",
    "failing",
    "nesting",
    "agent",
    "retrieval",
};

std::string read_text(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    FLOWSPAN_ASSERT(file.good(), "an app of the chaos run is missing");
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// Knowledge and apps on disk, while it lives.
class Folder {
public:
    Folder() : path_(fs::temp_directory_path() / make_uuid(real_random())) {
        fs::create_directory(path_);
    }

    ~Folder() { fs::remove_all(path_); }

    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    [[nodiscard]] std::string file(std::string_view name) const { return path_ / name; }

private:
    fs::path path_;
};

Task<void> fill(knowledge::KnowledgeStore* store) {
    static_cast<void>(co_await store->create_dataset("facts", ""));
    knowledge::NewDocument document;
    document.dataset = "facts";
    document.name = "facts.md";
    document.text = "Refunds are paid within 14 days.";
    static_cast<void>(co_await store->add_document(std::move(document)));
}

void fill_knowledge(const std::string& path) {
    knowledge::KnowledgeConfig config;
    config.path = path;
    const auto store = knowledge::make_sqlite_store(config, real_clock(), real_random());
    async::Runtime runtime;
    runtime.block_on(runtime.next_executor(), fill, store.get());
}

struct Tally {
    std::atomic<std::int64_t> succeeded{0};
    std::atomic<std::int64_t> partial{0};
    std::atomic<std::int64_t> failed{0};
    std::atomic<std::int64_t> stopped{0};
    std::atomic<std::int64_t> left{0};
    std::atomic<std::int64_t> refused{0};

    void add(const Result<service::GenerateResult>& result) {
        if (!result) {
            ++refused;
            return;
        }
        switch (result->run.status) {
            case engine::RunStatus::succeeded:
                ++succeeded;
                break;
            case engine::RunStatus::partial_succeeded:
                ++partial;
                break;
            case engine::RunStatus::stopped:
                ++stopped;
                break;
            default:
                ++failed;
                break;
        }
    }
};

struct Chaos {
    const ChaosOptions& options;
    ChaosProgram& program;
    std::vector<std::shared_ptr<const service::LoadedApp>> apps;
    Tally tally;
};

/// What happens to one run, drawn before it starts.
struct Fate {
    std::int64_t stop_after = -1;   ///< events
    std::int64_t leave_after = -1;  ///< events
};

class Consumer final : public engine::EventSink {
public:
    Consumer(Fate fate, engine::RunControl control) : fate_(fate), control_(std::move(control)) {}

    void on_event(const engine::Event& /*event*/) override {
        if (++events_ == fate_.stop_after) {
            control_.abort("chaos");
        }
    }

    [[nodiscard]] bool should_leave() const noexcept {
        return fate_.leave_after >= 0 && events_ >= fate_.leave_after;
    }

private:
    Fate fate_;
    engine::RunControl control_;
    std::int64_t events_ = 0;
};

struct OneRun {
    service::GenerateRequest request;
    std::unique_ptr<Consumer> consumer;
    bool is_done = false;
};

Task<void> generate(Chaos* chaos, OneRun* run) {
    struct Done {
        explicit Done(OneRun& the_run) : run(the_run) {}

        ~Done() { run.is_done = true; }

        Done(const Done&) = delete;
        Done& operator=(const Done&) = delete;
        OneRun& run;
    };

    const Done done(*run);
    chaos->tally.add(
        co_await chaos->program.generate_service().generate(run->request, *run->consumer)
    );
}

Fate draw_fate(const ChaosOptions& options, Random& random) {
    const auto dice = static_cast<int>(random.next() % 100);
    const auto events = static_cast<std::int64_t>(random.next() % 12) + 1;
    Fate fate;
    if (dice < options.stopped_percent) {
        fate.stop_after = events;
    } else if (dice < options.stopped_percent + options.left_percent) {
        fate.leave_after = events;
    }
    return fate;
}

Task<void> run_one(Chaos* chaos, std::int64_t number) {
    const auto random =
        make_seeded_random(chaos->options.seed + static_cast<std::uint64_t>(number) * 7919);
    const auto fate = draw_fate(chaos->options, *random);
    OneRun run;
    run.request.app = chaos->apps[random->next() % chaos->apps.size()];
    run.request.query = "refunds";
    run.request.user = fmt::format("u{}", number);
    run.request.invoke_from = "test";
    run.consumer = std::make_unique<Consumer>(fate, run.request.control);
    async::TaskGroup group(co_await async::this_executor());
    group.spawn(generate, chaos, &run);
    if (fate.leave_after >= 0) {
        // Looks now and then, so that leaving hits every moment of a run.
        while (!run.is_done && !run.consumer->should_leave()) {
            co_await async::sleep(std::chrono::milliseconds(1));
        }
        if (!run.is_done) {
            ++chaos->tally.left;
            group.cancel();
        }
    }
    co_await group.join();
}

Task<void> run_share(Chaos* chaos, std::int64_t first) {
    async::TaskGroup group(co_await async::this_executor());
    const auto step = static_cast<std::int64_t>(chaos->options.loops);
    for (auto number = first; number < chaos->options.runs; number += step) {
        group.spawn(run_one, chaos, number);
    }
    co_await group.join();
}

void run_on_all_loops(Chaos& chaos) {
    async::Runtime runtime({.loops = chaos.options.loops, .cpu_threads = 2, .blocking_threads = 4});
    std::vector<std::jthread> callers;
    for (std::size_t loop = 0; loop < chaos.options.loops; ++loop) {
        callers.emplace_back([&runtime, &chaos, loop] {
            runtime.block_on(
                runtime.loop_executor(loop), run_share, &chaos, static_cast<std::int64_t>(loop)
            );
        });
    }
}

std::vector<std::shared_ptr<const service::LoadedApp>> load_apps(
    const ChaosProgram& program, const std::string& server_url
) {
    std::vector<std::shared_ptr<const service::LoadedApp>> apps;
    for (const auto name : kApps) {
        const auto file = fmt::format("{}/{}.yml", FLOWSPAN_CHAOS_FOLDER, name);
        auto check = service::check_app_text(
            replace_all(read_text(file), "SERVER", server_url), file, program.factory()
        );
        FLOWSPAN_ASSERT(check.app != nullptr, "an app of the chaos run does not load");
        apps.push_back(std::move(check.app));
    }
    return apps;
}

model_server::ModelServerConfig server_config() {
    model_server::ModelServerConfig config;
    config.threads = 2;
    auto script =
        model_server::parse_script(read_text(fs::path(FLOWSPAN_CHAOS_FOLDER) / "model.script"));
    FLOWSPAN_ASSERT(script.has_value(), "the script of the chaos run is wrong");
    config.script = *std::move(script);
    return config;
}

void gather(ChaosOutcome& outcome, const Chaos& chaos) {
    const auto& tally = chaos.tally;
    outcome.succeeded = tally.succeeded;
    outcome.partial = tally.partial;
    outcome.failed = tally.failed;
    outcome.stopped = tally.stopped;
    outcome.left = tally.left;
    outcome.refused = tally.refused;
    outcome.anomalies = chaos.program.observability().counts();
    const auto& disorder = chaos.program.disorder().counts();
    outcome.lost_results = disorder.lost;
    outcome.late_results = disorder.late;
    outcome.repeated_results = disorder.repeated;
    outcome.doubled_starts = disorder.doubled_starts;
    outcome.doubled_ends = disorder.doubled_ends;
}

}  // namespace

ChaosOutcome run_chaos(const ChaosOptions& options) {
    const Folder folder;
    fill_knowledge(folder.file("knowledge.db"));
    const auto sink = std::make_shared<RowSink>();
    exporting::TelemetryConfig config;
    config.sinks = {sink};
    const auto telemetry = exporting::Telemetry::start(std::move(config));
    FLOWSPAN_ASSERT(telemetry.has_value(), "tracing cannot be started");
    model_server::ModelServer server(server_config());
    FLOWSPAN_ASSERT(server.start().has_value(), "the model server cannot be started");
    ChaosOutcome outcome;
    {
        ProgramOptions program_options;
        program_options.server_url = server.url();
        program_options.knowledge_path = folder.file("knowledge.db");
        program_options.inner_app = fmt::format("{}/inner.yml", FLOWSPAN_CHAOS_FOLDER);
        program_options.disorder = options.has_disorder ? DisorderOptions{.seed = options.seed}
                                                        : DisorderOptions{options.seed, 0, 0, 0, 0};
        ChaosProgram program(program_options);
        Chaos chaos{options, program, load_apps(program, server.url()), {}};
        const auto started = real_clock().steady_now();
        run_on_all_loops(chaos);
        outcome.elapsed = real_clock().steady_now() - started;
        gather(outcome, chaos);
    }
    outcome.books = (*telemetry)->counts();
    outcome.spans = check_spans(sink->take());
    return outcome;
}

std::string describe(const ChaosOptions& options, const ChaosOutcome& outcome) {
    const auto& spans = outcome.spans;
    return fmt::format(
        "{} runs at once on {} loops (seed {}) in {:.1f} s: {} succeeded, {} partly, {} failed, {} "
        "stopped, {} left, {} refused; {} spans in {} traces, {} of them HTTP, {} SQL; {} results "
        "lost, {} late, {} repeated, {} starts and {} ends doubled; faults: {} orphans, {} "
        "mis-parented, {} outside of nodes, {} ended twice, {} unknown, {} open",
        options.runs,
        options.loops,
        options.seed,
        std::chrono::duration<double>(outcome.elapsed).count(),
        outcome.succeeded,
        outcome.partial,
        outcome.failed,
        outcome.stopped,
        outcome.left,
        outcome.refused,
        spans.spans,
        spans.traces,
        spans.http,
        spans.sql,
        outcome.lost_results,
        outcome.late_results,
        outcome.repeated_results,
        outcome.doubled_starts,
        outcome.doubled_ends,
        spans.orphans,
        spans.misparented,
        spans.outside_of_nodes,
        spans.ended_twice,
        spans.strangers,
        outcome.books.open
    );
}

}  // namespace flowspan::chaos
