// Feeds arbitrary files to the loader and draws whatever loads: it must come to an end, with valid
// UTF-8, no control characters, and a size in proportion to the graph.

#include "draw/diagram.hpp"
#include "draw/svg_drawing.hpp"
#include "draw/text_drawing.hpp"
#include "dsl/loader.hpp"
#include "flowspan/base/error.hpp"
#include "flowspan/base/text.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

void check(const std::string& drawing) {
    FLOWSPAN_ASSERT(flowspan::is_valid_utf8(drawing), "the drawing is no valid UTF-8");
    const bool has_control = std::ranges::any_of(drawing, [](char c) {
        return static_cast<unsigned char>(c) < 0x20 && c != '\n';
    });
    FLOWSPAN_ASSERT(!has_control, "the drawing has control characters");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace flowspan;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto loaded = dsl::load_app(text, "fuzz.yml");
    if (!loaded.app) {
        return 0;
    }
    std::set<std::string, std::less<>> unsupported;
    if (!loaded.app->graph.nodes.empty()) {
        unsupported.insert(loaded.app->graph.nodes.front().id);
    }
    const auto diagram = draw::make_diagram(loaded.app->graph, unsupported);
    const auto drawn = draw::draw_text(diagram, {.width = size % 2 == 0 ? 0 : size % 120});
    check(drawn);
    check(draw::draw_svg(diagram, loaded.app->name));
    FLOWSPAN_ASSERT(drawn.size() <= 4096 + 4096 * size, "the drawing is out of all proportion");
    return 0;
}
