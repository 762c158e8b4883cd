#include "infra/http/http_client.hpp"

#include "flowspan/async/waits.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/trace/content.hpp"
#include "infra/http/curl_loop.hpp"
#include "infra/http/request_span.hpp"
#include "infra/http/transport_error.hpp"
#include "infra/http/url_text.hpp"

#include <boost/asio/this_coro.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <utility>

namespace asio = boost::asio;

namespace flowspan::http {

using namespace std::chrono_literals;

namespace {

constexpr auto kResendDelay = 100ms;

/// Collects a body up to a limit.
class BodyCollector final : public BodyListener {
public:
    explicit BodyCollector(std::size_t size_max) : size_max_(size_max) {}

    bool on_data(std::string_view piece) override {
        if (piece.size() > size_max_ - body.size()) {
            is_full = true;
            return false;
        }
        body.append(piece);
        return true;
    }

    std::string body;
    bool is_full = false;

private:
    std::size_t size_max_;
};

bool is_token(std::string_view text) {
    static constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               kMarks.find(c) != std::string_view::npos;
    });
}

bool has_line_break(std::string_view text) {
    static constexpr std::string_view kBreaks("\r\n\0", 3);
    return text.find_first_of(kBreaks) != std::string_view::npos;
}

Result<void> check(const HttpRequest& request) {
    if (!is_token(request.method)) {
        return failure(ErrorCode::invalid_input, "the HTTP method is not a word");
    }
    const auto scheme = to_lower_ascii(request.url.substr(0, 8));
    if (!scheme.starts_with("http://") && !scheme.starts_with("https://")) {
        return failure(ErrorCode::invalid_input, "the URL does not start with http:// or https://");
    }
    if (std::ranges::any_of(request.url, [](char c) {
            return static_cast<unsigned char>(c) <= ' ' || c == '\x7F';
        })) {
        return failure(ErrorCode::invalid_input, "the URL holds a space or control character");
    }
    for (const auto& [name, value] : request.headers) {
        if (!is_token(name)) {
            return failure(
                ErrorCode::invalid_input,
                fmt::format("the header name \"{}\" is not allowed in HTTP", to_valid_utf8(name))
            );
        }
        if (has_line_break(value)) {
            return failure(
                ErrorCode::invalid_input, fmt::format("the header {} holds a line break", name)
            );
        }
    }
    return {};
}

/// Where the request stands between its attempts.
struct Progress {
    std::string redirect_url;  ///< empty before the first redirect
    std::string_view method;   ///< the request's own, or GET
    bool has_body = false;
    bool is_trusted_origin = true;
    int redirects = 0;
    int resends = 0;
    std::optional<SteadyTime> own_deadline;

    [[nodiscard]] const std::string& url(const HttpRequest& request) const noexcept {
        return redirect_url.empty() ? request.url : redirect_url;
    }

    [[nodiscard]] int resend_count(const HttpRequest& request) const noexcept {
        return request.resend_count + redirects + resends;
    }
};

Progress begin(const HttpRequest& request) {
    Progress progress;
    progress.method = request.method;
    progress.has_body = !request.body.empty() || request.method == "POST" ||
                        request.method == "PUT" || request.method == "PATCH";
    if (request.total_timeout > 0ms) {
        progress.own_deadline = real_clock().steady_now() + request.total_timeout;
    }
    return progress;
}

/// Empty if no time is left.
std::optional<TimeLimits> limits_for(
    const HttpRequest& request, const Progress& progress, const async::TaskContext& task
) {
    TimeLimits limits;
    limits.connect = request.connect_timeout;
    limits.read = request.read_timeout;
    auto deadline = progress.own_deadline;
    if (task.deadline() && (!deadline || *task.deadline() < *deadline)) {
        deadline = task.deadline();
        limits.is_total_the_deadline = true;
    }
    if (deadline) {
        const auto left = *deadline - real_clock().steady_now();
        if (left <= 0ns) {
            return std::nullopt;
        }
        // Rounded up, because libcurl reads 0 as "no limit".
        limits.total = std::chrono::ceil<std::chrono::milliseconds>(left);
    }
    return limits;
}

Error out_of_time(const std::string& url) {
    return {
        ErrorCode::timeout,
        fmt::format("the deadline passed before {} was called", read_origin(url).authority())
    };
}

/// What clients agree on: 303 always, and 301 and 302 of a POST, go on as GET without the body.
Result<void> follow(Progress& progress, const HttpRequest& request, const Transfer& transfer) {
    const auto target = transfer.redirect_target();
    const auto from = read_origin(progress.url(request));
    if (target.empty() || (!target.starts_with("http://") && !target.starts_with("https://"))) {
        return failure(
            ErrorCode::remote_failure,
            fmt::format("{} redirects to something that is no http address", from.authority())
        );
    }
    if (progress.redirects >= request.redirects_max) {
        return failure(
            ErrorCode::limit_exceeded,
            fmt::format("{} redirects more than {} times", from.authority(), request.redirects_max)
        );
    }
    ++progress.redirects;
    const int status = transfer.response.status;
    const bool is_post = progress.method == "POST";
    if ((status == 303 && progress.method != "HEAD") ||
        ((status == 301 || status == 302) && is_post)) {
        progress.method = "GET";
        progress.has_body = false;
    }
    progress.is_trusted_origin = progress.is_trusted_origin && read_origin(target) == from;
    progress.redirect_url = target;
    return {};
}

enum class Next : std::uint8_t { done, redirect, resend };

