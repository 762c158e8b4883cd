#include "flowspan/value/variable_pool.hpp"

#include "flowspan/value/file.hpp"

#include <algorithm>
#include <utility>

namespace flowspan::value {

std::string to_text(std::span<const std::string> selector) {
    std::string text;
    for (const auto& part : selector) {
        text += text.empty() ? "" : ".";
        text += part;
    }
    return text;
}

const Value* VariableGroup::find(std::string_view name) const noexcept {
    const auto found = std::ranges::find(entries_, name, &Entry::name);
    return found == entries_.end() ? nullptr : &found->value;
}

void VariableGroup::set(std::string_view name, Value value) {
    const auto found = std::ranges::find(entries_, name, &Entry::name);
    if (found == entries_.end()) {
        entries_.emplace_back(std::string(name), std::move(value));
    } else {
        found->value = std::move(value);
    }
}

bool VariableGroup::erase(std::string_view name) {
    return std::erase_if(entries_, [name](const Entry& entry) { return entry.name == name; }) > 0;
}

const VariablePool::NamedGroup* VariablePool::find(std::string_view group) const noexcept {
    const auto hash = StringHash{}(group);
    for (const auto& entry : groups_) {
        if (entry.hash == hash && entry.group->name == group) {
            return entry.group.get();
        }
    }
    return nullptr;
}

const Value* VariablePool::find(std::string_view group, std::string_view name) const noexcept {
    const auto* found = find(group);
    return found == nullptr ? nullptr : found->variables.find(name);
}

std::optional<Value> VariablePool::find(std::span<const std::string> selector) const {
    if (selector.size() < 2) {
        return std::nullopt;
    }
    const auto* stored = find(selector[0], selector[1]);
    if (stored == nullptr) {
        return std::nullopt;
    }
    if (selector.size() == 2) {
        return *stored;
    }
    const auto* at = &stored->json();
    for (const auto& key : selector.subspan(2)) {
        if (is_file_record(*at)) {
            // What follows an attribute is ignored: attributes have no parts.
            auto attribute = file_attribute(*at, key);
            return attribute ? std::optional(Value(*std::move(attribute))) : std::nullopt;
        }
        at = find_member(*at, key);
        if (at == nullptr) {
            return std::nullopt;
        }
    }
    return stored->part(*at);
}

void VariablePool::set(std::string_view group, std::string_view name, Value value) {
    const auto hash = StringHash{}(group);
    const auto found = std::ranges::find_if(groups_, [&](const Entry& entry) {
        return entry.hash == hash && entry.group->name == group;
    });
    if (found == groups_.end()) {
        groups_.push_back({hash, std::make_shared<NamedGroup>(std::string(group))});
        groups_.back().group->variables.set(name, std::move(value));
        return;
    }
    if (found->group.use_count() > 1) {
        found->group = std::make_shared<NamedGroup>(*found->group);
    }
    found->group->variables.set(name, std::move(value));
}

void VariablePool::erase_group(std::string_view group) {
    std::erase_if(groups_, [group](const Entry& entry) { return entry.group->name == group; });
}

const VariableGroup* VariablePool::find_group(std::string_view group) const noexcept {
    const auto* found = find(group);
    return found == nullptr ? nullptr : &found->variables;
}

void VariablePool::for_each(
    const std::function<void(std::string_view, std::string_view, const Value&)>& visit
) const {
    for (const auto& [hash, group] : groups_) {
        for (const auto& entry : group->variables.entries()) {
            visit(group->name, entry.name, entry.value);
        }
    }
}

}  // namespace flowspan::value
