#include "tests/chaos/chaos_run.hpp"

#include "flowspan/async/runtime.hpp"
#include "flowspan/async/task_group.hpp"
#include "flowspan/export/provider.hpp"
#include "model_server/model_server.hpp"
#include "service/loaded_app.hpp"
#include "tests/chaos/chaos_program.hpp"
#include "tests/chaos/one_run.hpp"

#include <fmt/format.h>

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
    "asking",
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
    callers.reserve(chaos.options.loops);
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
    outcome.pauses = tally.pauses;
    outcome.resumptions = tally.resumptions;
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
        "stopped, {} left, {} refused; {} pauses, {} resumptions; {} spans in {} traces, {} of "
        "them HTTP, {} SQL; {} results "
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
        outcome.pauses,
        outcome.resumptions,
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
