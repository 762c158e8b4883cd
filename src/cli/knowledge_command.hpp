#pragma once
// `flowspan knowledge`: datasets that knowledge-retrieval nodes search.

#include "cli/options.hpp"

namespace flowspan::cli {

[[nodiscard]] ExitCode run_knowledge(const KnowledgeOptions& options);

}  // namespace flowspan::cli
