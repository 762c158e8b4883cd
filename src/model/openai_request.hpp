#pragma once
// A chat request as the JSON body of the OpenAI-compatible protocols.

#include "model/chat_model.hpp"

#include <string>

namespace flowspan::model {

/// Parameters of the app file pass through under their own names, except that null ones are left
/// out and `response_format` and `json_schema` take the protocol's form.
[[nodiscard]] std::string make_openai_body(const ChatRequest& request);

}  // namespace flowspan::model
