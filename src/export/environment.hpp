#pragma once
// Reads OTEL_* variables as the specification asks.

#include "export/otlp_transfer.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/export/telemetry_config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::exporting {

/// A stray % stays as it is.
[[nodiscard]] std::string percent_decoded(std::string_view text);

/// `TRACES`, `METRICS`, `LOGS`.
[[nodiscard]] std::string_view signal_name(OtlpSignal signal) noexcept;

/// What cannot be used leaves the default and a warning.
class Environment {
public:
    Environment(const EnvironmentLookup& lookup, std::vector<std::string>& warnings)
        : lookup_(lookup), warnings_(warnings) {}

    // Empty counts as unset.
    [[nodiscard]] std::string text(const char* name) const {
        return std::string(trim(lookup_(name)));
    }

    // Of the signal alone.
    [[nodiscard]] std::string own_otlp(OtlpSignal signal, std::string_view suffix) const {
        return text(fmt::format("OTEL_EXPORTER_OTLP_{}_{}", signal_name(signal), suffix).c_str());
    }

    // The signal's own variable wins over the general one.
    [[nodiscard]] std::string otlp(OtlpSignal signal, std::string_view suffix) const {
        auto value = own_otlp(signal, suffix);
        return value.empty() ? text(fmt::format("OTEL_EXPORTER_OTLP_{}", suffix).c_str()) : value;
    }

    [[nodiscard]] bool flag(const char* name) {
        const auto value = text(name);
        if (!value.empty() && !equals_ignore_case(value, "true") &&
            !equals_ignore_case(value, "false")) {
            warn(name, value, "is neither true nor false");
        }
        return equals_ignore_case(value, "true");
    }

    void size(const char* name, std::size_t minimum, std::size_t& target) {
        const auto value = text(name);
        if (value.empty()) {
            return;
        }
        std::size_t number = 0;
        const auto end = value.data() + value.size();
        const auto [stop, code] = std::from_chars(value.data(), end, number);
        if (code != std::errc() || stop != end || number < minimum) {
            warn(name, value, fmt::format("is no whole number from {}", minimum));
            return;
        }
        target = number;
    }

    void milliseconds(const char* name, std::chrono::milliseconds& target) {
        // A day is longer than any sensible timeout, and far from overflowing a clock.
        constexpr std::size_t kDay = 86'400'000;
        auto number = static_cast<std::size_t>(target.count());
        size(name, 0, number);
        target = std::chrono::milliseconds(std::min(number, kDay));
    }

    void pairs(
        std::string_view what,
        std::string_view list,
        const std::function<void(std::string name, const std::string& value)>& take
    ) {
        for (const auto item : split(list, ',')) {
            if (trim(item).empty()) {
                continue;
            }
            const auto at = item.find('=');
            const auto name = trim(item.substr(0, at));
            if (at == std::string_view::npos || name.empty()) {
                warnings_.push_back(fmt::format("{} holds an entry that is not key=value", what));
                continue;
            }
            take(percent_decoded(name), percent_decoded(trim(item.substr(at + 1))));
        }
    }

    void warn(std::string_view name, std::string_view value, std::string_view problem) {
        warnings_.push_back(fmt::format("{}={} {}; ignored", name, value, problem));
    }

private:
    const EnvironmentLookup& lookup_;
    std::vector<std::string>& warnings_;
};

/// An OTLP exporter as the variables describe it.
[[nodiscard]] OtlpConfig read_otlp(Environment& environment, OtlpSignal signal);

/// The process's own variables.
[[nodiscard]] EnvironmentLookup process_environment();

}  // namespace flowspan::exporting
