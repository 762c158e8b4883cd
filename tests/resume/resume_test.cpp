// The same run executed live, paused anywhere and resumed, killed anywhere and resumed, or through
// a queue comes to the same end, and its spans make the same tree but for the marks of the
// interruption.

#include "export/lost_processes.hpp"
#include "export/memory_sink.hpp"
#include "export/stored_trace.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/tracer.hpp"
#include "model_server/model_server.hpp"
#include "store/span_store.hpp"
#include "tests/resume/resumable_run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <opentelemetry/trace/scope.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>

namespace flowspan::resume {
namespace {

namespace fs = std::filesystem;
namespace names = trace::names;

std::string read(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// A span's way from the root, by what it stands for: the parts of an interrupted run, of a
/// container and of a round are one thing.
class LogicalTree {
public:
    explicit LogicalTree(const std::vector<exporting::SpanRecordPtr>& spans) {
        std::map<std::string, const exporting::SpanRecord*> by_id;
        for (const auto& span : spans) {
            by_id[id_of(span->span_id)] = span.get();
            traces_.insert(std::string(
                reinterpret_cast<const char*>(span->trace_id.Id().data()),
                span->trace_id.Id().size()
            ));
        }
        for (const auto& span : spans) {
            paths_.insert(path_of(*span, by_id));
        }
    }

    [[nodiscard]] const std::set<std::string>& paths() const noexcept { return paths_; }

    [[nodiscard]] std::size_t trace_count() const noexcept { return traces_.size(); }

private:
    using Index = std::map<std::string, const exporting::SpanRecord*>;

    static std::string id_of(const opentelemetry::trace::SpanId& id) {
        return {reinterpret_cast<const char*>(id.Id().data()), id.Id().size()};
    }

    static std::string label_of(const exporting::SpanRecord& span) {
        std::string label(span.name());
        if (const auto node = span.text(names::kNodeId); !node.empty()) {
            label += fmt::format(" {}", node);
        }
        for (const auto* key : {names::kDifyIterationIndex, names::kDifyLoopIndex}) {
            if (span.has(key)) {
                label += fmt::format(" #{}", span.integer(key));
            }
        }
        return label;
    }

    // A resumed part hangs below the first one: the whole chain down to its workflow is repeated.
    static std::string path_of(const exporting::SpanRecord& span, const Index& by_id) {
        std::vector<std::string> labels;
        for (const auto* at = &span; at != nullptr;) {
            labels.push_back(label_of(*at));
            const auto parent = by_id.find(id_of(at->parent_span_id));
            at = parent == by_id.end() ? nullptr : parent->second;
        }
        std::string path;
        for (auto label = labels.rbegin(); label != labels.rend(); ++label) {
            if (*label == labels.back()) {
                path.clear();
            }
            path += "/" + *label;
        }
        return path;
    }

    std::set<std::string> paths_;
    std::set<std::string> traces_;
};

class Resume : public testing::Test {
protected:
    void SetUp() override {
        model_server::ModelServerConfig config;
        const auto script = model_server::parse_script(read(folder_ / "model.script"));
        ASSERT_TRUE(script);
        config.script = *script;
        server_ = std::make_unique<model_server::ModelServer>(std::move(config));
        ASSERT_TRUE(server_->start());
        options_.model_url = server_->url();
        exporting::TelemetryConfig telemetry;
        telemetry.sinks = {sink_};
        auto started = exporting::Telemetry::start(std::move(telemetry));
        ASSERT_TRUE(started);
        telemetry_ = *std::move(started);
    }

    [[nodiscard]] std::string app() const { return (folder_ / "app.yml").string(); }

    /// The run without any interruption but that of its form.
    Part reference() {
        auto part = start_run(app(), options_);
        first_event_count_ = part.event_count;
        EXPECT_EQ(part.status, "paused") << "the form";
        part = run_to_the_end(std::move(part), options_);
        EXPECT_EQ(part.status, "succeeded");
        EXPECT_EQ(
            part.outputs,
            R"({"answer":"It may rain or not | Meanwhile elsewhere | )"
            R"(- Take a coat\n- Take a hat\n- Stay here | all right | 25 --","files":[]})"
        );
        return part;
    }

    LogicalTree take_tree() {
        LogicalTree tree(sink_->take());
        EXPECT_EQ(tree.trace_count(), 1U) << "a resumed run goes on in its trace";
        return tree;
    }

