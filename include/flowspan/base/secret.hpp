#pragma once
// Text that must never be printed, logged or exported.

#include <string>
#include <utility>

namespace flowspan {

/// Has no conversion to text and no stream operator on purpose; reveal() is the one way out and is
/// easy to search for.
class Secret {
public:
    Secret() = default;

    explicit Secret(std::string text) : text_(std::move(text)) {}

    [[nodiscard]] const std::string& reveal() const noexcept { return text_; }

    [[nodiscard]] bool empty() const noexcept { return text_.empty(); }

    bool operator==(const Secret&) const = default;

private:
    std::string text_;
};

}  // namespace flowspan
