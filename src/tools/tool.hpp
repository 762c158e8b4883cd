#pragma once
// What a tool is: a named function with declared parameters, wherever it runs.

#include "flowspan/async/task.hpp"
#include "flowspan/base/json.hpp"
#include "tools/parameters.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace flowspan::tools {

/// Which tool an app asks for, as its file names it.
struct ToolRef {
    std::string provider_type = {};  ///< `builtin`, `api`, `workflow`, `mcp`, `plugin`, ...
    std::string provider_id = {};    ///< `tavily`, `langgenius/tavily/tavily`, a UUID
    std::string provider_name = {};  ///< often the same as the id
    std::string tool = {};

    /// `provider/tool` for messages.
    [[nodiscard]] std::string name() const;

    bool operator==(const ToolRef&) const = default;
};

struct TextMessage {
    std::string text;
};

struct LinkMessage {
    std::string url;
};

struct JsonMessage {
    json::value data;
};

/// A file by its bytes, by a URL, or as a record that exists already; the first that is given.
struct FileMessage {
    json::object record = {};
    std::string url = {};
    std::string bytes = {};
    std::string filename = {};
    std::string mime_type = {};  ///< empty: unknown
};

/// An output beside `text`, `files` and `json`.
struct VariableMessage {
    std::string name;
    json::value value;
    bool is_streamed = false;  ///< text that is appended to what came under that name before
};

using ToolMessage =
    std::variant<TextMessage, LinkMessage, JsonMessage, FileMessage, VariableMessage>;

/// Model tokens that a tool used and says so.
struct ToolUsage {
    std::int64_t total_tokens = 0;
    double total_price = 0;
    std::string currency = "USD";
};

struct ToolReply {
    std::vector<ToolMessage> messages = {};
    std::optional<ToolUsage> usage = {};
};

/// Who calls.
struct ToolContext {
    std::string app_id = {};
    std::string user_id = {};
    std::string conversation_id = {};
    int call_depth = 0;        ///< of the calling run; workflows used as tools run one deeper
    std::string call_id = {};  ///< of the model's tool call; empty when no model asked
};

struct ToolDescription {
    ToolRef ref = {};
    std::string text = {};  ///< for models; may be empty
    /// Absent: nobody knows, so any argument is passed on as it is.
    std::optional<std::vector<ToolParameter>> parameters = {};
};

/// Safe to call from any task on any loop.
class Tool {
public:
    virtual ~Tool() = default;

    [[nodiscard]] virtual const ToolDescription& description() const noexcept = 0;

    /// `context` and the tool itself must outlive the task. Errors name the tool's side of the
    /// failure; what the other side said is in `detail`.
    [[nodiscard]] virtual Task<Result<ToolReply>> invoke(
        json::object arguments, const ToolContext& context
    ) const = 0;
};

/// A source of tools. Safe to call from any thread.
class ToolProvider {
public:
    virtual ~ToolProvider() = default;

    /// Null if the tool is not this provider's. An error means that the provider should have it but
    /// is set up wrongly. The provider must outlive its tools.
    [[nodiscard]] virtual Result<std::unique_ptr<const Tool>> find(const ToolRef& ref) const = 0;
};

/// For a tool that no provider has: what is missing and which lines of flowspan.toml add it.
[[nodiscard]] Error unmapped_tool(const ToolRef& ref);

}  // namespace flowspan::tools
