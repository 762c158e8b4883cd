#include "flowspan/trace/propagation.hpp"

#include "flowspan/trace/context_storage.hpp"
#include "trace/span_recording.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/context/runtime_context.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/noop.h>
#include <opentelemetry/trace/scope.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

namespace flowspan::trace {
namespace {

using Headers = std::map<std::string, std::string>;

constexpr std::string_view kTraceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";

opentelemetry::context::Context extract_from(const Headers& headers) {
    return extract([&headers](std::string_view name) -> std::string_view {
        const auto found = headers.find(std::string(name));
        return found == headers.end() ? std::string_view() : std::string_view(found->second);
    });
}

Headers inject_from(const opentelemetry::context::Context& context) {
    Headers headers;
    inject(context, [&headers](std::string_view name, std::string_view value) {
        headers.emplace(name, value);
    });
    return headers;
}

TEST(Propagation, ForwardsTheRemoteContextAndItsFlagsWhileTracingIsOff) {
    set_tracer_provider({});
    const auto context = extract_from({{"traceparent", std::string(kTraceparent)}});
    EXPECT_EQ(inject_from(context).at("traceparent"), kTraceparent);
}

TEST(Propagation, SpanContinuesTheRemoteTrace) {
    SpanRecording recording;
    const auto remote = extract_from({{"traceparent", std::string(kTraceparent)}});
    opentelemetry::trace::StartSpanOptions options;
    options.parent = remote;
    tracer().StartSpan("local", options)->End();
    const auto spans = recording.take();
    ASSERT_EQ(spans.size(), 1U);
    char text[32];
    spans[0]->GetTraceId().ToLowerBase16(text);
    EXPECT_EQ(std::string(text, 32), "0af7651916cd43dd8448eb211c80319c");
}

TEST(Propagation, AcceptsB3OnTheWayIn) {
    const auto context = extract_from(
        {{"x-b3-traceid", "0af7651916cd43dd8448eb211c80319c"},
         {"x-b3-spanid", "b7ad6b7169203331"},
         {"x-b3-sampled", "1"}}
    );
    EXPECT_TRUE(opentelemetry::trace::GetSpan(context)->GetContext().IsValid());
}

TEST(Propagation, AJobsHeadersCarryTheTraceInNamesOfAnyCase) {
    SpanRecording recording;
    Carrier headers = {{"task", "x"}};
    const auto span = tracer().StartSpan("publish");
    {
        const opentelemetry::trace::Scope scope(span);
        inject(headers);
    }
    ASSERT_TRUE(headers.contains("traceparent"));
    EXPECT_EQ(headers.at("task"), "x");
    const Carrier shouted = {{"TRACEPARENT", headers.at("traceparent")}, {"Baggage", "a=1"}};
    const auto context = extract(shouted);
    const auto parent = opentelemetry::trace::GetSpan(context)->GetContext();
    EXPECT_EQ(parent.span_id(), span->GetContext().span_id());
    EXPECT_TRUE(parent.IsRemote());
    EXPECT_EQ(inject_from(context).at("baggage"), "a=1");
}

TEST(Propagation, ASpanThatTheSamplerDroppedAsksNobodyToRecord) {
    // What SDK 1.19 makes of a dropped span below a sampled parent.
    const auto parent = opentelemetry::trace::GetSpan(
        extract(Carrier{{"traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}})
    );
    auto sampled = std::make_unique<opentelemetry::trace::SpanContext>(
        parent->GetContext().trace_id(),
        parent->GetContext().span_id(),
        parent->GetContext().trace_flags(),
        false
    );
    const opentelemetry::nostd::shared_ptr<opentelemetry::trace::Span> dropped(
        new opentelemetry::trace::NoopSpan(nullptr, std::move(sampled))
    );
    opentelemetry::context::Context root;
    EXPECT_TRUE(
        inject_from(opentelemetry::trace::SetSpan(root, dropped)).at("traceparent").ends_with("-00")
    );
    EXPECT_TRUE(
        inject_from(opentelemetry::trace::SetSpan(root, parent)).at("traceparent").ends_with("-01")
    );
}

TEST(Propagation, ExternalTraceIdsAreHexadecimalDigitsOrUuids) {
    struct Case {
        std::string_view text;
        bool is_id;
    };

    const Case cases[] = {
        {"0af7651916cd43dd8448eb211c80319c", true},
        {"0AF7651916CD43DD8448EB211C80319C", true},
        {"0af76519-16cd-43dd-8448-eb211c80319c", true},
        {"00000000000000000000000000000000", false},
        {"0af7651916cd43dd8448eb211c80319", false},
        {"0af7651916cd43dd8448eb211c80319g", false},
        {"0af765191-6cd-43dd-8448-eb211c80319c", false},
        {"", false},
    };
    for (const auto& test : cases) {
        EXPECT_EQ(parse_trace_id(test.text).has_value(), test.is_id) << test.text;
    }
}

TEST(Propagation, AContextCanAskForATraceId) {
    install_context_storage();
    EXPECT_FALSE(requested_trace_id());
    const auto id = *parse_trace_id("0af7651916cd43dd8448eb211c80319c");
    const auto token =
        opentelemetry::context::RuntimeContext::Attach(with_trace_id(current_context(), id));
    EXPECT_EQ(requested_trace_id(), id);
}

TEST(Propagation, GarbageGivesNoParent) {
    EXPECT_FALSE(opentelemetry::trace::GetSpan(extract_from({{"traceparent", "00-zz"}}))
                     ->GetContext()
                     .IsValid());
    EXPECT_TRUE(inject_from({}).empty());
}

}  // namespace
}  // namespace flowspan::trace
