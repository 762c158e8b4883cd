#include "dsl/app.hpp"

#include "dsl/detail/pointer.hpp"
#include "flowspan/base/error.hpp"

#include <fmt/format.h>

namespace flowspan::dsl {

std::string_view to_string(AppMode mode) noexcept {
    switch (mode) {
        case AppMode::workflow:
            return "workflow";
        case AppMode::advanced_chat:
            return "advanced-chat";
        case AppMode::chat:
            return "chat";
        case AppMode::agent_chat:
            return "agent-chat";
        case AppMode::completion:
            return "completion";
        case AppMode::agent:
            return "agent";
    }
    return "workflow";
}

void PositionMap::open(std::string_view key, SourcePosition position) {
    open_.push_back(static_cast<std::uint32_t>(entries_.size()));
    entries_.push_back({std::string(key), position, 0});
}

void PositionMap::close() {
    FLOWSPAN_ASSERT(!open_.empty(), "close without open");
    entries_[open_.back()].end = static_cast<std::uint32_t>(entries_.size());
    open_.pop_back();
}

PositionMap::Found PositionMap::walk(std::string_view pointer) const noexcept {
    std::size_t at = 0;
    while (!pointer.empty()) {
        const auto key = detail::take_pointer_part(pointer);
        // The last of equal keys, as the last one's value is the one that counts.
        std::size_t match = 0;
        for (std::size_t i = at + 1; i < entries_[at].end; i = entries_[i].end) {
            match = detail::is_pointer_part(key, entries_[i].key) ? i : match;
        }
        if (match == 0) {
            return {at, false};
        }
        at = match;
    }
    return {at, true};
}

SourcePosition PositionMap::find(std::string_view pointer) const noexcept {
    return entries_.empty() ? SourcePosition() : entries_[walk(pointer).index].position;
}

PositionMap PositionMap::cut(std::size_t index) const {
    PositionMap part;
    const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(index);
    const auto last = entries_.begin() + static_cast<std::ptrdiff_t>(first->end);
    part.entries_.assign(first, last);
    for (auto& entry : part.entries_) {
        entry.end -= static_cast<std::uint32_t>(index);
    }
    return part;
}

PositionMap PositionMap::below(std::string_view pointer) const {
    if (entries_.empty()) {
        return {};
    }
    const auto found = walk(pointer);
    return found.is_exact ? cut(found.index) : PositionMap();
}

std::vector<PositionMap> PositionMap::parts(std::string_view pointer) const {
    std::vector<PositionMap> parts;
    if (entries_.empty()) {
        return parts;
    }
    const auto found = walk(pointer);
    if (found.is_exact) {
        for (auto i = found.index + 1; i < entries_[found.index].end; i = entries_[i].end) {
            parts.push_back(cut(i));
        }
    }
    return parts;
}

std::string NodeSpec::name() const {
    return title.empty() ? fmt::format("`{}`", id) : fmt::format("\"{}\" ({})", title, id);
}

}  // namespace flowspan::dsl
