#include "export/books.hpp"

#include "flowspan/base/json.hpp"

namespace flowspan::exporting {

namespace {

// One list of names for both directions.
template <class Counts, class Function>
void for_each_number(Counts& counts, Function function) {
    function("started", counts.started);
    function("open", counts.open);
    function("unsampled", counts.unsampled);
}

template <class Sink, class Function>
void for_each_sink_number(Sink& sink, Function function) {
    function("offered", sink.offered);
    function("announced", sink.announced);
    function("exported", sink.exported);
    function("queued", sink.queued);
    function("queued_bytes", sink.queued_bytes);
    function("undecided", sink.undecided);
    function("failed_attempts", sink.failed_attempts);
    function("settled_through", sink.settled_through);
}

json::object drops_object(const DropCounts& drops) {
    json::object object;
    for_each_drop(drops, [&object](std::string_view reason, std::uint64_t count) {
        object[reason] = count;
    });
    return object;
}

void read_number(const json::value& object, std::string_view name, std::uint64_t& number) {
    const auto* value = find_member(object, name);
    if (value != nullptr && value->is_int64() && value->get_int64() >= 0) {
        number = static_cast<std::uint64_t>(value->get_int64());
    } else if (value != nullptr && value->is_uint64()) {
        number = value->get_uint64();
    }
}

SinkCounts read_sink(const json::value& object) {
    SinkCounts sink;
    sink.name = string_member(object, "name");
    sink.last_error = string_member(object, "last_error");
    const auto read = [&object](std::string_view name, std::uint64_t& number) {
        read_number(object, name, number);
    };
    for_each_sink_number(sink, read);
    if (const auto* drops = find_member(object, "dropped")) {
        for_each_drop(sink.dropped, [drops](std::string_view name, std::uint64_t& number) {
            read_number(*drops, name, number);
        });
    }
    return sink;
}

}  // namespace

std::string write_books(const PipelineCounts& counts) {
    json::object object;
    for_each_number(counts, [&object](std::string_view name, std::uint64_t number) {
        object[name] = number;
    });
    json::array sinks;
    for (const auto& sink : counts.sinks) {
        json::object entry{{"name", sink.name}};
        for_each_sink_number(sink, [&entry](std::string_view name, std::uint64_t number) {
            entry[name] = number;
        });
        entry["dropped"] = drops_object(sink.dropped);
        entry["last_error"] = sink.last_error;
        sinks.emplace_back(std::move(entry));
    }
    object["sinks"] = std::move(sinks);
    return to_json_text(object);
}

Result<PipelineCounts> read_books(std::string_view text) {
    FLOWSPAN_TRY(const auto document, parse_json(text));
    PipelineCounts counts;
    for_each_number(counts, [&document](std::string_view name, std::uint64_t& number) {
        read_number(document, name, number);
    });
    if (const auto* sinks = find_member(document, "sinks"); sinks != nullptr && sinks->is_array()) {
        for (const auto& sink : sinks->get_array()) {
            counts.sinks.push_back(read_sink(sink));
        }
    }
    return counts;
}

}  // namespace flowspan::exporting
