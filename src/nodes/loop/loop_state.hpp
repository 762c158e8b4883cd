#pragma once
// How far a loop has got: what another process needs to go on with it.

#include "base/described_json.hpp"
#include "flowspan/engine/node.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <string>

namespace flowspan::nodes::loop {

struct LoopState {
    json::object inputs;
    std::int64_t round = 0;  ///< the next one, or the one that is open
    bool is_round_open = false;
    bool is_broken = false;
    json::object outputs;
    json::object durations;     ///< seconds by round
    json::object round_values;  ///< loop variables by round
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    double total_price = 0;
    std::string currency = engine::ModelFacts().currency;
};

BOOST_DESCRIBE_STRUCT(
    LoopState,
    (),
    (inputs,
     round,
     is_round_open,
     is_broken,
     outputs,
     durations,
     round_values,
     prompt_tokens,
     completion_tokens,
     total_price,
     currency)
)

}  // namespace flowspan::nodes::loop
