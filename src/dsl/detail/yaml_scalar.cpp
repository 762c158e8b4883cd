#include "dsl/detail/yaml_scalar.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace flowspan::dsl::detail {

namespace {

constexpr std::array<std::string_view, 5> kNullWords = {"", "~", "null", "Null", "NULL"};
constexpr std::array<std::string_view, 9> kTrueWords = {
    "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"
};
constexpr std::array<std::string_view, 9> kFalseWords = {
    "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"
};

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

bool consists_of(std::string_view text, std::string_view characters) noexcept {
    return !text.empty() && text.find_first_not_of(characters) == std::string_view::npos;
}

std::string without_underscores(std::string_view text) {
    std::string digits;
    std::ranges::copy_if(text, std::back_inserter(digits), [](char c) { return c != '_'; });
    return digits;
}

double parse_real(std::string_view text) noexcept {
    double number = 0;
    const auto parsed =
        std::from_chars(std::to_address(text.begin()), std::to_address(text.end()), number);
    if (parsed.ec == std::errc::result_out_of_range) {
        const bool is_tiny = text.find("e-") != std::string_view::npos || text.starts_with("0.");
        return is_tiny ? 0.0 : std::numeric_limits<double>::infinity();
    }
    return number;
}

// A number without its sign, and whether it had a minus.
struct Signed {
    std::string_view rest;
    bool is_negative = false;
    bool has_sign = false;
};

Signed take_sign(std::string_view text) noexcept {
    const bool has_sign = text.starts_with('-') || text.starts_with('+');
    return {text.substr(has_sign ? 1 : 0), text.starts_with('-'), has_sign};
}

json::value make_integer(const std::string& digits, int base, bool is_negative) {
    std::uint64_t magnitude = 0;
    const auto parsed =
        std::from_chars(digits.data(), digits.data() + digits.size(), magnitude, base);
    constexpr auto kMax = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (parsed.ec == std::errc() && magnitude <= kMax) {
        const auto number = static_cast<std::int64_t>(magnitude);
        return json::value(is_negative ? -number : number);
    }
    if (parsed.ec == std::errc() && is_negative && magnitude == kMax + 1) {
        return json::value(std::numeric_limits<std::int64_t>::min());
    }
    if (base == 10) {
        const double real = parse_real(digits);
        return json::value(is_negative ? -real : real);
    }
    double real = 0;
    for (const char c : digits) {
        const int digit = is_digit(c) ? c - '0' : (c | 0x20) - 'a' + 10;
        real = real * base + digit;
    }
    return json::value(is_negative ? -real : real);
}

// `[1-9][0-9_]*(:[0-5]?[0-9])+`: hours, minutes and seconds, or degrees.
bool is_base_60(std::string_view text) noexcept {
    const auto parts = split(text, ':');
    if (parts.size() < 2 || !consists_of(parts[0], "0123456789_") || !is_digit(parts[0][0])) {
        return false;
    }
    return std::all_of(parts.begin() + 1, parts.end(), [](std::string_view part) {
        return consists_of(part, "0123456789") &&
               (part.size() == 1 || (part.size() == 2 && part[0] <= '5'));
    });
}

double base_60_value(std::string_view text) {
    double number = 0;
    for (const auto part : split(text, ':')) {
        number = number * 60 + parse_real(without_underscores(part));
    }
    return number;
}

std::optional<json::value> as_integer(std::string_view text) {
    const auto [rest, is_negative, has_sign] = take_sign(text);
    if (rest.empty() || !is_digit(rest[0])) {
        return std::nullopt;
    }
    const auto digits = without_underscores(rest);
    if (rest == "0" || (rest[0] != '0' && consists_of(rest, "0123456789_"))) {
        return make_integer(digits, 10, is_negative);
    }
    if (rest[0] == '0' && consists_of(rest.substr(1), "01234567_")) {
        return make_integer(digits, 8, is_negative);
    }
    if (rest.starts_with("0b") && consists_of(rest.substr(2), "01_") && digits.size() > 2) {
        return make_integer(digits.substr(2), 2, is_negative);
    }
    if (rest.starts_with("0x") && consists_of(rest.substr(2), "0123456789abcdefABCDEF_") &&
        digits.size() > 2) {
        return make_integer(digits.substr(2), 16, is_negative);
    }
    if (rest[0] != '0' && is_base_60(rest)) {
        const double number = base_60_value(rest);
        const double with_sign = is_negative ? -number : number;
        const bool is_exact = number < 0x1p53;
        return is_exact ? json::value(static_cast<std::int64_t>(with_sign))
                        : json::value(with_sign);
    }
    return std::nullopt;
}

// `[eE][-+][0-9]+` or nothing: without a sign it is no exponent.
bool is_exponent(std::string_view text) noexcept {
    if (text.empty()) {
        return true;
    }
    return text.size() >= 3 && (text[0] == 'e' || text[0] == 'E') &&
           (text[1] == '-' || text[1] == '+') && consists_of(text.substr(2), "0123456789");
}

std::optional<json::value> as_special_float(std::string_view text) {
    const auto [rest, is_negative, has_sign] = take_sign(text);
    if (rest == ".inf" || rest == ".Inf" || rest == ".INF") {
        const auto infinity = std::numeric_limits<double>::infinity();
        return json::value(is_negative ? -infinity : infinity);
    }
    if (!has_sign && (rest == ".nan" || rest == ".NaN" || rest == ".NAN")) {
        return json::value(std::numeric_limits<double>::quiet_NaN());
    }
    return std::nullopt;
}

std::optional<json::value> as_float(std::string_view text) {
    const auto [rest, is_negative, has_sign] = take_sign(text);
    const auto dot = rest.find('.');
    if (dot == std::string_view::npos) {
        return std::nullopt;
    }
    const auto whole = rest.substr(0, dot);
    const auto after = rest.substr(dot + 1);
    const auto fraction = after.substr(0, after.find_first_not_of("0123456789_"));
    const auto exponent = after.substr(fraction.size());
    const auto with_sign = [negative = is_negative](double number) {
        return json::value(negative ? -number : number);
    };
    if (whole.find(':') != std::string_view::npos) {
        if (!exponent.empty() || !is_base_60(whole)) {
            return std::nullopt;
        }
        return with_sign(
            base_60_value(whole) + parse_real("0." + without_underscores(fraction) + "0")
        );
    }
    const bool has_whole = consists_of(whole, "0123456789_") && is_digit(whole[0]);
    const bool starts_with_dot =
        whole.empty() && !has_sign && !fraction.empty() && is_digit(fraction[0]);
    if ((!has_whole && !starts_with_dot) || !is_exponent(exponent)) {
        return std::nullopt;
    }
    auto digits = "0" + without_underscores(whole) + "." + without_underscores(fraction) + "0";
    digits += to_lower_ascii(exponent);
    // from_chars takes no plus sign in front of the exponent's digits on some libraries.
    std::erase(digits, '+');
    return with_sign(parse_real(digits));
}

}  // namespace

json::value resolve_plain_scalar(std::string_view text) {
    const auto is_word = [text](std::string_view word) { return text == word; };
    if (std::ranges::any_of(kNullWords, is_word)) {
        return {};
    }
    const char first = text[0];
    const bool may_be_number = is_digit(first) || first == '-' || first == '+' || first == '.';
    if (!may_be_number) {
        if (std::ranges::any_of(kTrueWords, is_word)) {
            return json::value(true);
        }
        return std::ranges::any_of(kFalseWords, is_word) ? json::value(false) : json::value(text);
    }
    if (auto number = as_integer(text)) {
        return *std::move(number);
    }
    if (auto number = as_special_float(text)) {
        return *std::move(number);
    }
    if (auto number = as_float(text)) {
        return *std::move(number);
    }
    return json::value(text);
}

}  // namespace flowspan::dsl::detail
