#include "observe/measured_search_models.hpp"

#include "flowspan/trace/names.hpp"
#include "trace/call_timer.hpp"

#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::observe {

namespace names = trace::names;

namespace {

/// What is called; outlives the call.
struct Subject {
    std::string_view operation;
    const model::ModelRef& model;
    model::EndpointFacts endpoint;
};

/// One call with its duration and its tokens.
template <class Reply>
Task<Result<Reply>> measured(Task<Result<Reply>> call, Subject subject, Instruments& instruments) {
    std::vector<trace::Label> labels = {
        {names::kGenAiOperationName, subject.operation},
        {names::kGenAiProviderName, subject.endpoint.provider_name},
        {names::kGenAiRequestModel, subject.model.name},
    };
    if (!subject.endpoint.server_address.empty()) {
        labels.push_back({names::kServerAddress, subject.endpoint.server_address});
        labels.push_back({names::kServerPort, subject.endpoint.server_port});
    }
    trace::CallTimer timer(instruments.operation_duration, labels);
    auto reply = co_await std::move(call);
    timer.finish(reply);
    if (reply && reply->input_tokens > 0) {
        labels.push_back({names::kGenAiTokenType, std::string_view("input")});
        instruments.token_usage.record(static_cast<double>(reply->input_tokens), labels);
    }
    co_return reply;
}

class MeasuredEmbeddingModel final : public model::EmbeddingModel {
public:
    MeasuredEmbeddingModel(model::EmbeddingModel& inner, Instruments& instruments)
        : inner_(inner), instruments_(instruments) {}

    Task<Result<model::EmbeddingReply>> embed(const model::EmbeddingRequest& request) override {
        return measured(
            inner_.embed(request),
            {"embeddings", request.model, inner_.endpoint(request.model)},
            instruments_
        );
    }

    bool has_endpoint(const model::ModelRef& model) const override {
        return inner_.has_endpoint(model);
    }

    model::EndpointFacts endpoint(const model::ModelRef& model) const override {
        return inner_.endpoint(model);
    }

private:
    model::EmbeddingModel& inner_;
    Instruments& instruments_;
};

class MeasuredRerankModel final : public model::RerankModel {
public:
    MeasuredRerankModel(model::RerankModel& inner, Instruments& instruments)
        : inner_(inner), instruments_(instruments) {}

    Task<Result<model::RerankReply>> rerank(const model::RerankRequest& request) override {
        return measured(
            inner_.rerank(request),
            {"rerank", request.model, inner_.endpoint(request.model)},
            instruments_
        );
    }

    bool has_endpoint(const model::ModelRef& model) const override {
        return inner_.has_endpoint(model);
    }

    model::EndpointFacts endpoint(const model::ModelRef& model) const override {
        return inner_.endpoint(model);
    }

private:
    model::RerankModel& inner_;
    Instruments& instruments_;
};

}  // namespace

std::unique_ptr<model::EmbeddingModel> measure_embedding_model(
    model::EmbeddingModel& inner, Instruments& instruments
) {
    return std::make_unique<MeasuredEmbeddingModel>(inner, instruments);
}

std::unique_ptr<model::RerankModel> measure_rerank_model(
    model::RerankModel& inner, Instruments& instruments
) {
    return std::make_unique<MeasuredRerankModel>(inner, instruments);
}

}  // namespace flowspan::observe
