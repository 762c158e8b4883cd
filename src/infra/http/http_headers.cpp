#include "flowspan/base/text.hpp"
#include "infra/http/http_types.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

namespace flowspan::http {

namespace {

std::optional<std::int64_t> parse_count(std::string_view text) {
    text = trim(text);
    std::int64_t number = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), number);
    // Providers write fractions of a second ("1.5"); whole ones are near enough, rounded up.
    const bool has_fraction = ec == std::errc() && end != text.data() + text.size() && *end == '.';
    if (ec != std::errc() || number < 0 || (!has_fraction && end != text.data() + text.size())) {
        return std::nullopt;
    }
    // A day is longer than anybody waits; the cap keeps the arithmetic from overflowing.
    return std::min<std::int64_t>(number + (has_fraction ? 1 : 0), 86'400'000);
}

}  // namespace

const std::string* find_header(const Headers& headers, std::string_view name) noexcept {
    const auto found = std::ranges::find_if(headers, [name](const auto& header) {
        return equals_ignore_case(header.first, name);
    });
    return found == headers.end() ? nullptr : &found->second;
}

std::optional<std::chrono::milliseconds> retry_after(
    const HttpResponse& response, std::chrono::system_clock::time_point now
) {
    if (const auto* text = find_header(response.headers, "retry-after-ms")) {
        if (const auto count = parse_count(*text)) {
            return std::chrono::milliseconds(*count);
        }
    }
    const auto* text = find_header(response.headers, "retry-after");
    if (text == nullptr) {
        return std::nullopt;
    }
    if (const auto count = parse_count(*text)) {
        return std::chrono::seconds(*count);
    }
    const auto date = curl_getdate(text->c_str(), nullptr);
    if (date < 0) {
        return std::nullopt;
    }
    const auto wait = std::chrono::system_clock::from_time_t(date) - now;
    return std::max(
        std::chrono::milliseconds(0), std::chrono::duration_cast<std::chrono::milliseconds>(wait)
    );
}

}  // namespace flowspan::http
