#include "flowspan/value/variable_pool.hpp"

#include <gtest/gtest.h>

#include <set>

namespace flowspan::value {
namespace {

std::optional<std::string> found(const VariablePool& pool, const Selector& selector) {
    const auto value = pool.find(selector);
    return value ? std::optional(python_json(value->json())) : std::nullopt;
}

VariablePool sample() {
    VariablePool pool;
    pool.set("n", "text", Value::string("hi"));
    pool.set("n", "nothing", Value());
    pool.set("n", "object", Value(parse_json(R"({"a": {"b": 1, "c": null}, "l": [1]})").value()));
    const json::value file = {
        {kFileIdentityKey, kFileIdentity}, {"filename", "a.png"}, {"type", "image"}
    };
    pool.set("n", "file", Value(file));
    pool.set("n", "holder", Value(json::value{{"inner", file}}));
    return pool;
}

TEST(VariablePool, FindsAndWalks) {
    struct Case {
        Selector selector;
        std::optional<std::string> value;
    };

    const Case cases[] = {
        {{}, std::nullopt},
        {{"n"}, std::nullopt},
        {{"n", "text"}, "\"hi\""},
        {{"n", "missing"}, std::nullopt},
        {{"m", "text"}, std::nullopt},
        {{"n", "nothing"}, "null"},
        {{"n", "nothing", "x"}, std::nullopt},
        {{"n", "text", "x"}, std::nullopt},
        {{"n", "object", "a"}, R"({"b": 1, "c": null})"},
        {{"n", "object", "a", "b"}, "1"},
        {{"n", "object", "a", "c"}, "null"},
        {{"n", "object", "a", "d"}, std::nullopt},
        {{"n", "object", "a", "b", "c"}, std::nullopt},
        {{"n", "object", "l", "0"}, std::nullopt},
        {{"n", "file", "name"}, "\"a.png\""},
        {{"n", "file", "size"}, "-1"},
        {{"n", "file", "url"}, "null"},
        {{"n", "file", "filename"}, std::nullopt},
        {{"n", "file", "name", "ignored"}, "\"a.png\""},
        {{"n", "holder", "inner", "type"}, "\"image\""},
    };
    const auto pool = sample();
    for (const auto& test : cases) {
        EXPECT_EQ(found(pool, test.selector), test.value) << to_text(test.selector);
    }
}

TEST(VariablePool, KeepsTheOrderOfFirstWritingAndOverwritesInPlace) {
    VariablePool pool;
    pool.set("n", "b", Value::integer(1));
    pool.set("n", "a", Value::integer(2));
    pool.set("n", "b", Value::integer(3));
    const auto& entries = pool.find_group("n")->entries();
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].name, "b");
    EXPECT_EQ(entries[0].value, Value::integer(3));
    EXPECT_EQ(pool.find_group("other"), nullptr);
}

TEST(VariablePool, CopiesDoNotSeeEachOthersWrites) {
    auto original = sample();
    auto copy = original;
    EXPECT_EQ(copy.find_group("n"), original.find_group("n")) << "groups are shared until written";
    copy.set("n", "text", Value::string("changed"));
    copy.set("new", "x", Value::integer(1));
    EXPECT_EQ(original.find("n", "text")->text(), "hi");
    EXPECT_EQ(original.find("new", "x"), nullptr);
    original.set("n", "text", Value::string("own"));
    EXPECT_EQ(copy.find("n", "text")->text(), "changed");
    copy.erase_group("n");
    EXPECT_EQ(copy.find("n", "text"), nullptr);
    EXPECT_NE(original.find("n", "text"), nullptr);
    copy.erase_group("never there");
}

TEST(VariablePool, VisitsEveryVariableOnce) {
    auto pool = sample();
    pool.set("sys", "query", Value::string("q"));
    std::set<std::string> seen;
    pool.for_each([&seen](std::string_view group, std::string_view name, const Value&) {
        EXPECT_TRUE(seen.insert(std::string(group) + "." + std::string(name)).second);
    });
    EXPECT_EQ(
        seen,
        (std::set<std::string>{"n.file", "n.holder", "n.nothing", "n.object", "n.text", "sys.query"}
        )
    );
}

TEST(VariableGroup, ErasesByName) {
    VariableGroup group;
    group.set("a", Value());
    EXPECT_TRUE(group.erase("a"));
    EXPECT_FALSE(group.erase("a"));
    EXPECT_EQ(group.find("a"), nullptr);
}

}  // namespace
}  // namespace flowspan::value
