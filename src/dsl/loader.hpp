#pragma once
// Reads an app file of any version and reports all its problems at once.

#include "dsl/app.hpp"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::dsl {

inline constexpr std::size_t kFileSizeMax = std::size_t{10} * 1024 * 1024;

/// What loading gave: an app unless some problem is an error. Warnings may stand beside an app.
struct LoadResult {
    std::optional<App> app;
    std::string source;  ///< the text that was read
    std::vector<Problem> problems;
    bool is_not_an_app = false;  ///< another kind of document (rag pipeline, snippet, no `app`)
    /// Known even where loading failed, as far as it was read.
    std::string mode;
    std::string version;
};

/// `file` is only used in messages and to set App::file.
[[nodiscard]] LoadResult load_app(std::string_view text, std::string file);

/// Reads the file; a missing or unreadable file is a problem with code `file.unreadable`.
[[nodiscard]] LoadResult load_app_file(const std::filesystem::path& path);

}  // namespace flowspan::dsl