    const fs::path folder_ = FLOWSPAN_RESUME_FOLDER;
    std::unique_ptr<model_server::ModelServer> server_;
    std::shared_ptr<exporting::MemorySink> sink_ = std::make_shared<exporting::MemorySink>();
    std::unique_ptr<exporting::Telemetry> telemetry_;
    PartOptions options_;
    int first_event_count_ = 0;
};

TEST_F(Resume, GoesOnFromAPauseAtAnyEvent) {
    const auto expected = reference();
    const auto expected_tree = take_tree();
    for (int at = 1; at < first_event_count_; ++at) {
        auto options = options_;
        options.hook = [at](const engine::Event&, int count, const engine::RunControl& control) {
            if (count == at) {
                control.pause("the test said so");
            }
        };
        auto part = start_run(app(), options);
        EXPECT_EQ(part.status, "paused") << at;
        part = run_to_the_end(std::move(part), options_);
        EXPECT_EQ(part.status, expected.status) << at;
        EXPECT_EQ(part.outputs, expected.outputs) << at;
        EXPECT_EQ(part.total_tokens, expected.total_tokens) << at;
        EXPECT_EQ(take_tree().paths(), expected_tree.paths()) << at;
    }
}

TEST_F(Resume, GoesOnFromAPauseAfterEachNode) {
    const auto expected = reference();
    const auto expected_tree = take_tree();
    auto options = options_;
    options.hook = [](const engine::Event& event, int, const engine::RunControl& control) {
        if (std::holds_alternative<engine::NodeRunSucceeded>(event)) {
            control.pause("one node is enough");
        }
    };
    const auto part = run_to_the_end(start_run(app(), options), options);
    EXPECT_EQ(part.status, expected.status);
    EXPECT_EQ(part.outputs, expected.outputs);
    EXPECT_EQ(part.total_tokens, expected.total_tokens);
    EXPECT_EQ(take_tree().paths(), expected_tree.paths());
}

/// What `run_part` prints; empty if it was killed.
std::string run_part(const json::object& job) {
    const auto command = fmt::format("{} '{}'", FLOWSPAN_RUN_PART, to_json_text(job));
    auto* pipe = popen(command.c_str(), "r");
    std::string text;
    std::array<char, 4096> buffer{};
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
        text.append(buffer.data(), size);
    }
    pclose(pipe);
    return text;
}

/// Lives as long as its user.
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

TEST_F(Resume, GoesOnInAnotherProcessAfterAKillAtAnyEvent) {
    const auto expected = reference();
    const auto expected_line = fmt::format("succeeded {}\n", expected.outputs);
    const Folder folder;
    const auto file = folder.file("run.json");
    for (int at = 1; at <= first_event_count_; ++at) {
        fs::remove(file);
        json::object job{{"start", app()}, {"model_url", server_->url()}, {"file", file}};
        job["kill_at"] = at;
        EXPECT_EQ(run_part(job), "") << "it should have died at event " << at;
        ASSERT_TRUE(fs::exists(file)) << at;
        const json::object rest{{"model_url", server_->url()}, {"file", file}};
        auto last = run_part(rest);
        if (last.starts_with("paused")) {
            last = run_part(rest);
        }
        EXPECT_EQ(last, expected_line) << at;
    }
}

/// What a store keeps of one trace.
std::vector<exporting::SpanRecordPtr> read_only_trace(const std::string& path) {
    auto store = store::SpanStore::open({.path = path});
    EXPECT_TRUE(store) << store.error().full_text();
    EXPECT_TRUE(exporting::close_lost_processes(**store));
    const auto traces = (*store)->list_traces({});
    EXPECT_TRUE(traces && traces->size() == 1) << "one run is one trace";
    return exporting::all_spans(*exporting::read_trace(**store, traces->front().trace_id, 0));
}

std::int64_t count_with(
    const std::vector<exporting::SpanRecordPtr>& spans,
    std::string_view key,
    std::string_view value = {}
) {
    return std::ranges::count_if(spans, [&](const auto& span) {
        return span->has(key) && (value.empty() || span->text(key) == value);
    });
}

/// One run in processes of its own, and the spans they left.
struct Execution {
    std::string last_line;
    std::vector<exporting::SpanRecordPtr> spans;
    std::set<std::string> paths;
};

