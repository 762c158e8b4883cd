#include "knowledge/splitter.hpp"

#include "flowspan/base/text.hpp"

#include <algorithm>
#include <array>

namespace flowspan::knowledge {

namespace {

std::vector<std::string_view> paragraphs(std::string_view text) {
    std::vector<std::string_view> found;
    const char* start = text.data();
    const char* const end = text.data() + text.size();
    const auto add = [&](const char* stop) {
        const auto paragraph =
            trim(std::string_view(start, static_cast<std::size_t>(stop - start)));
        if (!paragraph.empty()) {
            found.push_back(paragraph);
        }
    };
    for (const auto line : split(text, '\n')) {
        if (trim(line).empty()) {
            add(line.data());
            start = line.data();
        }
    }
    add(end);
    return found;
}

// Where to cut `piece` at the latest; the best place in its second half.
std::size_t cut_position(std::string_view piece) {
    constexpr std::array<std::string_view, 11> kSentenceEnds = {
        "\n", ". ", "! ", "? ", "。", "！", "？", "；", "; ", "，", " "
    };
    for (const auto mark : kSentenceEnds) {
        const auto at = piece.rfind(mark);
        if (at != std::string_view::npos && at >= piece.size() / 2) {
            return at + mark.size();
        }
    }
    return piece.size();
}

// The last `count` code points.
std::size_t tail_size(std::string_view text, std::size_t count) {
    std::size_t at = text.size();
    while (count > 0 && at > 0) {
        --at;
        const bool is_continuation = (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U;
        count -= is_continuation ? 0 : 1;
    }
    return text.size() - at;
}

void cut_paragraph(
    std::string_view paragraph, SplitOptions options, std::vector<std::string>& segments
) {
    while (!paragraph.empty()) {
        const auto piece = code_point_prefix(paragraph, options.size_max);
        if (piece.size() == paragraph.size()) {
            segments.emplace_back(trim(paragraph));
            return;
        }
        const auto cut = cut_position(piece);
        segments.emplace_back(trim(paragraph.substr(0, cut)));
        // Goes on by half a piece at least, however large the overlap is.
        const auto back = std::min(tail_size(paragraph.substr(0, cut), options.overlap), cut / 2);
        auto start = cut - back;
        while ((static_cast<unsigned char>(paragraph[start]) & 0xc0U) == 0x80U) {
            ++start;
        }
        paragraph.remove_prefix(start);
    }
}

}  // namespace

std::vector<std::string> split_text(std::string_view text, SplitOptions options) {
    options.size_max = std::max<std::size_t>(options.size_max, 10);
    std::vector<std::string> segments;
    std::string packed;
    std::size_t packed_size = 0;
    const auto flush = [&] {
        if (!packed.empty()) {
            segments.push_back(std::move(packed));
        }
        packed.clear();
        packed_size = 0;
    };
    for (const auto paragraph : paragraphs(text)) {
        const auto size = count_code_points(paragraph);
        if (packed_size + size + 2 > options.size_max) {
            flush();
        }
        if (size > options.size_max) {
            cut_paragraph(paragraph, options, segments);
            continue;
        }
        packed.append(packed.empty() ? "" : "\n\n").append(paragraph);
        packed_size += size + 2;
    }
    flush();
    return segments;
}

}  // namespace flowspan::knowledge
