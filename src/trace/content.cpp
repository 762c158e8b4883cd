#include "flowspan/trace/content.hpp"

#include <array>

namespace flowspan::trace {

Result<CaptureMode> parse_capture_mode(std::string_view text) {
    if (text == "off") {
        return CaptureMode::off;
    }
    if (text == "metadata") {
        return CaptureMode::metadata;
    }
    if (text == "full") {
        return CaptureMode::full;
    }
    return failure(
        ErrorCode::invalid_input,
        "`" + std::string(text) + "` is no content policy; use off, metadata or full"
    );
}

bool matches_glob(std::string_view pattern, std::string_view text) noexcept {
    // On a mismatch the last star takes one more byte; that is enough for any number of stars.
    std::size_t at = 0;
    std::size_t in_text = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    while (in_text < text.size()) {
        if (at < pattern.size() && pattern[at] == '*') {
            star = at++;
            star_text = in_text;
        } else if (at < pattern.size() && pattern[at] == text[in_text]) {
            ++at;
            ++in_text;
        } else if (star != std::string_view::npos) {
            at = star + 1;
            in_text = ++star_text;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

const ContentModes& ContentRules::modes_for(std::string_view app_id, std::string_view app_name)
    const noexcept {
    for (const auto& app : apps) {
        if (matches_glob(app.pattern, app_id) || matches_glob(app.pattern, app_name)) {
            return app.modes;
        }
    }
    return modes;
}

std::span<const ContentFact> content_facts() noexcept {
    static constexpr std::array kFacts{
        content::kInputMessages,
        content::kSystemInstructions,
        content::kToolDefinitions,
        content::kOutputMessages,
        content::kInput,
        content::kOutput,
        content::kRetrievalQuery,
        content::kRetrievalDocuments,
        content::kToolArguments,
        content::kToolResult,
    };
    return kFacts;
}

NodeContentKinds content_kinds_of(std::string_view node_type) noexcept {
    if (node_type == "llm" || node_type == "question-classifier" ||
        node_type == "parameter-extractor" || node_type == "agent") {
        return {ContentKind::prompts, ContentKind::answers};
    }
    if (node_type == "answer") {
        return {ContentKind::inputs, ContentKind::answers};
    }
    if (node_type == "knowledge-retrieval") {
        return {ContentKind::inputs, ContentKind::documents};
    }
    if (node_type == "tool") {
        return {ContentKind::tool_arguments, ContentKind::outputs};
    }
    return {};
}

}  // namespace flowspan::trace
