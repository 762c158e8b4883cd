#pragma once
// Model servers that answer one JSON object with another: embeddings, rerank.

#include "flowspan/async/task.hpp"
#include "flowspan/base/clock.hpp"
#include "infra/http/http_client.hpp"
#include "model/chat_model.hpp"
#include "model/model_glob.hpp"
#include "model/models_config.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::model {

struct JsonAnswer {
    json::value body;
    std::int64_t attempts = 1;
};

/// The servers of one sort and the calls to them.
class JsonService {
public:
    /// `path` is appended to base URLs. The references must outlive it.
    JsonService(
        const std::vector<ServiceMapping>& mappings,
        std::string_view path,
        http::HttpClient& http_client,
        const Clock& clock,
        Random& random
    );

    [[nodiscard]] bool has_endpoint(const ModelRef& model) const { return find(model) != nullptr; }

    [[nodiscard]] EndpointFacts endpoint(const ModelRef& model) const;

    /// Sends `body` with the model's name in it. Retries as chat models do.
    [[nodiscard]] Task<Result<JsonAnswer>> call(const ModelRef& model, json::object body) const;

private:
    struct Server {
        ModelGlob models;
        std::string url;
        Secret api_key;
        std::string remote_name;
        int retries_max = 0;
        std::string peer;
        EndpointFacts facts;
    };

    [[nodiscard]] const Server* find(const ModelRef& model) const;
    [[nodiscard]] static http::HttpRequest make_request(
        const Server& server, const std::string& body, int attempt
    );

    std::string_view path_;
    http::HttpClient& http_;
    const Clock& clock_;
    Random& random_;
    std::vector<Server> servers_;
};

/// The error for an answer that is not what the protocol says.
[[nodiscard]] Error unexpected_answer(std::string_view what, std::string_view wrong);

}  // namespace flowspan::model
