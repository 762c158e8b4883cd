#pragma once
// One attempt on the wire: a libcurl easy handle, what it sends, and what has come back so far.

#include "flowspan/async/task.hpp"
#include "infra/http/http_client.hpp"
#include "infra/http/url_text.hpp"

#include <boost/asio/any_completion_handler.hpp>

#include <curl/curl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::http {

/// What an attempt sends. Everything referred to outlives the attempt.
struct Attempt {
    const HttpRequest& request;
    const HttpClientConfig& config;
    std::string_view method;  ///< redirects may turn the request's own into GET
    const std::string& url;
    bool has_body = false;
    bool is_stream = false;
    /// May the request's credentials be sent? Not after a redirect to another server.
    bool is_trusted_origin = true;
    const Headers& trace_headers;
    std::chrono::milliseconds total_timeout{0};
    BodyListener& listener;
};

/// Why a transfer ended before libcurl was done with it.
enum class EarlyEnd : std::uint8_t { none, cancelled, read_timeout, listener, headers_too_large };

/// Lives on one loop, which pools it. Only CurlLoop starts and ends it.
class Transfer {
public:
    Transfer();
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    /// Sets the handle up for an attempt; what an earlier one left is gone.
    void prepare(const Attempt& attempt);

    /// Forgets the attempt; the handle keeps its memory. False if it cannot be used again.
    [[nodiscard]] bool reset();

    /// A reply that is followed elsewhere is kept from the listener.
    [[nodiscard]] bool is_redirect() const noexcept { return is_redirect_; }

    [[nodiscard]] bool has_reply_begun() const noexcept { return has_reply_begun_; }

    [[nodiscard]] const char* error_text() const noexcept { return error_text_.data(); }

    /// Absolute target of the reply's Location header.
    [[nodiscard]] std::string redirect_target() const;
    [[nodiscard]] std::string_view protocol_version() const;
    /// Who was connected to (a proxy, if one was used); empty host if nobody.
    [[nodiscard]] Origin peer() const;
    [[nodiscard]] bool is_connected() const;
    /// errno of the failed connect, or 0.
    [[nodiscard]] int os_error() const;
    [[nodiscard]] std::chrono::milliseconds elapsed() const;
    /// From the moment the connection stood; 0 if no byte of a reply came.
    [[nodiscard]] std::chrono::microseconds time_to_first_byte() const;

    HttpResponse response;
    CURLcode code = CURLE_OK;
    EarlyEnd early_end = EarlyEnd::none;

private:
    friend class CurlLoop;
    enum class State : std::uint8_t { idle, running, ended };

    static std::size_t on_header(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);
    static std::size_t refuse_upload(char* data, std::size_t size, std::size_t count, void* self);

    template <class Value>
    void set(CURLoption option, Value value);
    void set_method(const Attempt& attempt);
    void set_headers(const Attempt& attempt);
    void set_connection(const Attempt& attempt);
    void add_header_line(std::string_view name, std::string_view value);
    bool read_header(std::string_view line);
    void begin_reply(std::string_view status_line);
    bool end_headers();

    CURL* easy_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    // libcurl reads the list in place; the nodes point into header_text_.
    std::string header_text_;
    std::vector<curl_slist> header_nodes_;
    BodyListener* listener_ = nullptr;
    std::size_t header_bytes_ = 0;
    bool should_follow_ = false;
    bool is_redirect_ = false;
    bool has_reply_begun_ = false;
    bool has_headers_ = false;

    // Kept by CurlLoop while the transfer runs.
    State state_ = State::idle;
    std::uint32_t shard_ = 0;
    std::optional<async::TaskExecutor> executor_;
    boost::asio::any_completion_handler<void()> handler_;
    std::size_t running_index_ = 0;
    std::chrono::milliseconds read_timeout_{0};
    bool is_listener_satisfied_ = false;
    SteadyTime last_activity_;
};

}  // namespace flowspan::http
