#include "tests/workflows/stable_text.hpp"

#include "flowspan/base/json.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

namespace flowspan::golden {

namespace names = trace::names;
namespace otel = opentelemetry::trace;

namespace {

constexpr std::size_t kUuidSize = 36;

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool is_uuid(std::string_view text) {
    for (std::size_t i = 0; i < kUuidSize; ++i) {
        const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (is_dash ? text[i] != '-' : !is_hex(text[i])) {
            return false;
        }
    }
    return true;
}

// Measured times, wherever they stand in an event.
constexpr std::array<std::string_view, 12> kVolatileKeys = {
    "elapsed_ms",
    "start_at",
    "finished_at",
    "latency",
    "time_to_first_token",
    "time_to_generate",
    "elapsed_time",
    "sys.timestamp",
    "date",
    "expiration_time",
    "iteration_duration_map",
    "loop_duration_map",
};

/// Fields of every node event, where they say what they nearly always say; the test of `--events`
/// sees to them.
void drop_usual(json::object& event) {
    for (const auto* key : {"node_title", "predecessor_node_id", "llm_usage"}) {
        event.stable_erase(key);
    }
    const std::array<std::pair<std::string_view, json::value>, 9> usual = {{
        {"node_version", "1"},
        {"in_iteration_id", nullptr},
        {"in_loop_id", nullptr},
        {"pre_iteration_output", nullptr},
        {"edge_source_handle", "source"},
        {"retry_index", 0},
        {"extras", json::object()},
        {"provider_type", ""},
        {"provider_id", ""},
    }};
    for (const auto& [key, content] : usual) {
        if (const auto* value = event.if_contains(key); value != nullptr && *value == content) {
            event.stable_erase(key);
        }
    }
}

void drop_volatile(json::value& value) {
    if (auto* object = value.if_object()) {
        for (const auto key : kVolatileKeys) {
            object->stable_erase(key);
        }
        for (auto& member : *object) {
            drop_volatile(member.value());
        }
    } else if (auto* array = value.if_array()) {
        for (auto& element : *array) {
            drop_volatile(element);
        }
    }
}

// What a reader of a golden file wants to see of a span; times, ids and ports are left out.
constexpr std::array<std::string_view, 37> kShown = {
    names::kDifyAppMode,
    names::kDifyInvokeFrom,
    names::kDifyStreaming,
    names::kGenAiOperationName,
    names::kGenAiProviderName,
    names::kGenAiRequestModel,
    names::kGenAiRequestStream,
    names::kGenAiRequestTemperature,
    names::kGenAiResponseModel,
    names::kGenAiResponseFinishReasons,
    names::kGenAiUsageInputTokens,
    names::kGenAiUsageOutputTokens,
    names::kGenAiWorkflowName,
    names::kGenAiSpanKind,
    names::kNodeId,
    names::kNodeType,
    names::kDifyNodeStatus,
    names::kDifyNodeIndex,
    names::kDifyNodeBranch,
    names::kDifyNodePredecessors,
    names::kDifyNodeErrorStrategy,
    names::kDifyIterationIndex,
    names::kDifyLoopIndex,
    names::kDifyWorkflowStatus,
    names::kDifyWorkflowTotalTokens,
    names::kDifyWorkflowSteps,
    names::kDifyWorkflowExceptions,
    names::kDifyWorkflowAbortReason,
    names::kFlowspanAttempt,
    names::kFlowspanAttemptCause,
    names::kFlowspanAttemptCount,
    names::kFlowspanEndReason,
    names::kHttpRequestMethod,
    names::kHttpResponseStatusCode,
    names::kHttpRequestResendCount,
    names::kUrlFull,
    names::kErrorType,
};

struct ShowValue {
    std::string operator()(bool value) const { return value ? "true" : "false"; }

    std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }

    std::string operator()(double value) const { return fmt::format("{}", value); }

    std::string operator()(std::string_view value) const {
        return to_json_text(json::value(json::string(value)));
    }

    std::string operator()(const exporting::ByteView& value) const {
        return fmt::format("({} bytes)", value.bytes.size());
    }

