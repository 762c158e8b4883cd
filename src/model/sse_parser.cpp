#include "model/sse_parser.hpp"

#include <cstring>
#include <utility>

namespace flowspan::model {

namespace {

std::size_t find_line_end(std::string_view bytes) {
    const auto find = [&bytes](char end, std::size_t size) {
        const void* at = std::memchr(bytes.data(), end, size);
        return at == nullptr
                   ? std::string_view::npos
                   : static_cast<std::size_t>(static_cast<const char*>(at) - bytes.data());
    };
    const auto line_feed = find('\n', bytes.size());
    const auto carriage_return =
        find('\r', line_feed == std::string_view::npos ? bytes.size() : line_feed);
    return carriage_return == std::string_view::npos ? line_feed : carriage_return;
}

}  // namespace

bool SseParser::feed(std::string_view bytes, SseListener& listener) {
    while (!bytes.empty() && !is_broken_) {
        if (std::exchange(is_line_feed_skipped_, false) && bytes.front() == '\n') {
            bytes.remove_prefix(1);
            continue;
        }
        const auto end = find_line_end(bytes);
        const auto head = bytes.substr(0, end);
        if (line_.size() + head.size() > size_max_) {
            is_broken_ = true;
            break;
        }
        if (end == std::string_view::npos) {
            line_.append(head);
            break;
        }
        is_line_feed_skipped_ = bytes[end] == '\r';
        bytes.remove_prefix(end + 1);
        if (line_.empty()) {
            is_broken_ = !take_line(head, listener);
            continue;
        }
        line_.append(head);
        is_broken_ = !take_line(line_, listener);
        keep_data();
        line_.clear();
    }
    keep_data();
    return !is_broken_;
}

void SseParser::finish(SseListener& listener) {
    if (is_broken_) {
        return;
    }
    if (!line_.empty()) {
        is_broken_ = !take_line(line_, listener);
        keep_data();
        line_.clear();
    }
    if (!is_broken_) {
        dispatch(listener);
    }
}

bool SseParser::take_line(std::string_view line, SseListener& listener) {
    static constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    if (std::exchange(is_at_start_, false) && line.starts_with(kByteOrderMark)) {
        line.remove_prefix(kByteOrderMark.size());
    }
    if (line.empty()) {
        dispatch(listener);
        return true;
    }
    const auto colon = line.find(':');
    const auto field = line.substr(0, colon);
    auto value = colon == std::string_view::npos ? std::string_view() : line.substr(colon + 1);
    if (value.starts_with(' ')) {
        value.remove_prefix(1);
    }
    if (field == "data") {
        return add_data(value);
    }
    if (field == "event") {
        type_ = value;
    }
    return true;
}

bool SseParser::add_data(std::string_view value) {
    if (!has_data_) {
        has_data_ = true;
        is_borrowed_ = true;
        borrowed_ = value;
        return true;
    }
    keep_data();
    if (data_.size() + 1 + value.size() > size_max_) {
        return false;
    }
    data_.append(1, '\n').append(value);
    return true;
}

void SseParser::keep_data() {
    if (std::exchange(is_borrowed_, false)) {
        data_ = borrowed_;
    }
}

void SseParser::dispatch(SseListener& listener) {
    if (std::exchange(has_data_, false)) {
        const bool was_borrowed = std::exchange(is_borrowed_, false);
        listener.on_event(type_, was_borrowed ? borrowed_ : std::string_view(data_));
    }
    type_.clear();
    data_.clear();
}

}  // namespace flowspan::model
