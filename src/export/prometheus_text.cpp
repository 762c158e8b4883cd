#include "export/prometheus_text.hpp"

#include "export/otlp_common.hpp"

#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <iterator>

namespace flowspan::exporting {

namespace {

using trace::MetricKind;
using trace::MetricPoint;
using trace::MetricSnapshot;

bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

std::string word(std::string_view name) {
    std::string out;
    for (const char c : name) {
        out += is_word(c) ? c : '_';
    }
    return out;
}

// Units that Prometheus names otherwise; those in braces are annotations and no units.
std::string_view unit_suffix(std::string_view unit) {
    if (unit == "s") {
        return "_seconds";
    }
    return unit == "By" ? "_bytes" : "";
}

std::string metric_name(const MetricSnapshot& snapshot) {
    auto name = word(snapshot.info.name);
    if (const auto suffix = unit_suffix(snapshot.info.unit); !name.ends_with(suffix)) {
        name += suffix;
    }
    return name;
}

void append_escaped(std::string& out, std::string_view text) {
    for (const char c : text) {
        if (c == '\\' || c == '"') {
            out += '\\';
            out += c;
        } else if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
}

struct LabelText {
    std::string operator()(const std::string& text) const { return text; }

    std::string operator()(std::int64_t number) const { return fmt::format("{}", number); }

    std::string operator()(bool flag) const { return flag ? "true" : "false"; }
};

std::string number_text(double number) {
    if (std::isinf(number)) {
        return number > 0 ? "+Inf" : "-Inf";
    }
    return fmt::format("{}", number);
}

class Family {
public:
    Family(std::string& out, const MetricSnapshot& snapshot, ScrapeFormat format)
        : out_(out), snapshot_(snapshot), format_(format), name_(metric_name(snapshot)) {}

    void write() {
        write_head();
        for (const auto& point : snapshot_.points) {
            if (snapshot_.info.kind == MetricKind::histogram) {
                write_histogram(point);
            } else {
                write_line(
                    snapshot_.info.kind == MetricKind::counter ? "_total" : "",
                    point,
                    {},
                    number_text(point.value)
                );
                end_line(
                    snapshot_.info.kind == MetricKind::counter ? first_exemplar(point) : nullptr
                );
            }
        }
    }

private:
    void write_head() {
        const auto kind = snapshot_.info.kind;
        // The plain form counts the suffix to the name of the family, OpenMetrics does not.
        const bool has_suffix = kind == MetricKind::counter && format_ == ScrapeFormat::text;
        const auto family = has_suffix ? name_ + "_total" : name_;
        out_ += fmt::format("# HELP {} ", family);
        append_escaped(out_, snapshot_.info.description);
        out_ += fmt::format(
            "\n# TYPE {} {}\n",
            family,
            kind == MetricKind::counter     ? "counter"
            : kind == MetricKind::histogram ? "histogram"
                                            : "gauge"
        );
    }

    void write_line(
        std::string_view suffix,
        const MetricPoint& point,
        std::string_view le,
        std::string_view value
    ) {
        out_ += name_;
        out_ += suffix;
        char separator = '{';
        const auto add = [&](std::string_view key, std::string_view text) {
            out_ += separator;
            separator = ',';
            out_ += key;
            out_ += "=\"";
            append_escaped(out_, text);
            out_ += '"';
        };
        for (const auto& [key, label] : point.labels) {
            add(word(key), std::visit(LabelText{}, label));
        }
        if (!le.empty()) {
            add("le", le);
        }
        if (separator == ',') {
            out_ += '}';
        }
        out_ += ' ';
        out_ += value;
    }

    void end_line(const trace::Exemplar* exemplar = nullptr) {
        if (exemplar != nullptr && format_ == ScrapeFormat::openmetrics) {
            const std::chrono::duration<double> at = exemplar->at.time_since_epoch();
            fmt::format_to(
                std::back_inserter(out_),
                R"( # {{trace_id="{}",span_id="{}"}} {} {:.3f})",
                to_hex(exemplar->span.trace_id()),
                to_hex(exemplar->span.span_id()),
                number_text(exemplar->value),
                at.count()
            );
        }
        out_ += '\n';
    }

    static const trace::Exemplar* first_exemplar(const MetricPoint& point) {
        return point.exemplars.empty() ? nullptr : &point.exemplars.front();
    }

    [[nodiscard]] const trace::Exemplar* find_exemplar(const MetricPoint& point, std::size_t bucket)
        const {
        const auto& bounds = snapshot_.info.bounds;
        for (const auto& exemplar : point.exemplars) {
            const bool is_above = bucket == 0 || exemplar.value > bounds[bucket - 1];
            if (is_above && (bucket == bounds.size() || exemplar.value <= bounds[bucket])) {
                return &exemplar;
            }
        }
        return nullptr;
    }

    void write_histogram(const MetricPoint& point) {
        const auto& bounds = snapshot_.info.bounds;
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < point.buckets.size(); ++i) {
            sum += point.buckets[i];
            const auto le = i < bounds.size() ? number_text(bounds[i]) : std::string("+Inf");
            write_line("_bucket", point, le, fmt::format("{}", sum));
            end_line(find_exemplar(point, i));
        }
        write_line("_sum", point, {}, number_text(point.value));
        end_line();
        write_line("_count", point, {}, fmt::format("{}", point.count));
        end_line();
    }

    std::string& out_;
    const MetricSnapshot& snapshot_;
    ScrapeFormat format_;
    std::string name_;
};

}  // namespace

std::string_view content_type(ScrapeFormat format) noexcept {
    return format == ScrapeFormat::openmetrics
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

std::string prometheus_text(std::span<const trace::MetricSnapshot> snapshots, ScrapeFormat format) {
    std::string out;
    for (const auto& snapshot : snapshots) {
        Family(out, snapshot, format).write();
    }
    if (format == ScrapeFormat::openmetrics) {
        out += "# EOF\n";
    }
    return out;
}

}  // namespace flowspan::exporting
