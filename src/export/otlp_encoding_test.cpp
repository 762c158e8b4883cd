#include "export/otlp_file_sink.hpp"
#include "export/otlp_json.hpp"
#include "export/otlp_protobuf.hpp"
#include "export/otlp_test_receivers.hpp"
#include "export/test_records.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/base/text.hpp"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

namespace flowspan::exporting {
namespace {

using opentelemetry::trace::StatusCode;

ExportResource sample_resource() {
    return {
        {{"service.name", std::string("encoding \"test\"")},
         {"process.pid", std::int64_t{7}},
         {"ratio", 0.25},
         {"flag", true}},
        "https://opentelemetry.io/schemas/1.44.0"
    };
}

std::vector<SpanRecordPtr> sample_batch() {
    static constexpr bool kFlags[] = {true, false};
    static constexpr std::int64_t kNumbers[] = {-1, std::numeric_limits<std::int64_t>::max()};
    static constexpr double kDoubles[] = {0.1, -2e300};
    static constexpr std::string_view kWords[] = {"a", "", "ü\n"};
    const SpanLimits limits;
    const auto full = make_record({.id = 2, .parent = 1, .name = "full \\ \"name\"\t\x01 → ü"});
    full->set_trace_state("vendor=1,other=2");
    full->kind = opentelemetry::trace::SpanKind::kClient;
    full->is_parent_remote = true;
    full->set_attribute("bool", true, limits);
    full->set_attribute("int", std::numeric_limits<std::int64_t>::min(), limits);
    full->set_attribute("double", 1.5, limits);
    full->set_attribute("whole", 3.0, limits);
    full->set_attribute("infinite", std::numeric_limits<double>::infinity(), limits);
    full->set_attribute("text", std::string_view("line\r\n\x1f"), limits);
    full->set_attribute("empty", std::string_view(), limits);
    full->set_attribute("bytes", ByteView{std::string_view("\x00\xFF\x10\x20", 4)}, limits);
    full->set_attribute("bools", std::span<const bool>(kFlags), limits);
    full->set_attribute("ints", std::span<const std::int64_t>(kNumbers), limits);
    full->set_attribute("doubles", std::span<const double>(kDoubles), limits);
    full->set_attribute("texts", std::span<const std::string_view>(kWords), limits);
    full->set_attribute("none", std::span<const std::string_view>(), limits);
    full->dropped_attributes = 3;
    full->dropped_events = 2;
    full->dropped_links = 1;
    full->begin_event("exception", kTestStartNs + 5, limits);
    full->add_event_attribute("exception.message", std::string_view("boom"), limits);
    full->begin_event("bare", kTestStartNs + 6, limits);
    full->begin_link({test_trace_id(9), test_span_id(8), "x=y", 1, true}, limits);
    full->add_link_attribute("why", std::string_view("resumed"), limits);
    full->set_status(StatusCode::kError, "it \"failed\"");
    const auto other_scope = make_record({.id = 3, .parent = 2, .name = "other scope"});
    other_scope->set_scope("library", "1.2", "https://example.com/schema");
    other_scope->set_status(StatusCode::kOk, "");
    // A length that needs three bytes, so that nested messages are moved.
    const auto large = make_record({.id = 4, .name = "large"});
    const std::string prompt(70'000, 'p');
    large->set_attribute("prompt", std::string_view(prompt), limits);
    return {full, other_scope, make_record({.id = 1}), large};
}

TraceRequest from_protobuf(const std::string& body) {
    TraceRequest request;
    EXPECT_TRUE(request.ParseFromString(body));
    return request;
}

// OTLP writes ids in hex where protobuf's JSON form has base64; all else is the standard form.
void ids_to_base64(json::value& value) {
    static constexpr std::string_view kDigits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (auto* list = value.if_array()) {
        std::ranges::for_each(*list, ids_to_base64);
        return;
    }
    auto* object = value.if_object();
    if (object == nullptr) {
        return;
    }
    for (auto& [key, member] : *object) {
        if (key != "traceId" && key != "spanId" && key != "parentSpanId") {
            ids_to_base64(member);
            continue;
        }
        const std::string_view hex = member.as_string();
        EXPECT_EQ(hex.size(), key == "traceId" ? 32U : 16U);
        EXPECT_EQ(hex.find_first_not_of("0123456789abcdef"), std::string_view::npos) << hex;
        std::string bits;
        for (const auto digit : hex) {
            const auto number =
                static_cast<unsigned>(std::stoi(std::string(1, digit), nullptr, 16));
            for (int bit = 3; bit >= 0; --bit) {
                bits += (number >> static_cast<unsigned>(bit)) & 1U ? '1' : '0';
            }
        }
        bits.resize((bits.size() + 5) / 6 * 6, '0');
        std::string base64;
        for (std::size_t at = 0; at < bits.size(); at += 6) {
            base64 += kDigits[std::stoul(bits.substr(at, 6), nullptr, 2)];
        }
        base64.resize((base64.size() + 3) / 4 * 4, '=');
        member = json::string(base64);
    }
}

// Strict: unknown or misspelt fields and wrong types are errors.
TraceRequest from_json(std::string_view line) {
    auto parsed = parse_json(line).value();
    ids_to_base64(parsed);
    google::protobuf::util::JsonParseOptions options;
    options.ignore_unknown_fields = false;
    options.case_insensitive_enum_parsing = false;
    TraceRequest request;
    const auto status =
        google::protobuf::util::JsonStringToMessage(to_json_text(parsed), &request, options);
    EXPECT_TRUE(status.ok()) << status.ToString();
    return request;
}

TEST(OtlpEncoding, ProtobufHoldsEverything) {
    std::string body;
    append_otlp_protobuf(body, sample_resource(), sample_batch());
    const auto request = from_protobuf(body);
    ASSERT_EQ(request.resource_spans_size(), 1);
    const auto& resource = request.resource_spans(0);
    EXPECT_EQ(resource.schema_url(), "https://opentelemetry.io/schemas/1.44.0");
    EXPECT_EQ(resource.resource().attributes(1).value().int_value(), 7);
    ASSERT_EQ(resource.scope_spans_size(), 2);
    const auto& library = resource.scope_spans(1);
    EXPECT_EQ(library.scope().name(), "library");
    EXPECT_EQ(library.scope().version(), "1.2");
    EXPECT_EQ(library.schema_url(), "https://example.com/schema");
    EXPECT_EQ(library.spans(0).status().code(), 1);
    ASSERT_EQ(resource.scope_spans(0).spans_size(), 3);
    const auto& span = resource.scope_spans(0).spans(0);
    EXPECT_EQ(span.name(), "full \\ \"name\"\t\x01 → ü");
    EXPECT_EQ(span.trace_id(), std::string(15, '\0') + '\x01');
    EXPECT_EQ(span.span_id(), std::string(7, '\0') + '\x02');
    EXPECT_EQ(span.parent_span_id(), std::string(7, '\0') + '\x01');
    EXPECT_EQ(span.kind(), opentelemetry::proto::trace::v1::Span::SPAN_KIND_CLIENT);
    EXPECT_EQ(span.flags(), 0x301U);
    EXPECT_EQ(span.trace_state(), "vendor=1,other=2");
    EXPECT_EQ(span.start_time_unix_nano(), static_cast<std::uint64_t>(kTestStartNs));
    EXPECT_EQ(span.end_time_unix_nano(), static_cast<std::uint64_t>(kTestStartNs) + 1'000'000);
    EXPECT_EQ(span.attributes_size(), 13);
    EXPECT_EQ(span.dropped_attributes_count(), 3U);
    EXPECT_EQ(span.dropped_events_count(), 2U);
    EXPECT_EQ(span.dropped_links_count(), 1U);
    EXPECT_EQ(span.status().code(), 2);
    EXPECT_EQ(span.status().message(), "it \"failed\"");
    EXPECT_EQ(span.attributes(7).value().bytes_value(), std::string("\x00\xFF\x10\x20", 4));
    EXPECT_EQ(span.attributes(9).value().array_value().values(0).int_value(), -1);
    ASSERT_EQ(span.events_size(), 2);
    EXPECT_EQ(span.events(0).attributes(0).value().string_value(), "boom");
    ASSERT_EQ(span.links_size(), 1);
    EXPECT_EQ(span.links(0).flags(), 0x301U);
    EXPECT_EQ(span.links(0).trace_state(), "x=y");
    EXPECT_EQ(
        resource.scope_spans(0).spans(2).attributes(0).value().string_value().size(), 70'000U
    );
    EXPECT_TRUE(resource.scope_spans(0).spans(1).parent_span_id().empty());
}

TEST(OtlpEncoding, JsonSaysTheSameAsProtobuf) {
    std::string body;
    append_otlp_protobuf(body, sample_resource(), sample_batch());
    std::string line;
    append_otlp_json(line, sample_resource(), sample_batch());
    EXPECT_EQ(line.find('\n'), std::string::npos);
    std::string differences;
    google::protobuf::util::MessageDifferencer differencer;
    differencer.ReportDifferencesToString(&differences);
    EXPECT_TRUE(differencer.Compare(from_protobuf(body), from_json(line))) << differences;
}

TEST(OtlpEncoding, JsonWritesNumbersAsTheFileFormatAsks) {
    std::string line;
    append_otlp_json(line, {}, sample_batch());
    const auto parsed = parse_json(line).value();
    const auto& span = parsed.at_pointer("/resourceSpans/0/scopeSpans/0/spans/0");
    EXPECT_TRUE(span.at("startTimeUnixNano").is_string());
    EXPECT_TRUE(span.at("endTimeUnixNano").is_string());
    EXPECT_TRUE(span.at("kind").is_int64());
    EXPECT_TRUE(span.at("status").at("code").is_int64());
    EXPECT_EQ(span.at_pointer("/attributes/1/value/intValue"), "-9223372036854775808");
    EXPECT_EQ(span.at_pointer("/attributes/4/value/doubleValue"), "Infinity");
    EXPECT_FALSE(
        parsed.at_pointer("/resourceSpans/0/scopeSpans/1/spans/0").as_object().contains("events")
    );
}

TEST(OtlpEncoding, ResponsesAreReadAndGarbageIsIgnored) {
    TraceResponse response;
    response.mutable_partial_success()->set_rejected_spans(300);
    response.mutable_partial_success()->set_error_message("too old");
    const auto receipt = parse_otlp_response(response.SerializeAsString());
    EXPECT_EQ(receipt.rejected, 300U);
    EXPECT_EQ(receipt.reason, "too old");
    EXPECT_EQ(parse_otlp_response("").rejected, 0U);
    EXPECT_EQ(parse_otlp_response("<html>hello</html>").rejected, 0U);
    EXPECT_EQ(parse_otlp_response(std::string(100, '\xFF')).rejected, 0U);
}

class OtlpFile : public testing::Test {
protected:
    ~OtlpFile() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string path(std::string_view name) const { return folder_ / name; }

private:
    static std::filesystem::path make_folder() {
        std::string pattern = std::filesystem::temp_directory_path() / "flowspan-otlp-XXXXXX";
        EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
        return pattern;
    }

    std::filesystem::path folder_ = make_folder();
};

TEST_F(OtlpFile, HoldsOneRequestALine) {
    const auto sink = make_otlp_file_sink(path("trace.jsonl")).value();
    sink->begin(sample_resource());
    const auto batch = sample_batch();
    ASSERT_TRUE(sink->export_spans(batch));
    ASSERT_TRUE(sink->export_spans(SpanBatch(batch).first(1)));
    ASSERT_TRUE(sink->close());
    std::ifstream file(path("trace.jsonl"));
    std::stringstream content;
    content << file.rdbuf();
    const auto text = content.str();
    ASSERT_TRUE(text.ends_with('\n'));
    const auto lines = split(std::string_view(text).substr(0, text.size() - 1), '\n');
    ASSERT_EQ(lines.size(), 2U);
    EXPECT_EQ(from_json(lines[0]).resource_spans(0).scope_spans_size(), 2);
    EXPECT_EQ(from_json(lines[1]).resource_spans(0).scope_spans(0).spans_size(), 1);
}

TEST_F(OtlpFile, SaysWhyItCannotBeWritten) {
    const auto missing = make_otlp_file_sink(path("no/such/folder.jsonl"));
    ASSERT_FALSE(missing);
    EXPECT_THAT(missing.error().message, testing::HasSubstr("No such file or directory"));
    const auto full = make_otlp_file_sink("/dev/full").value();
    full->begin({});
    const auto result = full->export_spans(sample_batch());
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, testing::HasSubstr("No space left"));
    EXPECT_FALSE(is_retryable(result.error().code));
}

}  // namespace
}  // namespace flowspan::exporting
