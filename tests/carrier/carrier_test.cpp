#include "export/memory_sink.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/propagation.hpp"
#include "flowspan/trace/tracer.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/baggage/baggage_context.h>
#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/scope.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace flowspan {
namespace {

/// The spans of an OTLP file.
std::vector<json::object> read_spans(const std::filesystem::path& path) {
    std::vector<json::object> spans;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto request = *parse_json(line);
        for (const auto& resource : request.at("resourceSpans").as_array()) {
            for (const auto& scope : resource.at("scopeSpans").as_array()) {
                for (const auto& span : scope.at("spans").as_array()) {
                    spans.push_back(span.as_object());
                }
            }
        }
    }
    return spans;
}

class CarrierTest : public testing::Test {
protected:
    CarrierTest()
        : path_(
              std::filesystem::temp_directory_path() /
              ("flowspan-carrier-" + std::to_string(::getpid()))
          ) {
        trace::set_propagators("tracecontext,baggage");
    }

public:
    ~CarrierTest() override { std::filesystem::remove(path_); }

protected:
    /// Runs the worker with the headers as its job; returns its spans.
    std::vector<json::object> run_job(const trace::Carrier& headers) {
        json::object job;
        for (const auto& [name, value] : headers) {
            job[name] = value;
        }
        std::array<int, 2> pipe{};
        EXPECT_EQ(::pipe(pipe.data()), 0);
        const auto child = ::fork();
        if (child == 0) {
            ::dup2(pipe[0], STDIN_FILENO);
            ::close(pipe[1]);
            ::execl(
                FLOWSPAN_CARRIER_WORKER,
                FLOWSPAN_CARRIER_WORKER,
                FLOWSPAN_CARRIER_APP,
                path_.c_str(),
                nullptr
            );
            ::_exit(127);
        }
        ::close(pipe[0]);
        const auto text = to_json_text(job);
        EXPECT_EQ(::write(pipe[1], text.data(), text.size()), std::ssize(text));
        ::close(pipe[1]);
        int status = 0;
        EXPECT_EQ(::waitpid(child, &status, 0), child);
        EXPECT_TRUE(WIFEXITED(status));
        EXPECT_EQ(WEXITSTATUS(status), 0) << "127: not started, 2: no job, 1: no baggage or failed";
        return read_spans(path_);
    }

    std::filesystem::path path_;
};

TEST_F(CarrierTest, ARunInAnotherProcessIsBelowTheSpanThatSentTheJob) {
    exporting::TelemetryConfig config;
    const auto memory = std::make_shared<exporting::MemorySink>();
    config.sinks.push_back(memory);
    const auto telemetry = *exporting::Telemetry::start(std::move(config));
    trace::Carrier headers = {{"task", "generate"}};
    std::string trace_id(32, ' ');
    std::string span_id(16, ' ');
    {
        auto current = opentelemetry::context::RuntimeContext::GetCurrent();
        const auto baggage = opentelemetry::baggage::Baggage::GetDefault()->Set("tenant", "acme");
        const auto attached = opentelemetry::context::RuntimeContext::Attach(
            opentelemetry::baggage::SetBaggage(current, baggage)
        );
        const auto publish = trace::tracer().StartSpan("send jobs");
        const opentelemetry::trace::Scope scope(publish);
        trace::inject(headers);
        publish->GetContext().trace_id().ToLowerBase16(
            opentelemetry::nostd::span<char, 32>(trace_id.data(), trace_id.size())
        );
        publish->GetContext().span_id().ToLowerBase16(
            opentelemetry::nostd::span<char, 16>(span_id.data(), span_id.size())
        );
        publish->End();
    }
    EXPECT_EQ(headers.at("task"), "generate");
    EXPECT_EQ(headers.at("traceparent"), "00-" + trace_id + "-" + span_id + "-01");
    const auto spans = run_job(headers);
    ASSERT_FALSE(spans.empty());
    std::set<std::string> ids = {span_id};
    for (const auto& span : spans) {
        EXPECT_EQ(span.at("traceId").as_string(), trace_id);
        ids.insert(std::string(span.at("spanId").as_string()));
    }
    for (const auto& span : spans) {
        const std::string parent(span.at("parentSpanId").as_string());
        EXPECT_TRUE(ids.contains(parent)) << "an orphan";
        if (span.at("name").as_string() == "AppGenerateService.generate") {
            EXPECT_EQ(parent, span_id);
        }
    }
}

TEST_F(CarrierTest, AJobThatIsNotSampledStaysSo) {
    const auto spans = run_job({
        {"Traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"},
        {"BAGGAGE", "tenant=acme"},
    });
    EXPECT_TRUE(spans.empty());
}

TEST_F(CarrierTest, TheCallersStateAndB3AreUnderstood) {
    const auto spans = run_job({
        {"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {"tracestate", "vendor=x"},
        {"baggage", "tenant=acme"},
    });
    ASSERT_FALSE(spans.empty());
    EXPECT_EQ(spans.front().at("traceState").as_string(), "vendor=x");

    const auto from_b3 = run_job({
        {"b3", "0af7651916cd43dd8448eb211c80319d-b7ad6b7169203331-1"},
        {"baggage", "tenant=acme"},
    });
    ASSERT_FALSE(from_b3.empty());
    EXPECT_EQ(from_b3.front().at("traceId").as_string(), "0af7651916cd43dd8448eb211c80319d");
}

}  // namespace
}  // namespace flowspan
