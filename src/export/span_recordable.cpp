#include "export/span_recordable.hpp"

#include "flowspan/trace/run_scope.hpp"

#include <fmt/format.h>
#include <opentelemetry/common/key_value_iterable.h>
#include <opentelemetry/trace/span_context.h>
#include <opentelemetry/trace/trace_state.h>

#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace common = opentelemetry::common;
namespace nostd = opentelemetry::nostd;
namespace otel = opentelemetry::trace;

namespace flowspan::exporting {

namespace {

std::string_view view(nostd::string_view text) noexcept {
    return {text.data(), text.size()};
}

// Turns the API's many value types into the few that a record has, and hands the result to `sink`
// while the converted data lives.
template <class Sink>
struct ValueConverter {
    Sink sink;

    void operator()(bool value) const { sink(value); }

    void operator()(std::int32_t value) const { sink(static_cast<std::int64_t>(value)); }

    void operator()(std::int64_t value) const { sink(value); }

    void operator()(std::uint32_t value) const { sink(static_cast<std::int64_t>(value)); }

    void operator()(double value) const { sink(value); }

    void operator()(const char* value) const {
        sink(value == nullptr ? std::string_view() : std::string_view(value));
    }

    void operator()(nostd::string_view value) const { sink(view(value)); }

    // Beyond int64 the specification asks for the decimal text.
    void operator()(std::uint64_t value) const {
        if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
            sink(static_cast<std::int64_t>(value));
        } else {
            const auto text = fmt::format_int(value);
            sink(std::string_view(text.data(), text.size()));
        }
    }

    void operator()(nostd::span<const bool> values) const {
        sink(std::span<const bool>(values.data(), values.size()));
    }

    void operator()(nostd::span<const std::int64_t> values) const {
        sink(std::span<const std::int64_t>(values.data(), values.size()));
    }

    void operator()(nostd::span<const double> values) const {
        sink(std::span<const double>(values.data(), values.size()));
    }

    void operator()(nostd::span<const std::uint8_t> values) const {
        sink(ByteView{{reinterpret_cast<const char*>(values.data()), values.size()}});
    }

    void operator()(nostd::span<const nostd::string_view> values) const {
        std::vector<std::string_view> views;
        views.reserve(values.size());
        for (const auto& value : values) {
            views.push_back(view(value));
        }
        sink(std::span<const std::string_view>(views));
    }

    template <class Integer>
    void operator()(nostd::span<const Integer> values) const {
        std::vector<std::int64_t> wide;
        wide.reserve(values.size());
        for (const auto value : values) {
            wide.push_back(static_cast<std::int64_t>(value));
        }
        sink(std::span<const std::int64_t>(wide));
    }
};

/// A text as it may be kept; refers to the text given if there is nothing to take out.
class CleanText {
public:
    CleanText(const trace::Redactor& redactor, std::string_view text)
        : text_(text), cleaned_(redactor.redact(text)) {}

    [[nodiscard]] std::string_view view() const noexcept {
        return cleaned_ ? std::string_view(*cleaned_) : text_;
    }

private:
    std::string_view text_;
    std::optional<std::string> cleaned_;
};

/// Hands a value to `sink` without secrets.
template <class Sink>
void with_clean_value(
    const trace::Redactor& redactor, const SpanRecord::Value& value, const Sink& sink
) {
    if (const auto* text = std::get_if<std::string_view>(&value)) {
        const CleanText clean(redactor, *text);
        sink(SpanRecord::Value(clean.view()));
    } else if (const auto* texts = std::get_if<std::span<const std::string_view>>(&value)) {
        std::vector<CleanText> clean;
        std::vector<std::string_view> views;
        clean.reserve(texts->size());
        views.reserve(texts->size());
        for (const auto item : *texts) {
            views.push_back(clean.emplace_back(redactor, item).view());
        }
        sink(SpanRecord::Value(std::span<const std::string_view>(views)));
    } else {
        sink(value);
    }
}

std::int64_t to_ns(common::SystemTimestamp time) noexcept {
    return time.time_since_epoch().count();
}

template <class Function>
void convert(
    const trace::Redactor& redactor, const common::AttributeValue& value, const Function& function
) {
    const auto sink = [&](const auto& converted) {
        with_clean_value(redactor, SpanRecord::Value(converted), function);
    };
    nostd::visit(ValueConverter<decltype(sink)>{sink}, value);
}

std::string trace_state_text(const otel::SpanContext& context) {
    const auto& state = context.trace_state();
    return state == nullptr || state->Empty() ? std::string() : state->ToHeader();
}

}  // namespace

