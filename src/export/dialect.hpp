#pragma once
// Dialects: what a destination calls the facts on a span.

#include "export/scores.hpp"
#include "export/span_facts.hpp"
#include "export/span_record.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flowspan::exporting {

/// Builds the span that a destination gets: like the recorded one, with other attributes.
class SpanWriter {
public:
    /// Takes over everything but the attributes.
    explicit SpanWriter(const SpanRecord& source);

    void set_name(std::string_view name) { made_->set_name(name); }

    /// The names are no longer those of OpenTelemetry's conventions.
    void drop_schema() { made_->set_scope(made_->scope_name(), made_->scope_version(), ""); }

    void set(std::string_view key, const SpanRecord::Value& value);
    /// Nothing if the text is empty.
    void set_text(std::string_view key, std::string_view value);
    void set_json(std::string_view key, const json::value& value);
    void set_texts(std::string_view key, std::span<const std::string_view> values);

    void set_integer(std::string_view key, const std::optional<std::int64_t>& value);
    void set_number(std::string_view key, const std::optional<double>& value);

    /// As recorded, under the same name or another one.
    void copy(const AttributeView& attribute) { copy(attribute.key, attribute); }

    void copy(std::string_view key, const AttributeView& attribute);

    [[nodiscard]] SpanRecordPtr take();

private:
    std::shared_ptr<SpanRecord> made_;
};

struct Dialect {
    std::string_view name;
    std::string_view description;
    /// Null: spans go as they are recorded.
    void (*write)(const SpanFacts& facts, SpanWriter& out) = nullptr;
    bool has_own_names = true;  ///< other names than OpenTelemetry's for what the conventions know
    /// How the back end is told of scores; null: by their spans alone.
    ScoreApi (*scores)() noexcept = nullptr;
};

/// All of them; the first is the default.
[[nodiscard]] std::span<const Dialect> all_dialects() noexcept;

/// Null if there is none of that name.
[[nodiscard]] const Dialect* find_dialect(std::string_view name) noexcept;

// One file each, in dialects/.
void write_opentelemetry(const SpanFacts& facts, SpanWriter& out);
void write_openinference(const SpanFacts& facts, SpanWriter& out);
void write_dify(const SpanFacts& facts, SpanWriter& out);
void write_langfuse(const SpanFacts& facts, SpanWriter& out);
void write_langsmith(const SpanFacts& facts, SpanWriter& out);

// What several dialects do alike.

/// The ids of the run, and attributes that only Flowspan or Dify know, as one JSON object.
[[nodiscard]] json::object house_metadata(const SpanFacts& facts);

/// True for the names that `house_metadata` collects.
[[nodiscard]] bool is_house_name(std::string_view key) noexcept;

/// True for names of the GenAI conventions.
[[nodiscard]] bool is_gen_ai_name(std::string_view key) noexcept;

/// Recorded content under any name.
[[nodiscard]] bool is_content_name(std::string_view key) noexcept;

}  // namespace flowspan::exporting
