// The same bytes, whole and cut at every place the input asks for, must give the same events.

#include "flowspan/base/error.hpp"
#include "model/sse_parser.hpp"

#include <cstdint>
#include <string>

namespace {

class Transcript final : public flowspan::model::SseListener {
public:
    void on_event(std::string_view type, std::string_view data) override {
        text.append(type).append("|").append(data).append("\n#\n");
    }

    std::string text;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    if (size < 2) {
        return 0;
    }
    const std::size_t piece = 1 + input[0] % 16U;
    const std::string bytes(input + 1, input + size);
    constexpr std::size_t kLimit = 256;

    flowspan::model::SseParser whole_parser(kLimit);
    Transcript whole;
    const bool is_whole_good = whole_parser.feed(bytes, whole);
    whole_parser.finish(whole);

    flowspan::model::SseParser cut_parser(kLimit);
    Transcript cut;
    bool is_cut_good = true;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        is_cut_good = cut_parser.feed(std::string_view(bytes).substr(at, piece), cut);
    }
    cut_parser.finish(cut);
    FLOWSPAN_ASSERT(is_whole_good == is_cut_good, "the limit depends on how the bytes are cut");
    FLOWSPAN_ASSERT(whole.text == cut.text, "the events depend on how the bytes are cut");
    return 0;
}
