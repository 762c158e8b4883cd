#pragma once
// Apps for the tests of drawings.

#include "dsl/app.hpp"

#include <string_view>

namespace flowspan::draw::testing {

/// Loads an app whose graph is `nodes` and `edges` in YAML flow style; fails the test if it does
/// not load.
[[nodiscard]] dsl::Graph load_graph(std::string_view nodes, std::string_view edges);

/// A question that is classified, a request with a fail branch, and an iteration with two children.
[[nodiscard]] dsl::Graph support_graph();

}  // namespace flowspan::draw::testing
