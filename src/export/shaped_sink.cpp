#include "export/shaped_sink.hpp"

#include "export/otlp_sink.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;
using trace::CaptureMode;
using trace::ContentKind;

namespace {

/// How much of an attribute may be shown: the mode of the content it belongs to.
class ContentFilter {
public:
    ContentFilter(const SpanRecord& span, const trace::ContentModes& modes)
        : modes_(modes), node_(trace::content_kinds_of(span.text(names::kNodeType))) {}

    [[nodiscard]] bool shows(std::string_view key) const noexcept {
        for (const auto& fact : trace::content_facts()) {
            if (key == fact.key || key == fact.ref_key) {
                return mode(fact) == CaptureMode::full;
            }
            if (key == fact.bytes_key) {
                return mode(fact) != CaptureMode::off;
            }
        }
        const bool is_of_documents =
            key == names::kFlowspanDocumentIds || key == names::kFlowspanDocumentScores;
        return !is_of_documents || modes_[ContentKind::documents] != CaptureMode::off;
    }

private:
    [[nodiscard]] CaptureMode mode(const trace::ContentFact& fact) const noexcept {
        const auto own = modes_[fact.kind];
        if (fact.key == names::kInputValue) {
            return std::min(own, modes_[node_.input]);
        }
        if (fact.key == names::kOutputValue) {
            return std::min(own, modes_[node_.output]);
        }
        return own;
    }

    const trace::ContentModes& modes_;
    trace::NodeContentKinds node_;
};

/// Ids and scores of what was found, which are no content.
json::array document_ids(const SpanRecord& span) {
    json::array documents;
    span.for_each_attribute([&documents](const AttributeView& attribute) {
        const auto* ids = std::get_if<TextList>(&attribute.value);
        if (attribute.key == names::kFlowspanDocumentIds && ids != nullptr) {
            ids->for_each([&documents](std::string_view id) {
                documents.push_back(json::object{{"id", id}});
            });
        }
        const auto* scores = std::get_if<PackedList<double>>(&attribute.value);
        if (attribute.key == names::kFlowspanDocumentScores && scores != nullptr) {
            for (std::size_t i = 0; i < std::min(scores->size(), documents.size()); ++i) {
                documents[i].get_object()["score"] = (*scores)[i];
            }
        }
    });
    return documents;
}

class ShapedSink final : public SpanSink {
public:
    ShapedSink(std::shared_ptr<SpanSink> inner, SpanShape shape)
        : inner_(std::move(inner)), shape_(std::move(shape)) {}

    [[nodiscard]] std::string_view name() const noexcept override { return inner_->name(); }

    [[nodiscard]] Delivery delivery() const noexcept override { return inner_->delivery(); }

    void begin(const ExportResource& resource) override {
        auto mine = resource;
        for (const auto& attribute : shape_.resource) {
            const auto found =
                std::ranges::find(mine.attributes, attribute.name, &ResourceAttribute::name);
            if (found == mine.attributes.end()) {
                mine.attributes.push_back(attribute);
            } else {
                found->value = attribute.value;
            }
        }
        inner_->begin(mine);
    }

    [[nodiscard]] SpanRecordPtr prepare(const SpanRecordPtr& span) override {
        const auto allowed = without_content(span, modes_for(shape_.content, *span));
        if (shape_.dialect == nullptr || shape_.dialect->write == nullptr) {
            return inner_->prepare(allowed);
        }
        SpanWriter writer(*allowed);
        if (shape_.dialect->has_own_names) {
            writer.drop_schema();
        }
        shape_.dialect->write(SpanFacts(*allowed), writer);
        return inner_->prepare(writer.take());
    }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override {
        return inner_->export_spans(batch);
    }

    [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept override {
        return inner_->retry_after();
    }

    [[nodiscard]] std::size_t arrived_of_failed() const noexcept override {
        return inner_->arrived_of_failed();
    }

    void begin_work() override { inner_->begin_work(); }

    [[nodiscard]] Result<void> close() override { return inner_->close(); }

    void cancel() noexcept override { inner_->cancel(); }

    [[nodiscard]] SpanObserver* find_observer() noexcept override {
        return inner_->find_observer();
    }

    [[nodiscard]] bool wants_all_spans() const noexcept override {
        return inner_->wants_all_spans();
    }

    [[nodiscard]] std::chrono::milliseconds poll_delay() const noexcept override {
        return inner_->poll_delay();
    }

    [[nodiscard]] Result<void> poll() override { return inner_->poll(); }

    [[nodiscard]] std::chrono::milliseconds batch_delay() const noexcept override {
        return inner_->batch_delay();
    }

private:
    const std::shared_ptr<SpanSink> inner_;  // owners: this, and the program that reads it
    const SpanShape shape_;
};

}  // namespace

trace::ContentModes modes_for(const trace::ContentRules& rules, const SpanRecord& span) noexcept {
    if (span.run != nullptr) {
        return rules.modes_for(span.run->app_id, span.run->app_name);
    }
    auto modes = rules.modes;
    for (const auto& app : rules.apps) {
        modes.narrow(app.modes);
    }
    return modes;
}

SpanRecordPtr without_content(const SpanRecordPtr& span, const trace::ContentModes& modes) {
    if (span->run != nullptr && span->run->modes == modes) {
        return span;
    }
    const ContentFilter filter(*span, modes);
    bool is_shown = true;
    span->for_each_attribute([&](const AttributeView& attribute) {
        is_shown = is_shown && filter.shows(attribute.key);
    });
    if (is_shown) {
        return span;
    }
    SpanWriter writer(*span);
    span->for_each_attribute([&](const AttributeView& attribute) {
        if (filter.shows(attribute.key)) {
            writer.copy(attribute);
        }
    });
    if (span->has(names::kGenAiRetrievalDocuments) &&
        modes[ContentKind::documents] == CaptureMode::metadata) {
        writer.set_json(names::kGenAiRetrievalDocuments, document_ids(*span));
    }
    return writer.take();
}

Result<std::shared_ptr<SpanSink>> make_destination_sink(const Destination& destination) {
    const auto& name = destination.name.empty() ? destination.otlp.endpoint : destination.name;
    SpanShape shape{destination.content, nullptr, destination.resource};
    if (!destination.dialect.empty()) {
        shape.dialect = find_dialect(destination.dialect);
        if (shape.dialect == nullptr) {
            std::string known;
            for (const auto& dialect : all_dialects()) {
                known += known.empty() ? "" : ", ";
                known += dialect.name;
            }
            return failure(
                ErrorCode::invalid_input,
                fmt::format(
                    "destination `{}`: there is no dialect `{}`; known are {}",
                    name,
                    destination.dialect,
                    known
                )
            );
        }
    }
    auto sink = make_otlp_sink(destination.otlp, destination.name);
    if (!sink) {
        return failure(
            std::move(sink).error().while_doing(fmt::format("setting up destination `{}`", name))
        );
    }
    if (shape.dialect != nullptr && shape.dialect->scores != nullptr) {
        FLOWSPAN_TRY(
            *sink, add_scores(*std::move(sink), destination.otlp, shape.dialect->scores())
        );
    }
    return make_shaped_sink(*std::move(sink), std::move(shape));
}

std::shared_ptr<SpanSink> make_shaped_sink(std::shared_ptr<SpanSink> inner, SpanShape shape) {
    return std::make_shared<ShapedSink>(std::move(inner), std::move(shape));
}

}  // namespace flowspan::exporting
