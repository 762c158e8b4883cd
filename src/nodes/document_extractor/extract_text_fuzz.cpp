// Feeds arbitrary bytes to every document format: text or a reason, never a crash or a hang. The
// first byte chooses the format, unless FLOWSPAN_FUZZ_DOCUMENT_KIND holds its number.

#include "flowspan/base/error.hpp"
#include "flowspan/base/text.hpp"
#include "nodes/document_extractor/extract_text.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace flowspan::nodes;
    using document_extractor::DocumentKind;
    if (size == 0) {
        return 0;
    }
    static const char* const wanted = std::getenv("FLOWSPAN_FUZZ_DOCUMENT_KIND");
    const int number = wanted != nullptr ? std::atoi(wanted) : data[0];
    const auto kind =
        static_cast<DocumentKind>(number % (static_cast<int>(DocumentKind::mail) + 1));
    Limits limits;
    limits.document_unpacked_size_max = std::size_t{4} * 1024 * 1024;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const auto text = document_extractor::extract_text(kind, bytes, limits);
    FLOWSPAN_ASSERT(!text || flowspan::is_valid_utf8(*text), "the text is no valid UTF-8");
    return 0;
}
