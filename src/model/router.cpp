#include "model/router.hpp"

#include "model/demo.hpp"
#include "model/model_glob.hpp"
#include "model/openai.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace flowspan::model {

namespace {

struct Route {
    ModelGlob models{"*", "*"};
    std::string remote_name;
    ModelFeatures features;
    double prompt_price = 0;      ///< per token
    double completion_price = 0;  ///< per token
    std::string currency;
    ChatModel* model = nullptr;

    [[nodiscard]] bool has_price() const noexcept {
        return prompt_price > 0 || completion_price > 0;
    }
};

class Router final : public ChatModel {
public:
    Router(
        const ModelsConfig& config,
        http::HttpClient& http_client,
        const Clock& clock,
        Random& random
    ) {
        const auto make = [&](const EndpointConfig& endpoint) {
            models_.push_back(
                endpoint.protocol == Protocol::demo
                    ? make_demo_model(clock)
                    : make_openai_model(endpoint, http_client, clock, random)
            );
            return models_.back().get();
        };
        auto fallback = config.default_endpoint.value_or(EndpointConfig{});
        if (!config.default_endpoint) {
            fallback.protocol = Protocol::demo;
        }
        fallback_.model = make(fallback);
        fallback_.features = fallback_.model->features({});
        for (const auto& mapping : config.map) {
            routes_.push_back(make_route(mapping));
            routes_.back().model = mapping.endpoint ? make(*mapping.endpoint) : fallback_.model;
        }
    }

    Task<Result<ChatReply>> chat(const ChatRequest& request, ChatListener& listener) override {
        const auto& route = find(request.model);
        if (!route.remote_name.empty()) {
            return chat_renamed(request, listener, route);
        }
        // What needs nothing of this layer gets no frame of it: thousands of calls may be open.
        return route.has_price() ? chat_priced(request, listener, route)
                                 : route.model->chat(request, listener);
    }

    ModelFeatures features(const ModelRef& model) const override { return find(model).features; }

    EndpointFacts endpoint(const ModelRef& model) const override {
        return find(model).model->endpoint(model);
    }

private:
    static Task<Result<ChatReply>> chat_priced(
        const ChatRequest& request, ChatListener& listener, const Route& route
    ) {
        co_return priced(co_await route.model->chat(request, listener), route);
    }

    static Task<Result<ChatReply>> chat_renamed(
        const ChatRequest& request, ChatListener& listener, const Route& route
    ) {
        ChatRequest renamed = request;
        renamed.model.name = route.remote_name;
        co_return priced(co_await route.model->chat(renamed, listener), route);
    }

    static Route make_route(const ModelMapping& mapping) {
        Route route;
        route.models = ModelGlob(mapping.provider, mapping.name);
        route.remote_name = mapping.remote_name;
        route.features.tool_call = mapping.tool_call;
        route.features.vision = mapping.vision;
        route.features.structured_output = mapping.structured_output;
        if (mapping.context_size > 0) {
            route.features.context_size = mapping.context_size;
        }
        constexpr double kPerMillion = 1e-6;
        route.prompt_price = mapping.prompt_price * kPerMillion;
        route.completion_price = mapping.completion_price * kPerMillion;
        route.currency = mapping.currency;
        return route;
    }

    [[nodiscard]] const Route& find(const ModelRef& model) const {
        const auto found = std::ranges::find_if(routes_, [&](const Route& route) {
            return route.models.matches(model);
        });
        return found == routes_.end() ? fallback_ : *found;
    }

    static Result<ChatReply> priced(Result<ChatReply> reply, const Route& route) {
        if (reply && route.has_price()) {
            reply->usage.prompt_unit_price = route.prompt_price;
            reply->usage.completion_unit_price = route.completion_price;
            reply->usage.currency = route.currency;
        }
        return reply;
    }

    std::vector<std::unique_ptr<ChatModel>> models_;
    std::vector<Route> routes_;
    Route fallback_;
};

}  // namespace

std::unique_ptr<ChatModel> make_chat_model(
    const ModelsConfig& config, http::HttpClient& http_client, const Clock& clock, Random& random
) {
    return std::make_unique<Router>(config, http_client, clock, random);
}

}  // namespace flowspan::model
