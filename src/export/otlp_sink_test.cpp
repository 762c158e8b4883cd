#include "export/otlp_sink.hpp"

#include "export/otlp_test_certificate.hpp"
#include "export/otlp_test_receivers.hpp"
#include "export/test_records.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/export/provider.hpp"
#include "flowspan/trace/tracer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>

namespace flowspan::exporting {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto kPatience = 20s;

std::string gunzip(std::string_view packed) {
    z_stream stream{};
    EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
    std::string plain(16UL * 1024UL * 1024UL, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
    stream.avail_in = static_cast<uInt>(packed.size());
    stream.next_out = reinterpret_cast<Bytef*>(plain.data());
    stream.avail_out = static_cast<uInt>(plain.size());
    EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
    plain.resize(stream.total_out);
    inflateEnd(&stream);
    return plain;
}

TraceRequest decode(const std::string& body) {
    TraceRequest request;
    EXPECT_TRUE(request.ParseFromString(body));
    return request;
}

std::vector<std::string> span_names(const TraceRequest& request) {
    std::vector<std::string> names;
    for (const auto& resource : request.resource_spans()) {
        for (const auto& scope : resource.scope_spans()) {
            for (const auto& span : scope.spans()) {
                names.push_back(span.name());
            }
        }
    }
    return names;
}

std::unique_ptr<Telemetry> start(OtlpConfig otlp, BatchConfig batch = {}) {
    TelemetryConfig config;
    config.service_name = "otlp-test";
    config.otlp = {std::move(otlp)};
    config.batch = batch;
    return std::move(Telemetry::start(std::move(config)).value());
}

void make_span(const char* name) {
    const auto span = trace::tracer().StartSpan(name);
    span->SetAttribute("answer", 42);
    span->End();
}

std::optional<HttpAnswer> accept(const HttpRequest& /*request*/) {
    return HttpAnswer{};
}

grpc::Status accept_call(
    const TraceRequest& /*request*/, TraceResponse& /*response*/, grpc::ServerContext& /*context*/
) {
    return grpc::Status::OK;
}

TEST(OtlpSink, SendsProtobufOverHttp) {
    const HttpReceiver receiver(accept);
    OtlpConfig config;
    config.endpoint = receiver.url() + "/v1/traces";
    config.headers = {{"x-api-key", "k1"}};
    const auto telemetry = start(config);
    make_span("first");
    make_span("second");
    EXPECT_EQ(telemetry->shutdown(kPatience).exported, 2U);
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 1U);
    EXPECT_EQ(requests[0].target, "/v1/traces");
    EXPECT_EQ(requests[0].headers.at("content-type"), "application/x-protobuf");
    EXPECT_EQ(requests[0].headers.at("x-api-key"), "k1");
    const auto request = decode(requests[0].body);
    EXPECT_THAT(span_names(request), ElementsAre("first", "second"));
    const auto& resource = request.resource_spans(0).resource();
    EXPECT_EQ(resource.attributes(0).key(), "service.name");
    EXPECT_EQ(resource.attributes(0).value().string_value(), "otlp-test");
    const auto& scope = request.resource_spans(0).scope_spans(0);
    EXPECT_EQ(scope.scope().name(), trace::kInstrumentationName);
    EXPECT_EQ(scope.spans(0).attributes(0).value().int_value(), 42);
}

TEST(OtlpSink, CompressesWhenAsked) {
    const HttpReceiver receiver(accept);
    OtlpConfig config;
    config.endpoint = receiver.url() + "/v1/traces";
    config.is_gzip = true;
    const auto telemetry = start(config);
    make_span("packed");
    EXPECT_EQ(telemetry->shutdown(kPatience).exported, 1U);
    ASSERT_EQ(receiver.requests().size(), 1U);
    EXPECT_EQ(receiver.requests()[0].headers.at("content-encoding"), "gzip");
    EXPECT_THAT(span_names(decode(gunzip(receiver.requests()[0].body))), ElementsAre("packed"));
}

TEST(OtlpSink, SendsJsonOverHttp) {
    const HttpReceiver receiver([](const HttpRequest&) {
        return HttpAnswer{
            200, {}, R"({"partialSuccess":{"rejectedSpans":"1","errorMessage":"m"}})"
        };
    });
    OtlpConfig config;
    config.protocol = OtlpProtocol::http_json;
    config.endpoint = receiver.url() + "/v1/traces";
    const auto telemetry = start(config);
    make_span("in json");
    const auto report = telemetry->shutdown(kPatience);
    EXPECT_EQ(report.lost, 1U);
    ASSERT_EQ(receiver.requests().size(), 1U);
    EXPECT_EQ(receiver.requests()[0].headers.at("content-type"), "application/json");
    EXPECT_THAT(receiver.requests()[0].body, HasSubstr(R"("name":"in json")"));
}

TEST(OtlpSink, SendsOverGrpc) {
    const GrpcReceiver receiver(accept_call);
    for (const bool is_gzip : {false, true}) {
        OtlpConfig config;
        config.protocol = OtlpProtocol::grpc;
        config.endpoint = receiver.url();
        config.headers = {{"x-api-key", "k2"}};
        config.is_gzip = is_gzip;
        const auto telemetry = start(config);
        make_span(is_gzip ? "packed" : "plain");
        const auto report = telemetry->shutdown(kPatience);
        EXPECT_EQ(report.exported, 1U);
        EXPECT_THAT(report.messages, ElementsAre());
    }
    const auto requests = receiver.requests();
    ASSERT_EQ(requests.size(), 2U);
    EXPECT_THAT(span_names(requests[0]), ElementsAre("plain"));
    EXPECT_THAT(span_names(requests[1]), ElementsAre("packed"));
    EXPECT_EQ(receiver.last_metadata().at("x-api-key"), "k2");
}

/// The test certificate as a file, while one lives.
class CertificateFile {
public:
    CertificateFile() {
        std::string pattern = std::filesystem::temp_directory_path() / "flowspan-cert-XXXXXX";
        const int descriptor = ::mkstemp(pattern.data());
        EXPECT_GE(descriptor, 0);
        EXPECT_EQ(
            ::write(descriptor, kTestCertificate.data(), kTestCertificate.size()),
            std::ssize(kTestCertificate)
        );
        ::close(descriptor);
        path_ = pattern;
    }

