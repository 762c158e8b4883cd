#include "tools/time_format.hpp"

#include "flowspan/base/text.hpp"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <optional>

namespace flowspan::tools {

namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::sys_seconds;

constexpr std::array<std::string_view, 7> kWeekdays = {
    "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"
};
constexpr std::array<std::string_view, 12> kMonths = {
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December"
};
constexpr std::size_t kShortName = 3;

// A moment of the zone's clocks taken apart.
struct Fields {
    explicit Fields(const LocalTime& time) {
        const sys_seconds moment{seconds(time.seconds)};
        const auto day = floor<days>(moment);
        const std::chrono::year_month_day date(day);
        year = static_cast<int>(date.year());
        month = static_cast<unsigned>(date.month());
        day_of_month = static_cast<unsigned>(date.day());
        weekday = std::chrono::weekday(day).c_encoding();
        day_of_year = (day - sys_days(date.year() / std::chrono::January / 1)).count() + 1;
        const auto rest = (moment - day).count();
        hour = rest / 3600;
        minute = rest / 60 % 60;
        second = rest % 60;
    }

    int year;
    unsigned month, day_of_month, weekday;
    std::int64_t day_of_year, hour, minute, second;
};

std::string offset_text(std::int64_t offset) {
    const auto minutes = (offset < 0 ? -offset : offset) / 60;
    return fmt::format("{}{:02}{:02}", offset < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

std::string format_directive(const LocalTime& time, const Fields& at, char directive) {
    switch (directive) {
        case 'a':
            return std::string(kWeekdays.at(at.weekday).substr(0, kShortName));
        case 'A':
            return std::string(kWeekdays.at(at.weekday));
        case 'w':
            return std::to_string(at.weekday);
        case 'd':
            return fmt::format("{:02}", at.day_of_month);
        case 'b':
            return std::string(kMonths.at(at.month - 1).substr(0, kShortName));
        case 'B':
            return std::string(kMonths.at(at.month - 1));
        case 'm':
            return fmt::format("{:02}", at.month);
        case 'y':
            return fmt::format("{:02}", at.year % 100);
        case 'Y':
            return fmt::format("{:04}", at.year);
        case 'H':
            return fmt::format("{:02}", at.hour);
        case 'I':
            return fmt::format("{:02}", at.hour % 12 == 0 ? 12 : at.hour % 12);
        case 'p':
            return at.hour < 12 ? "AM" : "PM";
        case 'M':
            return fmt::format("{:02}", at.minute);
        case 'S':
            return fmt::format("{:02}", at.second);
        case 'f':
            return fmt::format("{:06}", time.microseconds);
        case 'z':
            return offset_text(time.offset_seconds);
        case 'Z':
            return time.abbreviation;
        case 'j':
            return fmt::format("{:03}", at.day_of_year);
        case 's':
            return std::to_string(time.seconds - time.offset_seconds);
        case '%':
            return "%";
        default:
            return {'%', directive};
    }
}

// Directives that stand for others.
std::string_view expansion(char directive) {
    switch (directive) {
        case 'c':
            return "%a %b %d %H:%M:%S %Y";
        case 'x':
        case 'D':
            return "%m/%d/%y";
        case 'F':
            return "%Y-%m-%d";
        case 'X':
        case 'T':
            return "%H:%M:%S";
        case 'R':
            return "%H:%M";
        default:
            return {};
    }
}

std::string expand(std::string_view format) {
    std::string out;
    for (std::size_t at = 0; at < format.size(); ++at) {
        if (format[at] != '%' || at + 1 == format.size()) {
            out += format[at];
            continue;
        }
        const char directive = format[++at];
        if (const auto expanded = expansion(directive); !expanded.empty()) {
            out += expanded;
        } else {
            out += '%';
            out += directive;
        }
    }
    return out;
}

class Parser {
public:
    Parser(std::string_view text, std::string_view format) : text_(text), format_(format) {}

    std::optional<std::int64_t> run() {
        for (std::size_t at = 0; at < format_.size(); ++at) {
            const char c = format_[at];
            if (c == '%' && at + 1 < format_.size()) {
                if (!read_directive(format_[++at])) {
                    return std::nullopt;
                }
            } else if (c == ' ') {
                text_ = text_.substr(std::min(text_.find_first_not_of(' '), text_.size()));
            } else if (!read_literal(c)) {
                return std::nullopt;
            }
        }
        return text_.empty() ? conclude() : std::nullopt;
    }

private:
    bool read_literal(char c) {
        if (text_.empty() || text_.front() != c) {
            return false;
        }
        text_.remove_prefix(1);
        return true;
    }

    bool read_number(std::int64_t& target, std::size_t digits_max) {
        std::size_t digits = 0;
        target = 0;
        while (digits < digits_max && digits < text_.size() && text_[digits] >= '0' &&
               text_[digits] <= '9') {
            target = target * 10 + (text_[digits++] - '0');
        }
        text_.remove_prefix(digits);
        return digits > 0;
    }

    bool read_month_name() {
        for (std::size_t index = 0; index < kMonths.size(); ++index) {
            const auto name = kMonths.at(index);
            for (const auto length : {name.size(), kShortName}) {
                if (equals_ignore_case(text_.substr(0, length), name.substr(0, length))) {
                    text_.remove_prefix(length);
                    month_ = static_cast<std::int64_t>(index) + 1;
                    return true;
                }
            }
        }
        return false;
    }

    bool read_half_of_day() {
        const auto word = text_.substr(0, 2);
        is_afternoon_ = equals_ignore_case(word, "PM");
        if (!is_afternoon_ && !equals_ignore_case(word, "AM")) {
            return false;
        }
        is_half_given_ = true;
        text_.remove_prefix(2);
        return true;
    }

    bool read_short_year() {
        if (!read_number(year_, 2)) {
            return false;
        }
        constexpr std::int64_t kLastOf2000s = 68;
        year_ += year_ > kLastOf2000s ? 1900 : 2000;
        return true;
    }

    bool read_directive(char directive) {
        std::int64_t ignored = 0;
        switch (directive) {
            case 'Y':
                return read_number(year_, 4);
            case 'y':
                return read_short_year();
            case 'm':
                return read_number(month_, 2);
            case 'd':
                return read_number(day_, 2);
            case 'H':
            case 'I':
                return read_number(hour_, 2);
            case 'M':
                return read_number(minute_, 2);
            case 'S':
                return read_number(second_, 2);
            case 'f':
                return read_number(ignored, 6);
            case 'b':
            case 'B':
                return read_month_name();
            case 'p':
                return read_half_of_day();
            case '%':
                return read_literal('%');
            default:
                return false;
        }
    }

    [[nodiscard]] std::optional<std::int64_t> conclude() const {
        const std::chrono::year_month_day date(
            std::chrono::year(static_cast<int>(year_)),
            std::chrono::month(static_cast<unsigned>(month_)),
            std::chrono::day(static_cast<unsigned>(day_))
        );
        if (!date.ok() || hour_ > 23 || minute_ > 59 || second_ > 61) {
            return std::nullopt;
        }
        auto hour = hour_;
        if (is_half_given_) {
            hour = hour_ % 12 + (is_afternoon_ ? 12 : 0);
        }
        return sys_days(date).time_since_epoch().count() * 86'400 + hour * 3600 + minute_ * 60 +
               second_;
    }

    std::string_view text_;
    std::string_view format_;
    std::int64_t year_ = 1900, month_ = 1, day_ = 1, hour_ = 0, minute_ = 0, second_ = 0;
    bool is_half_given_ = false;
    bool is_afternoon_ = false;
};

}  // namespace

LocalTime to_local(const TimeZone& zone, std::int64_t utc_seconds) {
    const auto& offset = zone.at(utc_seconds);
    return {utc_seconds + offset.seconds, 0, offset.seconds, offset.abbreviation};
}

std::string format_time(const LocalTime& time, std::string_view format) {
    const Fields fields(time);
    const auto expanded = expand(format);
    std::string out;
    for (std::size_t at = 0; at < expanded.size(); ++at) {
        if (expanded[at] == '%' && at + 1 < expanded.size()) {
            out += format_directive(time, fields, expanded[++at]);
        } else {
            out += expanded[at];
        }
    }
    return out;
}

Result<std::int64_t> parse_time(std::string_view text, std::string_view format) {
    const auto expanded = expand(format);
    const auto seconds_of_clock = Parser(trim(text), expanded).run();
    if (!seconds_of_clock) {
        return failure(Error(
                           ErrorCode::invalid_input,
                           fmt::format("the time does not match the format `{}`", format)
        )
                           .with_detail(std::string(text)));
    }
    return *seconds_of_clock;
}

}  // namespace flowspan::tools
