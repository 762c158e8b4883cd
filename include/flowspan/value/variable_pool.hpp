#pragma once
// The variables of one run: a two-level map from node id (or reserved prefix) and name to a value.

#include "flowspan/value/value.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::value {

/// `[node id or prefix, name, further keys...]`.
using Selector = std::vector<std::string>;

/// `a.b.c` for messages.
[[nodiscard]] std::string to_text(std::span<const std::string> selector);

inline constexpr std::string_view kSystemPrefix = "sys";
inline constexpr std::string_view kEnvironmentPrefix = "env";
inline constexpr std::string_view kConversationPrefix = "conversation";
inline constexpr std::string_view kRagPrefix = "rag";

struct StringHash {
    using is_transparent = void;

    std::size_t operator()(std::string_view text) const noexcept {
        return std::hash<std::string_view>{}(text);
    }
};

/// Variables of one node or prefix, in order of first writing.
class VariableGroup {
public:
    struct Entry {
        std::string name;
        Value value;
    };

    [[nodiscard]] const Value* find(std::string_view name) const noexcept;
    void set(std::string_view name, Value value);
    bool erase(std::string_view name);

    [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }

private:
    // A node has a handful of outputs; a linear scan beats a map.
    std::vector<Entry> entries_;
};

/// Copying is cheap: groups are shared until one side writes to them. Not thread-safe; a pool lives
/// on its run's strand.
class VariablePool {
public:
    /// "Not found" (empty optional) and a present `none` value are different everywhere.
    /// Longer selectors walk into objects by key; on a file the third element is an attribute
    /// (`type`, `size`, `name`, `mime_type`, `transfer_method`, `url`, `extension`, `related_id`).
    [[nodiscard]] std::optional<Value> find(std::span<const std::string> selector) const;

    /// The stored variable itself, or null.
    [[nodiscard]] const Value* find(std::string_view group, std::string_view name) const noexcept;

    void set(std::string_view group, std::string_view name, Value value);

    /// Removes every variable of one node.
    void erase_group(std::string_view group);

    [[nodiscard]] const VariableGroup* find_group(std::string_view group) const noexcept;

    /// Calls `visit(group, name, value)` for all variables; groups in no particular order.
    void for_each(const std::function<void(std::string_view, std::string_view, const Value&)>& visit
    ) const;

private:
    struct NamedGroup {
        std::string name;
        VariableGroup variables;
    };

    // A run has a group for each node that has run. Comparing hashes in a row is quicker than a
    // hash table up to hundreds of them, and takes a tenth of the memory for the usual handful.
    struct Entry {
        std::size_t hash;
        // A copied pool shares its groups; set() clones a group that another pool also holds.
        std::shared_ptr<NamedGroup> group;
    };

    [[nodiscard]] const NamedGroup* find(std::string_view group) const noexcept;

    std::vector<Entry> groups_;
};

}  // namespace flowspan::value
