#pragma once
// Server-Sent Events out of bytes that come in pieces of any size. A machine without I/O.

#include <cstddef>
#include <string>
#include <string_view>

namespace flowspan::model {

/// Takes the events of a stream in order.
class SseListener {
public:
    virtual ~SseListener() = default;

    /// `type` is empty unless the stream names one; both are valid during the call only.
    virtual void on_event(std::string_view type, std::string_view data) = 0;
};

/// Follows the HTML standard: lines end with CR, LF or CRLF, a leading byte order mark and comments
/// are skipped, several `data` lines are joined with LF. Fields other than `event` and `data` are
/// ignored.
class SseParser {
public:
    /// `size_max` bounds a line and the data of an event, in bytes.
    explicit SseParser(std::size_t size_max = 8UL * 1024 * 1024) : size_max_(size_max) {}

    /// False once the limit was exceeded; what follows is ignored.
    [[nodiscard]] bool feed(std::string_view bytes, SseListener& listener);

    /// At the end of the stream: an event that lacks only its closing line is delivered. The
    /// standard drops it, but some servers end their last event so.
    void finish(SseListener& listener);

private:
    bool take_line(std::string_view line, SseListener& listener);
    bool add_data(std::string_view value);
    void keep_data();
    void dispatch(SseListener& listener);

    std::size_t size_max_;
    std::string line_;  // the beginning of a line whose end has not come yet
    std::string type_;
    std::string data_;
    // The data of an event that has one data line so far, still in the caller's bytes. Most events
    // come whole, and so are never copied.
    std::string_view borrowed_;
    bool has_data_ = false;
    bool is_borrowed_ = false;
    bool is_at_start_ = true;
    bool is_line_feed_skipped_ = false;  // the line before ended with CR
    bool is_broken_ = false;
};

}  // namespace flowspan::model
