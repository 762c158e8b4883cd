#include "model/sse_parser.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace flowspan::model {
namespace {

class Events final : public SseListener {
public:
    void on_event(std::string_view type, std::string_view data) override {
        all.push_back(std::string(type).append(type.empty() ? "" : ":").append(data));
    }

    std::vector<std::string> all;
};

struct Case {
    std::string_view title;
    std::string bytes;
    std::vector<std::string> events;
};

const std::vector<Case>& cases() {
    static const std::vector<Case> kCases = {
        {"nothing", "", {}},
        {"one event", "data: a\n\n", {"a"}},
        {"two events", "data: a\n\ndata: b\n\n", {"a", "b"}},
        {"carriage returns", "data: a\r\rdata: b\r\r", {"a", "b"}},
        {"both", "data: a\r\n\r\ndata: b\r\n\r\n", {"a", "b"}},
        {"mixed", "data: a\r\ndata: b\n\r\ndata: c\r\n\n", {"a\nb", "c"}},
        {"several data lines", "data: a\ndata:\ndata: c\n\n", {"a\n\nc"}},
        {"one space is cut", "data:  a\n\ndata:b\n\n", {" a", "b"}},
        {"comments", ": hello\n\n:\ndata: a\n: x\n\n", {"a"}},
        {"type", "event: error\ndata: a\n\ndata: b\n\n", {"error:a", "b"}},
        {"type without data", "event: error\n\ndata: b\n\n", {"b"}},
        {"other fields", "id: 1\nretry: 5\nfoo\ndata: a\n\n", {"a"}},
        {"data without colon", "data\n\n", {""}},
        {"byte order mark",
         "\xEF\xBB\xBF"
         "data: a\n\n",
         {"a"}},
        {"byte order mark later",
         "data: a\n\n\xEF\xBB\xBF"
         "data: b\n\n",
         {"a"}},
        {"unended", "data: a\n\ndata: b", {"a", "b"}},
        {"unended line feed", "data: a\n", {"a"}},
        {"not ASCII", "data: h\xC3\xA9\xE2\x82\xAC\n\n", {"h\xC3\xA9\xE2\x82\xAC"}},
        {"done", "data: {\"a\": 1}\n\ndata: [DONE]\n\n", {"{\"a\": 1}", "[DONE]"}},
        {"no stream at all", "<html>\n<p>: x\n</html>\n", {}},
    };
    return kCases;
}

TEST(SseParser, ReadsWholeStreams) {
    for (const auto& [title, bytes, expected] : cases()) {
        SseParser parser;
        Events events;
        EXPECT_TRUE(parser.feed(bytes, events));
        parser.finish(events);
        EXPECT_EQ(events.all, expected) << title;
    }
}

TEST(SseParser, ReadsStreamsThatAreCutAnywhere) {
    for (const auto& [title, bytes, expected] : cases()) {
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            SseParser parser;
            Events events;
            // Copies, so that a view kept too long is found.
            EXPECT_TRUE(parser.feed(std::string(bytes.substr(0, cut)), events));
            EXPECT_TRUE(parser.feed(std::string(bytes.substr(cut)), events));
            parser.finish(events);
            EXPECT_EQ(events.all, expected) << title << " cut at " << cut;
        }
        SseParser parser;
        Events events;
        for (const char byte : bytes) {
            EXPECT_TRUE(parser.feed(std::string(1, byte), events));
        }
        parser.finish(events);
        EXPECT_EQ(events.all, expected) << title << " byte by byte";
    }
}

TEST(SseParser, LimitsLinesAndEvents) {
    const std::string lines[] = {
        "data: " + std::string(100, 'x'),
        "data: " + std::string(60, 'x') + "\ndata: " + std::string(60, 'x') + "\n",
        std::string(101, ':'),
    };
    for (const auto& line : lines) {
        SseParser parser(100);
        Events events;
        EXPECT_FALSE(parser.feed(line, events)) << line;
        EXPECT_FALSE(parser.feed("\n\ndata: b\n\n", events));
        parser.finish(events);
        EXPECT_TRUE(events.all.empty());
    }
}

}  // namespace
}  // namespace flowspan::model
