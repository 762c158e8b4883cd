#pragma once
// The OpenAI-compatible chat protocol: streaming, tools, usage, retries.

#include "flowspan/base/clock.hpp"
#include "infra/http/http_client.hpp"
#include "model/chat_model.hpp"
#include "model/models_config.hpp"

#include <memory>

namespace flowspan::model {

/// Calls `<base_url>/chat/completions` (or `/completions`) under the request's model name. The
/// references must outlive it.
[[nodiscard]] std::unique_ptr<ChatModel> make_openai_model(
    EndpointConfig endpoint, http::HttpClient& http_client, const Clock& clock, Random& random
);

}  // namespace flowspan::model
