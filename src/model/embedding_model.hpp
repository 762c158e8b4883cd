#pragma once
// The embedding interface: texts to vectors, whatever protocol is behind it.

#include "flowspan/async/task.hpp"
#include "flowspan/base/clock.hpp"
#include "infra/http/http_client.hpp"
#include "model/chat_model.hpp"
#include "model/models_config.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::model {

struct EmbeddingRequest {
    ModelRef model;
    std::vector<std::string> texts = {};
    std::string user = {};  ///< opaque end-user id sent to the provider; may be empty
};

struct EmbeddingReply {
    std::vector<std::vector<float>> vectors = {};  ///< one a text, in order, all of one size
    std::int64_t input_tokens = 0;                 ///< 0 if the provider does not say
    std::string response_model = {};
    std::int64_t attempts = 1;
};

/// Safe to call from any task on any loop.
class EmbeddingModel {
public:
    virtual ~EmbeddingModel() = default;

    /// `request` must outlive the task. Errors as ChatModel::chat() has them; `not_found` if no
    /// endpoint is configured for the model.
    [[nodiscard]] virtual Task<Result<EmbeddingReply>> embed(const EmbeddingRequest& request) = 0;

    /// Whether an endpoint is configured for the model.
    [[nodiscard]] virtual bool has_endpoint(const ModelRef& model) const = 0;
    [[nodiscard]] virtual EndpointFacts endpoint(const ModelRef& model) const = 0;
};

/// Calls `<base_url>/embeddings` as OpenAI has it. The references must outlive the result.
[[nodiscard]] std::unique_ptr<EmbeddingModel> make_embedding_model(
    const ModelsConfig& config, http::HttpClient& http_client, const Clock& clock, Random& random
);

}  // namespace flowspan::model
