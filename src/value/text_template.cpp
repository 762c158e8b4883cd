#include "flowspan/value/text_template.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/value/limits.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace flowspan::value {

namespace {

// The grammar of a path: a node id or prefix, then one to ten names.
constexpr std::size_t kIdLengthMax = 50;
constexpr std::size_t kNameLengthMax = 30;
constexpr std::size_t kNamesMax = 10;
constexpr std::string_view kOpen = "{{#";
constexpr std::string_view kClose = "#}}";

bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

bool is_word(char c) noexcept {
    return is_letter(c) || (c >= '0' && c <= '9');
}

std::size_t word_length(std::string_view text) noexcept {
    return static_cast<std::size_t>(std::ranges::find_if_not(text, is_word) - text.begin());
}

// The length of the path at the front of `text` if a closing mark follows it, else 0.
std::size_t placeholder_path_length(std::string_view text) noexcept {
    auto at = word_length(text.substr(0, kIdLengthMax + 1));
    if (at == 0 || at > kIdLengthMax) {
        return 0;
    }
    std::size_t names = 0;
    while (at < text.size() && text[at] == '.') {
        const auto name = text.substr(at + 1, kNameLengthMax + 1);
        const auto length = word_length(name);
        if (length == 0 || length > kNameLengthMax || !is_letter(name[0])) {
            return 0;
        }
        at += 1 + length;
        ++names;
    }
    const bool is_path = names >= 1 && names <= kNamesMax;
    return is_path && text.substr(at).starts_with(kClose) ? at : 0;
}

Selector split_path(std::string_view path) {
    Selector selector;
    for (const auto part : split(path, '.')) {
        selector.emplace_back(part);
    }
    return selector;
}

// The original looks up every literal that has a dot in it. Node ids and variable names hold no
// white space, so prose need not be looked up again and again.
bool may_be_path(std::string_view literal) noexcept {
    const auto dot = literal.find('.');
    return dot != std::string_view::npos && dot > 0 &&
           literal.find_first_of(" \t\r\n") == std::string_view::npos;
}

template <class Append>
std::string render(
    const std::vector<TextTemplate::Segment>& segments,
    const VariablePool& pool,
    const Append& append
) {
    std::string out;
    for (const auto& segment : segments) {
        if (segment.selector.empty()) {
            out += segment.text;
        } else if (segment.selector.size() == 2) {
            // The usual case, without touching the value's reference count.
            const auto* value = pool.find(segment.selector[0], segment.selector[1]);
            if (value == nullptr) {
                out += segment.text;
            } else {
                append(out, *value);
            }
        } else if (const auto value = pool.find(segment.selector)) {
            append(out, *value);
        } else {
            out += segment.text;
        }
        if (out.size() > kRenderedBytesMax) {
            // Nobody who renders could do anything about it; the node fails with this.
            throw std::length_error(
                fmt::format("the text of a template is longer than {} bytes", kRenderedBytesMax)
            );
        }
    }
    return out;
}

}  // namespace

TextTemplate::TextTemplate(std::string_view source) {
    const auto add_literal = [this](std::string_view literal) {
        if (!literal.empty()) {
            segments_.push_back(
                {std::string(literal),
                 may_be_path(literal) ? split_path(literal) : Selector(),
                 false}
            );
        }
    };
    std::size_t literal_start = 0;
    auto open = source.find(kOpen);
    while (open != std::string_view::npos) {
        const auto inner = source.substr(open + kOpen.size());
        const auto length = placeholder_path_length(inner);
        if (length == 0) {
            open = source.find(kOpen, open + 1);
            continue;
        }
        add_literal(source.substr(literal_start, open - literal_start));
        const auto path = inner.substr(0, length);
        segments_.push_back({std::string(path), split_path(path), true});
        literal_start = open + kOpen.size() + length + kClose.size();
        open = source.find(kOpen, literal_start);
    }
    add_literal(source.substr(literal_start));
}

std::vector<Selector> TextTemplate::references() const {
    std::vector<Selector> selectors;
    for (const auto& segment : segments_) {
        if (segment.is_placeholder) {
            selectors.push_back(segment.selector);
        }
    }
    return selectors;
}

std::string TextTemplate::to_text(const VariablePool& pool) const {
    return render(segments_, pool, [](std::string& out, const Value& value) {
        value.append_text(out);
    });
}

std::string TextTemplate::to_markdown(const VariablePool& pool) const {
    return render(segments_, pool, [](std::string& out, const Value& value) {
        value.append_markdown(out);
    });
}

std::string TextTemplate::to_masked_text(const VariablePool& pool) const {
    return render(segments_, pool, [](std::string& out, const Value& value) {
        if (value.type() == ValueType::secret) {
            out += value.to_log();
        } else {
            value.append_text(out);
        }
    });
}

}  // namespace flowspan::value
