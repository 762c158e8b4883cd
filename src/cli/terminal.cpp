#include "cli/terminal.hpp"

#include "flowspan/base/text.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace flowspan::cli {

namespace {

bool is_utf8_locale() {
    for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const auto* value = std::getenv(name);
        if (value != nullptr && *value != '\0') {
            const auto text = to_lower_ascii(value);
            return text.find("utf-8") != std::string::npos ||
                   text.find("utf8") != std::string::npos;
        }
    }
    // No locale at all is the rule in containers, whose terminals speak UTF-8.
    return true;
}

std::size_t terminal_width() {
    winsize size{};
    for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
        if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
            return size.ws_col;
        }
    }
    if (const auto* columns = std::getenv("COLUMNS")) {
        const auto width = std::strtoul(columns, nullptr, 10);
        if (width >= 40) {
            return width;
        }
    }
    return 100;
}

std::size_t terminal_height() {
    winsize size{};
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

void write_to(std::FILE* file, std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), file);
    std::fflush(file);
}

}  // namespace

Terminal Terminal::detect() {
    Terminal terminal;
    terminal.is_output_terminal = isatty(STDOUT_FILENO) == 1;
    terminal.is_error_terminal = isatty(STDERR_FILENO) == 1;
    const auto* no_color = std::getenv("NO_COLOR");
    terminal.has_color = terminal.is_output_terminal && (no_color == nullptr || *no_color == '\0');
    terminal.has_unicode = is_utf8_locale();
    terminal.width = terminal_width();
    terminal.height = terminal_height();
    return terminal;
}

void write_output(std::string_view text) {
    write_to(stdout, text);
}

void write_error(std::string_view text) {
    write_to(stderr, text);
}

}  // namespace flowspan::cli
