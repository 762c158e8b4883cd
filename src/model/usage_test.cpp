#include "model/chat_model.hpp"

#include <gtest/gtest.h>

namespace flowspan::model {
namespace {

TEST(Usage, JsonHasAllKeysWithPricesAsPlainDecimals) {
    Usage usage;
    usage.prompt_tokens = 1000;
    usage.completion_tokens = 7;
    usage.prompt_unit_price = 0.00000015;
    usage.completion_unit_price = 0.0000006;
    usage.latency = 1.23456;
    usage.time_to_first_token = 0.2;
    usage.time_to_generate = 1.0346;
    EXPECT_EQ(
        json::value(usage.to_json()),
        parse_json(R"({
        "prompt_tokens": 1000, "prompt_unit_price": "0.15", "prompt_price_unit": "0.000001",
        "prompt_price": "0.00015", "completion_tokens": 7, "completion_unit_price": "0.6",
        "completion_price_unit": "0.000001", "completion_price": "0.0000042",
        "total_tokens": 1007, "total_price": "0.0001542", "currency": "USD",
        "latency": 1.235, "time_to_first_token": 0.2, "time_to_generate": 1.035})")
            .value()
    );
}

TEST(Usage, AddingToNothingTakesTheOther) {
    Usage sum;
    sum.latency = 5;
    Usage other;
    other.prompt_tokens = 3;
    other.latency = 1;
    sum.add(other);
    EXPECT_EQ(sum.prompt_tokens, 3);
    EXPECT_DOUBLE_EQ(sum.latency, 1);
}

TEST(Usage, AddingSumsCountsAndLatencyAndTakesTheRestFromTheOther) {
    Usage sum;
    sum.prompt_tokens = 1;
    sum.cached_tokens = 1;
    sum.latency = 1;
    sum.time_to_first_token = 0.5;
    sum.currency = "EUR";
    Usage other;
    other.prompt_tokens = 3;
    other.completion_tokens = 4;
    other.cached_tokens = 2;
    other.latency = 2;
    other.time_to_first_token = 0.25;
    other.prompt_unit_price = 1;
    sum.add(other);
    EXPECT_EQ(sum.total_tokens(), 8);
    EXPECT_EQ(sum.cached_tokens, 3);
    EXPECT_DOUBLE_EQ(sum.latency, 3);
    EXPECT_DOUBLE_EQ(sum.time_to_first_token, 0.25);
    EXPECT_DOUBLE_EQ(sum.prompt_unit_price, 1);
    EXPECT_EQ(sum.currency, "USD");
}

}  // namespace
}  // namespace flowspan::model