    ~CertificateFile() { std::filesystem::remove(path_); }

    CertificateFile(const CertificateFile&) = delete;
    CertificateFile& operator=(const CertificateFile&) = delete;

    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

TEST(OtlpSink, SendsOverGrpcWithTlsToReceiversItTrusts) {
    const GrpcReceiver receiver(accept_call, true);
    const CertificateFile certificate;
    OtlpConfig config;
    config.protocol = OtlpProtocol::grpc;
    config.endpoint = receiver.url();
    config.ca_file = certificate.path();
    const auto telemetry = start(config);
    for (const auto* name : {"first", "second"}) {
        make_span(name);
        EXPECT_TRUE(telemetry->flush(kPatience)) << telemetry->counts().sinks[0].last_error;
    }
    EXPECT_EQ(receiver.requests().size(), 2U);
    telemetry->shutdown();
    config.ca_file.clear();
    const auto distrustful = start(config);
    make_span("unsent");
    const auto report = distrustful->shutdown(kPatience);
    EXPECT_EQ(report.lost, 1U);
    EXPECT_THAT(report.messages[0], HasSubstr("certificate"));
    EXPECT_EQ(distrustful->counts().sinks[0].failed_attempts, 1U);
}

TEST(OtlpSink, ManyAndLargeBatchesGoOverGrpc) {
    const GrpcReceiver receiver(accept_call);
    OtlpConfig config;
    config.protocol = OtlpProtocol::grpc;
    config.endpoint = receiver.url();
    const auto telemetry = start(config);
    constexpr std::size_t kSpans = 24;
    for (std::size_t i = 0; i < kSpans; ++i) {
        const auto span = trace::tracer().StartSpan("large");
        span->SetAttribute("prompt", std::string(900'000, 'p'));
        span->End();
    }
    EXPECT_EQ(telemetry->shutdown(kPatience).exported, kSpans);
    std::size_t received = 0;
    for (const auto& request : receiver.requests()) {
        received += span_names(request).size();
        EXPECT_LT(request.ByteSizeLong(), 4UL * 1024UL * 1024UL);
    }
    EXPECT_EQ(received, kSpans);
    EXPECT_GT(receiver.requests().size(), kSpans / 3);
}

TEST(OtlpSink, UnderstandsWhatGrpcReceiversAnswer) {
    struct Case {
        grpc::Status status;
        std::uint64_t attempts;
        const char* text;
    };

    const Case cases[] = {
        {{grpc::StatusCode::UNAVAILABLE, "soon"}, 2, "gRPC status 14: soon"},
        {{grpc::StatusCode::INVALID_ARGUMENT, "no"}, 1, "gRPC status 3: no"},
        {{grpc::StatusCode::UNAUTHENTICATED, "who"}, 1, "gRPC status 16: who"},
        {{grpc::StatusCode::RESOURCE_EXHAUSTED, "full"}, 1, "gRPC status 8: full"},
        {{grpc::StatusCode::RESOURCE_EXHAUSTED, "later", "details"}, 2, "gRPC status 8: later"},
    };
    for (const auto& test : cases) {
        const GrpcReceiver receiver(
            [&test](const TraceRequest&, TraceResponse&, grpc::ServerContext&) {
                return test.status;
            }
        );
        OtlpConfig config;
        config.protocol = OtlpProtocol::grpc;
        config.endpoint = receiver.url();
        const auto telemetry = start(config);
        make_span("refused");
        const auto report = telemetry->shutdown(kPatience);
        ASSERT_EQ(report.messages.size(), 1U) << test.text;
        EXPECT_THAT(report.messages[0], HasSubstr(test.text));
        EXPECT_EQ(telemetry->counts().sinks[0].failed_attempts, test.attempts) << test.text;
    }
}

TEST(OtlpSink, CountsWhatAGrpcReceiverRejects) {
    const GrpcReceiver receiver(
        [](const TraceRequest&, TraceResponse& response, grpc::ServerContext&) {
            response.mutable_partial_success()->set_rejected_spans(1);
            response.mutable_partial_success()->set_error_message("one is bad");
            return grpc::Status::OK;
        }
    );
    OtlpConfig config;
    config.protocol = OtlpProtocol::grpc;
    config.endpoint = receiver.url();
    const auto telemetry = start(config);
    make_span("a");
    make_span("b");
    const auto report = telemetry->shutdown(kPatience);
    EXPECT_EQ(report.exported, 1U);
    EXPECT_EQ(report.lost, 1U);
    EXPECT_THAT(report.messages[0], HasSubstr("did not get 1 span: one is bad"));
}

TEST(OtlpSink, TriesAgainWhenTheReceiverIsBusy) {
    std::atomic<int> calls{0};
    const HttpReceiver receiver([&calls](const HttpRequest&) {
        return ++calls < 3 ? HttpAnswer{503, {}, "busy"} : HttpAnswer{};
    });
    OtlpConfig config;
    config.endpoint = receiver.url() + "/v1/traces";
    BatchConfig batch;
    batch.retry_delay_first = 1ms;
    const auto telemetry = start(config, batch);
    make_span("patient");
    EXPECT_TRUE(telemetry->flush(kPatience));
    EXPECT_EQ(telemetry->counts().sinks[0].exported, 1U);
    EXPECT_EQ(calls.load(), 3);
}

TEST(OtlpSink, WaitsAsLongAsTheReceiverAsks) {
    const HttpReceiver receiver([](const HttpRequest&) {
        return HttpAnswer{429, {{"Retry-After", "7"}}, ""};
    });
    OtlpConfig config;
    config.endpoint = receiver.url() + "/v1/traces";
    const auto sink = make_otlp_sink(config).value();
    sink->begin({});
    const auto records = make_records({{}});
    const auto result = sink->export_spans(records);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::rate_limited);
    EXPECT_EQ(sink->retry_after(), 7s);
}

TEST(OtlpSink, DoesNotRepeatWhatIsRefusedForGood) {
    const HttpReceiver receiver([](const HttpRequest&) { return HttpAnswer{400, {}, "bad"}; });
    OtlpConfig config;
    config.endpoint = receiver.url() + "/v1/traces";
    const auto telemetry = start(config);
    make_span("bad");
    const auto report = telemetry->shutdown(kPatience);
    EXPECT_EQ(receiver.requests().size(), 1U);
    EXPECT_THAT(
        report.messages[0], HasSubstr("did not get 1 span: the receiver answered HTTP 400")
    );
}

TEST(OtlpSink, AReceiverThatIsDownCostsLittleAndIsNamed) {
    std::string url;
    {
        const HttpReceiver gone(accept);
        url = gone.url();
    }
    for (const auto protocol : {OtlpProtocol::http_protobuf, OtlpProtocol::grpc}) {
        OtlpConfig config;
        config.protocol = protocol;
        config.endpoint = url + "/v1/traces";
        const auto telemetry = start(config);
        make_span("lost");
        const auto before = real_clock().steady_now();
        const auto report = telemetry->shutdown(kPatience);
        EXPECT_LT(real_clock().steady_now() - before, 5s);
        EXPECT_EQ(report.lost, 1U);
        ASSERT_EQ(report.messages.size(), 1U);
        EXPECT_THAT(report.messages[0], HasSubstr(url));
        EXPECT_THAT(report.messages[0], HasSubstr("did not get 1 span: "));
    }
}

TEST(OtlpSink, AReceiverThatHangsIsLeftAtTheEndOfTheBudget) {
    const HttpReceiver hanging([](const HttpRequest&) { return std::nullopt; });
    OtlpConfig config;
    config.endpoint = hanging.url() + "/v1/traces";
    const auto telemetry = start(config);
    make_span("stuck");
    const auto before = real_clock().steady_now();
    const auto report = telemetry->shutdown(300ms);
    const auto took = real_clock().steady_now() - before;
    EXPECT_LT(took, 3s);
    EXPECT_EQ(report.lost, 1U);
    EXPECT_THAT(report.messages[0], HasSubstr("no answer in the time there was"));
}

TEST(OtlpSink, GrpcToAnHttpPortFailsWithoutHanging) {
    const HttpReceiver receiver(accept);
    OtlpConfig config;
    config.protocol = OtlpProtocol::grpc;
    config.endpoint = receiver.url();
    config.timeout = 2s;
    const auto telemetry = start(config);
    make_span("misdirected");
    const auto report = telemetry->shutdown(kPatience);
    EXPECT_EQ(report.lost, 1U);
}

TEST(OtlpSink, RequestsEndAfterTheirOwnTimeout) {
    const HttpReceiver hanging([](const HttpRequest&) { return std::nullopt; });
    OtlpConfig config;
    config.endpoint = hanging.url() + "/v1/traces";
    config.timeout = 50ms;
    const auto sink = make_otlp_sink(config).value();
    sink->begin({});
    const auto result = sink->export_spans(make_records({{}}));
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, ErrorCode::timeout);
}

TEST(OtlpSink, RefusesEndpointsThatAreNoUrl) {
    for (const auto* endpoint : {"", "localhost:4317", "ftp://host/", "http://", "http://a b/"}) {
        OtlpConfig config;
        config.endpoint = endpoint;
        TelemetryConfig telemetry;
        telemetry.otlp = {config};
        const auto started = Telemetry::start(telemetry);
        ASSERT_FALSE(started) << endpoint;
        EXPECT_THAT(started.error().message, HasSubstr("no http or https URL"));
    }
}

TEST(OtlpSink, NamesItselfWithoutCredentials) {
    OtlpConfig config;
    config.endpoint = "https://user:secret@host:4318/v1/traces?key=secret";
    EXPECT_EQ(
        make_otlp_sink(config).value()->name(), "OTLP http/protobuf https://host:4318/v1/traces"
    );
    config.protocol = OtlpProtocol::grpc;
    EXPECT_EQ(make_otlp_sink(config).value()->name(), "OTLP grpc https://host:4318/");
}

}  // namespace
}  // namespace flowspan::exporting
