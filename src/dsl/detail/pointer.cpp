#include "dsl/detail/pointer.hpp"

#include <algorithm>

namespace flowspan::dsl::detail {

std::string_view take_pointer_part(std::string_view& pointer) noexcept {
    if (pointer.starts_with('/')) {
        pointer.remove_prefix(1);
    }
    const auto length = std::min(pointer.find('/'), pointer.size());
    const auto part = pointer.substr(0, length);
    pointer.remove_prefix(length);
    return part;
}

bool is_pointer_part(std::string_view escaped, std::string_view key) noexcept {
    for (const char c : key) {
        if (c == '/' || c == '~') {
            if (!escaped.starts_with(c == '/' ? "~1" : "~0")) {
                return false;
            }
            escaped.remove_prefix(2);
        } else {
            if (!escaped.starts_with(c)) {
                return false;
            }
            escaped.remove_prefix(1);
        }
    }
    return escaped.empty();
}

std::string join_pointer(std::string_view pointer, std::string_view key) {
    std::string joined(pointer);
    joined += '/';
    for (const char c : key) {
        if (c == '/') {
            joined += "~1";
        } else if (c == '~') {
            joined += "~0";
        } else {
            joined += c;
        }
    }
    return joined;
}

std::string to_path(std::string_view pointer) {
    std::string path;
    while (!pointer.empty()) {
        const auto part = take_pointer_part(pointer);
        const bool is_index =
            !part.empty() && std::ranges::all_of(part, [](char c) { return c >= '0' && c <= '9'; });
        if (is_index) {
            path += '[';
            path += part;
            path += ']';
        } else {
            path += path.empty() ? "" : ".";
            path += part;
        }
    }
    return path;
}

}  // namespace flowspan::dsl::detail
