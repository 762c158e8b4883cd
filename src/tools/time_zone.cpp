#include "tools/time_zone.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

namespace flowspan::tools {

namespace {

constexpr std::string_view kFolder = "/usr/share/zoneinfo/";
constexpr std::size_t kNameLengthMax = 64;
constexpr std::size_t kHeaderBytes = 44;

std::int64_t read_big_endian(std::string_view bytes) {
    std::uint64_t number = (bytes[0] & '\x80') != 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) {
        number = (number << 8U) | static_cast<unsigned char>(byte);
    }
    return static_cast<std::int64_t>(number);
}

// The counts in a header of the format, in its order.
struct Counts {
    std::size_t is_ut, is_standard, leap, time, type, character;

    [[nodiscard]] std::size_t body_bytes(std::size_t time_bytes) const {
        return time * time_bytes + time + type * 6 + character + leap * (time_bytes + 4) +
               is_standard + is_ut;
    }
};

std::optional<Counts> read_header(std::string_view bytes) {
    if (bytes.size() < kHeaderBytes || !bytes.starts_with("TZif")) {
        return std::nullopt;
    }
    const auto count = [&](std::size_t index) {
        constexpr std::size_t kFirst = 20;
        return static_cast<std::size_t>(read_big_endian(bytes.substr(kFirst + index * 4, 4))) &
               0xFFFFFFU;
    };
    return Counts{count(0), count(1), count(2), count(3), count(4), count(5)};
}

bool is_zone_name(std::string_view name) {
    constexpr std::string_view kOthers = "_+-/";
    return !name.empty() && name.size() <= kNameLengthMax && name.front() != '/' &&
           std::ranges::all_of(name, [&](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      kOthers.find(c) != std::string_view::npos;
           });
}

std::unexpected<Error> broken() {
    return failure(ErrorCode::invalid_input, "the time zone's file is broken");
}

}  // namespace

Result<TimeZone> TimeZone::load(std::string_view name) {
    const auto unknown = [&] {
        return failure(ErrorCode::not_found, fmt::format("Invalid timezone: {}", name));
    };
    if (name == "UTC") {
        return TimeZone();
    }
    if (!is_zone_name(name)) {
        return unknown();
    }
    std::ifstream file(std::string(kFolder) + std::string(name), std::ios::binary);
    if (!file) {
        return unknown();
    }
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    if (bytes.empty()) {
        return unknown();
    }
    return parse(bytes);
}

Result<TimeZone> TimeZone::parse(std::string_view bytes) {
    auto counts = read_header(bytes);
    if (!counts) {
        return broken();
    }
    std::size_t time_bytes = 4;
    // From version 2 on the same follows once more with 64-bit times.
    if (bytes[4] >= '2') {
        const auto skipped = kHeaderBytes + counts->body_bytes(time_bytes);
        if (skipped > bytes.size()) {
            return broken();
        }
        bytes.remove_prefix(skipped);
        counts = read_header(bytes);
        time_bytes = 8;
    }
    if (!counts || counts->type == 0 ||
        bytes.size() < kHeaderBytes + counts->body_bytes(time_bytes)) {
        return broken();
    }
    bytes.remove_prefix(kHeaderBytes);
    const auto types = bytes.substr(counts->time * (time_bytes + 1), counts->type * 6);
    const auto names =
        bytes.substr(counts->time * (time_bytes + 1) + types.size(), counts->character);
    TimeZone zone;
    zone.offsets_.clear();
    for (std::size_t index = 0; index < counts->type; ++index) {
        const auto type = types.substr(index * 6, 6);
        const auto name = std::min<std::size_t>(static_cast<unsigned char>(type[5]), names.size());
        const auto rest = names.substr(name);
        zone.offsets_.push_back(
            {read_big_endian(type.substr(0, 4)), std::string(rest.substr(0, rest.find('\0')))}
        );
    }
    for (std::size_t index = 0; index < counts->time; ++index) {
        const auto offset = static_cast<unsigned char>(bytes[counts->time * time_bytes + index]);
        if (offset >= zone.offsets_.size()) {
            return broken();
        }
        zone.changes_.push_back(
            {read_big_endian(bytes.substr(index * time_bytes, time_bytes)), offset}
        );
    }
    return zone;
}

const TimeZone::Offset& TimeZone::at(std::int64_t utc_seconds) const noexcept {
    const auto next = std::ranges::upper_bound(changes_, utc_seconds, {}, &Change::utc_seconds);
    return offsets_[next == changes_.begin() ? first_offset_ : std::prev(next)->offset];
}

std::int64_t TimeZone::to_utc(std::int64_t local_seconds) const noexcept {
    // Offsets are less than a day, so one of those in force around the moment is the right one.
    constexpr std::int64_t kDay = 86'400;
    const auto early = local_seconds - at(local_seconds - kDay).seconds;
    if (early + at(early).seconds == local_seconds) {
        return early;
    }
    const auto late = local_seconds - at(local_seconds + kDay).seconds;
    return late + at(late).seconds == local_seconds ? late : early;
}

}  // namespace flowspan::tools