class FourWays : public Resume {
protected:
    /// Goes on until the run has ended for good.
    Execution execute(json::object job) {
        const Folder folder;
        const auto store = folder.file("traces.db");
        json::object rest{{"model_url", server_->url()}, {"file", folder.file("run.json")}};
        rest["store"] = store;
        for (const auto& member : rest) {
            job[member.key()] = member.value();
        }
        job["start"] = (folder_ / "plain_app.yml").string();
        Execution execution;
        execution.last_line = run_part(job);
        // A killed part says nothing.
        for (int part = 0; part < 3 && !execution.last_line.starts_with("succeeded"); ++part) {
            execution.last_line = run_part(rest);
        }
        execution.spans = read_only_trace(store);
        const LogicalTree tree(execution.spans);
        EXPECT_EQ(tree.trace_count(), 1U);
        execution.paths = tree.paths();
        return execution;
    }
};

TEST_F(FourWays, OfARunLeaveTheSameTree) {
    const auto live = execute({});
    ASSERT_TRUE(live.last_line.starts_with("succeeded")) << live.last_line;
    EXPECT_EQ(live.paths.size(), live.spans.size()) << "every span has a path of its own";
    EXPECT_EQ(count_with(live.spans, names::kFlowspanResumed), 0);
    EXPECT_EQ(count_with(live.spans, names::kFlowspanInterrupted), 0);

    const int total = start_run((folder_ / "plain_app.yml").string(), options_).event_count;
    static_cast<void>(sink_->take());
    ASSERT_GT(total, 20);
    // Once a span has ended; the last events are those of the answer, when nothing is left to do.
    for (const int at : {total / 5, total / 4, total / 3, total * 2 / 5, total / 2}) {
        const auto paused = execute({{"pause_at", at}});
        EXPECT_EQ(paused.last_line, live.last_line) << at;
        EXPECT_EQ(paused.paths, live.paths) << "paused at event " << at;
        EXPECT_EQ(count_with(paused.spans, names::kFlowspanResumed, "paused"), 1) << at;
        EXPECT_EQ(count_with(paused.spans, names::kFlowspanInterrupted), 0) << at;

        const auto killed = execute({{"kill_at", at}});
        EXPECT_EQ(killed.last_line, live.last_line) << at;
        EXPECT_EQ(killed.paths, live.paths) << "killed at event " << at;
        EXPECT_EQ(count_with(killed.spans, names::kFlowspanResumed, "interrupted"), 1) << at;
        EXPECT_GE(count_with(killed.spans, names::kFlowspanInterrupted), 3)
            << "the app's, the runner's and the workflow's span were open at event " << at;
    }

    json::object headers{{"task", "generate"}};
    opentelemetry::trace::SpanId sender;
    {
        const auto send = trace::tracer().StartSpan("send job");
        const opentelemetry::trace::Scope scope(send);
        sender = send->GetContext().span_id();
        trace::inject([&headers](std::string_view name, std::string_view value) {
            headers[name] = value;
        });
        send->End();
    }
    const auto queued = execute({{"headers", headers}});
    EXPECT_EQ(queued.last_line, live.last_line);
    EXPECT_EQ(queued.paths, live.paths);
    const auto root = std::ranges::find_if(queued.spans, [](const auto& span) {
        return span->name() == "AppGenerateService.generate";
    });
    ASSERT_NE(root, queued.spans.end());
    EXPECT_EQ((*root)->parent_span_id, sender);
    EXPECT_EQ((*root)->trace_id, sink_->take().front()->trace_id);
}

TEST_F(Resume, RefusesWhatItCannotGoOnWith) {
    const auto part = start_run(app(), options_);
    ASSERT_TRUE(part.paused);
    const auto whole = service::to_json(*part.paused);
    const auto refusal = [&](const std::function<void(json::object&)>& damage) {
        auto damaged = whole;
        damage(damaged);
        return resume_run(to_json_text(damaged), options_).status;
    };
    EXPECT_EQ(
        refusal([](auto& file) { file["version"] = 2; }),
        "refused: the file has version 2, but this program reads version 1; resume it with a newer "
        "program"
    );
    EXPECT_EQ(
        refusal([](auto& file) { file["run"].as_object()["version"] = 0; }),
        "refused: the snapshot has version 0, but this program reads version 1; resume it with the "
        "program that wrote it"
    );
    EXPECT_EQ(
        refusal([](auto& file) { file["format"] = "else"; }),
        "refused: this is no paused run; name the file that `flowspan run` wrote when the run "
        "paused"
    );
    EXPECT_EQ(
        refusal([](auto& file) { file["run"].as_object().erase("root"); }),
        "refused: `root` is missing"
    );
    EXPECT_EQ(
        refusal([](auto& file) {
            file["run"].as_object()["root"].as_object()["taken_nodes"].as_array().push_back("x");
        }),
        "refused: the snapshot does not belong to this app, which has no node `x`"
    );
}

}  // namespace
}  // namespace flowspan::resume
