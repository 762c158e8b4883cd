#pragma once
// Kinds of content and how much of each may leave the process; who may see what.

#include "flowspan/base/result.hpp"
#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::trace {

enum class CaptureMode : std::uint8_t {
    off,       ///< neither content nor its sizes
    metadata,  ///< sizes, counts, names and ids; no text
    full,      ///< the content itself, cut to a limit
};

[[nodiscard]] Result<CaptureMode> parse_capture_mode(std::string_view text);

enum class ContentKind : std::uint8_t {
    prompts,         ///< what models are asked
    answers,         ///< what models say
    inputs,          ///< of runs and nodes; queries
    outputs,         ///< of runs, nodes and tools
    documents,       ///< what retrieval found
    tool_arguments,  ///< what tools are called with
};

inline constexpr std::size_t kContentKindCount = 6;

/// A mode for each kind.
class ContentModes {
public:
    constexpr ContentModes() = default;

    explicit constexpr ContentModes(CaptureMode mode) { modes_.fill(mode); }

    [[nodiscard]] constexpr CaptureMode operator[](ContentKind kind) const noexcept {
        return modes_[static_cast<std::size_t>(kind)];
    }

    constexpr void set(ContentKind kind, CaptureMode mode) noexcept {
        modes_[static_cast<std::size_t>(kind)] = mode;
    }

    /// Raises each mode to that of `other`.
    constexpr void widen(const ContentModes& other) noexcept {
        for (std::size_t i = 0; i < kContentKindCount; ++i) {
            modes_[i] = std::max(modes_[i], other.modes_[i]);
        }
    }

    /// Lowers each mode to that of `other`.
    constexpr void narrow(const ContentModes& other) noexcept {
        for (std::size_t i = 0; i < kContentKindCount; ++i) {
            modes_[i] = std::min(modes_[i], other.modes_[i]);
        }
    }

    bool operator==(const ContentModes&) const = default;

private:
    static constexpr auto kDefault = CaptureMode::metadata;
    std::array<CaptureMode, kContentKindCount> modes_{
        kDefault, kDefault, kDefault, kDefault, kDefault, kDefault
    };
};

/// What one reader of spans may see: a mode for each kind, and exceptions for single apps.
struct ContentRules {
    struct App {
        std::string pattern;  ///< the app's id or name; `*` stands for any text
        ContentModes modes;

        bool operator==(const App&) const = default;
    };

    ContentModes modes;
    std::vector<App> apps = {};  ///< the first that matches wins over `modes`

    [[nodiscard]] const ContentModes& modes_for(std::string_view app_id, std::string_view app_name)
        const noexcept;

    bool operator==(const ContentRules&) const = default;
};

/// One place for content on a span: where the text goes, where its size, where a reference to the
/// whole if only its head stands here.
struct ContentFact {
    ContentKind kind;
    std::string_view key;
    std::string_view bytes_key;
    std::string_view ref_key;
};

/// All content that Flowspan's own spans can carry.
namespace content {
inline constexpr ContentFact kInputMessages{
    ContentKind::prompts,
    names::kGenAiInputMessages,
    names::kFlowspanPromptBytes,
    names::kFlowspanPromptRef,
};
inline constexpr ContentFact kSystemInstructions{
    ContentKind::prompts,
    names::kGenAiSystemInstructions,
    names::kFlowspanInstructionsBytes,
    names::kFlowspanInstructionsRef,
};
inline constexpr ContentFact kToolDefinitions{
    ContentKind::prompts,
    names::kGenAiToolDefinitions,
    names::kFlowspanDefinitionsBytes,
    names::kFlowspanDefinitionsRef,
};
inline constexpr ContentFact kOutputMessages{
    ContentKind::answers,
    names::kGenAiOutputMessages,
    names::kFlowspanAnswerBytes,
    names::kFlowspanAnswerRef,
};
inline constexpr ContentFact kInput{
    ContentKind::inputs,
    names::kInputValue,
    names::kFlowspanInputBytes,
    names::kFlowspanInputRef,
};
inline constexpr ContentFact kOutput{
    ContentKind::outputs,
    names::kOutputValue,
    names::kFlowspanOutputBytes,
    names::kFlowspanOutputRef,
};
inline constexpr ContentFact kRetrievalQuery{
    ContentKind::inputs,
    names::kGenAiRetrievalQueryText,
    names::kFlowspanQueryBytes,
    names::kFlowspanQueryRef,
};
inline constexpr ContentFact kRetrievalDocuments{
    ContentKind::documents,
    names::kGenAiRetrievalDocuments,
    names::kFlowspanDocumentsBytes,
    names::kFlowspanDocumentsRef,
};
inline constexpr ContentFact kToolArguments{
    ContentKind::tool_arguments,
    names::kGenAiToolCallArguments,
    names::kFlowspanArgumentsBytes,
    names::kFlowspanArgumentsRef,
};
inline constexpr ContentFact kToolResult{
    ContentKind::outputs,
    names::kGenAiToolCallResult,
    names::kFlowspanResultBytes,
    names::kFlowspanResultRef,
};
}  // namespace content

/// For whoever filters finished spans.
[[nodiscard]] std::span<const ContentFact> content_facts() noexcept;

/// What a node's inputs and outputs are made of besides: a model node's output is an answer, so it
/// is shown only where answers are, too.
struct NodeContentKinds {
    ContentKind input = ContentKind::inputs;
    ContentKind output = ContentKind::outputs;
};

[[nodiscard]] NodeContentKinds content_kinds_of(std::string_view node_type) noexcept;

/// True if `text` matches `pattern`, in which `*` stands for any text.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text) noexcept;

}  // namespace flowspan::trace
