#include "model/sse_parser.hpp"

namespace flowspan::model {

std::string_view SseParser::take_line(std::string_view bytes) {
    if (skips_feed_) {
        skips_feed_ = false;
        if (bytes.front() == '\n') {
            bytes.remove_prefix(1);
            if (bytes.empty()) {
                return bytes;
            }
        }
    }
    const auto end = bytes.find_first_of("\r\n");
    const auto piece = bytes.substr(0, end);
    if (partial_.size() + piece.size() > kEventBytesMax) {
        is_over_limit_ = true;
        is_stopped_ = true;
        return {};
    }
    if (end == std::string_view::npos) {
        partial_.append(piece);
        return {};
    }
    if (partial_.empty()) {
        line_ = piece;
    } else {
        partial_.append(piece);
        line_ = partial_;
    }
    has_line_ = true;
    skips_feed_ = bytes[end] == '\r';
    return bytes.substr(end + 1);
}

bool SseParser::take_field() {
    constexpr std::string_view kMark = "\xEF\xBB\xBF";
    if (!has_begun_) {
        has_begun_ = true;
        if (line_.starts_with(kMark)) {
            line_.remove_prefix(kMark.size());
        }
    }
    if (line_.empty()) {
        return true;
    }
    const auto colon = line_.find(':');
    const auto field = line_.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view() : line_.substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    if (field == "data") {
        if (data_.size() + value.size() > kEventBytesMax) {
            is_over_limit_ = true;
            is_stopped_ = true;
            return false;
        }
        if (has_data_) {
            data_ += '\n';
        }
        data_.append(value);
        has_data_ = true;
    } else if (field == "event") {
        name_ = value;
    }
    return false;
}

}  // namespace flowspan::model
