#pragma once
// The `model` part of nodes that call a chat model, and what such nodes record of a call.

#include "dsl/data_reader.hpp"
#include "flowspan/engine/node.hpp"
#include "flowspan/value/text_template.hpp"
#include "model/chat_model.hpp"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::nodes {

struct ModelConfig {
    model::ModelRef ref;
    bool is_completion = false;  ///< `mode: completion` instead of `chat`
    json::object parameters;     ///< without the ones below
    /// Parameters whose text holds placeholders.
    std::vector<std::pair<std::string, value::TextTemplate>> templates;
    std::vector<std::string> stop;
};

[[nodiscard]] ModelConfig read_model_config(const dsl::DataReader& reader, std::string_view key);

/// A request without messages; parameters that are templates are resolved, and become numbers or
/// booleans if they read as such.
[[nodiscard]] model::ChatRequest make_request(
    engine::NodeContext& context, const ModelConfig& config
);

/// `model_provider` and `model_name` among the node's inputs.
void record_model(engine::NodeContext& context, const ModelConfig& config);

/// What was sent, for the node's process data: `model_mode`, `prompts` and the model.
void record_prompts(
    engine::NodeContext& context,
    const ModelConfig& config,
    const std::vector<model::ChatMessage>& messages
);

/// Facts, metadata and process data of a reply.
void record_reply(
    engine::NodeContext& context, const ModelConfig& config, const model::ChatReply& reply
);

/// Names the failure of a call as apps know it, for example `InvokeRateLimitError`.
[[nodiscard]] Error as_model_error(Error error);

/// Takes a reply without showing it to anybody.
class SilentListener final : public model::ChatListener {
public:
    void on_text(std::string_view /*piece*/) override {}
};

}  // namespace flowspan::nodes
