#include "tests/workflows/golden_run.hpp"

#include "flowspan/export/provider.hpp"
#include "flowspan/trace/names.hpp"
#include "knowledge/knowledge_store.hpp"
#include "model_server/model_server.hpp"
#include "service/loaded_app.hpp"
#include "tests/workflows/stable_text.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>
#include <string_view>
#include <thread>
#include <utility>

namespace flowspan::golden {

namespace {

namespace fs = std::filesystem;

std::optional<std::string> read_file(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        return std::nullopt;
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
    for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
        text.replace(at, from.size(), to);
    }
    return text;
}

/// Keeps the lines of a run and ends it where the case wants that.
class EventLines final : public engine::EventSink {
public:
    EventLines(const GoldenCase& golden, engine::RunControl control)
        : cancel_(golden.cancel), control_(std::move(control)) {}

    void on_event(const engine::Event& event) override {
        auto line = event_line(event);
        if (line.empty()) {
            return;
        }
        const json::value object(*engine::to_json(event));
        const auto node_id = string_member(object, "node_id");
        lines_.push_back({std::string(node_id), lines_.size(), std::move(line)});
        if (cancel_ && cancel_->event == engine::event_name(event) &&
            (cancel_->node_id.empty() || cancel_->node_id == node_id) && --cancel_->count == 0) {
            control_.abort("the test said so");
        }
    }

    std::string take(bool is_sorted_by_node) {
        if (is_sorted_by_node && lines_.size() > 2) {
            // The run's own first and last event stay where they are.
            std::ranges::sort(lines_.begin() + 1, lines_.end() - 1, {}, [](const Line& line) {
                return std::pair(std::string_view(line.node_id), line.index);
            });
        }
        std::string text;
        for (const auto& line : lines_) {
            text += line.text + "\n";
        }
        return text;
    }

private:
    struct Line {
        std::string node_id;
        std::size_t index;
        std::string text;
    };

    std::vector<Line> lines_;
    std::optional<CancelPoint> cancel_;
    engine::RunControl control_;
};

std::string describe_result(const Result<service::GenerateResult>& generated) {
    if (!generated) {
        const auto& error = generated.error();
        return fmt::format("refused: {}: {}\n", to_string(error.code), error.full_text());
    }
    const auto& run = generated->run;
    json::object result{
        {"status", engine::to_string(run.status)},
        {"outputs", run.outputs},
        {"steps", run.steps},
        {"total_tokens", run.total_tokens},
        {"exceptions_count", run.exceptions_count},
    };
    if (run.error) {
        result["error"] = run.error->full_text();
        result["error_code"] = to_string(run.error->code);
    }
    return "result: " + to_json_text(result) + "\n";
}

/// A file with the datasets of a case, in a folder of its own.
class KnowledgeFile {
public:
    KnowledgeFile() {
        std::string name = fs::temp_directory_path() / "flowspan-golden-XXXXXX";
        EXPECT_NE(mkdtemp(name.data()), nullptr);
        folder_ = name;
    }

    KnowledgeFile(KnowledgeFile&& other) noexcept : folder_(std::exchange(other.folder_, {})) {}

    KnowledgeFile(const KnowledgeFile&) = delete;
    KnowledgeFile& operator=(const KnowledgeFile&) = delete;
    KnowledgeFile& operator=(KnowledgeFile&&) = delete;

    ~KnowledgeFile() {
        if (!folder_.empty()) {
            fs::remove_all(folder_);
        }
    }