/// Ends the attempt's span and says how to go on.
Result<Next> judge(
    const HttpRequest& request,
    Progress& progress,
    const TimeLimits& limits,
    Transfer& transfer,
    RequestSpan& span
) {
    if (transfer.early_end == EarlyEnd::listener ||
        (transfer.early_end == EarlyEnd::none && transfer.code == CURLE_OK)) {
        transfer.response.is_aborted = transfer.early_end == EarlyEnd::listener;
        transfer.response.protocol_version = transfer.protocol_version();
        span.finish(transfer);
        if (!transfer.is_redirect()) {
            return Next::done;
        }
        if (auto followed = follow(progress, request, transfer); !followed) {
            return failure(std::move(followed).error());
        }
        return Next::redirect;
    }
    auto error = transport_error(transfer, read_origin(progress.url(request)), limits);
    span.fail(transfer, error);
    if (error.code == ErrorCode::unavailable && !transfer.has_reply_begun() &&
        progress.resends < request.transport_retries_max) {
        return Next::resend;
    }
    return failure(std::move(error));
}

class CurlHttpClient final : public HttpClient {
public:
    explicit CurlHttpClient(HttpClientConfig config)
        : config_(std::move(config)),
          durations_(config_.metrics == nullptr ? nullptr : &request_durations(*config_.metrics)) {}

    Task<Result<HttpResponse>> send(HttpRequest request) override {
        BodyCollector collector(request.body_size_max);
        const auto size_max = request.body_size_max;
        auto result = co_await run(std::move(request), collector, false);
        if (result && collector.is_full) {
            co_return failure(
                ErrorCode::limit_exceeded,
                fmt::format(
                    "the answer of {} is larger than {} bytes",
                    read_origin(result->url).authority(),
                    size_max
                )
            );
        }
        if (result) {
            result->body = std::move(collector.body);
        }
        co_return result;
    }

    Task<Result<HttpResponse>> stream(HttpRequest request, BodyListener& listener) override {
        return run(std::move(request), listener, true);
    }

private:
    [[nodiscard]] bool may_send_baggage(std::string_view url) const {
        if (config_.baggage_hosts.empty()) {
            return false;
        }
        const auto host = read_origin(url).host;
        return std::ranges::any_of(config_.baggage_hosts, [&host](const std::string& pattern) {
            return trace::matches_glob(pattern, host);
        });
    }

    // The one frame that an open request has; it owns the request.
    Task<Result<HttpResponse>> run(HttpRequest request, BodyListener& listener, bool is_stream) {
        if (auto checked = check(request); !checked) {
            co_return failure(std::move(checked).error());
        }
        const async::TaskExecutor executor = co_await asio::this_coro::executor;
        auto& loop = asio::use_service<CurlLoop>(executor.inner().context());
        Progress progress = begin(request);
        for (;;) {
            if (!loop.has_room()) {
                co_return failure(ErrorCode::limit_exceeded, "too many HTTP requests run at once");
            }
            const auto& url = progress.url(request);
            const auto limits = limits_for(request, progress, *executor.task());
            if (!limits) {
                co_return failure(out_of_time(url));
            }
            bool should_pause = false;
            {
                TransferLease transfer(loop, loop.acquire());
                RequestSpan span(
                    {progress.method, url, progress.resend_count(request)}, durations_
                );
                const auto trace_headers = span.headers(request.headers, may_send_baggage(url));
                transfer->prepare(
                    {.request = request,
                     .config = config_,
                     .method = progress.method,
                     .url = url,
                     .has_body = progress.has_body,
                     .is_stream = is_stream,
                     .is_trusted_origin = progress.is_trusted_origin,
                     .trace_headers = trace_headers,
                     .total_timeout = limits->total,
                     .listener = listener}
                );
                co_await loop.perform(*transfer, executor);
                if (async::current_waits() != nullptr) {
                    async::add_wait(async::WaitKind::provider, transfer->time_to_first_byte());
                }
                if (transfer->early_end == EarlyEnd::cancelled) {
                    span.cancel(*transfer);
                    async::throw_cancelled();
                }
                auto next = judge(request, progress, *limits, *transfer, span);
                if (!next) {
                    co_return failure(std::move(next).error());
                }
                if (*next == Next::done) {
                    co_return std::move(transfer->response);
                }
                should_pause = *next == Next::resend;
            }
            if (should_pause) {
                // 100, 200, 400 ms: long enough for a restart behind a load balancer.
                const auto pause = kResendDelay * (1 << progress.resends++);
                co_await async::sleep(pause);
                async::add_wait(async::WaitKind::retry, pause);
            }
        }
    }

    HttpClientConfig config_;
    trace::Instrument* durations_;
};

bool has_proxy_variable() {
    static constexpr std::array kNames = {
        "http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"
    };
    return std::ranges::any_of(kNames, [](const char* name) {
        const char* value = std::getenv(name);
        return value != nullptr && *value != '\0';
    });
}

}  // namespace

void initialize_http() {
    static std::once_flag once;
    std::call_once(once, [] {
        const auto result = curl_global_init(CURL_GLOBAL_DEFAULT);
        FLOWSPAN_ASSERT(result == CURLE_OK, "libcurl cannot be used");
        // A TLS library writes to closed connections without asking for no signal.
        struct sigaction current{};
        if (sigaction(SIGPIPE, nullptr, &current) == 0 && current.sa_handler == SIG_DFL) {
            std::signal(SIGPIPE, SIG_IGN);
        }
    });
}

std::unique_ptr<HttpClient> make_http_client(HttpClientConfig config) {
    initialize_http();
    if (!config.proxy && !has_proxy_variable()) {
        // Saves libcurl six look-ups in the environment for every request.
        config.proxy.emplace();
    }
    return std::make_unique<CurlHttpClient>(std::move(config));
}

}  // namespace flowspan::http
