#pragma once
// Standard output and error as the commands use them.

#include <cstddef>
#include <cstdio>
#include <string_view>

namespace flowspan::cli {

struct Terminal {
    bool is_output_terminal = false;
    bool is_error_terminal = false;
    bool has_color = false;   ///< NO_COLOR is honoured
    bool has_unicode = true;  ///< by the locale
    std::size_t width = 100;  ///< columns; 100 where there is no terminal
    std::size_t height = 24;  ///< lines

    [[nodiscard]] static Terminal detect();
};

/// Writes and flushes; a closed pipe is not an error.
void write_output(std::string_view text);
void write_error(std::string_view text);

}  // namespace flowspan::cli
