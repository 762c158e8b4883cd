#pragma once
// Writes protobuf's wire format, field by field, onto the end of a text.

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flowspan::exporting {

enum class Wire : std::uint32_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

class ProtobufWriter {
public:
    explicit ProtobufWriter(std::string& out) : out_(out) {}

    void varint(std::uint32_t number, std::uint64_t value) {
        tag(number, Wire::varint);
        raw_varint(value);
    }

    void fixed64(std::uint32_t number, std::uint64_t value) {
        tag(number, Wire::fixed64);
        raw(value);
    }

    void fixed32(std::uint32_t number, std::uint32_t value) {
        tag(number, Wire::fixed32);
        raw(value);
    }

    void bytes(std::uint32_t number, std::string_view value) {
        tag(number, Wire::bytes);
        raw_varint(value.size());
        out_.append(value);
    }

    void text_unless_empty(std::uint32_t number, std::string_view value) {
        if (!value.empty()) {
            bytes(number, value);
        }
    }

    void count_unless_zero(std::uint32_t number, std::uint32_t value) {
        if (value != 0) {
            varint(number, value);
        }
    }

    template <class Id>
    void id(std::uint32_t number, const Id& value) {
        bytes(number, {reinterpret_cast<const char*>(value.Id().data()), Id::kSize});
    }

    // One byte is kept for the length, which is enough for most messages; longer ones are moved.
    template <class Function>
    void message(std::uint32_t number, Function write_fields) {
        tag(number, Wire::bytes);
        const auto length_at = out_.size();
        out_ += '\0';
        write_fields();
        auto length = out_.size() - length_at - 1;
        std::string_view more;
        char digits[10];
        std::size_t used = 0;
        while (length >= 0x80) {
            digits[used++] = static_cast<char>((length & 0x7FU) | 0x80U);
            length >>= 7U;
        }
        digits[used++] = static_cast<char>(length);
        more = {digits, used};
        out_[length_at] = more[0];
        if (used > 1) {
            out_.insert(length_at + 1, more.substr(1));
        }
    }

private:
    void tag(std::uint32_t number, Wire wire) {
        raw_varint((number << 3U) | static_cast<std::uint32_t>(wire));
    }

    void raw_varint(std::uint64_t value) {
        while (value >= 0x80) {
            out_ += static_cast<char>((value & 0x7FU) | 0x80U);
            value >>= 7U;
        }
        out_ += static_cast<char>(value);
    }

    template <class Integer>
    void raw(Integer value) {
        static_assert(std::endian::native == std::endian::little, "protobuf is little-endian");
        out_.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }

    std::string& out_;
};

}  // namespace flowspan::exporting
