#pragma once
// How far an iteration has got: what another process needs to go on with it.

#include "base/error_json.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <vector>

namespace flowspan::nodes::iteration {

struct ItemResult {
    std::int64_t item = 0;
    json::array value;  ///< one element
};

struct ItemDuration {
    std::int64_t item = 0;
    double seconds = 0;
};

struct IterationState {
    json::array items;
    std::int64_t next = 0;  ///< the first item that nobody has taken
    std::vector<std::int64_t> open;
    std::vector<ItemResult> results;
    std::vector<ItemDuration> durations;
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    double total_price = 0;
    std::optional<Error> error;
};

BOOST_DESCRIBE_STRUCT(ItemResult, (), (item, value))
BOOST_DESCRIBE_STRUCT(ItemDuration, (), (item, seconds))
BOOST_DESCRIBE_STRUCT(
    IterationState,
    (),
    (items, next, open, results, durations, prompt_tokens, completion_tokens, total_price, error)
)

}  // namespace flowspan::nodes::iteration
