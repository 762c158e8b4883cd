#pragma once
// What an execution left behind, turned into a result or into words on what went wrong.

#include "infra/sandbox/detail/execution.hpp"
#include "infra/sandbox/sandbox.hpp"

#include <string>

namespace flowspan::infra::sandbox {

[[nodiscard]] Result<CodeReply> read_code_reply(const Outcome& outcome, const Limits& limits);

[[nodiscard]] Result<std::string> read_template_reply(const Outcome& outcome, const Limits& limits);

}  // namespace flowspan::infra::sandbox
