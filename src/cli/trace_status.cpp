#include "cli/trace_status.hpp"

#include "cli/trace_list.hpp"
#include "export/books.hpp"
#include "export/stored_span.hpp"
#include "export/terminal_line.hpp"
#include "export/trace_label.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/value/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::cli {

namespace {

using exporting::PipelineCounts;
using exporting::SinkCounts;

struct ProcessStatus {
    store::ProcessRow row;
    std::string service;
    std::string state;
    PipelineCounts books;
};

std::string service_of(const store::ProcessRow& row) {
    const auto resource = exporting::read_stored_resource(row.resource);
    if (resource) {
        for (const auto& attribute : resource->attributes) {
            const auto* text = std::get_if<std::string>(&attribute.value);
            if (attribute.name == trace::names::kServiceName && text != nullptr) {
                return *text;
            }
        }
    }
    return {};
}

Result<std::vector<ProcessStatus>> read_processes(store::SpanStore& store, std::int64_t limit) {
    FLOWSPAN_TRY(auto rows, store.list_processes(limit));
    std::vector<ProcessStatus> processes;
    for (auto& row : rows) {
        ProcessStatus process;
        process.service = service_of(row);
        process.state = row.is_crashed           ? "crashed"
                        : row.ended_ns > 0       ? "ended"
                        : store.is_alive(row.id) ? "running"
                                                 : "lost";
        if (auto books = exporting::read_books(row.books)) {
            process.books = *std::move(books);
        }
        process.row = std::move(row);
        processes.push_back(std::move(process));
    }
    return processes;
}

std::string drops_text(const SinkCounts& sink) {
    std::string reasons;
    for_each_drop(sink.dropped, [&reasons](std::string_view reason, std::uint64_t count) {
        if (count > 0) {
            reasons += fmt::format("{}{} {}", reasons.empty() ? "" : ", ", reason, count);
        }
    });
    return reasons.empty() ? "" : fmt::format(" ({})", reasons);
}

std::string sink_text(const PipelineCounts& books, const SinkCounts& sink) {
    auto text = fmt::format(
        "  {}: {} started{} = {} exported + {} dropped{} + {} open",
        exporting::printable(sink.name),
        books.started,
        sink.announced == 0 ? "" : fmt::format(" + {} announced", sink.announced),
        sink.exported,
        sink.dropped.total(),
        drops_text(sink),
        books.open
    );
    const auto add = [&text](std::uint64_t count, std::string_view what) {
        if (count > 0) {
            text += fmt::format(" + {} {}", count, what);
        }
    };
    add(sink.queued, "queued");
    add(sink.undecided, "undecided");
    add(books.unsampled, "unsampled");
    text += '\n';
    if (!sink.last_error.empty()) {
        text += fmt::format(
            "    last error: {} ({})\n",
            exporting::printable(sink.last_error),
            count_text(static_cast<std::int64_t>(sink.failed_attempts), "failed attempt")
        );
    }
    return text;
}

std::string bytes_text(std::uint64_t bytes) {
    constexpr double kMiB = 1024.0 * 1024.0;
    return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / kMiB);
}

json::object sink_object(const SinkCounts& sink) {
    json::object dropped;
    for_each_drop(sink.dropped, [&dropped](std::string_view reason, std::uint64_t count) {
        dropped[reason] = count;
    });
    return {
        {"name", sink.name},
        {"offered", sink.offered},
        {"announced", sink.announced},
        {"exported", sink.exported},
        {"queued", sink.queued},
        {"undecided", sink.undecided},
        {"dropped", std::move(dropped)},
        {"failed_attempts", sink.failed_attempts},
        {"last_error", sink.last_error},
    };
}

}  // namespace

Result<std::string> render_trace_status(store::SpanStore& store, std::int64_t processes) {
    FLOWSPAN_TRY(const auto size, store.size());
    const auto& options = store.options();
    const auto days = std::chrono::duration<double, std::ratio<86400>>(options.age_max).count();
    auto out = fmt::format(
        "store {}\n  {}, {}, {} of {}, kept for {:g} {}\n",
        options.path.string(),
        count_text(size.traces, "trace"),
        count_text(size.spans, "span"),
        bytes_text(static_cast<std::uint64_t>(size.file_bytes)),
        bytes_text(options.bytes_max),
        days,
        days == 1 ? "day" : "days"
    );
    FLOWSPAN_TRY(const auto rows, read_processes(store, processes));
    for (const auto& process : rows) {
        out += fmt::format(
            "process {} {}, {}, started {}, last seen {}\n",
            process.row.pid,
            exporting::printable(process.service),
            process.state,
            utc_text(process.row.started_ns),
            utc_text(process.row.seen_ns)
        );
        for (const auto& sink : process.books.sinks) {
            out += sink_text(process.books, sink);
        }
    }
    return out;
}

Result<std::string> trace_status_json(store::SpanStore& store, std::int64_t processes) {
    FLOWSPAN_TRY(const auto size, store.size());
    FLOWSPAN_TRY(const auto rows, read_processes(store, processes));
    json::array entries;
    for (const auto& process : rows) {
        json::array sinks;
        for (const auto& sink : process.books.sinks) {
            sinks.emplace_back(sink_object(sink));
        }
        entries.emplace_back(json::object{
            {"pid", process.row.pid},
            {"service", process.service},
            {"state", process.state},
            {"start_unix_nano", process.row.started_ns},
            {"seen_unix_nano", process.row.seen_ns},
            {"started", process.books.started},
            {"open", process.books.open},
            {"unsampled", process.books.unsampled},
            {"destinations", std::move(sinks)},
        });
    }
    const json::object object{
        {"store",
         json::object{
             {"path", store.options().path.string()},
             {"traces", size.traces},
             {"spans", size.spans},
             {"bytes", size.file_bytes},
             {"bytes_max", store.options().bytes_max},
             {"age_max", store.options().age_max.count()},
         }},
        {"processes", std::move(entries)},
    };
    return value::python_json(object) + '\n';
}

}  // namespace flowspan::cli
