#pragma once
// Telling a model's thoughts (`<think>...</think>`) from its answer, also while it streams.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::nodes {

/// Cuts a streamed text into answer and thoughts. Tags may be split over pieces, in any case, with
/// attributes of at most 512 characters; thoughts that are not closed stay thoughts.
class ThinkFilter {
public:
    struct Piece {
        bool is_thought = false;
        std::string text;
    };

    /// What is certain after `text`, in order.
    [[nodiscard]] std::vector<Piece> push(std::string_view text);

    /// What was held back as the possible start of a tag.
    [[nodiscard]] std::vector<Piece> finish();

    /// Blocks of thoughts so far; the last one may still be open.
    [[nodiscard]] const std::vector<std::string>& thoughts() const noexcept { return thoughts_; }

    /// The answer so far, untrimmed.
    [[nodiscard]] const std::string& answer() const noexcept { return answer_; }

private:
    void emit(std::string_view text, std::vector<Piece>& pieces);
    [[nodiscard]] std::vector<Piece> cut(bool is_last);

    std::string pending_;
    bool is_thinking_ = false;
    std::vector<std::string> thoughts_;
    std::string answer_;
};

/// An answer without its thoughts, and these.
struct SplitAnswer {
    std::string text;       ///< trimmed, runs of blank lines made one
    std::string reasoning;  ///< blocks trimmed, one a line
};

[[nodiscard]] SplitAnswer split_answer(const ThinkFilter& filter);
[[nodiscard]] SplitAnswer split_answer(std::string_view text);

}  // namespace flowspan::nodes
