#include "model/json_service.hpp"

#include "flowspan/async/waits.hpp"
#include "infra/http/url_text.hpp"
#include "model/attempts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <utility>

namespace flowspan::model {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t kAnswerBytesMax = 64UL * 1024 * 1024;
constexpr std::chrono::milliseconds kSilenceMax = 60s;

std::optional<Failure> find_failure(
    Result<http::HttpResponse>& response, const CallTarget& target, const Clock& clock
) {
    if (!response) {
        auto error = std::move(response).error();
        const bool is_retryable = error.code == ErrorCode::unavailable;
        return Failure{std::move(error).with_type("InvokeConnectionError"), is_retryable};
    }
    if (!response->is_success()) {
        return refused(*response, response->body, target, clock);
    }
    return std::nullopt;
}

}  // namespace

JsonService::JsonService(
    const std::vector<ServiceMapping>& mappings,
    std::string_view path,
    http::HttpClient& http_client,
    const Clock& clock,
    Random& random
)
    : path_(path), http_(http_client), clock_(clock), random_(random) {
    for (const auto& mapping : mappings) {
        auto base_url = mapping.base_url;
        while (base_url.ends_with('/')) {
            base_url.pop_back();
        }
        const auto origin = http::read_origin(base_url);
        servers_.push_back(Server{
            .models = ModelGlob(mapping.provider, mapping.name),
            .url = base_url + std::string(path_),
            .api_key = mapping.api_key,
            .remote_name = mapping.remote_name,
            .retries_max = mapping.retries_max,
            .peer = origin.authority(),
            .facts =
                {.provider_name = mapping.provider_name.empty() ? "openai" : mapping.provider_name,
                 .server_address = origin.host,
                 .server_port = origin.port},
        });
    }
}

const JsonService::Server* JsonService::find(const ModelRef& model) const {
    const auto found = std::ranges::find_if(servers_, [&model](const Server& server) {
        return server.models.matches(model);
    });
    return found == servers_.end() ? nullptr : &*found;
}

EndpointFacts JsonService::endpoint(const ModelRef& model) const {
    const auto* server = find(model);
    return server == nullptr ? EndpointFacts{} : server->facts;
}

http::HttpRequest JsonService::make_request(
    const Server& server, const std::string& body, int attempt
) {
    http::HttpRequest out;
    out.method = "POST";
    out.url = server.url;
    out.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
    if (!server.api_key.empty()) {
        out.headers.emplace_back("Authorization", "Bearer " + server.api_key.reveal());
    }
    out.body = body;
    out.read_timeout = kSilenceMax;
    out.body_size_max = kAnswerBytesMax;
    out.resend_count = attempt;
    return out;
}

Task<Result<JsonAnswer>> JsonService::call(const ModelRef& model, json::object body) const {
    const auto* server = find(model);
    if (server == nullptr) {
        co_return failure(
            ErrorCode::not_found,
            fmt::format("no server is configured for {} of the model {}", path_, model.name)
        );
    }
    const CallTarget target{server->peer, model.name};
    body["model"] = server->remote_name.empty() ? model.name : server->remote_name;
    const auto text = to_json_text(body);
    for (int attempt = 0;; ++attempt) {
        auto response = co_await http_.send(make_request(*server, text, attempt));
        auto failed = find_failure(response, target, clock_);
        if (!failed) {
            auto parsed = parse_json(response->body);
            if (!parsed || !parsed->is_object()) {
                co_return failure(unexpected_answer(path_, "it is no JSON object"));
            }
            co_return JsonAnswer{*std::move(parsed), attempt + 1};
        }
        const auto delay = retry_delay(*failed, attempt, server->retries_max, random_);
        if (!delay || is_past_deadline(*delay, clock_)) {
            co_return failure(std::move(failed->error));
        }
        co_await async::sleep(*delay);
        async::add_wait(
            failed->error.code == ErrorCode::rate_limited ? async::WaitKind::rate_limit
                                                          : async::WaitKind::retry,
            *delay
        );
    }
}

Error unexpected_answer(std::string_view what, std::string_view wrong) {
    return Error(
               ErrorCode::remote_failure,
               fmt::format("the answer of a model server to {} is not understood: {}", what, wrong)
    )
        .with_type("InvokeServerUnavailableError");
}

}  // namespace flowspan::model
