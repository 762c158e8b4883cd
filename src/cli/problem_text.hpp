#pragma once
// What is wrong with an app file, as people read it.

#include "service/loaded_app.hpp"

#include <string>

namespace flowspan::cli {

/// A line for each problem that is more than a warning: file, line and column, message and code.
[[nodiscard]] std::string problem_lines(const service::AppCheck& check);

/// The same in one text, for programs.
[[nodiscard]] std::string problem_text(const service::AppCheck& check);

/// The sentence that ends the list: what that means for the file.
[[nodiscard]] std::string refusal(const service::AppCheck& check);

}  // namespace flowspan::cli
