#include "observe/traced_search_models.hpp"

#include "flowspan/trace/names.hpp"
#include "flowspan/trace/trace_span.hpp"

#include <array>
#include <span>
#include <string>
#include <vector>

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

struct Call {
    std::string_view operation;
    const model::ModelRef& model;
    model::EndpointFacts endpoint;
};

void write_call(trace::Span& span, const Call& call) {
    set(span, names::kGenAiOperationName, call.operation);
    set(span, names::kGenAiProviderName, call.endpoint.provider_name);
    set(span, names::kGenAiRequestModel, call.model.name);
    if (!call.endpoint.server_address.empty()) {
        set(span, names::kServerAddress, call.endpoint.server_address);
        set(span, names::kServerPort, call.endpoint.server_port);
    }
}

template <class Reply>
void write_reply(trace::Span& span, const Reply& reply) {
    if (reply.input_tokens > 0) {
        set(span, names::kGenAiUsageInputTokens, reply.input_tokens);
    }
    if (!reply.response_model.empty()) {
        set(span, names::kGenAiResponseModel, reply.response_model);
    }
    if (reply.attempts > 1) {
        set(span, names::kFlowspanAttemptCount, reply.attempts);
    }
}

std::size_t size_of(const std::vector<std::string>& texts) {
    std::size_t bytes = 0;
    for (const auto& text : texts) {
        bytes += text.size();
    }
    return bytes;
}

struct EmbeddingHandler {
    const model::EmbeddingModel* inner;
    const trace::CapturePolicy* policy;
    static constexpr auto kKind = opentelemetry::trace::SpanKind::kClient;

    static std::string span_name(const model::EmbeddingRequest& request) {
        return "embeddings " + request.model.name;
    }

    // The texts are passages of documents, which the retrieval tells of; vectors tell nobody
    // anything.
    void on_start(trace::Span& span, const model::EmbeddingRequest& request) const {
        write_call(span, {"embeddings", request.model, inner->endpoint(request.model)});
        const std::array<std::string, 1> formats = {"float"};
        set(span, names::kGenAiRequestEncodingFormats, std::span<const std::string>(formats));
        if (policy->mode(trace::ContentKind::documents) != trace::CaptureMode::off) {
            set(span, names::kFlowspanTextCount, std::ssize(request.texts));
            set(span,
                names::kFlowspanDocumentsBytes,
                static_cast<std::int64_t>(size_of(request.texts)));
        }
    }

    void on_result(trace::Span& span, const Result<model::EmbeddingReply>& reply) const {
        write_reply(span, *reply);
        if (!reply->vectors.empty()) {
            set(span, names::kGenAiEmbeddingsDimensionCount, std::ssize(reply->vectors.front()));
        }
    }
};

struct RerankHandler {
    const model::RerankModel* inner;
    const trace::CapturePolicy* policy;
    static constexpr auto kKind = opentelemetry::trace::SpanKind::kClient;

    static std::string span_name(const model::RerankRequest& request) {
        return "rerank " + request.model.name;
    }

    void on_start(trace::Span& span, const model::RerankRequest& request) const {
        write_call(span, {"rerank", request.model, inner->endpoint(request.model)});
        set(span, names::kGenAiRequestTopK, request.top_n);
        policy->write(
            span,
            trace::content::kRetrievalQuery,
            [&] { return request.query.size(); },
            [&] { return request.query; }
        );
        if (policy->mode(trace::ContentKind::documents) != trace::CaptureMode::off) {
            set(span, names::kFlowspanTextCount, std::ssize(request.documents));
            set(span,
                names::kFlowspanDocumentsBytes,
                static_cast<std::int64_t>(size_of(request.documents)));
        }
    }

    void on_result(trace::Span& span, const Result<model::RerankReply>& reply) const {
        write_reply(span, *reply);
        set(span, names::kFlowspanDocumentCount, std::ssize(reply->results));
        if (policy->mode(trace::ContentKind::documents) == trace::CaptureMode::off) {
            return;
        }
        std::vector<double> scores;
        for (const auto& result : reply->results) {
            scores.push_back(result.score);
        }
        set(span, names::kFlowspanDocumentScores, std::span<const double>(scores));
    }
};

struct CallEmbedding {
    model::EmbeddingModel* inner;

    Task<Result<model::EmbeddingReply>> operator()(const model::EmbeddingRequest& request) const {
        return inner->embed(request);
    }
};

struct CallRerank {
    model::RerankModel* inner;

    Task<Result<model::RerankReply>> operator()(const model::RerankRequest& request) const {
        return inner->rerank(request);
    }
};

class TracedEmbeddingModel final : public model::EmbeddingModel {
public:
    TracedEmbeddingModel(model::EmbeddingModel& inner, const trace::CapturePolicy& policy)
        : inner_(inner), embed_(EmbeddingHandler{&inner, &policy}, CallEmbedding{&inner}) {}

    Task<Result<model::EmbeddingReply>> embed(const model::EmbeddingRequest& request) override {
        return embed_(request);
    }

    bool has_endpoint(const model::ModelRef& model) const override {
        return inner_.has_endpoint(model);
    }

    model::EndpointFacts endpoint(const model::ModelRef& model) const override {
        return inner_.endpoint(model);
    }

private:
    model::EmbeddingModel& inner_;
    trace::TracedCallable<EmbeddingHandler, CallEmbedding> embed_;
};

class TracedRerankModel final : public model::RerankModel {
public:
    TracedRerankModel(model::RerankModel& inner, const trace::CapturePolicy& policy)
        : inner_(inner), rerank_(RerankHandler{&inner, &policy}, CallRerank{&inner}) {}

    Task<Result<model::RerankReply>> rerank(const model::RerankRequest& request) override {
        return rerank_(request);
    }

    bool has_endpoint(const model::ModelRef& model) const override {
        return inner_.has_endpoint(model);
    }

    model::EndpointFacts endpoint(const model::ModelRef& model) const override {
        return inner_.endpoint(model);
    }

private:
    model::RerankModel& inner_;
    trace::TracedCallable<RerankHandler, CallRerank> rerank_;
};

}  // namespace

std::unique_ptr<model::EmbeddingModel> trace_embedding_model(
    model::EmbeddingModel& inner, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedEmbeddingModel>(inner, policy);
}

std::unique_ptr<model::RerankModel> trace_rerank_model(
    model::RerankModel& inner, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedRerankModel>(inner, policy);
}

}  // namespace flowspan::observe
