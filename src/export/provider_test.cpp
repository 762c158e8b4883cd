#include "flowspan/export/provider.hpp"

#include "export/memory_sink.hpp"
#include "flowspan/trace/propagation.hpp"
#include "flowspan/trace/tracer.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/trace/context.h>

#include <map>
#include <optional>
#include <set>
#include <string>

namespace otel = opentelemetry::trace;

namespace flowspan::exporting {
namespace {

class TestTelemetry {
public:
    explicit TestTelemetry(TelemetryConfig config) {
        config.sinks.push_back(memory);
        telemetry = std::move(Telemetry::start(std::move(config)).value());
    }

    std::shared_ptr<MemorySink> memory = std::make_shared<MemorySink>();
    std::unique_ptr<Telemetry> telemetry;
};

opentelemetry::context::Context remote_parent(std::string_view traceparent) {
    return trace::extract([traceparent](std::string_view name) {
        return name == "traceparent" ? traceparent : std::string_view();
    });
}

std::string hex(const otel::TraceId& id) {
    std::string text(32, '0');
    id.ToLowerBase16(opentelemetry::nostd::span<char, 32>(text.data(), text.size()));
    return text;
}

constexpr std::string_view kSampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
constexpr std::string_view kUnsampled = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

TEST(Telemetry, WithoutASinkOrDisabledTracingIsOff) {
    for (const bool is_disabled : {false, true}) {
        TelemetryConfig config;
        config.is_disabled = is_disabled;
        if (is_disabled) {
            config.sinks = {std::make_shared<NullSink>()};
        }
        const auto telemetry = Telemetry::start(config).value();
        EXPECT_FALSE(telemetry->is_enabled());
        EXPECT_FALSE(trace::is_tracing_enabled());
        EXPECT_TRUE(telemetry->flush(std::chrono::seconds(1)));
        EXPECT_EQ(telemetry->counts().started, 0U);
        EXPECT_TRUE(telemetry->shutdown().messages.empty());
    }
}

TEST(Telemetry, SwitchesTracingOnAndOff) {
    TestTelemetry test{TelemetryConfig{}};
    EXPECT_TRUE(test.telemetry->is_enabled());
    EXPECT_TRUE(trace::is_tracing_enabled());
    trace::tracer().StartSpan("span")->End();
    EXPECT_EQ(test.telemetry->shutdown().exported, 1U);
    EXPECT_EQ(test.telemetry->shutdown().exported, 1U);
    EXPECT_FALSE(test.telemetry->is_enabled());
    EXPECT_FALSE(trace::is_tracing_enabled());
}

struct SamplerCase {
    const char* title;
    SamplerConfig sampler;
    std::string_view parent;
    bool is_kept;
};

TEST(Telemetry, SamplersDecideAsTheSpecificationSays) {
    const SamplerCase cases[] = {
        {"on", {SamplerKind::always_on}, kUnsampled, true},
        {"off", {SamplerKind::always_off}, kSampled, false},
        {"parent on, root", {SamplerKind::parentbased_always_on}, "", true},
        {"parent on, unsampled parent", {SamplerKind::parentbased_always_on}, kUnsampled, false},
        {"parent off, root", {SamplerKind::parentbased_always_off}, "", false},
        {"parent off, sampled parent", {SamplerKind::parentbased_always_off}, kSampled, true},
        {"ratio 0", {SamplerKind::traceidratio, 0.0}, kSampled, false},
        {"ratio 1", {SamplerKind::traceidratio, 1.0}, kUnsampled, true},
        // The last eight bytes are 8448eb211c80319c: 51.7 % of the range.
        {"ratio just below", {SamplerKind::traceidratio, 0.516}, kSampled, false},
        {"ratio just above", {SamplerKind::traceidratio, 0.518}, kSampled, true},
        {"parent ratio", {SamplerKind::parentbased_traceidratio, 0.0}, kSampled, true},
    };
    for (const auto& test : cases) {
        TelemetryConfig config;
        config.sampler = test.sampler;
        const TestTelemetry tracing(config);
        otel::StartSpanOptions options;
        if (!test.parent.empty()) {
            options.parent = remote_parent(test.parent);
        }
        const auto span = trace::tracer().StartSpan("span", options);
        EXPECT_EQ(span->IsRecording(), test.is_kept) << test.title;
        span->End();
        EXPECT_EQ(tracing.memory->spans().size(), test.is_kept ? 1U : 0U) << test.title;
    }
}

TEST(Telemetry, SeededIdsRepeat) {
    std::set<std::string> ids;
    for (int round = 0; round < 2; ++round) {
        TelemetryConfig config;
        config.id_seed = 42;
        const TestTelemetry tracing(config);
        trace::tracer().StartSpan("a")->End();
        trace::tracer().StartSpan("b")->End();
        for (const auto& span : tracing.memory->spans()) {
            EXPECT_TRUE(span->trace_id.IsValid());
            ids.insert(hex(span->trace_id));
        }
    }
    EXPECT_EQ(ids.size(), 2U);
}

TEST(Telemetry, ResourceOfTheConfigurationWins) {
    /// Keeps what it was told of the sender.
    class ResourceSink final : public SpanSink {
    public:
        [[nodiscard]] std::string_view name() const noexcept override { return "resource"; }

        void begin(const ExportResource& resource) override { resource_ = resource; }

        [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch /*batch*/) override {
            return ExportReceipt{};
        }

        [[nodiscard]] std::map<std::string, std::string> texts() const {
            std::map<std::string, std::string> found;
            for (const auto& attribute : resource_.attributes) {
                if (const auto* text = std::get_if<std::string>(&attribute.value)) {
                    EXPECT_TRUE(found.emplace(attribute.name, *text).second) << attribute.name;
                }
            }
            return found;
        }

    private:
        ExportResource resource_;
    };

    const auto sink = std::make_shared<ResourceSink>();
    TelemetryConfig config;
    config.service_name = "default";
    config.service_version = "1.2.3";
    config.resource = {{"service.name", "from env"}, {"host.name", "h"}, {"extra", "e"}};
    config.sinks = {sink};
    const auto telemetry = Telemetry::start(config).value();
    const auto texts = sink->texts();
    EXPECT_EQ(texts.at("service.name"), "from env");
    EXPECT_EQ(texts.at("service.version"), "1.2.3");
    EXPECT_EQ(texts.at("host.name"), "h");
    EXPECT_EQ(texts.at("extra"), "e");
    EXPECT_EQ(texts.at("telemetry.sdk.language"), "cpp");
    EXPECT_EQ(texts.at("service.instance.id").size(), 36U);
}

}  // namespace
}  // namespace flowspan::exporting
