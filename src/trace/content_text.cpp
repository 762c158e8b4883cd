#include "trace/content_text.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace flowspan::trace {

namespace {

// Below it a document is all structure, and only its beginning can be shown.
constexpr std::size_t kTextBytesMin = 16;
constexpr std::size_t kItemsMin = 2;
// The mark of a cut text with a number of up to 20 digits.
constexpr std::size_t kMarkBytes = 48;

struct Limits {
    std::size_t total = kNoLimit;
    std::size_t text = kNoLimit;   // bytes of each text
    std::size_t items = kNoLimit;  // of each list and object
};

/// Writes one document; gives up as soon as it is longer than allowed.
class Writer {
public:
    Writer(const Redactor& redactor, const Limits& limits) : redactor_(redactor), limits_(limits) {}

    bool write(const json::value& value) {
        switch (value.kind()) {
            case json::kind::object:
                write_object(value.get_object());
                break;
            case json::kind::array:
                write_array(value.get_array());
                break;
            case json::kind::string:
                write_text(value.get_string());
                break;
            default:
                out_ += to_json_text(value);
        }
        return fits();
    }

    std::string take() { return std::move(out_); }

private:
    [[nodiscard]] bool fits() const noexcept { return out_.size() <= limits_.total; }

    void write_text(std::string_view text) {
        const auto cleaned = redactor_.redact(text);
        const std::string_view shown = cleaned ? std::string_view(*cleaned) : text;
        append_json_string(
            out_, shown.size() <= limits_.text ? std::string(shown) : cut_text(shown, limits_.text)
        );
    }

    void write_object(const json::object& object) {
        out_ += '{';
        std::size_t count = 0;
        for (const auto& member : object) {
            if (count > 0) {
                out_ += ',';
            }
            if (count++ == limits_.items) {
                write_rest(object.size() - limits_.items);
                break;
            }
            append_json_string(out_, member.key());
            out_ += ':';
            if (redactor_.is_secret_key(member.key()) && !member.value().is_null()) {
                append_json_string(out_, kRedacted);
            } else if (!write(member.value())) {
                return;
            }
        }
        out_ += '}';
    }

    // As a member, so that the object stays one.
    void write_rest(std::size_t count) {
        append_json_string(out_, "…");
        out_ += ':';
        append_json_string(out_, fmt::format("{} more", count));
    }

    void write_array(const json::array& array) {
        out_ += '[';
        std::size_t count = 0;
        for (const auto& item : array) {
            if (count > 0) {
                out_ += ',';
            }
            if (count++ == limits_.items) {
                append_json_string(out_, fmt::format("… {} more", array.size() - limits_.items));
                break;
            }
            if (!write(item)) {
                return;
            }
        }
        out_ += ']';
    }

    const Redactor& redactor_;
    Limits limits_;
    std::string out_;
};

}  // namespace

std::string cut_text(std::string_view text, std::size_t bytes_max) {
    const auto head = utf8_prefix(text, bytes_max);
    return fmt::format("{}… ({} more bytes)", head, text.size() - head.size());
}

std::string content_json(
    const json::value& value, const Redactor& redactor, std::size_t bytes_max
) {
    Limits limits{bytes_max};
    // A list of messages usually holds one long text; the others then stay whole.
    while (true) {
        Writer writer(redactor, limits);
        if (writer.write(value)) {
            return writer.take();
        }
        if (limits.text > kTextBytesMin) {
            const auto longest = std::max(bytes_max, 2 * kMarkBytes) - kMarkBytes;
            limits.text = limits.text == kNoLimit ? longest : limits.text * 3 / 4;
        } else if (limits.items > kItemsMin) {
            constexpr std::size_t kItemsFirst = 1024;
            limits.items = limits.items == kNoLimit ? kItemsFirst : limits.items / 2;
        } else {
            std::string text;
            append_json_string(text, cut_text(writer.take(), bytes_max / 2));
            return text;
        }
    }
}

}  // namespace flowspan::trace
