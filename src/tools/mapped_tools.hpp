#pragma once
// Tools that flowspan.toml sends to an HTTP endpoint, a local command or an app file.

#include "tools/tool_registry.hpp"

#include <memory>
#include <string_view>

namespace flowspan::tools {

/// `?` matches one character, `*` any text.
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text) noexcept;

/// True if `pattern` matches the provider by its id, its name, or the last part of a long id
/// (`author/plugin/name`).
[[nodiscard]] bool matches_provider(std::string_view pattern, const ToolRef& ref) noexcept;

[[nodiscard]] std::unique_ptr<ToolProvider> make_mapped_tools(
    std::vector<ToolMapping> mappings, ToolServices services
);

}  // namespace flowspan::tools
