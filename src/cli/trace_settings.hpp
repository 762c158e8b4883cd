#pragma once
// The settings behind `[trace]` and `[redaction]`: what is recorded, and who gets to see it.

#include "flowspan/base/secret.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::cli {

BOOST_DEFINE_ENUM_CLASS(ContentPolicy, off, metadata, full)
/// Where the messages of model calls go.
BOOST_DEFINE_ENUM_CLASS(MessagePlace, span, event, both)

/// Kinds of content that differ from `content`.
struct CaptureSettings {
    std::optional<ContentPolicy> prompts = {};
    std::optional<ContentPolicy> answers = {};
    std::optional<ContentPolicy> inputs = {};
    std::optional<ContentPolicy> outputs = {};
    std::optional<ContentPolicy> documents = {};
    std::optional<ContentPolicy> tool_arguments = {};

    bool operator==(const CaptureSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    CaptureSettings, (), (prompts, answers, inputs, outputs, documents, tool_arguments)
)

/// An app that differs from the others.
struct AppContentSettings {
    std::string app = {};                       ///< id or name; `*` stands for any text
    std::optional<ContentPolicy> content = {};  ///< absent: as for the other apps
    CaptureSettings capture = {};

    bool operator==(const AppContentSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(AppContentSettings, (), (app, content, capture))

/// The local store of traces, which `flowspan trace` reads.
struct StoreSettings {
    bool enabled = true;
    std::string path;  ///< empty: `flowspan/traces.db` in XDG_STATE_HOME or ~/.local/state
    std::chrono::seconds age_max = std::chrono::hours(24 * 7);  ///< older traces are removed
    std::uint64_t bytes_max = 256UL * 1024UL * 1024UL;          ///< the oldest traces go first

    bool operator==(const StoreSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(StoreSettings, (), (enabled, path, age_max, bytes_max))

/// Which runs are exported, decided when they are over; the store keeps all of them. A run that
/// failed is kept whole, and those below; of the others a share.
struct SamplingSettings {
    double ratio = 1.0;                      ///< share of ordinary runs kept; 1 keeps all runs
    std::chrono::milliseconds slow{0};       ///< runs that last as long are kept; 0: no such rule
    std::int64_t tokens = 0;                 ///< runs that use as many are kept; 0: no such rule
    double cost = 0;                         ///< runs that cost as much are kept; 0: no such rule
    std::size_t buffer_spans_max = 100'000;  ///< of runs that are not over
    std::size_t buffer_bytes_max = 64UL * 1024UL * 1024UL;  ///< the same in bytes

    bool operator==(const SamplingSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    SamplingSettings, (), (ratio, slow, tokens, cost, buffer_spans_max, buffer_bytes_max)
)

BOOST_DEFINE_ENUM_CLASS(OtlpProtocolName, http_protobuf, http_json, grpc)

/// A receiver of spans with rules of its own, besides what the OTEL_* variables name.
struct DestinationSettings {
    std::string name = {};  ///< for messages
    std::string endpoint = {};
    OtlpProtocolName protocol = OtlpProtocolName::http_protobuf;
    std::string dialect = {};  ///< empty: as recorded
    std::map<std::string, Secret> headers = {};
    std::map<std::string, std::string> resource = {};
    std::optional<ContentPolicy> content = {};  ///< absent: as `trace.content` and `trace.capture`
    CaptureSettings capture = {};
    std::vector<AppContentSettings> apps = {};
    std::chrono::milliseconds timeout = std::chrono::seconds(10);
    bool gzip = false;
    std::string ca_file = {};  ///< PEM; empty: the system's

    bool operator==(const DestinationSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    DestinationSettings,
    (),
    (name,
     endpoint,
     protocol,
     dialect,
     headers,
     resource,
     content,
     capture,
     apps,
     timeout,
     gzip,
     ca_file)
)

/// Facts of a run for the services that it calls.
struct BaggageSettings {
    std::vector<std::string> send = {};   ///< `user`, `session`, `app`, `run`
    std::vector<std::string> hosts = {};  ///< who gets baggage; `*` stands for any text

    bool operator==(const BaggageSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(BaggageSettings, (), (send, hosts))

/// Where content goes that is too large for a span.
struct ContentStoreSettings {
    std::string path = {};                               ///< a folder; empty: what is cut is lost
    std::uint64_t bytes_max = 1024UL * 1024UL * 1024UL;  ///< the oldest goes first
    std::chrono::seconds age_max = std::chrono::hours(24 * 7);  ///< older content is removed

    bool operator==(const ContentStoreSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(ContentStoreSettings, (), (path, bytes_max, age_max))

struct TraceSettings {
    ContentPolicy content = ContentPolicy::metadata;  ///< of every kind not named in `capture`
    CaptureSettings capture = {};
    std::vector<AppContentSettings> apps = {};
    std::vector<DestinationSettings> destinations = {};
    MessagePlace messages_on = MessagePlace::span;  ///< `event`: a log event for each model call
    std::size_t content_bytes_max = 16UL * 1024UL;  ///< a longer text is cut
    ContentStoreSettings content_store = {};
    StoreSettings store;
    SamplingSettings sampling;
    /// Spans that run for so long are announced to OTLP receivers before they end; 0: never.
    std::chrono::milliseconds pending_after{0};
    BaggageSettings baggage = {};

    bool operator==(const TraceSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(
    TraceSettings,
    (),
    (content,
     capture,
     apps,
     destinations,
     messages_on,
     content_bytes_max,
     content_store,
     store,
     sampling,
     pending_after,
     baggage)
)

/// What is taken out of everything recorded, besides all credentials in these settings and the
/// secret variables of apps.
struct RedactionSettings {
    std::vector<std::string> patterns = {};  ///< regular expressions (RE2)
    std::vector<std::string> keys = {};      ///< JSON keys, header names, query parameters

    bool operator==(const RedactionSettings&) const = default;
};

BOOST_DESCRIBE_STRUCT(RedactionSettings, (), (patterns, keys))

}  // namespace flowspan::cli
