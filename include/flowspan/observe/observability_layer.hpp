#pragma once
// The spans of runs and nodes, for programs with an engine of their own: flowspan::observe.

#include "observe/observability_layer.hpp"  // IWYU pragma: export
