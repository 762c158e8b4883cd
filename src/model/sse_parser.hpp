#pragma once
// Server-sent events as a machine without I/O: bytes in, events out.

#include <cstddef>
#include <string>
#include <string_view>

namespace flowspan::model {

/// Splits a byte stream at any place into events. Line ends may be LF, CRLF or CR; several `data`
/// lines of one event are joined by a line break; comments and other fields than `event` and `data`
/// are passed over. (WHATWG HTML, server-sent events.)
class SseParser {
public:
    /// Lines and events longer than this end the parsing.
    static constexpr std::size_t kEventBytesMax = 8UL * 1024UL * 1024UL;

    struct Event {
        std::string_view name;  ///< empty if the event has none
        std::string_view data;  ///< valid during the call only
    };

    /// Calls `on_event(Event) -> bool` for each event that `bytes` completes; false stops. Returns
    /// false once stopped or over the limit.
    template <class OnEvent>
    bool feed(std::string_view bytes, OnEvent&& on_event) {
        while (!bytes.empty() && !is_stopped_) {
            bytes = take_line(bytes);
            if (has_line_) {
                has_line_ = false;
                end_line(on_event);
            }
        }
        return !is_stopped_;
    }

    /// At the end of the stream: an event that lacks its closing blank line still counts, because
    /// servers that close at once often leave it out.
    template <class OnEvent>
    bool finish(OnEvent&& on_event) {
        if (!partial_.empty() && !is_stopped_) {
            line_ = partial_;
            end_line(on_event);
        }
        if (has_data_ && !is_stopped_) {
            dispatch(on_event);
        }
        return !is_stopped_;
    }

    [[nodiscard]] bool is_over_limit() const noexcept { return is_over_limit_; }

private:
    /// Consumes up to the end of a line, which is then in line_, or keeps the beginning of one.
    std::string_view take_line(std::string_view bytes);
    /// Takes one field line; true for a blank one.
    bool take_field();

    template <class OnEvent>
    void end_line(OnEvent& on_event) {
        if (take_field() && has_data_) {
            dispatch(on_event);
        }
        partial_.clear();
    }

    template <class OnEvent>
    void dispatch(OnEvent& on_event) {
        is_stopped_ = !on_event(Event{name_, data_});
        data_.clear();
        name_.clear();
        has_data_ = false;
    }

    std::string partial_;    // a line that has not ended yet
    std::string_view line_;  // into the fed bytes or partial_
    std::string data_;
    std::string name_;
    bool has_line_ = false;
    bool has_data_ = false;
    bool has_begun_ = false;   // a byte order mark can only come first
    bool skips_feed_ = false;  // the LF of a CRLF that was split
    bool is_stopped_ = false;
    bool is_over_limit_ = false;
};

}  // namespace flowspan::model
