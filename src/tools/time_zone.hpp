#pragma once
// Time zones of the system's database, which the C++ library at hand does not offer.

#include "flowspan/base/result.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::tools {

/// A zone's offsets over time. Past the last change that the database lists, the last offset holds.
class TimeZone {
public:
    /// `UTC`, `Asia/Shanghai`, ...; error `not_found`. Reads a file, a few kilobytes.
    [[nodiscard]] static Result<TimeZone> load(std::string_view name);

    /// Reads the content of a TZif file (RFC 8536); error `invalid_input`.
    [[nodiscard]] static Result<TimeZone> parse(std::string_view bytes);

    struct Offset {
        std::int64_t seconds = 0;  ///< east of Greenwich
        std::string abbreviation;
    };

    /// At a moment, in seconds since 1970 UTC.
    [[nodiscard]] const Offset& at(std::int64_t utc_seconds) const noexcept;

    /// The moment at which clocks of the zone show `local_seconds`; of two such moments the first.
    [[nodiscard]] std::int64_t to_utc(std::int64_t local_seconds) const noexcept;

private:
    struct Change {
        std::int64_t utc_seconds;
        std::size_t offset;
    };

    std::vector<Change> changes_;
    std::vector<Offset> offsets_ = {{0, "UTC"}};
    std::size_t first_offset_ = 0;
};

}  // namespace flowspan::tools
