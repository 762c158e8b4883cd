#pragma once
// Chooses the endpoint for each model that an app names.

#include "flowspan/base/clock.hpp"
#include "infra/http/http_client.hpp"
#include "model/chat_model.hpp"
#include "model/models_config.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace flowspan::model {

/// `openai` and `langgenius/openai/openai` are the same provider; gives the long form. Anything
/// that is neither one part nor three is returned unchanged.
[[nodiscard]] std::string normalize_provider(std::string_view provider);

/// A ChatModel over all configured endpoints. `http_client`, `clock` and `random` must outlive it.
[[nodiscard]] std::unique_ptr<ChatModel> make_chat_model(
    const ModelsConfig& config, http::HttpClient& http_client, const Clock& clock, Random& random
);

}  // namespace flowspan::model
