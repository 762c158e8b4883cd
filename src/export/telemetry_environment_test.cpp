#include "flowspan/export/telemetry_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace flowspan::exporting {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Variables = std::map<std::string, std::string>;

TelemetryConfig read(const Variables& variables) {
    return TelemetryConfig::from_environment([&variables](const char* name) {
        const auto found = variables.find(name);
        return found == variables.end() ? std::string() : found->second;
    });
}

TEST(TelemetryEnvironment, NothingSetMeansNothingExported) {
    const auto config = read({});
    EXPECT_FALSE(config.is_disabled);
    EXPECT_THAT(config.otlp, IsEmpty());
    EXPECT_FALSE(config.is_console);
    EXPECT_THAT(config.warnings, IsEmpty());
    EXPECT_EQ(config.sampler, SamplerConfig{});
    EXPECT_EQ(config.limits, SpanLimits{});
    EXPECT_EQ(config.batch, BatchConfig{});
    EXPECT_EQ(config.propagators, "tracecontext,baggage");
}

struct EndpointCase {
    const char* title;
    Variables variables;
    OtlpProtocol protocol;
    const char* endpoint;
};

TEST(TelemetryEnvironment, EndpointsFollowTheRulesOfTheSpecification) {
    const EndpointCase cases[] = {
        {"general endpoint gets the path",
         {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318"}},
         OtlpProtocol::http_protobuf,
         "http://c:4318/v1/traces"},
        {"trailing slash is not doubled",
         {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4318/"}},
         OtlpProtocol::http_protobuf,
         "http://c:4318/v1/traces"},
        {"a path before it stays",
         {{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c/otlp/"}},
         OtlpProtocol::http_protobuf,
         "https://c/otlp/v1/traces"},
        {"own endpoint is used as it is",
         {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://no"},
          {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:1/custom"}},
         OtlpProtocol::http_protobuf,
         "http://c:1/custom"},
        {"own endpoint without a path gets the root",
         {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c:1"}},
         OtlpProtocol::http_protobuf,
         "http://c:1/"},
        {"json",
         {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"}
         },
         OtlpProtocol::http_json,
         "http://c/v1/traces"},
        {"grpc keeps the endpoint",
         {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}
         },
         OtlpProtocol::grpc,
         "http://c:4317"},
        {"own protocol wins",
         {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c:4317"},
          {"OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"},
          {"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc"}},
         OtlpProtocol::grpc,
         "http://c:4317"},
        {"grpc without a scheme is secure",
         {{"OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}},
         OtlpProtocol::grpc,
         "https://c:4317"},
        {"grpc without a scheme, insecure",
         {{"OTEL_EXPORTER_OTLP_ENDPOINT", "c:4317"},
          {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"},
          {"OTEL_EXPORTER_OTLP_INSECURE", "TRUE"}},
         OtlpProtocol::grpc,
         "http://c:4317"},
        {"exporter asked for without an endpoint",
         {{"OTEL_TRACES_EXPORTER", "otlp"}},
         OtlpProtocol::http_protobuf,
         "http://localhost:4318/v1/traces"},
        {"grpc asked for without an endpoint",
         {{"OTEL_TRACES_EXPORTER", "otlp"}, {"OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}},
         OtlpProtocol::grpc,
         "http://localhost:4317"},
    };
    for (const auto& test : cases) {
        const auto config = read(test.variables);
        ASSERT_EQ(config.otlp.size(), 1U) << test.title;
        EXPECT_EQ(config.otlp[0].protocol, test.protocol) << test.title;
        EXPECT_EQ(config.otlp[0].endpoint, test.endpoint) << test.title;
        EXPECT_THAT(config.warnings, IsEmpty()) << test.title;
    }
}

TEST(TelemetryEnvironment, ExporterListChoosesTheSinks) {
    const Variables endpoint = {{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}};
    auto variables = endpoint;
    variables["OTEL_TRACES_EXPORTER"] = "none";
    EXPECT_THAT(read(variables).otlp, IsEmpty());
    variables["OTEL_TRACES_EXPORTER"] = "console, otlp";
    EXPECT_EQ(read(variables).otlp.size(), 1U);
    EXPECT_TRUE(read(variables).is_console);
    variables["OTEL_TRACES_EXPORTER"] = "zipkin";
    EXPECT_THAT(read(variables).otlp, IsEmpty());
    EXPECT_THAT(
        read(variables).warnings, ElementsAre("OTEL_TRACES_EXPORTER=zipkin is not known; ignored")
    );
}

TEST(TelemetryEnvironment, ReadsWhatGoesWithTheExporter) {
    const auto config = read(
        {{"OTEL_EXPORTER_OTLP_ENDPOINT", "https://c"},
         {"OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x%2By, second = 2 ,broken"},
         {"OTEL_EXPORTER_OTLP_TIMEOUT", "2500"},
         {"OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"},
         {"OTEL_EXPORTER_OTLP_CERTIFICATE", "/ca.pem"},
         {"OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "/key.pem"},
         {"OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", "/cert.pem"}}
    );
    ASSERT_EQ(config.otlp.size(), 1U);
    const auto& otlp = config.otlp[0];
    EXPECT_THAT(
        otlp.headers,
        ElementsAre(testing::Pair("authorization", "Bearer x+y"), testing::Pair("second", "2"))
    );
    EXPECT_EQ(otlp.timeout, 2500ms);
    EXPECT_TRUE(otlp.is_gzip);
    EXPECT_EQ(otlp.ca_file, "/ca.pem");
    EXPECT_EQ(otlp.client_key_file, "/key.pem");
    EXPECT_EQ(otlp.client_cert_file, "/cert.pem");
    ASSERT_EQ(config.warnings.size(), 1U);
    EXPECT_EQ(config.warnings[0].find("Bearer"), std::string::npos);
}

TEST(TelemetryEnvironment, ResourceIsPercentDecodedAndTheServiceNameWins) {
    const auto config = read(
        {{"OTEL_RESOURCE_ATTRIBUTES",
          "service.name=other, deployment.environment.name=a%2Cb%3Dc ,odd=100%"},
         {"OTEL_SERVICE_NAME", "mine"}}
    );
    const std::vector<ResourceAttribute> expected = {
        {"service.name", "other"},
        {"deployment.environment.name", "a,b=c"},
        {"odd", "100%"},
        {"service.name", "mine"},
    };
    EXPECT_EQ(config.resource, expected);
}

TEST(TelemetryEnvironment, Samplers) {
    struct Case {
        const char* name;
        const char* argument;
        SamplerConfig sampler;
        std::size_t warnings;
    };

    const Case cases[] = {
        {"always_on", "", {SamplerKind::always_on, 1.0}, 0},
        {"always_off", "0.5", {SamplerKind::always_off, 1.0}, 0},
        {"traceidratio", "0.25", {SamplerKind::traceidratio, 0.25}, 0},
        {"parentbased_traceidratio", "", {SamplerKind::parentbased_traceidratio, 1.0}, 0},
        {"parentbased_traceidratio", "1.5", {SamplerKind::parentbased_traceidratio, 1.0}, 1},
        {"parentbased_traceidratio", "half", {SamplerKind::parentbased_traceidratio, 1.0}, 1},
        {"jaeger_remote", "", {}, 1},
    };
    for (const auto& test : cases) {
        const auto config =
            read({{"OTEL_TRACES_SAMPLER", test.name}, {"OTEL_TRACES_SAMPLER_ARG", test.argument}});
        EXPECT_EQ(config.sampler, test.sampler) << test.name;
        EXPECT_EQ(config.warnings.size(), test.warnings) << test.name;
    }
}

TEST(TelemetryEnvironment, LimitsAndBatches) {
    const auto config = read(
        {{"OTEL_ATTRIBUTE_COUNT_LIMIT", "10"},
         {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "20"},
         {"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", "5"},
         {"OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "100"},
         {"OTEL_SPAN_EVENT_COUNT_LIMIT", "0"},
         {"OTEL_SPAN_LINK_COUNT_LIMIT", "-1"},
         {"OTEL_BSP_SCHEDULE_DELAY", "250"},
         {"OTEL_BSP_MAX_QUEUE_SIZE", "100"},
         {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "1000"}}
    );
    EXPECT_EQ(config.limits.attributes_max, 20U);
    EXPECT_EQ(config.limits.event_attributes_max, 10U);
    EXPECT_EQ(config.limits.link_attributes_max, 5U);
    EXPECT_EQ(config.limits.value_length_max, 100U);
    EXPECT_EQ(config.limits.events_max, 0U);
    EXPECT_EQ(config.limits.links_max, 128U);
    EXPECT_EQ(config.batch.schedule_delay, 250ms);
    EXPECT_EQ(config.batch.queue_spans_max, 100U);
    EXPECT_EQ(config.batch.batch_spans_max, 100U);
    ASSERT_EQ(config.warnings.size(), 1U);
    EXPECT_THAT(config.warnings[0], HasSubstr("OTEL_SPAN_LINK_COUNT_LIMIT=-1"));
}

TEST(TelemetryEnvironment, DisabledLeavesOnlyThePropagators) {
    const auto config = read(
        {{"OTEL_SDK_DISABLED", "True"},
         {"OTEL_PROPAGATORS", "b3"},
         {"OTEL_EXPORTER_OTLP_ENDPOINT", "http://c"}}
    );
    EXPECT_TRUE(config.is_disabled);
    EXPECT_EQ(config.propagators, "b3");
    EXPECT_THAT(config.otlp, IsEmpty());
    const auto odd = read({{"OTEL_SDK_DISABLED", "1"}});
    EXPECT_FALSE(odd.is_disabled);
    EXPECT_EQ(odd.warnings.size(), 1U);
}

}  // namespace
}  // namespace flowspan::exporting
