#include "infra/http/transfer.hpp"

#include "flowspan/async/moment.hpp"
#include "flowspan/base/error.hpp"
#include "flowspan/base/text.hpp"

#include <algorithm>
#include <charconv>
#include <new>

namespace flowspan::http {

namespace {

// Streams get one small buffer each because thousands run at once; a piece of a model's reply has a
// few hundred bytes. Whole bodies are read in libcurl's own default size.
constexpr long kStreamBufferBytes = 2048;
constexpr long kBodyBufferBytes = 16384;
// libcurl's minimum; its default of 64 KiB would be most of a stream's memory.
constexpr long kUploadBufferBytes = 16384;
// Long enough for the end of a chunked body that was sent apart from its last piece.
constexpr std::chrono::milliseconds kSatisfiedTimeout{250};
constexpr std::size_t kHeaderBytesMax = 256UL * 1024;
constexpr std::size_t kHeaderCountMax = 1000;

bool is_credential_header(std::string_view name) {
    return equals_ignore_case(name, "authorization") || equals_ignore_case(name, "cookie") ||
           equals_ignore_case(name, "proxy-authorization") ||
           equals_ignore_case(name, "x-api-key") || equals_ignore_case(name, "api-key");
}

bool is_framing_header(std::string_view name) {
    return equals_ignore_case(name, "content-length") ||
           equals_ignore_case(name, "transfer-encoding");
}

bool is_body_header(std::string_view name) {
    return equals_ignore_case(name, "content-type") || equals_ignore_case(name, "content-encoding");
}

bool is_redirect_status(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

Transfer::Transfer() : easy_(curl_easy_init()) {
    if (easy_ == nullptr) {
        throw std::bad_alloc();
    }
}

Transfer::~Transfer() {
    curl_easy_cleanup(easy_);
}

template <class Value>
void Transfer::set(CURLoption option, Value value) {
    const auto result = curl_easy_setopt(easy_, option, value);
    FLOWSPAN_ASSERT(result == CURLE_OK, "libcurl refuses an option");
}

bool Transfer::reset() {
    // An attempt that fails before it connects leaves its read buffer behind, and libcurl would
    // take it for one of the size that is set next. It tells by refusing the option.
    if (curl_easy_setopt(easy_, CURLOPT_BUFFERSIZE, kBodyBufferBytes) != CURLE_OK) {
        return false;
    }
    curl_easy_reset(easy_);
    response = {};
    code = CURLE_OK;
    early_end = EarlyEnd::none;
    error_text_[0] = '\0';
    header_text_.clear();
    header_nodes_.clear();
    listener_ = nullptr;
    header_bytes_ = 0;
    is_redirect_ = false;
    has_reply_begun_ = false;
    has_headers_ = false;
    is_listener_satisfied_ = false;
    executor_.reset();
    handler_ = {};
    state_ = State::idle;
    return true;
}

void Transfer::prepare(const Attempt& attempt) {
    listener_ = &attempt.listener;
    should_follow_ = attempt.request.should_follow_redirects;
    read_timeout_ = attempt.request.read_timeout;
    response.url = attempt.url;

    set(CURLOPT_PRIVATE, static_cast<void*>(this));
    set(CURLOPT_ERRORBUFFER, error_text_.data());
    set(CURLOPT_NOSIGNAL, 1L);
    set(CURLOPT_NOPROGRESS, 1L);
    set(CURLOPT_URL, attempt.url.c_str());
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
    set(CURLOPT_HEADERDATA, static_cast<void*>(this));
    set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(CURLOPT_WRITEDATA, static_cast<void*>(this));
    set(CURLOPT_READFUNCTION, &Transfer::refuse_upload);
    set_method(attempt);
    set_headers(attempt);
    set_connection(attempt);
}

void Transfer::set_method(const Attempt& attempt) {
    const auto method = std::string(attempt.method);
    if (attempt.has_body) {
        set(CURLOPT_POSTFIELDS, attempt.request.body.data());
        set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(attempt.request.body.size()));
        if (method != "POST") {
            set(CURLOPT_CUSTOMREQUEST, method.c_str());
        }
    } else if (method == "HEAD") {
        set(CURLOPT_NOBODY, 1L);
    } else {
        set(CURLOPT_HTTPGET, 1L);
        if (method != "GET") {
            set(CURLOPT_CUSTOMREQUEST, method.c_str());
        }
    }
}

void Transfer::add_header_line(std::string_view name, std::string_view value) {
    // The node's text is found by offset first: header_text_ still grows.
    header_nodes_.push_back({.data = nullptr, .next = nullptr});
    header_text_.append(name);
    // "Name;" is how libcurl is told to send a header without a value.
    header_text_.append(value.empty() ? ";" : ": ").append(value);
    header_text_.push_back('\0');
}

void Transfer::set_headers(const Attempt& attempt) {
    bool has_content_type = false;
    for (const auto& [name, value] : attempt.request.headers) {
        const bool is_dropped =
            is_framing_header(name) || (!attempt.is_trusted_origin && is_credential_header(name)) ||
            (!attempt.has_body && is_body_header(name) && attempt.method != attempt.request.method);
        if (!is_dropped) {
            add_header_line(name, trim(value));
            has_content_type = has_content_type || equals_ignore_case(name, "content-type");
        }
    }
    for (const auto& [name, value] : attempt.trace_headers) {
        add_header_line(name, value);
    }
    // A name with nothing behind the colon takes a header of libcurl's own away.
    const auto remove = [this](std::string_view line) {
        header_nodes_.push_back({.data = nullptr, .next = nullptr});
        header_text_.append(line).push_back('\0');
    };
    remove("Expect:");
    if (attempt.has_body && !has_content_type) {
        remove("Content-Type:");
    }
    char* text = header_text_.data();
    for (std::size_t i = 0; i < header_nodes_.size(); ++i) {
        header_nodes_[i].data = text;
        header_nodes_[i].next = i + 1 < header_nodes_.size() ? &header_nodes_[i + 1] : nullptr;
        text += std::char_traits<char>::length(text) + 1;
    }
    set(CURLOPT_HTTPHEADER, header_nodes_.data());
}

void Transfer::set_connection(const Attempt& attempt) {
    const auto& request = attempt.request;
    const auto& config = attempt.config;
    set(CURLOPT_USERAGENT, config.user_agent.c_str());
    set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(request.connect_timeout.count()));
    set(CURLOPT_TIMEOUT_MS, static_cast<long>(attempt.total_timeout.count()));
    set(CURLOPT_BUFFERSIZE, attempt.is_stream ? kStreamBufferBytes : kBodyBufferBytes);
    set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBufferBytes);
    set(CURLOPT_TCP_KEEPALIVE, 1L);
    // Only ALPN tells what a server speaks before its first reply; on a plain connection libcurl
    // would make a second request wait for that reply to find out.
    const bool may_use_http2 = config.is_http2_allowed && attempt.url.starts_with("https:");
    set(CURLOPT_HTTP_VERSION,
        static_cast<long>(may_use_http2 ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_1_1));
    // With several requests at once to a new HTTP/2 server, one connection is opened, not many.
    set(CURLOPT_PIPEWAIT, may_use_http2 ? 1L : 0L);
    if (request.should_decompress) {
        set(CURLOPT_ACCEPT_ENCODING, "gzip, deflate");
    }
    if (!request.should_verify_tls) {
        set(CURLOPT_SSL_VERIFYPEER, 0L);
        set(CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (!config.ca_file.empty()) {
        set(CURLOPT_CAINFO, config.ca_file.c_str());
    }
    set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (config.proxy) {
        set(CURLOPT_PROXY, config.proxy->c_str());
        set(CURLOPT_NOPROXY, config.no_proxy.c_str());
    }
}

std::string Transfer::redirect_target() const {
    const char* target = nullptr;
    curl_easy_getinfo(easy_, CURLINFO_REDIRECT_URL, &target);
    return target == nullptr ? std::string() : std::string(target);
}

std::string_view Transfer::protocol_version() const {
    long version = 0;
    curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
        case CURL_HTTP_VERSION_1_0:
            return "1.0";
        case CURL_HTTP_VERSION_1_1:
            return "1.1";
        case CURL_HTTP_VERSION_2_0:
            return "2";
        case CURL_HTTP_VERSION_3:
            return "3";
        default:
            return {};
    }
}

Origin Transfer::peer() const {
    Origin peer;
    const char* address = nullptr;
    long port = 0;
    curl_easy_getinfo(easy_, CURLINFO_PRIMARY_IP, &address);
    curl_easy_getinfo(easy_, CURLINFO_PRIMARY_PORT, &port);
    if (address != nullptr) {
        peer.host = address;
        peer.port = port;
    }
    return peer;
}

bool Transfer::is_connected() const {
    curl_off_t connect_time_us = 0;
    curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &connect_time_us);
    return connect_time_us > 0 || has_reply_begun_;
}