    template <class List>
    std::string operator()(const List& list) const {
        std::string text = "[";
        list.for_each([&](const auto& element) {
            text += (text.size() > 1 ? "," : "") + (*this)(element);
        });
        return text + "]";
    }
};

std::string_view kind_mark(otel::SpanKind kind) {
    switch (kind) {
        case otel::SpanKind::kClient:
            return " (client)";
        case otel::SpanKind::kServer:
            return " (server)";
        case otel::SpanKind::kProducer:
            return " (producer)";
        case otel::SpanKind::kConsumer:
            return " (consumer)";
        case otel::SpanKind::kInternal:
            return "";
    }
    return "";
}

std::string describe(const exporting::SpanRecord& span) {
    std::string text(span.name());
    text += kind_mark(span.kind);
    if (span.status() == otel::StatusCode::kError) {
        text += fmt::format(" ERROR {}", ShowValue{}(span.status_description()));
    } else if (span.status() == otel::StatusCode::kOk) {
        text += " OK";
    }
    for (const auto key : kShown) {
        span.for_each_attribute([&](const exporting::AttributeView& attribute) {
            if (attribute.key == key) {
                text += fmt::format(" {}={}", key, std::visit(ShowValue{}, attribute.value));
            }
        });
    }
    return text;
}

std::string describe_event(const exporting::SpanRecord& span, std::size_t index) {
    const auto event = span.event(index);
    std::string text = fmt::format("! {}", event.name);
    span.for_each_event_attribute(index, [&](const exporting::AttributeView& attribute) {
        text += fmt::format(" {}={}", attribute.key, std::visit(ShowValue{}, attribute.value));
    });
    return text;
}

class Tree {
public:
    Tree(const std::vector<exporting::SpanRecordPtr>& spans, bool is_ordered_by_name) {
        for (const auto& span : spans) {
            all_.push_back(span.get());
        }
        std::ranges::sort(all_, {}, [&](const exporting::SpanRecord* span) {
            using Key = std::tuple<std::string_view, std::string_view, std::int64_t>;
            return is_ordered_by_name
                       ? Key{span->name(), span->text(names::kNodeId), span->start_ns}
                       : Key{{}, {}, span->start_ns};
        });
    }

    std::string print() {
        for (const auto* span : all_) {
            if (!span->parent_span_id.IsValid()) {
                print_below(*span, 0);
            } else if (!has_parent(*span)) {
                text_ += "WITHOUT ITS PARENT: ";
                print_below(*span, 0);
            }
        }
        return std::move(text_);
    }

private:
    bool has_parent(const exporting::SpanRecord& span) const {
        return std::ranges::any_of(all_, [&](const auto* other) {
            return other->span_id == span.parent_span_id && other->trace_id == span.trace_id;
        });
    }

    [[nodiscard]] std::string describe_target(const exporting::SpanRecord::Link& link) const {
        const auto found = std::ranges::find(all_, link.span_id, &exporting::SpanRecord::span_id);
        return found == all_.end()
                   ? "A LINK TO NOWHERE"
                   : fmt::format("{} {}", (*found)->name(), (*found)->text(names::kNodeId));
    }

    void print_below(const exporting::SpanRecord& span, std::size_t depth) {
        text_ += fmt::format("{:{}}{}\n", "", depth * 2, describe(span));
        for (std::size_t i = 0; i < span.event_count(); ++i) {
            text_ += fmt::format("{:{}}{}\n", "", depth * 2 + 2, describe_event(span, i));
        }
        for (std::size_t i = 0; i < span.link_count(); ++i) {
            text_ += fmt::format("{:{}}~ {}\n", "", depth * 2 + 2, describe_target(span.link(i)));
        }
        for (const auto* child : all_) {
            if (child->parent_span_id == span.span_id) {
                print_below(*child, depth + 1);
            }
        }
    }

    std::vector<const exporting::SpanRecord*> all_;
    std::string text_;
};

}  // namespace

StableText::StableText(std::string server_url)
    : server_url_(std::move(server_url)),
      address_(server_url_.substr(server_url_.find("//") + 2)) {}

std::string StableText::stabilise(std::string_view text) {
    std::string stable;
    while (!text.empty()) {
        if (text.size() >= kUuidSize && is_uuid(text)) {
            const auto [found, is_new] =
                ids_.emplace(std::string(text.substr(0, kUuidSize)), ids_.size() + 1);
            stable += fmt::format("<id {}>", found->second);
            text.remove_prefix(kUuidSize);
        } else if (text.starts_with(server_url_)) {
            stable += "<server>";
            text.remove_prefix(server_url_.size());
        } else if (text.starts_with(address_)) {
            stable += "<address>";
            text.remove_prefix(address_.size());
        } else {
            stable += text.front();
            text.remove_prefix(1);
        }
    }
    return stable;
}

std::string event_line(const engine::Event& event) {
    auto object = engine::to_json(event);
    if (!object) {
        return {};
    }
    // The execution's own id; ids that mean something to the app stay, made stable.
    object->stable_erase("id");
    drop_usual(*object);
    json::value value(*std::move(object));
    drop_volatile(value);
    return to_json_text(value);
}

std::string span_tree(const std::vector<exporting::SpanRecordPtr>& spans, bool is_ordered_by_name) {
    return Tree(spans, is_ordered_by_name).print();
}

}  // namespace flowspan::golden
