#include "export/otlp_transfer.hpp"

#include "flowspan/base/text.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <array>
#include <atomic>
#include <charconv>

namespace flowspan::exporting {

namespace {

// The specification's limit for answers.
constexpr std::size_t kReplyBytesMax = 4UL * 1024UL * 1024UL;
constexpr const char* kUserAgent = "OTel-OTLP-Exporter-Flowspan/0.1";
// curl looks at its own timers meanwhile; cancel() wakes it earlier.
constexpr int kPollMs = 1000;

const char* grpc_path(OtlpSignal signal) noexcept {
    switch (signal) {
        case OtlpSignal::metrics:
            return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
        case OtlpSignal::logs:
            return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
        case OtlpSignal::traces:
            break;
    }
    return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
}

struct UrlHandle {
    CURLU* handle = curl_url();

    UrlHandle() = default;

    ~UrlHandle() { curl_url_cleanup(handle); }

    UrlHandle(const UrlHandle&) = delete;
    UrlHandle& operator=(const UrlHandle&) = delete;

    [[nodiscard]] std::string part(CURLUPart which) const {
        char* text = nullptr;
        if (curl_url_get(handle, which, &text, 0) != CURLUE_OK) {
            return {};
        }
        std::string copy(text);
        curl_free(text);
        return copy;
    }
};

ErrorCode code_of(CURLcode code) noexcept {
    switch (code) {
        case CURLE_OPERATION_TIMEDOUT:
            return ErrorCode::timeout;
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return ErrorCode::invalid_input;
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
            return ErrorCode::unauthorized;
        case CURLE_WRITE_ERROR:
            return ErrorCode::limit_exceeded;
        default:
            return ErrorCode::unavailable;
    }
}

std::size_t on_body(char* data, std::size_t /*one*/, std::size_t size, void* user) {
    auto& body = static_cast<OtlpReply*>(user)->body;
    if (body.size() + size > kReplyBytesMax) {
        return 0;
    }
    body.append(data, size);
    return size;
}

template <class Integer>
std::optional<Integer> parse_number(std::string_view text) {
    Integer number = 0;
    const auto [stop, code] = std::from_chars(text.begin(), text.end(), number);
    return code == std::errc() && stop == text.end() ? std::optional(number) : std::nullopt;
}

// Called for headers and for the trailers that carry gRPC's status.
std::size_t on_header(char* data, std::size_t /*one*/, std::size_t size, void* user) {
    auto& reply = *static_cast<OtlpReply*>(user);
    const std::string_view line(data, size);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) {
        return size;
    }
    const auto name = line.substr(0, colon);
    const auto value = trim(line.substr(colon + 1));
    if (equals_ignore_case(name, "grpc-status")) {
        reply.grpc_status = parse_number<int>(value);
    } else if (equals_ignore_case(name, "grpc-message")) {
        reply.grpc_message = to_valid_utf8(value);
    } else if (equals_ignore_case(name, "grpc-status-details-bin")) {
        reply.may_retry_grpc = true;
    } else if (equals_ignore_case(name, "grpc-retry-pushback-ms")) {
        reply.retry_after =
            std::chrono::milliseconds(parse_number<std::int32_t>(value).value_or(0));
        reply.may_retry_grpc = true;
    }
    return size;
}

}  // namespace

Result<OtlpTarget> resolve_target(const OtlpConfig& config, OtlpSignal signal) {
    const UrlHandle url;
    const auto problem =
        curl_url_set(url.handle, CURLUPART_URL, config.endpoint.c_str(), CURLU_NON_SUPPORT_SCHEME);
    const auto scheme = url.part(CURLUPART_SCHEME);
    if (problem != CURLUE_OK || (scheme != "http" && scheme != "https")) {
        return failure(
            ErrorCode::invalid_input,
            fmt::format(
                "the OTLP endpoint is no http or https URL{}{}",
                problem == CURLUE_OK ? "" : ": ",
                problem == CURLUE_OK ? "" : curl_url_strerror(problem)
            )
        );
    }
    if (config.protocol == OtlpProtocol::grpc) {
        curl_url_set(url.handle, CURLUPART_PATH, grpc_path(signal), 0);
        curl_url_set(url.handle, CURLUPART_QUERY, nullptr, 0);
    }
    OtlpTarget target;
    target.url = url.part(CURLUPART_URL);
    target.is_tls = scheme == "https";
    const auto host = url.part(CURLUPART_HOST);
    target.is_loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    for (const auto secret : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY}) {
        curl_url_set(url.handle, secret, nullptr, 0);
    }
    if (config.protocol == OtlpProtocol::grpc) {
        curl_url_set(url.handle, CURLUPART_PATH, nullptr, 0);
    }
    target.display = url.part(CURLUPART_URL);
    return target;
}

struct OtlpTransfer::State {
    CURL* easy = nullptr;
    CURLM* multi = nullptr;
    curl_slist* headers = nullptr;
    std::array<char, CURL_ERROR_SIZE> problem{};
    std::atomic<bool> is_cancelled{false};

