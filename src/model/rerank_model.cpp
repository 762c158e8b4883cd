#include "model/rerank_model.hpp"

#include "model/json_service.hpp"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

namespace flowspan::model {

namespace {

constexpr std::string_view kPath = "/rerank";

// Cohere and Jina say `relevance_score`, others `score`.
std::optional<double> read_score(const json::value& item) {
    for (const auto* name : {"relevance_score", "score"}) {
        if (const auto* score = find_member(item, name)) {
            boost::system::error_code code;
            const auto number = score->to_number<double>(code);
            return code ? std::nullopt : std::optional(number);
        }
    }
    return std::nullopt;
}

std::optional<RankedDocument> read_result(const json::value& item, std::vector<bool>& seen) {
    const auto* index = find_member(item, "index");
    const auto score = read_score(item);
    if (index == nullptr || !index->is_int64() || !score || index->get_int64() < 0 ||
        std::cmp_greater_equal(index->get_int64(), seen.size())) {
        return std::nullopt;
    }
    const auto at = static_cast<std::size_t>(index->get_int64());
    if (seen[at]) {
        return std::nullopt;
    }
    seen[at] = true;
    return RankedDocument{at, *score};
}

std::int64_t token_count(const json::value& answer) {
    const auto* usage = find_member(answer, "usage");
    const auto* tokens = usage == nullptr ? nullptr : find_member(*usage, "total_tokens");
    return tokens != nullptr && tokens->is_int64() ? tokens->get_int64() : 0;
}

Result<RerankReply> read_reply(const json::value& answer, const RerankRequest& request) {
    RerankReply reply;
    const auto* results = find_member(answer, "results");
    if (results == nullptr || !results->is_array()) {
        return failure(unexpected_answer(kPath, "it has no results"));
    }
    std::vector<bool> seen(request.documents.size());
    for (const auto& item : results->get_array()) {
        const auto result = read_result(item, seen);
        if (!result) {
            return failure(unexpected_answer(kPath, "one of its results is none"));
        }
        reply.results.push_back(*result);
    }
    std::ranges::sort(reply.results, [](const RankedDocument& a, const RankedDocument& b) {
        return std::tuple(-a.score, a.index) < std::tuple(-b.score, b.index);
    });
    const auto count_max = static_cast<std::size_t>(std::max<std::int64_t>(request.top_n, 0));
    if (reply.results.size() > count_max) {
        reply.results.resize(count_max);
    }
    reply.input_tokens = token_count(answer);
    reply.response_model = string_member(answer, "model");
    return reply;
}

class JsonRerankModel final : public RerankModel {
public:
    JsonRerankModel(
        const ModelsConfig& config,
        http::HttpClient& http_client,
        const Clock& clock,
        Random& random
    )
        : service_(config.rerank, kPath, http_client, clock, random) {}

    Task<Result<RerankReply>> rerank(const RerankRequest& request) override {
        json::object body{
            {"query", request.query},
            {"documents", json::array(request.documents.begin(), request.documents.end())},
            {"top_n", request.top_n},
        };
        FLOWSPAN_CO_TRY(const auto answer, co_await service_.call(request.model, std::move(body)));
        auto reply = read_reply(answer.body, request);
        if (reply) {
            reply->attempts = answer.attempts;
        }
        co_return reply;
    }

    bool has_endpoint(const ModelRef& model) const override { return service_.has_endpoint(model); }

    EndpointFacts endpoint(const ModelRef& model) const override {
        return service_.endpoint(model);
    }

private:
    JsonService service_;
};

}  // namespace

std::unique_ptr<RerankModel> make_rerank_model(
    const ModelsConfig& config, http::HttpClient& http_client, const Clock& clock, Random& random
) {
    return std::make_unique<JsonRerankModel>(config, http_client, clock, random);
}

}  // namespace flowspan::model
