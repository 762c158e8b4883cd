#pragma once
// Apps that the benches run, as the text of app files.

#include <string>

namespace flowspan::bench {

/// start -> variable-aggregator, if-else, variable-aggregator, ... -> end: `nodes` in a row, at
/// least 3. Takes the input `text`.
[[nodiscard]] std::string make_chain_app(int nodes);

/// start -> `branches` variable-aggregators side by side -> one that joins them -> end.
[[nodiscard]] std::string make_fan_out_app(int branches);

/// start -> iteration `rounds` over `list.items`, with one variable-aggregator that gives `text` ->
/// end, which does not hand on what the iteration gave.
[[nodiscard]] std::string make_iteration_app();

/// start -> loop `rounds` of `count` rounds, with one assigner that writes `text` -> end.
[[nodiscard]] std::string make_loop_app(int count);

/// start -> llm (streaming) -> answer, in chat mode.
[[nodiscard]] std::string make_chat_app();

}  // namespace flowspan::bench
