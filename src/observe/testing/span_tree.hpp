#pragma once
// For tests of this room: recorded spans, looked up by name.

#include "flowspan/trace/names.hpp"
#include "trace/span_recording.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::observe {

using SpanData = trace::SpanRecording::SpanData;

class SpanTree {
public:
    explicit SpanTree(std::vector<std::unique_ptr<SpanData>> spans) : spans_(std::move(spans)) {}

    [[nodiscard]] const std::vector<std::unique_ptr<SpanData>>& all() const { return spans_; }

    [[nodiscard]] static bool has(const SpanData& span, const char* key) {
        return span.GetAttributes().contains(key);
    }

    /// Empty if absent.
    [[nodiscard]] static std::string text(const SpanData& span, const char* key) {
        return value<std::string>(span, key);
    }

    [[nodiscard]] static std::int64_t integer(const SpanData& span, const char* key) {
        return value<std::int64_t>(span, key);
    }

    [[nodiscard]] static double number(const SpanData& span, const char* key) {
        return value<double>(span, key);
    }

    /// The span's name; for nodes with the node's id.
    [[nodiscard]] static std::string label(const SpanData& span) {
        const auto id = text(span, trace::names::kNodeId);
        std::string name(span.GetName());
        return id.empty() ? name : name + " " + id;
    }

    [[nodiscard]] const SpanData* find(const std::string& wanted) const {
        const auto found =
            std::ranges::find_if(spans_, [&](const auto& span) { return label(*span) == wanted; });
        return found == spans_.end() ? nullptr : found->get();
    }

    [[nodiscard]] std::string parent_of(const std::string& wanted) const {
        const auto* span = find(wanted);
        for (const auto& other : spans_) {
            if (span != nullptr && other->GetSpanId() == span->GetParentSpanId()) {
                return label(*other);
            }
        }
        return "";
    }

private:
    template <class T>
    [[nodiscard]] static T value(const SpanData& span, const char* key) {
        const auto& attributes = span.GetAttributes();
        const auto found = attributes.find(key);
        return found == attributes.end() ? T() : opentelemetry::nostd::get<T>(found->second);
    }

    std::vector<std::unique_ptr<SpanData>> spans_;
};

}  // namespace flowspan::observe
