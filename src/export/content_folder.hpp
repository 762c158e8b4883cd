#pragma once
// ContentFolder: content that is too large for a span, as files named after what they hold.

#include "flowspan/base/clock.hpp"
#include "flowspan/base/result.hpp"
#include "flowspan/trace/capture_policy.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace flowspan::exporting {

struct ContentFolderConfig {
    std::filesystem::path path;
    std::uint64_t bytes_max = 1024UL * 1024UL * 1024UL;         ///< the oldest goes first
    std::chrono::seconds age_max = std::chrono::hours(24 * 7);  ///< older content is removed
    /// What may wait to be written; beyond it, content is not taken.
    std::size_t queue_bytes_max = 64UL * 1024UL * 1024UL;
};

struct ContentCounts {
    std::uint64_t stored = 0;   ///< written, or already there
    std::uint64_t refused = 0;  ///< too much was waiting
    std::uint64_t failed = 0;   ///< the disk did not take it

    bool operator==(const ContentCounts&) const = default;
};

/// The same text is kept once. Destroying it writes what waits. Several processes may share a
/// folder.
class ContentFolder : public trace::ContentStore {
public:
    /// Gives `sha256:<hex>`. The file is written soon after, by a thread of its own.
    [[nodiscard]] std::string put(std::string text) override = 0;

    /// Waits until all that was put is written.
    virtual void flush() = 0;

    [[nodiscard]] virtual ContentCounts counts() const = 0;
};

/// Makes the folder on first use.
[[nodiscard]] std::unique_ptr<ContentFolder> make_content_folder(
    ContentFolderConfig config, const Clock& clock
);

/// What stands under a reference: `not_found` if it was never written, or removed since;
/// `invalid_input` if it is no reference.
[[nodiscard]] Result<std::string> read_content(
    const std::filesystem::path& folder, std::string_view reference
);

}  // namespace flowspan::exporting
