#include "model/openai.hpp"

#include "flowspan/async/waits.hpp"
#include "flowspan/base/text.hpp"
#include "infra/http/url_text.hpp"
#include "model/attempts.hpp"
#include "model/openai_reply.hpp"
#include "model/openai_request.hpp"
#include "model/sse_parser.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace flowspan::model {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kErrorBytesMax = 64UL * 1024;
constexpr std::size_t kWholeBytesMax = 64UL * 1024 * 1024;
// Models that think before they write are silent for minutes.
constexpr std::chrono::milliseconds kSilenceMax = 10min;

/// Reads one HTTP reply into a chat reply.
class ReplyReader final : public http::BodyListener, private SseListener {
public:
    ReplyReader(ChatListener& listener, const Clock& clock) : reply(listener), clock_(clock) {}

    void on_headers(int status, const http::Headers& headers) override {
        const auto* type = http::find_header(headers, "content-type");
        if (status < 200 || status >= 300) {
            form_ = Form::error;
        } else if (type != nullptr && type->starts_with("text/event-stream")) {
            form_ = Form::stream;
        }
    }

    bool on_data(std::string_view piece) override {
        if (form_ == Form::unknown) {
            guess_form(piece);
        }
        if (form_ == Form::stream) {
            now_ = clock_.steady_now();
            if (!has_event_ && body.size() < kErrorBytesMax) {
                body.append(piece.substr(0, kErrorBytesMax - body.size()));
            }
            is_oversized_ = !parser_.feed(piece, *this);
            return !is_oversized_ && !reply.error();
        }
        const auto size_max = form_ == Form::error ? kErrorBytesMax : kWholeBytesMax;
        is_oversized_ = body.size() + piece.size() > size_max;
        body.append(piece.substr(0, size_max - body.size()));
        return !is_oversized_;
    }

    bool is_satisfied() const override { return reply.is_done(); }

    /// After the reply's regular end: what is wrong with it, if anything.
    std::optional<Error> conclude() {
        if (is_oversized_) {
            return Error(ErrorCode::limit_exceeded, "the model's answer is too large");
        }
        if (form_ == Form::stream) {
            parser_.finish(*this);
        }
        if (form_ != Form::stream || !has_event_) {
            return conclude_whole();
        }
        if (reply.error()) {
            return reply.error();
        }
        if (!reply.is_complete()) {
            return broke_off();
        }
        return std::nullopt;
    }

    [[nodiscard]] Error broke_off() const {
        return {
            ErrorCode::unavailable,
            fmt::format("the model's answer broke off after {} chunks", reply.chunk_count())
        };
    }

    OpenAiReply reply;
    std::string body;  ///< of errors and of replies that are not streamed

private:
    enum class Form : std::uint8_t { unknown, stream, whole, error };

    // Some servers give no content type, or a wrong one, so the first byte decides.
    void guess_form(std::string_view piece) {
        const auto text = trim(piece);
        if (!text.empty()) {
            static constexpr std::string_view kEventStarts = "deir:\xEF";
            form_ = kEventStarts.find(text.front()) != std::string_view::npos ? Form::stream
                                                                              : Form::whole;
        }
    }

    void on_event(std::string_view /*type*/, std::string_view data) override {
        has_event_ = true;
        if (!reply.error() && !reply.is_done()) {
            static_cast<void>(reply.add_chunk(data, now_));
        }
    }

    std::optional<Error> conclude_whole() {
        if (trim(body).empty()) {
            return broke_off();
        }
        if (!reply.add_whole(body, clock_.steady_now())) {
            return reply.error();
        }
        return std::nullopt;
    }

    const Clock& clock_;
    SseParser parser_;
    SteadyTime now_;
    Form form_ = Form::unknown;
    bool has_event_ = false;
    bool is_oversized_ = false;
};

class OpenAiModel final : public ChatModel {
public:
    OpenAiModel(
        EndpointConfig endpoint, http::HttpClient& http_client, const Clock& clock, Random& random
    )
        : endpoint_(std::move(endpoint)), http_(http_client), clock_(clock), random_(random) {
        while (endpoint_.base_url.ends_with('/')) {
            endpoint_.base_url.pop_back();
        }
        const auto origin = http::read_origin(endpoint_.base_url);
        peer_ = origin.authority();
        facts_.provider_name = endpoint_.provider_name.empty() ? "openai" : endpoint_.provider_name;
        facts_.server_address = origin.host;
        facts_.server_port = origin.port;
    }

