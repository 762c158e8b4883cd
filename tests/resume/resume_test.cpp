// The same run executed live, paused anywhere and resumed, or killed anywhere and resumed, comes to
// the same end, and its spans make the same tree but for the marks of the interruption.

#include "export/memory_sink.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/names.hpp"
#include "model_server/model_server.hpp"
#include "tests/resume/resumable_run.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

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

/// What `killed_run` prints; empty if it was killed.
std::string run_program(const std::vector<std::string>& arguments) {
    std::string command = FLOWSPAN_KILLED_RUN;
    for (const auto& argument : arguments) {
        command += fmt::format(" '{}'", argument);
    }
    auto* pipe = popen(command.c_str(), "r");
    std::string text;
    std::array<char, 4096> buffer{};
    while (const auto size = std::fread(buffer.data(), 1, buffer.size(), pipe)) {
        text.append(buffer.data(), size);
    }
    pclose(pipe);
    return text;
}

TEST_F(Resume, GoesOnInAnotherProcessAfterAKillAtAnyEvent) {
    const auto expected = reference();
    const auto expected_line = fmt::format("succeeded {}\n", expected.outputs);
    const auto file = fs::temp_directory_path() / fmt::format("resume-test-{}.json", getpid());
    for (int at = 1; at <= first_event_count_; ++at) {
        fs::remove(file);
        const auto first = run_program({app(), server_->url(), file.string(), std::to_string(at)});
        EXPECT_EQ(first, "") << "it should have died at event " << at;
        ASSERT_TRUE(fs::exists(file)) << at;
        auto last = run_program({file.string(), server_->url(), file.string(), "0"});
        if (last.starts_with("paused")) {
            last = run_program({file.string(), server_->url(), file.string(), "0"});
        }
        EXPECT_EQ(last, expected_line) << at;
    }
    fs::remove(file);
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
