#pragma once
// The OpenAI chat protocol's request body.

#include "model/chat_model.hpp"

#include <string>

namespace flowspan::model {

/// The JSON text of a streamed completion request. Completion parameters go through under their own
/// names, known to us or not, unless they are null; `response_format` and `json_schema` are put
/// into the protocol's form.
[[nodiscard]] std::string make_openai_body(const ChatRequest& request);

}  // namespace flowspan::model
