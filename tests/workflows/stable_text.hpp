#pragma once
// Makes what a run says the same every time: events and spans as text without ids, times and ports.

#include "export/span_record.hpp"
#include "flowspan/engine/event.hpp"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::golden {

/// Replaces UUIDs by `<id 1>`, `<id 2>` in the order of their first appearance, the server's URL by
/// `<server>` and its host and port by `<address>`.
class StableText {
public:
    /// `server_url` is a scheme, a host and a port.
    explicit StableText(std::string server_url);

    [[nodiscard]] std::string stabilise(std::string_view text);

private:
    std::string server_url_;
    std::string address_;
    std::map<std::string, std::size_t, std::less<>> ids_;
};

/// One line: the event as JSON without its own ids and times. Empty for layer-only events.
[[nodiscard]] std::string event_line(const engine::Event& event);

/// Every span on a line of its own below its parent, with its kind, failure and stable attributes;
/// events of a span follow it. Siblings stand in the order of their start, or by name and node.
/// A span whose parent is missing stands at the top with a mark.
[[nodiscard]] std::string span_tree(
    const std::vector<exporting::SpanRecordPtr>& spans, bool is_ordered_by_name
);

}  // namespace flowspan::golden
