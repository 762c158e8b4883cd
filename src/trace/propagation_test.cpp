#include "flowspan/trace/propagation.hpp"

#include "trace/span_recording.hpp"

#include <gtest/gtest.h>
#include <opentelemetry/trace/context.h>
#include <opentelemetry/trace/scope.h>

#include <map>
#include <string>

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

TEST(Propagation, GarbageGivesNoParent) {
    EXPECT_FALSE(opentelemetry::trace::GetSpan(extract_from({{"traceparent", "00-zz"}}))
                     ->GetContext()
                     .IsValid());
    EXPECT_TRUE(inject_from({}).empty());
}

}  // namespace
}  // namespace flowspan::trace
