#pragma once
// `chat {model}` client spans around any ChatModel.

#include "flowspan/trace/capture_policy.hpp"
#include "model/chat_model.hpp"

#include <memory>

namespace flowspan::observe {

/// `inner` and `policy` must outlive the result.
[[nodiscard]] std::unique_ptr<model::ChatModel> trace_chat_model(
    model::ChatModel& inner, const trace::CapturePolicy& policy
);

}  // namespace flowspan::observe
