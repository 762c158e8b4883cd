#pragma once
// What happens around a message besides its run: moderation before, suggestions and a title after.

#include "flowspan/async/task.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/base/result.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace flowspan::service {

/// The model call behind a step, for its span; empty names: no model was asked.
struct StepUsage {
    std::string provider;
    std::string model;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
};

/// The message that a step belongs to.
struct MessageRef {
    std::string message_id;
    std::string conversation_id;
    /// Headers of the run's trace context (`traceparent`, ...), for steps that come when the run is
    /// over; empty: the current one.
    json::object trace;
};

struct ModerationRequest {
    MessageRef message;
    json::object inputs;
    std::string query;
};

struct ModerationResult {
    bool is_flagged = false;
    std::string action;           ///< `direct_output` or `overridden`
    std::string preset_response;  ///< for direct_output
    json::object inputs;          ///< for overridden
    std::string query;            ///< for overridden
};

/// Looks at what a user says before it is answered. Requests must outlive the tasks, here and
/// below.
class Moderation {
public:
    virtual ~Moderation() = default;
    [[nodiscard]] virtual Task<Result<ModerationResult>> check(const ModerationRequest& request
    ) = 0;
};

struct SuggestionRequest {
    MessageRef message;
    std::string history;  ///< the conversation so far, as text
};

struct Suggestions {
    std::vector<std::string> questions;
    StepUsage usage;
};

/// Finds questions that a user may want to ask next.
class QuestionSuggester {
public:
    virtual ~QuestionSuggester() = default;
    [[nodiscard]] virtual Task<Result<Suggestions>> suggest(const SuggestionRequest& request) = 0;
};

struct NamingRequest {
    MessageRef message;
    std::string query;  ///< the conversation's first
};

struct ConversationName {
    std::string name;
    StepUsage usage;
};

/// Finds a title for a conversation.
class ConversationNamer {
public:
    virtual ~ConversationNamer() = default;
    [[nodiscard]] virtual Task<Result<ConversationName>> find_name(const NamingRequest& request
    ) = 0;
};

}  // namespace flowspan::service
