#pragma once
// The rerank interface: which of some passages answer a question best.

#include "flowspan/async/task.hpp"
#include "flowspan/base/clock.hpp"
#include "infra/http/http_client.hpp"
#include "model/chat_model.hpp"
#include "model/models_config.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::model {

struct RerankRequest {
    ModelRef model;
    std::string query = {};
    std::vector<std::string> documents = {};
    std::int64_t top_n = 4;  ///< at most so many results
};

struct RankedDocument {
    std::size_t index = 0;  ///< in the request's documents
    double score = 0;       ///< the model's own scale, mostly 0 to 1
};

struct RerankReply {
    std::vector<RankedDocument> results = {};  ///< best first, each document at most once
    std::int64_t input_tokens = 0;             ///< 0 if the provider does not say
    std::string response_model = {};
    std::int64_t attempts = 1;
};

/// Safe to call from any task on any loop.
class RerankModel {
public:
    virtual ~RerankModel() = default;

    /// `request` must outlive the task. Errors as ChatModel::chat() has them; `not_found` if no
    /// endpoint is configured for the model.
    [[nodiscard]] virtual Task<Result<RerankReply>> rerank(const RerankRequest& request) = 0;

    /// Whether an endpoint is configured for the model.
    [[nodiscard]] virtual bool has_endpoint(const ModelRef& model) const = 0;
    [[nodiscard]] virtual EndpointFacts endpoint(const ModelRef& model) const = 0;
};

/// Calls `<base_url>/rerank` with `{model, query, documents, top_n}`, the form that Cohere, Jina,
/// vLLM, LocalAI and others share. The references must outlive the result.
[[nodiscard]] std::unique_ptr<RerankModel> make_rerank_model(
    const ModelsConfig& config, http::HttpClient& http_client, const Clock& clock, Random& random
);

}  // namespace flowspan::model
