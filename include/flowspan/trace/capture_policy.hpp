#pragma once
// How much of prompts, answers, inputs and outputs may leave the process on spans.

#include "flowspan/base/result.hpp"
#include "flowspan/trace/tracer.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flowspan::trace {

enum class CaptureMode : std::uint8_t {
    off,       ///< neither content nor its sizes
    metadata,  ///< sizes, counts, names and ids; no text
    full,      ///< the content itself, cut to a limit
};

[[nodiscard]] Result<CaptureMode> parse_capture_mode(std::string_view text);

struct CapturePolicy {
    CaptureMode mode = CaptureMode::metadata;
    std::size_t content_bytes_max = 16U * 1024U;  ///< a longer text is cut and marked

    [[nodiscard]] bool wants_content() const noexcept { return mode == CaptureMode::full; }

    /// The only way for content onto a span: writes `text` under `key` if the policy says so.
    void write_content(Span& span, std::string_view key, std::string_view text) const;
};

}  // namespace flowspan::trace
