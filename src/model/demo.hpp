#pragma once
// The built-in model that needs no key: deterministic, and plain about being a demo.

#include "flowspan/base/clock.hpp"
#include "model/chat_model.hpp"

#include <memory>

namespace flowspan::model {

/// Answers `[demo model] ...` with an echo of the last user message, streamed word by word without
/// waits; a JSON instance of the schema where one is asked for; a call of the first tool where
/// tools are given and none was called yet. The same request gets the same reply. `clock` must
/// outlive it.
[[nodiscard]] std::unique_ptr<ChatModel> make_demo_model(const Clock& clock);

}  // namespace flowspan::model