    [[nodiscard]] std::string describe(CURLcode code) const {
        return problem[0] == '\0' ? curl_easy_strerror(code) : std::string(problem.data());
    }
};

OtlpTransfer::OtlpTransfer(const OtlpConfig& config, const OtlpTarget& target, const Headers& extra)
    : state_(std::make_unique<State>()) {
    // Counted by curl, and never undone: other users of curl may still be at work.
    curl_global_init(CURL_GLOBAL_DEFAULT);
    auto& state = *state_;
    state.easy = curl_easy_init();
    state.multi = curl_multi_init();
    FLOWSPAN_ASSERT(state.easy != nullptr && state.multi != nullptr, "curl has no memory");
    const auto add_header = [&state](const std::string& line) {
        state.headers = curl_slist_append(state.headers, line.c_str());
    };
    add_header("Expect:");  // no 100-continue: it costs a round trip
    for (const auto& list : {extra, config.headers}) {
        for (const auto& [name, value] : list) {
            add_header(fmt::format("{}: {}", name, value));
        }
    }
    curl_easy_setopt(state.easy, CURLOPT_URL, target.url.c_str());
    curl_easy_setopt(state.easy, CURLOPT_HTTPHEADER, state.headers);
    curl_easy_setopt(state.easy, CURLOPT_USERAGENT, kUserAgent);
    curl_easy_setopt(state.easy, CURLOPT_POST, 1L);
    curl_easy_setopt(state.easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(state.easy, CURLOPT_TIMEOUT_MS, static_cast<long>(config.timeout.count()));
    curl_easy_setopt(state.easy, CURLOPT_ERRORBUFFER, state.problem.data());
    curl_easy_setopt(state.easy, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(state.easy, CURLOPT_HEADERFUNCTION, &on_header);
    if (target.is_loopback) {
        curl_easy_setopt(state.easy, CURLOPT_NOPROXY, "*");
    }
    if (config.protocol == OtlpProtocol::grpc) {
        curl_easy_setopt(
            state.easy,
            CURLOPT_HTTP_VERSION,
            target.is_tls ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
        );
        // curl 7.88 fails the second request on a connection made with prior knowledge of HTTP/2.
        curl_easy_setopt(state.easy, CURLOPT_FORBID_REUSE, target.is_tls ? 0L : 1L);
    }
    const auto set_file = [&state](CURLoption option, const std::string& path) {
        if (!path.empty()) {
            curl_easy_setopt(state.easy, option, path.c_str());
        }
    };
    set_file(CURLOPT_CAINFO, config.ca_file);
    set_file(CURLOPT_SSLCERT, config.client_cert_file);
    set_file(CURLOPT_SSLKEY, config.client_key_file);
}

OtlpTransfer::~OtlpTransfer() {
    curl_easy_cleanup(state_->easy);
    curl_multi_cleanup(state_->multi);
    curl_slist_free_all(state_->headers);
}

Result<OtlpReply> OtlpTransfer::post(std::string_view body) {
    auto& state = *state_;
    OtlpReply reply;
    state.problem[0] = '\0';
    curl_easy_setopt(state.easy, CURLOPT_POSTFIELDS, static_cast<const void*>(body.data()));
    curl_easy_setopt(state.easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    curl_easy_setopt(state.easy, CURLOPT_WRITEDATA, &reply);
    curl_easy_setopt(state.easy, CURLOPT_HEADERDATA, &reply);
    curl_multi_add_handle(state.multi, state.easy);
    int running = 1;
    while (running > 0 && !state.is_cancelled.load(std::memory_order_acquire)) {
        curl_multi_perform(state.multi, &running);
        if (running > 0) {
            curl_multi_poll(state.multi, nullptr, 0, kPollMs, nullptr);
        }
    }
    CURLcode code = CURLE_OK;
    int left = 0;
    while (const auto* message = curl_multi_info_read(state.multi, &left)) {
        code = message->data.result;
    }
    if (running > 0) {
        // Otherwise curl would wait for a name lookup that hangs.
        curl_easy_setopt(state.easy, CURLOPT_QUICK_EXIT, 1L);
    }
    curl_multi_remove_handle(state.multi, state.easy);
    if (running > 0) {
        return failure(ErrorCode::timeout, "no answer in the time there was");
    }
    if (code != CURLE_OK) {
        return failure(code_of(code), state.describe(code));
    }
    curl_easy_getinfo(state.easy, CURLINFO_RESPONSE_CODE, &reply.status);
    curl_off_t seconds = 0;
    curl_easy_getinfo(state.easy, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0) {
        reply.retry_after = std::chrono::seconds(seconds);
    }
    return reply;
}

void OtlpTransfer::cancel() noexcept {
    state_->is_cancelled.store(true, std::memory_order_release);
    curl_multi_wakeup(state_->multi);
}

}  // namespace flowspan::exporting
