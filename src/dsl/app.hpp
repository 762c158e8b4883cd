#pragma once
// A loaded app file: what the rest of the house needs of it, with the place of every part.

#include "flowspan/base/json.hpp"
#include "flowspan/value/value.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::dsl {

enum class AppMode : std::uint8_t { workflow, advanced_chat, chat, agent_chat, completion, agent };

[[nodiscard]] std::string_view to_string(AppMode mode) noexcept;  ///< `advanced-chat`, ...

/// Where the parts of a document stand: JSON pointer (`/model/name`; empty for the whole) to line
/// and column. A member of a mapping stands where its key does. Kept as a tree in document order,
/// so that keys are stored once however deep they lie.
class PositionMap {
public:
    /// Adds a part; what is opened before its `close` lies inside it. The first part is the whole.
    void open(std::string_view key, SourcePosition position);
    void close();

    /// The position of `pointer`, or of its nearest parent that has one.
    [[nodiscard]] SourcePosition find(std::string_view pointer) const noexcept;

    /// The positions of one part alone, with pointers below that part; empty if it is not there.
    [[nodiscard]] PositionMap below(std::string_view pointer) const;

    /// The positions of each part directly below `pointer`, in document order.
    [[nodiscard]] std::vector<PositionMap> parts(std::string_view pointer) const;

private:
    struct Entry {
        std::string key;
        SourcePosition position;
        std::uint32_t end = 0;  ///< index after the last part inside this one
    };

    struct Found {
        std::size_t index = 0;
        bool is_exact = false;
    };

    [[nodiscard]] Found walk(std::string_view pointer) const noexcept;
    [[nodiscard]] PositionMap cut(std::size_t index) const;

    std::vector<Entry> entries_;
    std::vector<std::uint32_t> open_;  // indexes of the parts not closed yet, outermost first
};

/// One node as the file has it after normalisation (all shape fixes of old versions applied).
struct NodeSpec {
    std::string id;
    std::string type;  ///< wire name, for example `if-else`
    std::string title;
    std::string version = "1";
    std::string parent_id;  ///< id of the iteration or loop it belongs to; empty at top level
    json::value data;       ///< the whole `data` mapping
    std::string fault;      ///< what is wrong with fields that all types share; empty: nothing
    PositionMap positions;  ///< by JSON pointer below `data`
    SourcePosition position;

    /// `"Title" (id)` for messages; the id alone if there is no title.
    [[nodiscard]] std::string name() const;
};

struct EdgeSpec {
    std::string id;  ///< `edge_<n>` by file order
    std::string source;
    std::string target;
    std::string source_handle = "source";
    SourcePosition position;
};

/// A definition under `environment_variables` or `conversation_variables`.
struct VariableSpec {
    std::string id;
    std::string name;
    std::string description;
    value::Value value;
    SourcePosition position;
};

struct Graph {
    std::vector<NodeSpec> nodes;  ///< notes removed, missing container starts inserted
    std::vector<EdgeSpec> edges;
    std::string root_id;  ///< the node that a run starts with
};

struct App {
    AppMode mode = AppMode::workflow;
    std::string name;
    std::string description;
    std::string version;  ///< DSL version; `0.1.0` when the file has none
    std::string file;     ///< as given to the loader
    std::string id;       ///< stable: derived from the file's content
    Graph graph;          ///< workflow and advanced-chat
    std::vector<VariableSpec> environment_variables;
    std::vector<VariableSpec> conversation_variables;
    json::value features;      ///< `workflow.features`, normalised; object
    json::value model_config;  ///< chat, agent-chat and completion; null otherwise
};

/// One finding about a file. `code` is stable and dotted, for example `graph.edge_unknown_node`.
struct Problem {
    enum class Severity : std::uint8_t {
        error,        ///< the file does not load
        node_error,   ///< the data of one node is wrong; the app loads, the node fails if reached
        unsupported,  ///< nothing is wrong, but something cannot run here
        warning,
    };

    Severity severity = Severity::error;
    SourcePosition position;
    std::string code;
    std::string message;
};

}  // namespace flowspan::dsl
