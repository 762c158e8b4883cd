#pragma once
// Answers to /embeddings and /rerank: made of the words of the texts, so that they are repeatable.

#include <optional>
#include <string>
#include <string_view>

namespace flowspan::model_server {

/// One vector of eight numbers for each of `input`: how often words of each of eight sorts stand in
/// the text. Empty if the body is no such request.
[[nodiscard]] std::optional<std::string> answer_embeddings(std::string_view body);

/// The `documents` with the share of the words of `query` that each one holds, best first, at
/// most `top_n` of them. Empty if the body is no such request.
[[nodiscard]] std::optional<std::string> answer_rerank(std::string_view body);

}  // namespace flowspan::model_server
