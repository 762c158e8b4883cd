#include "nodes/text_encoding.hpp"

#include "flowspan/base/text.hpp"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <optional>

namespace flowspan::nodes {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

class Converter {
public:
    explicit Converter(const std::string& charset)
        : handle_(iconv_open("UTF-8", charset.c_str())) {}

    ~Converter() {
        if (is_open()) {
            iconv_close(handle_);
        }
    }

    Converter(const Converter&) = delete;
    Converter& operator=(const Converter&) = delete;

    [[nodiscard]] bool is_open() const noexcept {
        // iconv's own failure value. NOLINTNEXTLINE(performance-no-int-to-ptr)
        return handle_ != reinterpret_cast<iconv_t>(-1);
    }

    struct Outcome {
        std::string text;
        std::size_t bad_count = 0;
    };

    Outcome convert(std::string_view bytes, BadBytes bad_bytes) {
        Outcome outcome;
        std::array<char, 4096> buffer{};
        // iconv does not write to its input, whatever its signature says.
        char* in = const_cast<char*>(bytes.data());
        std::size_t in_left = bytes.size();
        while (in_left > 0) {
            char* out = buffer.data();
            std::size_t out_left = buffer.size();
            const auto done = iconv(handle_, &in, &in_left, &out, &out_left);
            const int error = done == static_cast<std::size_t>(-1) ? errno : 0;
            outcome.text.append(buffer.data(), buffer.size() - out_left);
            if (error == EILSEQ || error == EINVAL) {
                ++outcome.bad_count;
                ++in;
                --in_left;
                if (bad_bytes == BadBytes::replace) {
                    outcome.text += kReplacement;
                }
            }
        }
        // iconv's UTF-8 reaches beyond U+10FFFF, which East Asian charsets can lead to.
        if (!is_valid_utf8(outcome.text)) {
            ++outcome.bad_count;
            outcome.text = to_valid_utf8(outcome.text);
        }
        return outcome;
    }

private:
    iconv_t handle_;
};

std::optional<std::string> decode_as(
    std::string_view bytes, const std::string& charset, BadBytes bad_bytes
) {
    Converter converter(charset);
    if (charset.empty() || !converter.is_open()) {
        return std::nullopt;
    }
    return converter.convert(bytes, bad_bytes).text;
}

std::optional<std::string> decode_strictly(std::string_view bytes, const std::string& charset) {
    Converter converter(charset);
    if (!converter.is_open()) {
        return std::nullopt;
    }
    auto outcome = converter.convert(bytes, BadBytes::replace);
    return outcome.bad_count == 0 ? std::optional(std::move(outcome.text)) : std::nullopt;
}

// Latin text in a single-byte charset has lone high bytes between letters; East Asian text has them
// in pairs and more.
bool has_runs_of_high_bytes(std::string_view bytes) {
    std::size_t high = 0;
    std::size_t lone = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const auto is_high = [&](std::size_t at) {
            return at < bytes.size() && static_cast<unsigned char>(bytes[at]) >= 0x80;
        };
        if (is_high(i)) {
            ++high;
            const bool has_neighbour = is_high(i + 1) || (i > 0 && is_high(i - 1));
            lone += has_neighbour ? 0 : 1;
        }
    }
    return high >= 4 && lone * 4 < high;
}

std::string guess(std::string_view bytes, BadBytes bad_bytes) {
    struct Mark {
        std::string_view bytes;
        const char* charset;
    };

    constexpr std::array<Mark, 3> kMarks = {{
        {"\xef\xbb\xbf", "UTF-8"},
        {"\xff\xfe", "UTF-16LE"},
        {"\xfe\xff", "UTF-16BE"},
    }};
    for (const auto& mark : kMarks) {
        if (bytes.starts_with(mark.bytes)) {
            return decode_as(bytes.substr(mark.bytes.size()), mark.charset, bad_bytes)
                .value_or(std::string());
        }
    }
    if (is_valid_utf8(bytes)) {
        return std::string(bytes);
    }
    if (has_runs_of_high_bytes(bytes)) {
        for (const auto* charset : {"GB18030", "SHIFT_JIS", "EUC-JP", "BIG5"}) {
            if (auto text = decode_strictly(bytes, charset)) {
                return *std::move(text);
            }
        }
    } else if (auto text = decode_strictly(bytes, "WINDOWS-1252")) {
        return *std::move(text);
    }
    return decode_as(bytes, "UTF-8", bad_bytes).value_or(std::string());
}

}  // namespace

std::string decode_text(std::string_view bytes, std::string_view charset, BadBytes bad_bytes) {
    const bool is_utf8 = charset.empty() || equals_ignore_case(charset, "utf-8") ||
                         equals_ignore_case(charset, "utf8");
    if (is_utf8 && is_valid_utf8(bytes) && !bytes.starts_with("\xef\xbb\xbf")) {
        return std::string(bytes);
    }
    if (auto text = decode_as(bytes, std::string(charset), bad_bytes)) {
        return *std::move(text);
    }
    return guess(bytes, bad_bytes);
}

std::string charset_of(std::string_view content_type) {
    constexpr std::string_view kKey = "charset=";
    for (const auto part : split(content_type, ';')) {
        const auto parameter = trim(part);
        if (parameter.size() > kKey.size() &&
            equals_ignore_case(parameter.substr(0, kKey.size()), kKey)) {
            auto charset = trim(parameter.substr(kKey.size()));
            if (charset.starts_with('"') && charset.ends_with('"') && charset.size() >= 2) {
                charset = charset.substr(1, charset.size() - 2);
            }
            return to_lower_ascii(charset);
        }
    }
    return {};
}

}  // namespace flowspan::nodes
