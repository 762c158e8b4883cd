#include "cli/trace_content.hpp"

#include "cli/config.hpp"
#include "cli/terminal.hpp"
#include "export/content_folder.hpp"

namespace flowspan::cli {

ExitCode run_trace_content(const TraceOptions& options) {
    const auto config = load_config(options.config);
    const auto text =
        config ? exporting::read_content(config->trace.content_store.path, options.reference)
               : failure(config.error());
    if (!text) {
        write_error("flowspan: " + text.error().full_text() + "\n");
        return ExitCode::bad_usage;
    }
    write_output(*text + "\n");
    return ExitCode::done;
}

}  // namespace flowspan::cli
