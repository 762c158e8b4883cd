#include "model/sse_parser.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Two ways of splitting the same bytes must give the same events.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using flowspan::model::SseParser;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const auto parse = [&](std::size_t step) {
        SseParser parser;
        std::vector<std::string> events;
        const auto collect = [&](SseParser::Event event) {
            events.emplace_back(event.data);
            return true;
        };
        for (std::size_t at = 0; at < bytes.size(); at += step) {
            parser.feed(bytes.substr(at, step), collect);
        }
        parser.finish(collect);
        return events;
    };
    if (parse(size + 1) != parse(1) || parse(3) != parse(1)) {
        __builtin_trap();
    }
    return 0;
}
