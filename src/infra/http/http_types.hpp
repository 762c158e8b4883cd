#pragma once
// Requests and responses of the HTTP client.

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::http {

/// In wire order; names may repeat. Responses have lower-case names.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// The first header of that name in any spelling, or null.
[[nodiscard]] const std::string* find_header(
    const Headers& headers, std::string_view name
) noexcept;

struct HttpRequest {
    std::string method = "GET";
    /// `http://` or `https://`. Credentials in it are sent as Basic authorization.
    std::string url = {};
    /// Lines that would change the framing (`Content-Length`, `Transfer-Encoding`) are left out:
    /// the client writes its own.
    Headers headers = {};
    std::string body = {};

    std::chrono::milliseconds connect_timeout{10'000};
    /// Longest wait for the next byte of the reply, the first one included. 0: none.
    std::chrono::milliseconds read_timeout{600'000};
    /// For everything together, redirects and resends included. 0: none but the task's deadline.
    std::chrono::milliseconds total_timeout{0};

    bool should_follow_redirects = false;
    int redirects_max = 20;
    bool should_verify_tls = true;
    /// Asks for gzip or deflate and unpacks whatever comes packed. Off for streams, where packing
    /// delays the pieces.
    bool should_decompress = true;
    /// Of the unpacked body that send() collects. stream() has no limit of its own.
    std::size_t body_size_max = 32UL * 1024 * 1024;
    /// Sends again, with back-off, when the connection failed before any byte of a reply came.
    int transport_retries_max = 0;
    /// How often the caller itself has sent this before; only for spans.
    int resend_count = 0;
};

struct HttpResponse {
    int status = 0;
    Headers headers = {};
    std::string body = {};              ///< empty for stream()
    std::string url = {};               ///< where the reply came from, after redirects
    std::string protocol_version = {};  ///< `1.1`, `2`
    /// The listener returned false; the rest of the body was not read.
    bool is_aborted = false;

    [[nodiscard]] bool is_success() const noexcept { return status >= 200 && status < 300; }
};

/// How long the server asks to wait: `retry-after-ms`, or `retry-after` in seconds or as a date
/// against `now`. Empty if it does not say or says nonsense; never negative.
[[nodiscard]] std::optional<std::chrono::milliseconds> retry_after(
    const HttpResponse& response, std::chrono::system_clock::time_point now
);

/// Reads a reply as it comes in. Called from within the transport with the requesting task current
/// (for spans and logs); must not wait.
class BodyListener {
public:
    virtual ~BodyListener() = default;

    /// Once, for the final reply.
    virtual void on_headers(int /*status*/, const Headers& /*headers*/) {}

    /// A piece of the body, valid during the call only. False ends the transfer and closes its
    /// connection.
    [[nodiscard]] virtual bool on_data(std::string_view piece) = 0;

    /// True once nothing of interest can follow. The rest of the body is then awaited only briefly,
    /// so that the connection can be used again; a server that keeps it open holds nobody up.
    [[nodiscard]] virtual bool is_satisfied() const { return false; }
};

}  // namespace flowspan::http