SpanRecordable::SpanRecordable(
    const SpanLimits& limits, const trace::Redactor& redactor, Observed observed
)
    : limits_(limits), redactor_(&redactor) {
    if (observed == Observed::yes) {
        live_ = std::make_shared<LiveSpan>();
        record_ = std::shared_ptr<SpanRecord>(live_, &live_->record_);
    } else {
        record_ = std::make_shared<SpanRecord>();
    }
    record_->run = trace::current_run_scope();
    if (record_->run != nullptr && record_->run->redactor != nullptr) {
        // The record keeps the run's scope, which keeps the rules.
        redactor_ = record_->run->redactor.get();
    }
}

std::unique_lock<std::mutex> SpanRecordable::begin_write() noexcept {
    if (live_ == nullptr) {
        return {};
    }
    std::unique_lock lock(live_->mutex_);
    ++live_->version_;
    return lock;
}

SpanRecordPtr SpanRecordable::take(std::uint64_t sequence) && {
    auto lock = begin_write();
    record_->finish();
    record_->sequence = sequence;
    if (live_ != nullptr) {
        live_->has_ended_ = true;
        record_->journal_slot = live_->journal_slot_;
        lock.unlock();
        live_.reset();
    }
    return std::exchange(record_, nullptr);
}

void SpanRecordable::SetIdentity(
    const otel::SpanContext& context, otel::SpanId parent_span_id
) noexcept {
    record_->trace_id = context.trace_id();
    record_->span_id = context.span_id();
    record_->parent_span_id = parent_span_id;
    record_->trace_flags = context.trace_flags().flags();
    if (const auto state = trace_state_text(context); !state.empty()) {
        record_->set_trace_state(state);
    }
}

void SpanRecordable::SetAttribute(
    nostd::string_view key, const common::AttributeValue& value
) noexcept {
    convert(*redactor_, value, [this, key](const SpanRecord::Value& converted) {
        const auto lock = begin_write();
        record_->set_attribute(view(key), converted, limits_);
    });
}

void SpanRecordable::AddEvent(
    nostd::string_view name,
    common::SystemTimestamp timestamp,
    const common::KeyValueIterable& attributes
) noexcept {
    const CleanText clean_name(*redactor_, view(name));
    const auto lock = begin_write();
    if (!record_->begin_event(clean_name.view(), to_ns(timestamp), limits_)) {
        return;
    }
    attributes.ForEachKeyValue([this](nostd::string_view key, common::AttributeValue value) {
        convert(*redactor_, value, [this, key](const SpanRecord::Value& converted) {
            record_->add_event_attribute(view(key), converted, limits_);
        });
        return true;
    });
}

void SpanRecordable::AddLink(
    const otel::SpanContext& context, const common::KeyValueIterable& attributes
) noexcept {
    const auto lock = begin_write();
    const auto state = trace_state_text(context);
    const SpanRecord::LinkTarget target{
        context.trace_id(),
        context.span_id(),
        state,
        context.trace_flags().flags(),
        context.IsRemote()
    };
    if (!record_->begin_link(target, limits_)) {
        return;
    }
    attributes.ForEachKeyValue([this](nostd::string_view key, common::AttributeValue value) {
        convert(*redactor_, value, [this, key](const SpanRecord::Value& converted) {
            record_->add_link_attribute(view(key), converted, limits_);
        });
        return true;
    });
}

void SpanRecordable::SetStatus(otel::StatusCode code, nostd::string_view description) noexcept {
    const CleanText clean(*redactor_, view(description));
    const auto lock = begin_write();
    record_->set_status(code, clean.view());
}

void SpanRecordable::SetName(nostd::string_view name) noexcept {
    const CleanText clean(*redactor_, view(name));
    const auto lock = begin_write();
    record_->set_name(clean.view());
}

void SpanRecordable::SetTraceFlags(otel::TraceFlags flags) noexcept {
    const auto lock = begin_write();
    record_->trace_flags = flags.flags();
}

void SpanRecordable::SetSpanKind(otel::SpanKind kind) noexcept {
    const auto lock = begin_write();
    record_->kind = kind;
}

// Sinks get the resource once, from the pipeline; a record must not point into the provider.
void SpanRecordable::SetResource(const opentelemetry::sdk::resource::Resource& /*resource*/
) noexcept {}

void SpanRecordable::SetStartTime(common::SystemTimestamp start_time) noexcept {
    const auto lock = begin_write();
    record_->start_ns = to_ns(start_time);
}

void SpanRecordable::SetDuration(std::chrono::nanoseconds duration) noexcept {
    const auto lock = begin_write();
    record_->duration_ns = duration.count();
}

void SpanRecordable::SetInstrumentationScope(
    const opentelemetry::sdk::instrumentationscope::InstrumentationScope& scope
) noexcept {
    record_->set_scope(scope.GetName(), scope.GetVersion(), scope.GetSchemaURL());
}

}  // namespace flowspan::exporting
