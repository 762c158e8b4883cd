// Feeds arbitrary bytes to the charset detection: always valid UTF-8. The first byte chooses the
// declared charset.

#include "flowspan/base/error.hpp"
#include "flowspan/base/text.hpp"
#include "nodes/text_encoding.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace flowspan;
    constexpr std::array<std::string_view, 10> kCharsets = {
        "", "utf-8", "gb18030", "shift_jis", "utf-16", "iso-8859-1", "big5", "utf-7", "euc-kr", "x"
    };
    if (size == 0) {
        return 0;
    }
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    for (const auto bad_bytes : {nodes::BadBytes::replace, nodes::BadBytes::drop}) {
        const auto text =
            nodes::decode_text(bytes, kCharsets.at(data[0] % kCharsets.size()), bad_bytes);
        FLOWSPAN_ASSERT(is_valid_utf8(text), "the text is no valid UTF-8");
    }
    FLOWSPAN_ASSERT(nodes::charset_of(bytes).size() <= bytes.size(), "a charset from nowhere");
    return 0;
}
