#include "nodes/base64.hpp"

#include <cstdint>

namespace flowspan::nodes {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

}  // namespace

std::string to_base64(std::string_view bytes) {
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const auto octet = [&](std::size_t offset) -> std::uint32_t {
            return i + offset < bytes.size() ? static_cast<unsigned char>(bytes[i + offset]) : 0;
        };
        const std::uint32_t group = octet(0) << 16U | octet(1) << 8U | octet(2);
        text += kAlphabet[group >> 18U & 63U];
        text += kAlphabet[group >> 12U & 63U];
        text += i + 1 < bytes.size() ? kAlphabet[group >> 6U & 63U] : '=';
        text += i + 2 < bytes.size() ? kAlphabet[group & 63U] : '=';
    }
    return text;
}

}  // namespace flowspan::nodes
