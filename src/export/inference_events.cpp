#include "export/inference_events.hpp"

#include "flowspan/base/json.hpp"
#include "flowspan/trace/content.hpp"
#include "flowspan/trace/log_event.hpp"
#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <deque>
#include <string_view>
#include <vector>

namespace flowspan::exporting {

namespace names = trace::names;

namespace {

bool is_inference(const SpanRecord& span) {
    static constexpr std::string_view kOperations[] = {"chat", "text_completion"};
    return std::ranges::count(kOperations, span.text(names::kGenAiOperationName)) > 0;
}

// On spans what is asked and said is JSON text, because a span's attributes cannot nest.
bool is_structured(std::string_view key) {
    return std::ranges::any_of(trace::content_facts(), [key](const trace::ContentFact& fact) {
        const bool is_of_call =
            fact.kind == trace::ContentKind::prompts || fact.kind == trace::ContentKind::answers;
        return is_of_call && key == fact.key;
    });
}

/// The attributes of one event; keeps the documents that they refer to.
class EventAttributes {
public:
    void add(const AttributeView& attribute) {
        key_ = attribute.key;
        std::visit(*this, attribute.value);
    }

    [[nodiscard]] std::span<const trace::LogAttribute> view() const noexcept { return list_; }

    void operator()(bool value) { list_.push_back({key_, value}); }

    void operator()(std::int64_t value) { list_.push_back({key_, value}); }

    void operator()(double value) { list_.push_back({key_, value}); }

    void operator()(std::string_view text) {
        if (is_structured(key_)) {
            if (auto document = parse_json(text)) {
                add_document(*std::move(document));
                return;
            }
        }
        list_.push_back({key_, text});
    }

    // Nothing that Flowspan writes on the span of a model call is of this type.
    void operator()(const ByteView& /*bytes*/) {}

    template <class List>
    void operator()(const List& list) {
        json::array items;
        list.for_each([&items](auto item) { items.push_back(json::value(item)); });
        add_document(std::move(items));
    }

private:
    void add_document(json::value document) {
        list_.push_back({key_, &documents_.emplace_back(std::move(document))});
    }

    std::string_view key_;
    std::vector<trace::LogAttribute> list_;
    std::deque<json::value> documents_;  // does not move what it holds
};

void emit(const SpanRecord& span) {
    EventAttributes attributes;
    span.for_each_attribute([&](const AttributeView& attribute) { attributes.add(attribute); });
    trace::emit_log({
        .name = names::kGenAiInferenceDetails,
        .severity = trace::LogSeverity::debug,
        .body = {},
        .attributes = attributes.view(),
        .span = opentelemetry::trace::SpanContext(
            span.trace_id, span.span_id, opentelemetry::trace::TraceFlags(span.trace_flags), false
        ),
    });
}

class InferenceEventSink final : public SpanSink {
public:
    [[nodiscard]] std::string_view name() const noexcept override { return "model call events"; }

    // So that the event has the time of the call's end.
    [[nodiscard]] Delivery delivery() const noexcept override { return Delivery::at_span_end; }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override {
        for (const auto& span : batch) {
            if (is_inference(*span)) {
                emit(*span);
            }
        }
        return ExportReceipt{};
    }
};

}  // namespace

std::shared_ptr<SpanSink> make_inference_event_sink() {
    return std::make_shared<InferenceEventSink>();
}

}  // namespace flowspan::exporting
