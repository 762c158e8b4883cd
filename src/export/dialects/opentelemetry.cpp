#include "export/dialect.hpp"
#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <array>

namespace flowspan::exporting {

namespace names = trace::names;

namespace {

// Recorded for other conventions' sake; OpenTelemetry has no such names.
constexpr std::array<std::string_view, 2> kForeign = {
    names::kGenAiSpanKind,
    names::kGenAiFramework,
};

}  // namespace

// What is recorded has OpenTelemetry's names already. Left out is what belongs to others; inputs
// and outputs, for which there is no convention, get names of our own.
void write_opentelemetry(const SpanFacts& facts, SpanWriter& out) {
    facts.span().for_each_attribute([&](const AttributeView& attribute) {
        if (attribute.key == names::kInputValue) {
            out.copy(names::kFlowspanInput, attribute);
        } else if (attribute.key == names::kOutputValue) {
            out.copy(names::kFlowspanOutput, attribute);
        } else if (std::ranges::find(kForeign, attribute.key) == kForeign.end()) {
            out.copy(attribute);
        }
    });
    if (facts.step() != Step::other) {
        out.set_text(names::kUserId, facts.user());
        out.set_text(names::kGenAiConversationId, facts.session());
    }
}

}  // namespace flowspan::exporting
