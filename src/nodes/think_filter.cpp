#include "nodes/think_filter.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <utility>

namespace flowspan::nodes {

namespace {

constexpr std::string_view kOpen = "<think";
constexpr std::string_view kClose = "</think";
constexpr std::size_t kAttributesMax = 512;
constexpr std::string_view kSpace = " \t\r\n\f\v";

enum class TagState { none, incomplete, complete };

struct Tag {
    TagState state = TagState::none;
    std::size_t length = 0;
};

// Is there a tag `name` at the front of `text`, or could there be one once more text comes?
Tag read_tag(std::string_view text, std::string_view name) {
    const auto head = text.substr(0, name.size());
    if (!equals_ignore_case(head, name.substr(0, head.size()))) {
        return {};
    }
    if (text.size() <= name.size()) {
        return {TagState::incomplete, 0};
    }
    const auto rest = text.substr(name.size());
    if (rest[0] != '>' && kSpace.find(rest[0]) == std::string_view::npos) {
        return {};
    }
    const auto end = rest.find('>');
    if (end == std::string_view::npos) {
        return {rest.size() > kAttributesMax ? TagState::none : TagState::incomplete, 0};
    }
    return end > kAttributesMax ? Tag{} : Tag{TagState::complete, name.size() + end + 1};
}

std::string collapse_blank_lines(std::string_view text) {
    std::string out;
    std::size_t at = 0;
    while (at < text.size()) {
        if (text[at] != '\n') {
            out += text[at++];
            continue;
        }
        const auto end = std::min(text.find_first_not_of(kSpace, at), text.size());
        const auto last_break = text.substr(at, end - at).rfind('\n');
        out += last_break == 0 ? "\n" : "\n\n";
        at += last_break + 1;
    }
    return std::string(trim(out));
}

}  // namespace

void ThinkFilter::emit(std::string_view text, std::vector<Piece>& pieces) {
    if (text.empty()) {
        return;
    }
    if (!is_thinking_) {
        const bool is_first = answer_.find_first_not_of(kSpace) == std::string::npos;
        answer_ += text;
        if (is_first) {
            text.remove_prefix(std::min(text.find_first_not_of(kSpace), text.size()));
        }
    } else {
        thoughts_.back() += text;
    }
    if (text.empty()) {
        return;
    }
    if (!pieces.empty() && pieces.back().is_thought == is_thinking_) {
        pieces.back().text += text;
    } else {
        pieces.push_back({is_thinking_, std::string(text)});
    }
}

std::vector<ThinkFilter::Piece> ThinkFilter::cut(bool is_last) {
    std::vector<Piece> pieces;
    std::string_view rest = pending_;
    while (!rest.empty()) {
        const auto text = rest.substr(0, rest.find('<'));
        emit(text, pieces);
        rest.remove_prefix(text.size());
        if (rest.empty()) {
            break;
        }
        const auto tag = read_tag(rest, is_thinking_ ? kClose : kOpen);
        if (tag.state == TagState::incomplete && !is_last) {
            break;
        }
        if (tag.state == TagState::complete) {
            rest.remove_prefix(tag.length);
            is_thinking_ = !is_thinking_;
            if (is_thinking_) {
                thoughts_.emplace_back();
            }
        } else {
            emit(rest.substr(0, 1), pieces);
            rest.remove_prefix(1);
        }
    }
    pending_.erase(0, pending_.size() - rest.size());
    return pieces;
}

std::vector<ThinkFilter::Piece> ThinkFilter::push(std::string_view text) {
    pending_ += text;
    return cut(false);
}

std::vector<ThinkFilter::Piece> ThinkFilter::finish() {
    return cut(true);
}

SplitAnswer split_answer(const ThinkFilter& filter) {
    SplitAnswer split;
    split.text = collapse_blank_lines(filter.answer());
    for (const auto& thought : filter.thoughts()) {
        const auto text = trim(thought);
        if (!text.empty()) {
            split.reasoning += split.reasoning.empty() ? "" : "\n";
            split.reasoning += text;
        }
    }
    return split;
}

SplitAnswer split_answer(std::string_view text) {
    ThinkFilter filter;
    (void)filter.push(text);
    (void)filter.finish();
    return split_answer(filter);
}

}  // namespace flowspan::nodes
