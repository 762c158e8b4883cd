#pragma once
// SpanFacts: a finished span read as what happened, for dialects to write in their words.

#include "export/span_record.hpp"
#include "flowspan/base/json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::exporting {

/// What kind of step a span stands for.
enum class Step : std::uint8_t {
    app,       ///< the request: from the call to the end of its answer
    runner,    ///< the runner of the app's mode
    workflow,  ///< one run of the graph
    node,
    part,   ///< of a node or an agent: attempts, rounds
    model,  ///< a model call that answers with text
    embedding,
    retrieval,
    rerank,
    tool,
    agent,
    guardrail,  ///< moderation
    chain,      ///< other steps of the business: suggestions, titles
    score,      ///< feedback, evaluations
    other,      ///< HTTP, SQL, and what a program's own code traced
};

/// Views live as long as the record.
class SpanFacts {
public:
    explicit SpanFacts(const SpanRecord& span);

    [[nodiscard]] const SpanRecord& span() const noexcept { return span_; }

    [[nodiscard]] Step step() const noexcept { return step_; }

    [[nodiscard]] bool is_root() const noexcept {
        return !span_.parent_span_id.IsValid() || span_.is_parent_remote;
    }

    [[nodiscard]] std::string_view text(std::string_view key) const noexcept {
        return span_.text(key);
    }

    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view key) const noexcept;
    [[nodiscard]] std::optional<double> number(std::string_view key) const noexcept;

    /// What went into the step and what came out, whatever its kind; empty if not recorded.
    [[nodiscard]] std::string_view input() const noexcept;
    [[nodiscard]] std::string_view output() const noexcept;

    /// The model that answered, or else the one that was asked for.
    [[nodiscard]] std::string_view model() const noexcept;
    [[nodiscard]] std::string finish_reason() const;

    /// Sampling parameters by their usual names (`temperature`, `max_tokens`, ...).
    [[nodiscard]] json::object parameters() const;

    /// Members are objects, else the list is empty: messages `{role, parts}`, documents `{id,
    /// score, content?, ...}`.
    [[nodiscard]] json::array input_messages() const;
    [[nodiscard]] json::array output_messages() const;
    [[nodiscard]] json::array documents() const;
    /// Tools that a model was offered: `{type, name, description?, parameters?}`.
    [[nodiscard]] json::array tool_definitions() const;

    // Of the run; empty outside of runs.
    [[nodiscard]] std::string_view session() const noexcept;
    [[nodiscard]] std::string_view user() const noexcept;
    [[nodiscard]] std::vector<std::string_view> tags() const;

    /// Ids by which people find a run and its parts.
    [[nodiscard]] std::vector<std::pair<std::string_view, std::string_view>> ids() const;

private:
    const SpanRecord& span_;
    Step step_;
};

/// All text of a message's parts, in one.
[[nodiscard]] std::string message_text(const json::object& message);

/// Whether a text is a JSON object or list.
[[nodiscard]] bool is_json_document(std::string_view text) noexcept;

/// `2026-01-02T03:04:05.678901Z`.
[[nodiscard]] std::string iso_time(std::int64_t unix_ns);

}  // namespace flowspan::exporting