    Task<Result<ChatReply>> chat(const ChatRequest& request, ChatListener& listener) override {
        const auto started = clock_.steady_now();
        for (int attempt = 0;; ++attempt) {
            std::chrono::milliseconds pause{0};
            auto reason = async::WaitKind::retry;
            {
                ReplyReader reader(listener, clock_);
                const AttemptTimes times{started, clock_.steady_now(), attempt + 1};
                BrokenOff broken_off(*this, listener, reader, times);
                // In two steps, so that the request is not kept here as well.
                auto call = http_.stream(make_request(request, attempt), reader);
                auto response = co_await std::move(call);
                auto failed = find_failure(reader, response, request.model.name);
                if (!failed) {
                    broken_off.is_needed = false;
                    co_return finish(reader.reply, times);
                }
                const auto delay = retry_delay(*failed, attempt, endpoint_.retries_max, random_);
                if (!delay || is_past_deadline(*delay, clock_)) {
                    co_return failure(std::move(failed->error));
                }
                broken_off.is_needed = false;
                pause = *delay;
                if (failed->error.code == ErrorCode::rate_limited) {
                    reason = async::WaitKind::rate_limit;
                }
            }
            co_await async::sleep(pause);
            async::add_wait(reason, pause);
        }
    }

    ModelFeatures features(const ModelRef& /*model*/) const override { return {}; }

    EndpointFacts endpoint(const ModelRef& /*model*/) const override { return facts_; }

private:
    struct AttemptTimes {
        SteadyTime started;  ///< of the call
        SteadyTime sent;     ///< of the attempt
        std::int64_t attempts = 1;
    };

    /// Tells the listener what came, also if the call is cancelled.
    class BrokenOff {
    public:
        BrokenOff(
            const OpenAiModel& model,
            ChatListener& listener,
            ReplyReader& reader,
            const AttemptTimes& times
        )
            : model_(model), listener_(listener), reader_(reader), times_(times) {}

        ~BrokenOff() {
            if (is_needed) {
                listener_.on_broken_off(model_.finish(reader_.reply, times_));
            }
        }

        BrokenOff(const BrokenOff&) = delete;
        BrokenOff& operator=(const BrokenOff&) = delete;

        bool is_needed = true;

    private:
        const OpenAiModel& model_;
        ChatListener& listener_;
        ReplyReader& reader_;
        const AttemptTimes& times_;
    };

    [[nodiscard]] http::HttpRequest make_request(const ChatRequest& request, int attempt) const {
        http::HttpRequest out;
        out.method = "POST";
        out.url =
            endpoint_.base_url + (request.is_completion ? "/completions" : "/chat/completions");
        out.headers = {
            {"Content-Type", "application/json"}, {"Accept", "text/event-stream, application/json"}
        };
        if (!endpoint_.api_key.empty()) {
            out.headers.emplace_back("Authorization", "Bearer " + endpoint_.api_key.reveal());
        }
        out.body = make_openai_body(request);
        out.read_timeout = kSilenceMax;
        out.should_decompress = false;
        out.resend_count = attempt;
        return out;
    }

    [[nodiscard]] std::optional<Failure> find_failure(
        ReplyReader& reader, Result<http::HttpResponse>& response, const std::string& model
    ) const {
        if (!response) {
            auto error = std::move(response).error();
            if (reader.reply.has_content()) {
                error.message = reader.broke_off().message + ": " + error.message;
                return Failure{std::move(error)};
            }
            const bool is_retryable = error.code == ErrorCode::unavailable;
            return Failure{std::move(error).with_type("InvokeConnectionError"), is_retryable};
        }
        if (!response->is_success()) {
            return refused(*response, reader.body, {peer_, model}, clock_);
        }
        auto error = reader.conclude();
        if (!error) {
            return std::nullopt;
        }
        const bool is_retryable =
            error->code == ErrorCode::unavailable && !reader.reply.has_content();
        error->message += fmt::format(" (endpoint {})", peer_);
        return Failure{*std::move(error), is_retryable};
    }

    [[nodiscard]] ChatReply finish(OpenAiReply& assembled, const AttemptTimes& times) const {
        const auto now = clock_.steady_now();
        const auto first = assembled.first_content().value_or(now);
        auto reply = assembled.take();
        const auto seconds = [](auto duration) {
            return std::chrono::duration<double>(duration).count();
        };
        reply.attempts = times.attempts;
        reply.usage.latency = seconds(now - times.started);
        reply.usage.time_to_first_token = seconds(first - times.sent);
        reply.usage.time_to_generate = seconds(now - first);
        return reply;
    }

    EndpointConfig endpoint_;
    http::HttpClient& http_;
    const Clock& clock_;
    Random& random_;
    std::string peer_;
    EndpointFacts facts_;
};

}  // namespace

std::unique_ptr<ChatModel> make_openai_model(
    EndpointConfig endpoint, http::HttpClient& http_client, const Clock& clock, Random& random
) {
    return std::make_unique<OpenAiModel>(std::move(endpoint), http_client, clock, random);
}

}  // namespace flowspan::model
