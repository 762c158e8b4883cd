// Feeds what a model might answer to everything that reads answers: valid JSON comes out as it
// went in, repairs stay repaired, and thoughts are told from the answer however the text is cut.

#include "flowspan/base/error.hpp"
#include "flowspan/base/text.hpp"
#include "nodes/json_block.hpp"
#include "nodes/json_repair.hpp"
#include "nodes/think_filter.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace flowspan;

void check_repair(std::string_view text) {
    const auto repaired = nodes::repair_json(text);
    if (const auto parsed = parse_json(text)) {
        FLOWSPAN_ASSERT(*parsed == repaired, "valid JSON was changed");
    }
    const auto written = to_json_text(repaired);
    FLOWSPAN_ASSERT(is_valid_utf8(written), "the repair is no valid UTF-8");
    FLOWSPAN_ASSERT(nodes::repair_json(written) == repaired, "the repair does not stand");
    const auto object = nodes::find_json_object(text);
    FLOWSPAN_ASSERT(object.is_null() || object.is_object(), "neither object nor null");
    if (const auto block = nodes::find_json_block(text)) {
        FLOWSPAN_ASSERT(block->size() <= text.size(), "the block is no part of the text");
    }
}

struct Streamed {
    std::string answer;
    std::string thoughts;
    nodes::ThinkFilter filter;
};

Streamed stream(std::string_view text, std::size_t piece) {
    Streamed streamed;
    const auto keep = [&](const std::vector<nodes::ThinkFilter::Piece>& pieces) {
        for (const auto& [is_thought, part] : pieces) {
            (is_thought ? streamed.thoughts : streamed.answer) += part;
        }
    };
    for (std::size_t at = 0; at < text.size(); at += piece) {
        keep(streamed.filter.push(text.substr(at, piece)));
    }
    keep(streamed.filter.finish());
    return streamed;
}

void check_thoughts(std::string_view text, std::size_t piece) {
    const auto whole = stream(text, text.size() + 1);
    const auto cut = stream(text, piece);
    FLOWSPAN_ASSERT(whole.answer == cut.answer, "the answer depends on how the text is cut");
    FLOWSPAN_ASSERT(whole.thoughts == cut.thoughts, "so do the thoughts");
    FLOWSPAN_ASSERT(whole.filter.answer() == cut.filter.answer(), "so does what is kept");
    FLOWSPAN_ASSERT(whole.filter.thoughts() == cut.filter.thoughts(), "so do the kept thoughts");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const auto text = to_valid_utf8({reinterpret_cast<const char*>(data) + 1, size - 1});
    check_repair(text);
    check_thoughts(text, 1 + data[0] % 8U);
    return 0;
}
