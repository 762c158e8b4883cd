#pragma once
// `{{#node.name#}}` templates: parsed once, resolved against a pool.

#include "flowspan/value/variable_pool.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace flowspan::value {

/// A parsed template. Placeholders follow the grammar of the app format; whatever does not match it
/// stays literal text.
class TextTemplate {
public:
    /// One piece: literal text, or a reference if `selector` is not empty. `text` of a reference is
    /// its bare path (`node.name`), which is also what a missing variable renders as. A literal
    /// that is exactly a valid path counts as a reference too, as in the original.
    struct Segment {
        std::string text;
        Selector selector;
        /// Written as `{{#...#}}`, not a literal that happens to look like a path.
        bool is_placeholder = false;
    };

    TextTemplate() = default;
    explicit TextTemplate(std::string_view source);

    [[nodiscard]] const std::vector<Segment>& segments() const noexcept { return segments_; }

    /// All `{{#...#}}` references in order, repeats included.
    [[nodiscard]] std::vector<Selector> references() const;

    [[nodiscard]] std::string to_text(const VariablePool& pool) const;
    [[nodiscard]] std::string to_markdown(const VariablePool& pool) const;

    /// Like to_text, but with secrets masked: for records of what a node used.
    [[nodiscard]] std::string to_masked_text(const VariablePool& pool) const;

private:
    std::vector<Segment> segments_;
};

}  // namespace flowspan::value
