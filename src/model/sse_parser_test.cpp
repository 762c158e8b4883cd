#include "model/sse_parser.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace flowspan::model {
namespace {

using Events = std::vector<std::string>;

Events parse(const std::vector<std::string>& pieces) {
    SseParser parser;
    Events events;
    const auto collect = [&](SseParser::Event event) {
        events.push_back(
            event.name.empty() ? std::string(event.data)
                               : std::string(event.name) + "=" + std::string(event.data)
        );
        return true;
    };
    for (const auto& piece : pieces) {
        parser.feed(piece, collect);
    }
    parser.finish(collect);
    return events;
}

TEST(SseParser, ReadsEventsWithEveryLineEnd) {
    EXPECT_EQ(parse({"data: a\n\ndata: b\r\n\r\ndata: c\r\r"}), (Events{"a", "b", "c"}));
}

TEST(SseParser, JoinsDataLinesAndPassesOverTheRest) {
    EXPECT_EQ(
        parse({": comment\nid: 1\nretry: 5\nevent: delta\ndata: a\ndata:b\nnonsense\n\n"}),
        (Events{"delta=a\nb"})
    );
}

TEST(SseParser, GivesTheSameEventsSplitAtEveryByte) {
    const std::string stream =
        "\xEF\xBB\xBF"
        "data: {\"x\":1}\r\n\r\n: ping\r\n\r\nevent: e\ndata: two\ndata: lines\n\ndata: [DONE]\n\n";
    const auto whole = parse({stream});
    EXPECT_EQ(whole, (Events{"{\"x\":1}", "e=two\nlines", "[DONE]"}));
    for (std::size_t at = 1; at < stream.size(); ++at) {
        EXPECT_EQ(parse({stream.substr(0, at), stream.substr(at)}), whole) << "split at " << at;
    }
    std::vector<std::string> bytes;
    for (const char byte : stream) {
        bytes.emplace_back(1, byte);
    }
    EXPECT_EQ(parse(bytes), whole);
}

TEST(SseParser, TakesALastEventWithoutItsBlankLine) {
    EXPECT_EQ(parse({"data: a\n\ndata: last"}), (Events{"a", "last"}));
}

TEST(SseParser, StopsWhenToldAndAtTheLimit) {
    SseParser parser;
    int count = 0;
    EXPECT_FALSE(parser.feed("data: a\n\ndata: b\n\n", [&](SseParser::Event) {
        ++count;
        return false;
    }));
    EXPECT_EQ(count, 1);

    SseParser endless;
    const std::string piece(1024UL * 1024UL, 'x');
    bool goes_on = true;
    for (int i = 0; i < 10 && goes_on; ++i) {
        goes_on = endless.feed(piece, [](SseParser::Event) { return true; });
    }
    EXPECT_FALSE(goes_on);
    EXPECT_TRUE(endless.is_over_limit());
}

}  // namespace
}  // namespace flowspan::model