int Transfer::os_error() const {
    long number = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &number);
    return static_cast<int>(number);
}

std::chrono::milliseconds Transfer::elapsed() const {
    curl_off_t time_us = 0;
    curl_easy_getinfo(easy_, CURLINFO_TOTAL_TIME_T, &time_us);
    return std::chrono::milliseconds(time_us / 1000);
}

std::chrono::microseconds Transfer::time_to_first_byte() const {
    curl_off_t sent_us = 0;
    curl_off_t first_us = 0;
    curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
    curl_easy_getinfo(easy_, CURLINFO_STARTTRANSFER_TIME_T, &first_us);
    return std::chrono::microseconds(first_us > sent_us ? first_us - sent_us : 0);
}

std::size_t Transfer::refuse_upload(char*, std::size_t, std::size_t, void*) {
    // Bodies are given whole, so libcurl never has to ask; its default would read stdin.
    return CURL_READFUNC_ABORT;
}

std::size_t Transfer::on_header(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::size_t length = size * count;
    transfer.has_reply_begun_ = true;
    transfer.last_activity_ = async::moment();
    return transfer.read_header({data, length}) ? length : 0;
}

bool Transfer::read_header(std::string_view line) {
    if (early_end != EarlyEnd::none) {
        return false;
    }
    header_bytes_ += line.size();
    if (header_bytes_ > kHeaderBytesMax || response.headers.size() >= kHeaderCountMax) {
        early_end = EarlyEnd::headers_too_large;
        return false;
    }
    if (has_headers_ && response.status >= 200) {
        return true;  // A trailer after the body.
    }
    if (line.starts_with("HTTP/")) {
        begin_reply(line);
        return true;
    }
    line = trim(line);
    if (line.empty()) {
        return end_headers();
    }
    const auto colon = line.find(':');
    if (colon != std::string_view::npos) {
        response.headers.emplace_back(
            to_lower_ascii(trim(line.substr(0, colon))), trim(line.substr(colon + 1))
        );
    }
    return true;
}

