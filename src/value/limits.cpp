#include "flowspan/value/limits.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace flowspan::value {

namespace {

// What an element costs besides its text; roughly what it takes in memory.
constexpr std::size_t kElementBytes = 16;

class Measure {
public:
    explicit Measure(std::size_t bytes_max) : bytes_left_(bytes_max) {}

    /// False once it is too much.
    bool add(const json::value& data, std::size_t depth) {
        if (depth > kJsonDepthMax) {
            is_too_deep_ = true;
            return false;
        }
        switch (data.kind()) {
            case json::kind::string:
                return take(kElementBytes + data.get_string().size());
            case json::kind::array:
                return take(kElementBytes) &&
                       std::ranges::all_of(data.get_array(), [&](const json::value& item) {
                           return add(item, depth + 1);
                       });
            case json::kind::object:
                return take(kElementBytes) &&
                       std::ranges::all_of(data.get_object(), [&](const auto& member) {
                           return take(member.key().size()) && add(member.value(), depth + 1);
                       });
            default:
                return take(kElementBytes);
        }
    }

    [[nodiscard]] bool is_too_deep() const noexcept { return is_too_deep_; }

private:
    bool take(std::size_t bytes) noexcept {
        if (bytes > bytes_left_) {
            return false;
        }
        bytes_left_ -= bytes;
        return true;
    }

    std::size_t bytes_left_;
    bool is_too_deep_ = false;
};

}  // namespace

Result<void> check_limits(const json::value& data, std::size_t bytes_max) {
    Measure measure(bytes_max);
    if (measure.add(data, 0)) {
        return {};
    }
    return failure(
        ErrorCode::limit_exceeded,
        measure.is_too_deep()
            ? fmt::format("the value is nested deeper than {} levels", kJsonDepthMax)
            : fmt::format("the value is larger than {} bytes", bytes_max)
    );
}

}  // namespace flowspan::value
