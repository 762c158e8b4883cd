#include "cli/trace_list.hpp"

#include "export/terminal_line.hpp"
#include "export/trace_label.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <limits>

namespace flowspan::cli {

namespace {

constexpr std::size_t kColumns = 7;
constexpr std::size_t kShortId = 12;
constexpr std::size_t kAppMax = 30;
constexpr std::size_t kGap = 2;

using Cells = std::array<std::string, kColumns>;

std::string title_of(const store::TraceRow& trace) {
    return exporting::fit(
        exporting::printable(trace.app_name.empty() ? trace.root_name : trace.app_name),
        kAppMax,
        "..."
    );
}

std::int64_t duration_of(const store::TraceRow& trace, std::int64_t now_ns) {
    return (trace.open > 0 ? std::max(now_ns, trace.last_ns) : trace.last_ns) - trace.start_ns;
}

Cells cells_of(const store::TraceRow& trace, std::int64_t now_ns) {
    return {
        trace.trace_id,
        utc_text(trace.start_ns),
        title_of(trace),
        trace.status,
        exporting::duration_text(duration_of(trace, now_ns), exporting::symbols(false)),
        trace.tokens == 0 ? "-" : number_text(trace.tokens),
        number_text(trace.spans),
    };
}

// Numbers stand to the right.
constexpr std::array<bool, kColumns> kIsNumber = {false, false, false, false, true, true, true};

std::string render(const std::vector<Cells>& lines) {
    std::array<std::size_t, kColumns> widths{};
    for (const auto& line : lines) {
        for (std::size_t i = 0; i < kColumns; ++i) {
            widths[i] = std::max(widths[i], display_width(line[i]));
        }
    }
    std::string out;
    for (const auto& line : lines) {
        exporting::TerminalLine row(false);
        std::size_t column = 0;
        for (std::size_t i = 0; i < kColumns; ++i) {
            if (kIsNumber[i]) {
                row.add_before(column + widths[i], line[i], exporting::Style::plain);
            } else {
                row.pad_to(column);
                row.add(line[i]);
            }
            column += widths[i] + kGap;
        }
        out += row.take();
    }
    return out;
}

struct Unit {
    char name;
    std::int64_t seconds;
};

constexpr std::array<Unit, 4> kUnits = {{{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}}};

bool read_number(std::string_view text, int& number) {
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    return code == std::errc() && end == text.data() + text.size();
}

}  // namespace

// Seconds are enough for a person.
std::string utc_text(std::int64_t time_ns) {
    const SystemTime time{
        std::chrono::duration_cast<SystemTime::duration>(std::chrono::nanoseconds(time_ns))
    };
    auto text = to_iso8601(time).substr(0, 19);
    text[10] = ' ';
    return text;
}

std::string render_trace_list(
    const std::vector<store::TraceRow>& traces, std::int64_t now_ns, std::size_t width
) {
    std::vector<Cells> lines = {
        {"TRACE", "STARTED (UTC)", "APP", "STATUS", "TIME", "TOKENS", "SPANS"}
    };
    for (const auto& trace : traces) {
        lines.push_back(cells_of(trace, now_ns));
    }
    auto text = render(lines);
    if (display_width(std::string_view(text).substr(0, text.find('\n'))) <= width) {
        return text;
    }
    for (std::size_t i = 0; i < traces.size(); ++i) {
        lines[i + 1][0] = traces[i].trace_id.substr(0, kShortId);
    }
    return render(lines);
}

std::string trace_list_json(const std::vector<store::TraceRow>& traces, std::int64_t now_ns) {
    std::string out;
    for (const auto& trace : traces) {
        const json::object object{
            {"trace_id", trace.trace_id},
            {"started_at", utc_text(trace.start_ns).replace(10, 1, "T") + "Z"},
            {"start_unix_nano", trace.start_ns},
            {"duration_ms", static_cast<double>(duration_of(trace, now_ns) / 1000) / 1000},
            {"app_id", trace.app_id},
            {"app_name", trace.app_name},
            {"root", trace.root_name},
            {"status", trace.status},
            {"spans", trace.spans},
            {"open_spans", trace.open},
            {"errors", trace.errors},
            {"interrupted_spans", trace.interrupted},
            {"tokens", trace.tokens},
        };
        out += value::python_json(object) + '\n';
    }
    return out;
}

Result<std::int64_t> parse_since(std::string_view text, std::int64_t now_ns) {
    constexpr std::int64_t kSecondNs = 1'000'000'000;
    int number = 0;
    if (!text.empty() && read_number(text.substr(0, text.size() - 1), number) && number >= 0) {
        for (const auto& unit : kUnits) {
            if (unit.name == text.back()) {
                return now_ns - number * unit.seconds * kSecondNs;
            }
        }
    }
    int year = 0;
    int month = 0;
    int day = 0;
    const bool is_date = text.size() == 10 && text[4] == '-' && text[7] == '-' &&
                         read_number(text.substr(0, 4), year) &&
                         read_number(text.substr(5, 2), month) &&
                         read_number(text.substr(8, 2), day);
    const std::chrono::year_month_day date(
        std::chrono::year(year),
        std::chrono::month(static_cast<unsigned>(month)),
        std::chrono::day(static_cast<unsigned>(day))
    );
    if (is_date && date.ok()) {
        return std::chrono::duration_cast<std::chrono::nanoseconds>(
                   std::chrono::sys_days(date).time_since_epoch()
        )
            .count();
    }
    return failure(
        ErrorCode::invalid_input,
        fmt::format("`{}` is no time: 90s, 30m, 2h, 7d, or a date (2026-01-31)", text)
    );
}

}  // namespace flowspan::cli
