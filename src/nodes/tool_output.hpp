#pragma once
// What a tool's messages become: a node's streamed text and its outputs.

#include "flowspan/engine/node.hpp"
#include "nodes/services.hpp"
#include "tools/tool.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes {

/// Collects messages in order. One per execution; both arguments must outlive it.
class ToolOutput {
public:
    ToolOutput(engine::NodeContext& context, const Services& services)
        : context_(context), services_(services) {}

    /// Text that goes to the user and into `text`.
    void add_text(std::string_view piece);

    /// Error type `ToolFileError` for a file that cannot be kept.
    [[nodiscard]] Task<Result<void>> add(tools::ToolMessage message);

    /// Sends the final chunks.
    void finish();

    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    [[nodiscard]] const json::array& json() const noexcept { return json_; }

    /// `text`, `files`, and `json` with `before` in front of it, then the variables.
    [[nodiscard]] std::vector<engine::NodeOutput> outputs(json::array before = {}) const;

private:
    void add_variable(tools::VariableMessage message);
    [[nodiscard]] Task<Result<json::object>> keep(tools::FileMessage file);

    struct Variable {
        std::string name;
        json::value value;
    };

    engine::NodeContext& context_;
    const Services& services_;
    std::string text_;
    json::array files_;
    json::array json_;
    std::vector<Variable> variables_;
};

/// Who calls a tool, as the run tells.
[[nodiscard]] tools::ToolContext make_tool_context(const engine::RunInfo& run);

}  // namespace flowspan::nodes
