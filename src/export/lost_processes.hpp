#pragma once
// What a process left behind that went away without ending: its open spans are closed as
// interrupted.

#include "flowspan/base/result.hpp"
#include "store/span_store.hpp"

#include <cstddef>
#include <filesystem>

namespace flowspan::exporting {

/// The place of interrupted spans in their process's order of ends: after all others.
inline constexpr std::int64_t kInterruptedSequence = std::int64_t{1} << 62;

/// Closes the open spans of every process of the store that neither ended nor lives: status error,
/// the mark `flowspan.interrupted` and an event of that name, ended when the process was last seen.
/// Spans that the process had not written yet come from its journal.
/// Each process is closed exactly once, whoever else tries. Returns the number of spans.
[[nodiscard]] Result<std::size_t> close_lost_processes(store::SpanStore& store);

/// The same for a reader: opens the file for writing only if there is something to do.
[[nodiscard]] Result<std::size_t> close_lost_processes(
    store::SpanStore& reader, const std::filesystem::path& path
);

/// Makes the store if it is not there because its first writer went away before its first write.
[[nodiscard]] Result<void> make_store_of_lost_processes(const std::filesystem::path& path);

}  // namespace flowspan::exporting
