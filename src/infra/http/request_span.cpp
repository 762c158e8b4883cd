#include "infra/http/request_span.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/propagation.hpp"
#include "infra/http/url_text.hpp"

#include <opentelemetry/trace/span_startoptions.h>

#include <algorithm>
#include <array>
#include <string>

namespace names = flowspan::trace::names;
namespace otel = opentelemetry::trace;

namespace flowspan::http {

namespace {

constexpr std::array<std::string_view, 10> kKnownMethods = {
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"
};

bool is_known_method(std::string_view method) {
    return std::ranges::find(kKnownMethods, method) != kKnownMethods.end();
}

// As the conventions want it, of low cardinality.
std::string_view method_label(std::string_view method) {
    const auto known = std::ranges::find(kKnownMethods, method);
    return known == kKnownMethods.end() ? std::string_view("_OTHER") : *known;
}

}  // namespace

RequestSpan::RequestSpan(const Attempt& attempt, trace::Instrument* durations) {
    if (durations != nullptr) {
        timer_.emplace(*durations, method_label(attempt.method), attempt.url);
    }
    if (trace::is_tracing_enabled()) {
        start(attempt);
    }
}

void RequestSpan::start(const Attempt& attempt) {
    const bool is_known = is_known_method(attempt.method);
    const std::string_view name = is_known ? attempt.method : std::string_view("HTTP");
    otel::StartSpanOptions options;
    options.kind = otel::SpanKind::kClient;
    span_ = trace::tracer().StartSpan({name.data(), name.size()}, options);
    is_recording_ = span_->IsRecording();
    if (!is_recording_) {
        return;
    }
    trace::set(*span_, names::kHttpRequestMethod, method_label(attempt.method));
    if (!is_known) {
        trace::set(*span_, names::kHttpRequestMethodOriginal, attempt.method);
    }
    trace::set(*span_, names::kUrlFull, redact_url(attempt.url));
    const auto origin = read_origin(attempt.url);
    trace::set(*span_, names::kServerAddress, origin.host);
    trace::set(*span_, names::kServerPort, origin.port);
    if (attempt.resend_count > 0) {
        trace::set(*span_, names::kHttpRequestResendCount, std::int64_t{attempt.resend_count});
    }
}

RequestSpan::~RequestSpan() {
    if (span_ == nullptr) {
        return;
    }
    if (!is_finished_ && is_recording_) {
        trace::record_cancelled(*span_, "cancelled");
    }
    span_->End();
}

Headers RequestSpan::headers(const Headers& given, bool should_send_baggage) const {
    Headers added;
    const auto add = [&](std::string_view name, std::string_view value) {
        const bool is_baggage = equals_ignore_case(name, "baggage");
        if ((is_baggage && !should_send_baggage) || find_header(given, name) != nullptr) {
            return;
        }
        added.emplace_back(name, value);
    };
    // The caller's own traceparent belongs to a state of its own; ours would not fit to it.
    if (find_header(given, "traceparent") != nullptr) {
        return added;
    }
    if (span_ != nullptr) {
        trace::inject(trace::context_with(span_), add);
    } else {
        trace::inject(add);
    }
    return added;
}

void RequestSpan::set_reply(const Transfer& transfer) {
    is_finished_ = true;
    if (timer_) {
        timer_->set_reply(transfer);
    }
    if (is_recording_) {
        write_reply(transfer);
    }
}

void RequestSpan::write_reply(const Transfer& transfer) {
    const auto status = transfer.response.status;
    if (status > 0) {
        trace::set(*span_, names::kHttpResponseStatusCode, static_cast<std::int64_t>(status));
    }
    if (const auto version = transfer.protocol_version(); !version.empty()) {
        trace::set(*span_, names::kNetworkProtocolVersion, version);
    }
    const auto peer = transfer.peer();
    if (!peer.host.empty()) {
        trace::set(*span_, names::kNetworkPeerAddress, peer.host);
        trace::set(*span_, names::kNetworkPeerPort, peer.port);
    }
}

void RequestSpan::finish(const Transfer& transfer) {
    set_reply(transfer);
    const auto status = transfer.response.status;
    const auto error_type = status >= 400 ? std::to_string(status) : std::string();
    if (timer_) {
        timer_->finish(error_type);
    }
    if (is_recording_ && !error_type.empty()) {
        // The code says it all, so the status has no description.
        span_->SetStatus(otel::StatusCode::kError);
        trace::set(*span_, names::kErrorType, error_type);
    }
}

void RequestSpan::fail(const Transfer& transfer, Error& error) {
    set_reply(transfer);
    if (timer_) {
        timer_->fail(error);
    }
    if (is_recording_) {
        trace::record_error(*span_, error);
    }
}

void RequestSpan::cancel(const Transfer& transfer) {
    set_reply(transfer);
    if (is_recording_) {
        trace::record_cancelled(*span_, "cancelled");
    }
}

}  // namespace flowspan::http