    [[nodiscard]] std::string path() const { return folder_ / "knowledge.db"; }

private:
    fs::path folder_;
};

Task<Result<void>> fill_knowledge(knowledge::KnowledgeStore* store, const json::object* datasets) {
    for (const auto& dataset : *datasets) {
        FLOWSPAN_CO_TRY(
            const auto created, co_await store->create_dataset(std::string(dataset.key()), "")
        );
        for (const auto& document : dataset.value().as_array()) {
            knowledge::NewDocument added;
            added.dataset = created.id;
            added.name = string_member(document, "name");
            added.text = string_member(document, "text");
            FLOWSPAN_CO_TRY(const auto made, co_await store->add_document(std::move(added)));
            EXPECT_GT(made.segment_count, 0);
        }
    }
    co_return Result<void>();
}

/// Before anything is traced, because it is no part of a run.
std::vector<KnowledgeFile> make_knowledge(const GoldenCase& golden, std::size_t count) {
    std::vector<KnowledgeFile> files(count);
    if (golden.knowledge.empty()) {
        return files;
    }
    async::Runtime runtime;
    for (const auto& file : files) {
        const auto store =
            knowledge::make_sqlite_store({file.path(), {}}, real_clock(), real_random());
        const auto filled = runtime.block_on(fill_knowledge, store.get(), &golden.knowledge);
        EXPECT_TRUE(filled) << filled.error().full_text();
    }
    return files;
}

/// Everything of one run. Lives until the run has ended.
struct Subject {
    Subject(
        const GoldenCase& the_case,
        const GoldenRunOptions& options,
        const std::string& knowledge_path
    )
        : golden(the_case),
          server(make_server(the_case, options)),
          program(make_config(knowledge_path)) {}

    std::unique_ptr<model_server::ModelServer> make_server(
        const GoldenCase& the_case, const GoldenRunOptions& options
    ) {
        model_server::ModelServerConfig config;
        config.script = the_case.script.value_or(model_server::Script{});
        for (auto& reply : config.script.replies) {
            reply.slice = options.server_slice;
        }
        auto made = std::make_unique<model_server::ModelServer>(std::move(config));
        const auto started = made->start();
        EXPECT_TRUE(started);
        return made;
    }

    cli::Config make_config(const std::string& knowledge_path) const {
        auto text = replace_all(golden.config_text, "$SERVER", server->url());
        text = replace_all(std::move(text), "$FOLDER", golden.folder.string());
        auto parsed = cli::parse_config(text, "flowspan.toml");
        EXPECT_TRUE(parsed) << parsed.error().full_text();
        auto config = parsed.value_or(cli::Config());
        config.knowledge.path = knowledge_path;
        if (golden.script) {
            auto& endpoint = config.models.default_endpoint.emplace();
            endpoint.base_url = server->url() + "/v1";
            endpoint.provider_name = "scripted";
        }
        return config;
    }

    const GoldenCase& golden;
    std::unique_ptr<model_server::ModelServer> server;
    cli::Program program;
    std::string events;
    std::string run_id;
};

service::GenerateRequest make_request(const Subject& subject) {
    service::GenerateRequest request;
    const auto input =
        parse_json(replace_all(subject.golden.input_text, "$SERVER", subject.server->url()));
    if (!input) {
        ADD_FAILURE() << "input.json: " << input.error().full_text();
        return request;
    }
    if (const auto* inputs = find_member(*input, "inputs")) {
        request.inputs = inputs->as_object();
    }
    request.query = string_member(*input, "query");
    request.user = string_member(*input, "user", "golden");
    request.invoke_from = "test";
    return request;
}

Task<void> run_subject(Subject* subject) {
    const auto check =
        service::check_app_file(subject->golden.folder / "app.yml", subject->program.factory());
    for (const auto& problem : check.problems) {
        subject->events += fmt::format(
            "problem: {}:{}: {} [{}]\n",
            problem.position.line,
            problem.position.column,
            problem.message,
            problem.code
        );
    }
    if (!check.app) {
        co_return;
    }
    auto request = make_request(*subject);
    request.app = check.app;
    EventLines lines(subject->golden, request.control);
    const auto generated = co_await subject->program.generate_service().generate(request, lines);
    subject->events += lines.take(subject->golden.has_parallel_nodes) + describe_result(generated);
    if (generated) {
        subject->run_id = generated->info->run_id;
    }
}

using Spans = std::vector<exporting::SpanRecordPtr>;

/// The spans of each trace by the run's id that they carry; under an empty one if nothing ran.
std::multimap<std::string, Spans> split_by_run(const Spans& spans) {
    struct Trace {
        std::string run_id;
        Spans spans;
    };

    std::map<std::string, Trace> traces;
    for (const auto& span : spans) {
        const auto id = span->trace_id.Id();
        auto& trace = traces[std::string(reinterpret_cast<const char*>(id.data()), id.size())];
        trace.spans.push_back(span);
        if (const auto run_id = span->text(trace::names::kDifyWorkflowRunId); !run_id.empty()) {
            trace.run_id = run_id;
        }
    }
    std::multimap<std::string, Spans> runs;
    for (auto& [id, trace] : traces) {
        runs.emplace(std::move(trace.run_id), std::move(trace.spans));
    }
    return runs;
}

std::unique_ptr<exporting::Telemetry> start_telemetry(std::shared_ptr<exporting::MemorySink> sink) {
    exporting::TelemetryConfig config;
    config.sinks = {std::move(sink)};
    auto telemetry = exporting::Telemetry::start(std::move(config));
    return telemetry ? *std::move(telemetry) : nullptr;
}

void run_all(std::vector<std::unique_ptr<Subject>>& subjects, std::size_t loops) {
    async::Runtime runtime({.loops = loops});
    std::vector<std::jthread> callers;
    callers.reserve(subjects.size());
    for (std::size_t i = 0; i < subjects.size(); ++i) {
        callers.emplace_back([&runtime, subject = subjects[i].get(), loop = i % loops] {
            runtime.block_on(runtime.loop_executor(loop), run_subject, subject);
        });
    }
}

}  // namespace

