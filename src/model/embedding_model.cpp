#include "model/embedding_model.hpp"

#include "model/json_service.hpp"

#include <utility>

namespace flowspan::model {

namespace {

constexpr std::string_view kPath = "/embeddings";

bool read_vector(const json::value& numbers, std::vector<float>& vector) {
    if (!numbers.is_array() || numbers.get_array().empty()) {
        return false;
    }
    for (const auto& number : numbers.get_array()) {
        boost::system::error_code code;
        vector.push_back(number.to_number<float>(code));
        if (code) {
            return false;
        }
    }
    return true;
}

std::int64_t token_count(const json::value& answer) {
    const auto* usage = find_member(answer, "usage");
    const auto* tokens = usage == nullptr ? nullptr : find_member(*usage, "prompt_tokens");
    return tokens != nullptr && tokens->is_int64() ? tokens->get_int64() : 0;
}

/// `data` holds one `{index, embedding}` for each text, in any order.
Result<EmbeddingReply> read_reply(const json::value& answer, std::size_t count) {
    EmbeddingReply reply;
    const auto* data = find_member(answer, "data");
    if (data == nullptr || !data->is_array() || data->get_array().size() != count) {
        return failure(unexpected_answer(kPath, "it has no vector for each text"));
    }
    reply.vectors.resize(count);
    for (const auto& item : data->get_array()) {
        const auto* index = find_member(item, "index");
        const auto* numbers = find_member(item, "embedding");
        const bool is_right = index != nullptr && index->is_int64() && numbers != nullptr &&
                              std::cmp_less(index->get_int64(), count) && index->get_int64() >= 0;
        if (!is_right ||
            !read_vector(*numbers, reply.vectors[static_cast<std::size_t>(index->get_int64())])) {
            return failure(unexpected_answer(kPath, "one of its vectors is none"));
        }
    }
    for (const auto& vector : reply.vectors) {
        if (vector.size() != reply.vectors.front().size()) {
            return failure(unexpected_answer(kPath, "its vectors are of several sizes"));
        }
    }
    reply.input_tokens = token_count(answer);
    reply.response_model = string_member(answer, "model");
    return reply;
}

class JsonEmbeddingModel final : public EmbeddingModel {
public:
    JsonEmbeddingModel(
        const ModelsConfig& config,
        http::HttpClient& http_client,
        const Clock& clock,
        Random& random
    )
        : service_(config.embedding, kPath, http_client, clock, random) {}

    Task<Result<EmbeddingReply>> embed(const EmbeddingRequest& request) override {
        json::object body{
            {"input", json::array(request.texts.begin(), request.texts.end())},
            {"encoding_format", "float"},
        };
        if (!request.user.empty()) {
            body["user"] = request.user;
        }
        FLOWSPAN_CO_TRY(const auto answer, co_await service_.call(request.model, std::move(body)));
        auto reply = read_reply(answer.body, request.texts.size());
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

std::unique_ptr<EmbeddingModel> make_embedding_model(
    const ModelsConfig& config, http::HttpClient& http_client, const Clock& clock, Random& random
) {
    return std::make_unique<JsonEmbeddingModel>(config, http_client, clock, random);
}

}  // namespace flowspan::model
