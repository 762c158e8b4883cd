// Feeds arbitrary documents to the OpenAPI reader: operations or a reason.

#include "flowspan/base/error.hpp"
#include "tools/openapi_document.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto document =
        flowspan::tools::read_openapi({reinterpret_cast<const char*>(data), size});
    if (!document) {
        FLOWSPAN_ASSERT(!document.error().message.empty(), "no reason");
        return 0;
    }
    for (const auto& operation : document->operations) {
        FLOWSPAN_ASSERT(
            operation.parameters.size() == operation.places.size(), "a parameter without a place"
        );
        FLOWSPAN_ASSERT(!operation.method.empty(), "an operation without a method");
    }
    return 0;
}
