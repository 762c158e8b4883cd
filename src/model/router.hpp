#pragma once
// Chooses the endpoint for each model that an app names.

#include "flowspan/base/clock.hpp"
#include "infra/http/http_client.hpp"
#include "model/chat_model.hpp"
#include "model/models_config.hpp"

#include <memory>

namespace flowspan::model {

/// A ChatModel over all configured endpoints. `http_client`, `clock` and `random` must outlive it.
[[nodiscard]] std::unique_ptr<ChatModel> make_chat_model(
    const ModelsConfig& config, http::HttpClient& http_client, const Clock& clock, Random& random
);

}  // namespace flowspan::model
