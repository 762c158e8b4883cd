#include "flowspan/trace/tracer.hpp"

#include <gtest/gtest.h>

namespace flowspan::trace {
namespace {

TEST(Tracer, GivesSpansThatDoNothingWhileTracingIsOff) {
    ASSERT_FALSE(is_tracing_enabled());
    const auto span = tracer().StartSpan("nothing");
    EXPECT_FALSE(span->IsRecording());
    span->SetAttribute("key", 1);
    span->End();
}

}  // namespace
}  // namespace flowspan::trace
