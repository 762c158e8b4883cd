#include "base/described_json.hpp"

#include <boost/describe/class.hpp>

#include <gtest/gtest.h>

#include <limits>

namespace flowspan {

namespace {

struct Leaf {
    std::string name;
    std::int32_t count = 0;
};

BOOST_DESCRIBE_STRUCT(Leaf, (), (name, count))

struct Tree {
    bool is_green = false;
    double height = 0;
    std::vector<Leaf> leaves;
    std::optional<std::string> owner;
    std::optional<std::vector<Leaf>> fallen;
    json::object notes;
};

BOOST_DESCRIBE_STRUCT(Tree, (), (is_green, height, leaves, owner, fallen, notes))

std::string read_error(std::string_view text) {
    Tree tree;
    const auto read = read_json(*parse_json(text), tree);
    return read ? "" : read.error().message;
}

constexpr std::string_view kWhole = R"({"is_green":true,"height":2.5,)"
                                    R"("leaves":[{"name":"a","count":1}],"owner":null,)"
                                    R"("fallen":[],"notes":{"x":1}})";

}  // namespace

TEST(DescribedJson, ReadsWhatItWrites) {
    Tree tree;
    ASSERT_TRUE(read_json(*parse_json(kWhole), tree));
    EXPECT_EQ(tree.leaves.at(0).name, "a");
    EXPECT_FALSE(tree.owner);
    ASSERT_TRUE(tree.fallen);
    EXPECT_EQ(write_json(tree), *parse_json(kWhole));
}

TEST(DescribedJson, NamesThePlaceOfWhatIsWrong) {
    EXPECT_EQ(read_error("[]"), "must be an object, not array");
    EXPECT_EQ(read_error(R"({"is_green":1})"), "`is_green` must be true or false, not int64");
    EXPECT_EQ(read_error(R"({"is_green":true})"), "`height` is missing");
    EXPECT_EQ(
        read_error(R"({"is_green":true,"height":1,"leaves":[{"name":"a","count":1},{"name":2}]})"),
        "`leaves[1].name` must be a text, not int64"
    );
    EXPECT_EQ(
        read_error(R"({"is_green":true,"height":1,"leaves":[{"name":"a","count":3000000000}]})"),
        "`leaves[0].count` must be a whole number in range, not int64"
    );
}

}  // namespace flowspan