Result<GoldenCase> GoldenCase::load(const std::filesystem::path& folder) {
    GoldenCase golden;
    golden.folder = folder;
    golden.input_text = read_file(folder / "input.json").value_or("{}");
    FLOWSPAN_TRY(const auto input, parse_json(golden.input_text));
    if (const auto text = read_file(folder / "model.script")) {
        FLOWSPAN_TRY(golden.script, model_server::parse_script(*text));
    }
    golden.config_text = read_file(folder / "flowspan.toml").value_or("");
    if (const auto text = read_file(folder / "knowledge.json")) {
        FLOWSPAN_TRY(auto datasets, parse_json(*text));
        golden.knowledge = std::move(datasets.as_object());
    }
    if (const auto* cancel = find_member(input, "cancel_after_event")) {
        golden.cancel.emplace();
        golden.cancel->event = string_member(*cancel, "event");
        golden.cancel->node_id = string_member(*cancel, "node_id");
        if (const auto* count = find_member(*cancel, "count")) {
            golden.cancel->count = static_cast<int>(count->to_number<std::int64_t>());
        }
    }
    const auto* parallel = find_member(input, "has_parallel_nodes");
    golden.has_parallel_nodes = parallel != nullptr && parallel->as_bool();
    return golden;
}

std::vector<Transcript> run_golden(const GoldenCase& golden, const GoldenRunOptions& options) {
    const auto knowledge = make_knowledge(golden, options.runs);
    const auto sink = std::make_shared<exporting::MemorySink>();
    const auto telemetry = start_telemetry(sink);
    std::vector<std::unique_ptr<Subject>> subjects;
    subjects.reserve(options.runs);
    for (std::size_t i = 0; i < options.runs; ++i) {
        subjects.push_back(std::make_unique<Subject>(golden, options, knowledge[i].path()));
    }
    run_all(subjects, options.loops);
    const auto counts = telemetry->counts();
    const auto spans = sink->take();
    EXPECT_EQ(counts.open, 0U) << "spans that nobody ended";
    EXPECT_EQ(counts.started, spans.size());
    auto spans_of_run = split_by_run(spans);
    EXPECT_LE(spans_of_run.size(), options.runs) << "a run has one trace";
    std::vector<Transcript> transcripts;
    for (const auto& subject : subjects) {
        StableText stable(subject->server->url());
        // Of runs that were refused, any will do: they have no id.
        const auto own = spans_of_run.extract(subject->run_id);
        transcripts.push_back(
            {stable.stabilise(subject->events),
             own ? stable.stabilise(span_tree(own.mapped(), golden.has_parallel_nodes)) : ""}
        );
    }
    return transcripts;
}

}  // namespace flowspan::golden
