#include "export/dialect.hpp"

#include "flowspan/trace/content.hpp"
#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace flowspan::exporting {

namespace {

// One line a dialect.
constexpr std::array kDialects = {
    Dialect{"flowspan", "as recorded: OpenTelemetry's names, Dify's and our own", nullptr, false},
    Dialect{"opentelemetry", "OpenTelemetry's GenAI conventions alone", write_opentelemetry, false},
    Dialect{
        "openinference",
        "OpenInference, for Phoenix and Arize",
        write_openinference,
        true,
        phoenix_scores
    },
    Dialect{"dify", "the names of Dify's own instrumentation", write_dify},
    Dialect{"langfuse", "Langfuse's OTLP endpoint", write_langfuse, true, langfuse_scores},
    Dialect{"langsmith", "LangSmith's OTLP endpoint", write_langsmith, true, langsmith_scores},
};

// A flattened conversation has many attributes; what they may take together is bounded by the
// record that they come from.
constexpr SpanLimits kLimits{.attributes_max = 512, .span_bytes_max = 4UL * 1024UL * 1024UL};

/// Values of a record are views of packed bytes; writers take plain lists.
struct ValueReader {
    template <class Function>
    static void read(const ValueView& value, const Function& use) {
        std::visit([&use](const auto& item) { forward(item, use); }, value);
    }

private:
    template <class Function>
    static void forward(const TextList& list, const Function& use) {
        std::vector<std::string_view> views;
        list.for_each([&views](std::string_view text) { views.push_back(text); });
        use(SpanRecord::Value(std::span<const std::string_view>(views)));
    }

    template <class T, class Function>
    static void forward(const PackedList<T>& list, const Function& use) {
        const auto items = std::make_unique<T[]>(list.size());
        for (std::size_t i = 0; i < list.size(); ++i) {
            items[i] = list[i];
        }
        use(SpanRecord::Value(std::span<const T>(items.get(), list.size())));
    }

    template <class T, class Function>
    static void forward(const T& value, const Function& use) {
        use(SpanRecord::Value(value));
    }
};

void copy_events(const SpanRecord& from, SpanRecord& to) {
    for (std::size_t i = 0; i < from.event_count(); ++i) {
        const auto event = from.event(i);
        to.begin_event(event.name, event.time_ns, kLimits);
        from.for_each_event_attribute(i, [&to](const AttributeView& attribute) {
            ValueReader::read(attribute.value, [&](const SpanRecord::Value& value) {
                to.add_event_attribute(attribute.key, value, kLimits);
            });
        });
    }
}

void copy_links(const SpanRecord& from, SpanRecord& to) {
    for (std::size_t i = 0; i < from.link_count(); ++i) {
        const auto link = from.link(i);
        to.begin_link(
            {link.trace_id, link.span_id, link.trace_state, link.trace_flags, link.is_remote},
            kLimits
        );
        from.for_each_link_attribute(i, [&to](const AttributeView& attribute) {
            ValueReader::read(attribute.value, [&](const SpanRecord::Value& value) {
                to.add_link_attribute(attribute.key, value, kLimits);
            });
        });
    }
}

struct JsonConverter {
    json::value operator()(bool item) const { return item; }

    json::value operator()(std::int64_t item) const { return item; }

    json::value operator()(double item) const { return item; }

    json::value operator()(std::string_view item) const { return json::string(item); }

    json::value operator()(const ByteView& /*item*/) const { return nullptr; }

    template <class List>
        requires requires(const List& list) { list.for_each([](const auto&) {}); }
    json::value operator()(const List& list) const {
        json::array items;
        list.for_each([&items](const auto& item) { items.emplace_back(item); });
        return items;
    }
};

json::value to_json(const ValueView& value) {
    return std::visit(JsonConverter{}, value);
}

}  // namespace

SpanWriter::SpanWriter(const SpanRecord& source) : made_(std::make_shared<SpanRecord>()) {
    auto& to = *made_;
    to.trace_id = source.trace_id;
    to.span_id = source.span_id;
    to.parent_span_id = source.parent_span_id;
    to.start_ns = source.start_ns;
    to.duration_ns = source.duration_ns;
    to.kind = source.kind;
    to.trace_flags = source.trace_flags;
    to.is_parent_remote = source.is_parent_remote;
    to.dropped_attributes = source.dropped_attributes;
    to.run = source.run;
    to.sequence = source.sequence;
    to.is_open = source.is_open;
    to.set_name(source.name());
    to.set_trace_state(source.trace_state());
    to.set_scope(source.scope_name(), source.scope_version(), source.scope_schema_url());
    to.set_status(source.status(), source.status_description());
    copy_events(source, to);
    copy_links(source, to);
    to.dropped_events += source.dropped_events;
    to.dropped_links += source.dropped_links;
}

void SpanWriter::set(std::string_view key, const SpanRecord::Value& value) {
    made_->set_attribute(key, value, kLimits);
}

void SpanWriter::set_text(std::string_view key, std::string_view value) {
    if (!value.empty()) {
        set(key, value);
    }
}

void SpanWriter::set_json(std::string_view key, const json::value& value) {
    const auto text = to_json_text(value);
    set(key, std::string_view(text));
}

void SpanWriter::set_texts(std::string_view key, std::span<const std::string_view> values) {
    if (!values.empty()) {
        set(key, values);
    }
}

void SpanWriter::set_integer(std::string_view key, const std::optional<std::int64_t>& value) {
    if (value) {
        set(key, *value);
    }
}

void SpanWriter::set_number(std::string_view key, const std::optional<double>& value) {
    if (value) {
        set(key, *value);
    }
}

void SpanWriter::copy(std::string_view key, const AttributeView& attribute) {
    ValueReader::read(attribute.value, [&](const SpanRecord::Value& value) { set(key, value); });
}

SpanRecordPtr SpanWriter::take() {
    made_->finish();
    return std::move(made_);
}

std::span<const Dialect> all_dialects() noexcept {
    return kDialects;
}

const Dialect* find_dialect(std::string_view name) noexcept {
    const auto* found = std::ranges::find(kDialects, name, &Dialect::name);
    return found == kDialects.end() ? nullptr : found;
}

bool is_gen_ai_name(std::string_view key) noexcept {
    return key.starts_with("gen_ai.");
}

bool is_house_name(std::string_view key) noexcept {
    namespace names = trace::names;
    // The marks of what was cut and what tells of a score are for every reader.
    return (key.starts_with("dify.") || key.starts_with("flowspan.") || key.starts_with("node.")) &&
           key != names::kFlowspanTruncated && key != names::kFlowspanTruncatedBytes &&
           key != names::kFlowspanScoreSource && key != names::kFlowspanScoreOfStep;
}

bool is_content_name(std::string_view key) noexcept {
    return std::ranges::any_of(trace::content_facts(), [key](const trace::ContentFact& fact) {
        return key == fact.key;
    });
}

json::object house_metadata(const SpanFacts& facts) {
    json::object metadata;
    for (const auto& [name, value] : facts.ids()) {
        metadata[name] = value;
    }
    facts.span().for_each_attribute([&metadata](const AttributeView& attribute) {
        if (is_house_name(attribute.key)) {
            metadata[attribute.key] = to_json(attribute.value);
        }
    });
    return metadata;
}

}  // namespace flowspan::exporting
