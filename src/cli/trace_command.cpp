#include "cli/trace_command.hpp"

#include "cli/config.hpp"
#include "cli/trace_content.hpp"
#include "cli/trace_follow.hpp"
#include "cli/trace_list.hpp"
#include "cli/trace_probe.hpp"
#include "cli/trace_score.hpp"
#include "cli/trace_status.hpp"
#include "cli/trace_store.hpp"
#include "export/lost_processes.hpp"
#include "export/otlp_json.hpp"
#include "export/stored_span.hpp"
#include "export/stored_trace.hpp"
#include "export/trace_tree.hpp"
#include "flowspan/base/clock.hpp"
#include "store/span_store.hpp"

#include <fmt/format.h>

#include <memory>
#include <utility>

namespace flowspan::cli {

namespace {

using StorePtr = std::unique_ptr<store::SpanStore>;

std::int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
               real_clock().system_now().time_since_epoch()
    )
        .count();
}

ExitCode refuse(const Error& error) {
    write_error("flowspan: " + error.full_text() + "\n");
    return ExitCode::bad_usage;
}

Result<StorePtr> open_store(const TraceOptions& options) {
    FLOWSPAN_TRY(const auto config, load_config(options.config));
    const auto found = find_trace_store(config.trace.store, options.store);
    if (!found) {
        return failure(ErrorCode::unsupported, "the trace store is switched off");
    }
    // If it cannot, opening it says so.
    [[maybe_unused]] const auto made = exporting::make_store_of_lost_processes(found->path);
    return store::SpanStore::open(
        {.path = found->path,
         .age_max = found->age_max,
         .bytes_max = found->bytes_max,
         .is_read_only = true}
    );
}

Result<std::string> list(store::SpanStore& store, const TraceOptions& options, std::size_t width) {
    store::TraceFilter filter;
    filter.app = options.app;
    filter.status = options.status;
    filter.limit = options.limit;
    if (!options.since.empty()) {
        FLOWSPAN_TRY(filter.since_ns, parse_since(options.since, now_ns()));
    }
    FLOWSPAN_TRY(const auto traces, store.list_traces(filter));
    if (options.is_json) {
        return trace_list_json(traces, now_ns());
    }
    if (traces.empty()) {
        write_error("flowspan: no trace matches\n");
        return std::string();
    }
    return render_trace_list(traces, now_ns(), width);
}

Result<std::string> show_json(const std::vector<exporting::StoredPart>& parts) {
    std::string output;
    for (const auto& part : parts) {
        FLOWSPAN_TRY(const auto resource, exporting::read_stored_resource(part.process.resource));
        exporting::append_otlp_json(output, resource, part.spans);
        output += '\n';
    }
    return output;
}

Result<std::string> show(
    store::SpanStore& store, const TraceOptions& options, const Terminal& terminal
) {
    FLOWSPAN_TRY(const auto trace, exporting::find_trace(store, options.trace_id));
    FLOWSPAN_TRY(const auto parts, exporting::read_trace(store, trace.trace_id, now_ns()));
    if (options.is_json) {
        return show_json(parts);
    }
    exporting::TreeOptions tree;
    tree.width = terminal.width;
    tree.use_color = terminal.has_color;
    tree.use_unicode = terminal.has_unicode;
    return exporting::render_trace_tree(exporting::all_spans(parts), tree);
}

Result<std::string> perform(
    store::SpanStore& store, const TraceOptions& options, const Terminal& terminal
) {
    // Reading must not fail because the file cannot be written; then the spans are shown as they
    // were left.
    [[maybe_unused]] const auto closed =
        exporting::close_lost_processes(store, store.options().path);
    switch (options.action) {
        case TraceAction::list:
            return list(store, options, terminal.width);
        case TraceAction::show:
            return show(store, options, terminal);
        case TraceAction::status:
            return options.is_json ? trace_status_json(store, options.process_limit)
                                   : render_trace_status(store, options.process_limit);
        default:
            break;
    }
    return std::string();
}

}  // namespace

ExitCode run_trace(const TraceOptions& options, const Terminal& terminal) {
    if (options.action == TraceAction::test) {
        return run_trace_test(options);
    }
    if (options.action == TraceAction::score) {
        return run_trace_score(options);
    }
    if (options.action == TraceAction::content) {
        return run_trace_content(options);
    }
    const auto store = open_store(options);
    if (!store) {
        const bool has_no_file = store.error().code == ErrorCode::not_found;
        if (has_no_file && options.action == TraceAction::list) {
            write_error("flowspan: " + store.error().full_text() + ": no traces yet\n");
            return ExitCode::done;
        }
        return refuse(store.error());
    }
    if (options.action == TraceAction::follow) {
        const auto code = follow_trace(**store, options.trace_id, terminal);
        return code ? *code : refuse(code.error());
    }
    const auto output = perform(**store, options, terminal);
    if (!output) {
        return refuse(output.error());
    }
    write_output(*output);
    return ExitCode::done;
}

}  // namespace flowspan::cli
