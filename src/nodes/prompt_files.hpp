#pragma once
// Files on their way into a prompt.

#include "dsl/data_reader.hpp"
#include "flowspan/async/task.hpp"
#include "flowspan/value/variable_pool.hpp"
#include "model/chat_model.hpp"
#include "nodes/file_store.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes {

/// The `vision` part of nodes that call a model.
struct VisionConfig {
    bool is_enabled = false;
    value::Selector selector = {"sys", "files"};
    std::string detail = "high";
};

[[nodiscard]] VisionConfig read_vision_config(const dsl::DataReader& reader, std::string_view key);

/// The files that a variable holds; none for an absent or null one. Error for other types.
[[nodiscard]] Result<std::vector<json::value>> find_files(
    const value::VariablePool& pool, const value::Selector& selector
);

/// True for the four types that prompts can hold: image, audio, video, document.
[[nodiscard]] bool fits_prompt(const json::value& file) noexcept;

/// A remote file by its URL, any other with its data; a file of another type than the four as a
/// line of text. Fails for a file that does not say its extension or MIME type.
[[nodiscard]] Task<Result<model::ContentPart>> load_content_part(
    FileStore& file_store, json::value file, std::string detail
);

/// Removes parts that a model cannot take, then empty messages; a single text part becomes the
/// message's text.
void keep_supported_content(
    std::vector<model::ChatMessage>& messages, const model::ModelFeatures& features
);

/// Puts files before the content of a last user message that has parts, else into a new one.
void attach_files(std::vector<model::ChatMessage>& messages, std::vector<model::ContentPart> files);

/// Loads the files that `vision` names, if any, and attaches them to the last message.
[[nodiscard]] Task<Result<void>> attach_vision(
    FileStore& file_store,
    const value::VariablePool& pool,
    const VisionConfig& vision,
    std::vector<model::ChatMessage>& messages
);

}  // namespace flowspan::nodes
