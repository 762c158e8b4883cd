#include "model/openai.hpp"

#include "flowspan/base/text.hpp"
#include "model/chat_stream.hpp"
#include "model/openai_request.hpp"
#include "model/sse_parser.hpp"

#include <boost/url/parse.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

namespace flowspan::model {

namespace {

constexpr std::chrono::milliseconds kFirstRetryDelay{500};
constexpr std::chrono::milliseconds kRetryDelayMax{30'000};
constexpr std::size_t kErrorBodyBytesMax = 64UL * 1024UL;
constexpr std::size_t kDetailBytesMax = 2000;

/// Feeds one HTTP reply into a ChatStream: events of a stream, or one JSON document.
class ReplyReader final : public http::BodyListener {
public:
    explicit ReplyReader(ChatStream& stream) : stream_(stream) {}

    void on_headers(int status, const http::Headers& headers) override {
        status_ = status;
        const auto* type = http::find_header(headers, "content-type");
        is_event_stream_ =
            type != nullptr && to_lower_ascii(*type).starts_with("text/event-stream");
    }

    bool on_data(std::string_view piece) override {
        const bool is_success = status_ >= 200 && status_ < 300;
        if (is_success && !is_decided_) {
            is_decided_ = true;
            // Some servers stream without saying so.
            is_event_stream_ |= trim(piece).starts_with("data:");
        }
        if (is_success && is_event_stream_) {
            return parser_.feed(piece, [this](SseParser::Event event) { return take(event); });
        }
        const auto limit = is_success ? SseParser::kEventBytesMax : kErrorBodyBytesMax;
        body_.append(piece.substr(0, limit - std::min(limit, body_.size())));
        return true;
    }

    void finish() {
        if (is_event_stream_) {
            parser_.finish([this](SseParser::Event event) { return take(event); });
        } else if (status_ >= 200 && status_ < 300) {
            static_cast<void>(stream_.take_whole(body_));
        }
    }

    [[nodiscard]] bool is_over_limit() const { return parser_.is_over_limit(); }

    [[nodiscard]] const std::string& body() const noexcept { return body_; }

private:
    bool take(SseParser::Event event) {
        if (event.data == "[DONE]") {
            stream_.mark_done();
            return true;
        }
        return stream_.take_chunk(event.data);
    }

    ChatStream& stream_;
    SseParser parser_;
    std::string body_;
    int status_ = 0;
    bool is_event_stream_ = false;
    bool is_decided_ = false;
};

/// What one attempt gave, and whether another one may help.
struct AttemptOutcome {
    Result<ChatReply> reply;
    bool may_retry = false;
    std::optional<std::chrono::milliseconds> asked_delay;
};

ErrorCode code_of_status(int status) {
    if (status == 401 || status == 403) {
        return ErrorCode::unauthorized;
    }
    if (status == 429) {
        return ErrorCode::rate_limited;
    }
    return status == 404 ? ErrorCode::not_found : ErrorCode::remote_failure;
}

std::string_view advice_of_status(int status) {
    switch (status) {
        case 401:
        case 403:
            return "; check the API key (FLOWSPAN_MODEL_API_KEY or `api_key` in flowspan.toml)";
        case 404:
            return "; check the base URL and the model's name";
        case 429:
            return "; the provider limits the rate or the quota is used up";
        default:
            return "";
    }
}

// The provider's own words, wherever it puts them.
std::string provider_text(const std::string& body) {
    if (const auto parsed = parse_json(body)) {
        if (const auto* error = find_member(*parsed, "error")) {
            if (error->is_string()) {
                return std::string(error->get_string());
            }
            if (const auto message = string_member(*error, "message"); !message.empty()) {
                return std::string(message);
            }
        }
        for (const auto* key : {"message", "detail"}) {
            if (const auto message = string_member(*parsed, key); !message.empty()) {
                return std::string(message);
            }
        }
    }
    return to_valid_utf8(utf8_prefix(trim(body), kDetailBytesMax));
}

class OpenAiModel final : public ChatModel {
public:
    OpenAiModel(
        EndpointConfig endpoint, http::HttpClient& http_client, const Clock& clock, Random& random
    )
        : endpoint_(std::move(endpoint)),
          http_client_(http_client),
          clock_(clock),
          random_(random) {
        while (endpoint_.base_url.ends_with('/')) {
            endpoint_.base_url.pop_back();
        }
        facts_.provider_name = endpoint_.provider_name.empty() ? "openai" : endpoint_.provider_name;
        read_server_address();
    }

    Task<Result<ChatReply>> chat(const ChatRequest& request, ChatListener& listener) override {
        const auto body = make_openai_body(request);
        for (int attempt = 0;; ++attempt) {
            auto outcome = co_await try_once(request, body, listener, attempt);
            if (outcome.reply) {
                outcome.reply->attempts = attempt + 1;
                co_return std::move(outcome.reply);
            }
            if (!outcome.may_retry || attempt >= endpoint_.retries_max) {
                co_return std::move(outcome.reply);
            }
            const auto delay = outcome.asked_delay.value_or(backoff(attempt));
            // A wait longer than our cap, or than the task's deadline, cannot help this run.
            if (delay > kRetryDelayMax || !co_await async::sleep(delay)) {
                co_return std::move(outcome.reply);
            }
        }
    }

    ModelFeatures features(const ModelRef& /*model*/) const override { return {}; }

    EndpointFacts endpoint(const ModelRef& /*model*/) const override { return facts_; }

private:
    void read_server_address() {
        const auto url = boost::urls::parse_uri(endpoint_.base_url);
        if (!url) {
            return;
        }
        facts_.server_address = url->host();
        const std::string_view port = url->port();
        if (port.empty()) {
            facts_.server_port = url->scheme() == "http" ? 80 : 443;
        } else {
            std::from_chars(port.data(), port.data() + port.size(), facts_.server_port);
        }
    }

    [[nodiscard]] http::HttpRequest make_request(
        const ChatRequest& request, const std::string& body, int attempt
    ) const {
        http::HttpRequest message;
        message.method = "POST";
        message.url =
            endpoint_.base_url + (request.is_completion ? "/completions" : "/chat/completions");
        message.headers = {
            {"Content-Type", "application/json"}, {"Accept", "text/event-stream, application/json"}
        };
        if (!endpoint_.api_key.empty()) {
            message.headers.emplace_back("Authorization", "Bearer " + endpoint_.api_key.reveal());
        }
        message.body = body;
        message.should_decompress = false;
        message.resend_count = attempt;
        return message;
    }

    // Half the window is fixed, half is random, so that many runs do not come back at once.
    [[nodiscard]] std::chrono::milliseconds backoff(int attempt) const {
        const auto window = std::min<std::chrono::milliseconds>(
            kFirstRetryDelay * (1LL << std::min(attempt, 10)), kRetryDelayMax
        );
        const auto half = window / 2;
        return half + std::chrono::milliseconds(
                          static_cast<std::int64_t>(random_.next() >> 1U) % (half.count() + 1)
                      );
    }

    Task<AttemptOutcome> try_once(
        const ChatRequest& request, const std::string& body, ChatListener& listener, int attempt
    ) {
        ChatStream stream(listener, clock_, clock_.steady_now());
        ReplyReader reader(stream);
        auto response = co_await http_client_.stream(make_request(request, body, attempt), reader);
        if (!response) {
            auto error = std::move(response).error();
            const bool may_retry = is_retryable(error.code) && error.code != ErrorCode::timeout &&
                                   !stream.has_content();
            if (stream.has_content()) {
                error.message = fmt::format(
                    "the model's reply broke off after {} chunks: {}",
                    stream.finish().timing.chunk_count,
                    error.message
                );
            }
            co_return AttemptOutcome{failure(std::move(error)), may_retry, {}};
        }
        reader.finish();
        if (!response->is_success()) {
            co_return refuse(request, *response, reader.body());
        }
        co_return AttemptOutcome{conclude(stream, reader), false, {}};
    }

    [[nodiscard]] AttemptOutcome refuse(
        const ChatRequest& request, const http::HttpResponse& response, const std::string& body
    ) const {
        auto error = Error(
            code_of_status(response.status),
            fmt::format(
                "model `{}`: the endpoint {} answered {}{}",
                request.model.name,
                facts_.server_address,
                response.status,
                advice_of_status(response.status)
            )
        );
        error.detail = provider_text(body);
        error.type = std::to_string(response.status);
        const bool may_retry =
            response.status == 429 || response.status == 408 || response.status >= 500;
        return {
            failure(std::move(error)), may_retry, http::retry_after(response, clock_.system_now())
        };
    }

    static Result<ChatReply> conclude(ChatStream& stream, const ReplyReader& reader) {
        if (stream.problem()) {
            return failure(*stream.problem());
        }
        if (reader.is_over_limit()) {
            return failure(
                ErrorCode::limit_exceeded, "the model's endpoint sent an event of more than 8 MiB"
            );
        }
        if (!stream.is_complete()) {
            return failure(
                ErrorCode::unavailable,
                fmt::format(
                    "the model's reply broke off after {} chunks: it has no end mark",
                    stream.finish().timing.chunk_count
                )
            );
        }
        return stream.finish();
    }

    EndpointConfig endpoint_;
    http::HttpClient& http_client_;
    const Clock& clock_;
    Random& random_;
    EndpointFacts facts_;
};

}  // namespace

std::unique_ptr<ChatModel> make_openai_model(
    EndpointConfig endpoint, http::HttpClient& http_client, const Clock& clock, Random& random
) {
    return std::make_unique<OpenAiModel>(std::move(endpoint), http_client, clock, random);
}

}  // namespace flowspan::model
