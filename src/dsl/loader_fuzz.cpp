// Feeds arbitrary bytes to the loader: it must answer with an app or a reason, never crash or hang.

#include "dsl/loader.hpp"
#include "flowspan/base/error.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto result = flowspan::dsl::load_app(text, "fuzz.yml");
    FLOWSPAN_ASSERT(result.app || !result.problems.empty(), "no app and no reason");
    return 0;
}
