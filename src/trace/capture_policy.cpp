#include "flowspan/trace/capture_policy.hpp"

#include "flowspan/base/text.hpp"

#include <string>

namespace flowspan::trace {

Result<CaptureMode> parse_capture_mode(std::string_view text) {
    if (text == "off") {
        return CaptureMode::off;
    }
    if (text == "metadata") {
        return CaptureMode::metadata;
    }
    if (text == "full") {
        return CaptureMode::full;
    }
    return failure(
        ErrorCode::invalid_input,
        "`" + std::string(text) + "` is no content policy; use off, metadata or full"
    );
}

void CapturePolicy::write_content(Span& span, std::string_view key, std::string_view text) const {
    if (!wants_content()) {
        return;
    }
    if (text.size() <= content_bytes_max) {
        set(span, key, text);
        return;
    }
    set(span, key, std::string(utf8_prefix(text, content_bytes_max)) + "… (truncated)");
}

}  // namespace flowspan::trace
