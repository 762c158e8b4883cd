#pragma once
// The instrumented HTTP client: a CLIENT span and a measured time for every attempt on the wire.

#include "flowspan/async/task.hpp"
#include "flowspan/trace/metrics.hpp"
#include "infra/http/http_types.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace flowspan::http {

struct HttpClientConfig {
    std::string user_agent = "flowspan";
    /// For all requests; empty text: none. Absent: `http_proxy`, `https_proxy`, `all_proxy` and
    /// `no_proxy` of the environment, as it was when the client was made.
    std::optional<std::string> proxy = {};
    /// Hosts that are called directly, comma separated; only with `proxy`.
    std::string no_proxy = {};
    /// PEM file of certificate authorities; empty: the system's.
    std::string ca_file = {};
    /// Over TLS, where the server offers it.
    bool is_http2_allowed = true;
    /// Baggage may hold user data, so it goes to these hosts alone (`*` in a name stands for any
    /// text); `traceparent` and `tracestate` always do.
    std::vector<std::string> baggage_hosts = {};
    /// Gets `http.client.request.duration`, a measurement for every attempt, also while tracing is
    /// off; must outlive the client. Null: nothing is measured.
    trace::MetricRegistry* metrics = nullptr;
};

/// Safe to use from any task on any loop; connections are pooled per loop. Cancelling the calling
/// task closes the request's connection (or its HTTP/2 stream). The task's deadline holds beside
/// the request's own timeouts.
///
/// Errors: `invalid_input` (URL, method or header that cannot be sent), `timeout`, `unavailable`
/// (not reached, broke off), `remote_failure` (no HTTP, bad certificate), `limit_exceeded`. A
/// status is never an error here.
class HttpClient {
public:
    virtual ~HttpClient() = default;

    /// The whole reply; `limit_exceeded` if its body is larger than `body_size_max`.
    [[nodiscard]] virtual Task<Result<HttpResponse>> send(HttpRequest request) = 0;

    /// Hands the body to `listener`, which must outlive the task, piece by piece as it comes.
    [[nodiscard]] virtual Task<Result<HttpResponse>> stream(
        HttpRequest request, BodyListener& listener
    ) = 0;
};

/// Prepares the transport library for the process; call it before other threads run. Later calls do
/// nothing. make_http_client() calls it too.
void initialize_http();

[[nodiscard]] std::unique_ptr<HttpClient> make_http_client(HttpClientConfig config = {});

}  // namespace flowspan::http