void Transfer::begin_reply(std::string_view status_line) {
    // Interim replies (100, 103) come first; each status line starts over.
    response.headers.clear();
    response.status = 0;
    has_headers_ = false;
    const auto space = status_line.find(' ');
    if (space != std::string_view::npos) {
        const auto digits = status_line.substr(space + 1);
        std::from_chars(digits.data(), digits.data() + digits.size(), response.status);
    }
}

bool Transfer::end_headers() {
    has_headers_ = true;
    if (response.status < 200) {
        return true;
    }
    is_redirect_ = should_follow_ && is_redirect_status(response.status) &&
                   find_header(response.headers, "location") != nullptr;
    if (!is_redirect_) {
        const async::CurrentTaskScope scope(executor_->task().get());
        listener_->on_headers(response.status, response.headers);
    }
    return early_end == EarlyEnd::none;
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::size_t length = size * count;
    if (transfer.early_end != EarlyEnd::none) {
        return 0;
    }
    transfer.has_reply_begun_ = true;
    transfer.last_activity_ = async::moment();
    if (transfer.is_redirect_) {
        return length;
    }
    const async::CurrentTaskScope scope(transfer.executor_->task().get());
    if (!transfer.listener_->on_data({data, length})) {
        if (transfer.early_end == EarlyEnd::none) {
            transfer.early_end = EarlyEnd::listener;
        }
        return 0;
    }
    if (!transfer.is_listener_satisfied_ && transfer.listener_->is_satisfied()) {
        transfer.is_listener_satisfied_ = true;
        transfer.read_timeout_ = kSatisfiedTimeout;
    }
    return length;
}

}  // namespace flowspan::http
