#include "observe/traced_knowledge.hpp"

#include "flowspan/trace/names.hpp"
#include "flowspan/trace/trace_span.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace flowspan::observe {

namespace names = trace::names;
using trace::set;

namespace {

using Segments = decltype(knowledge::RetrievalReply::segments);

std::size_t size_of(const Segments& segments) {
    std::size_t bytes = 0;
    for (const auto& segment : segments) {
        bytes += segment.content.size();
    }
    return bytes;
}

json::array to_documents(const Segments& segments) {
    json::array documents;
    for (const auto& segment : segments) {
        documents.push_back(json::object{
            {"id", segment.id},
            {"score", segment.score},
            {"content", segment.content},
            {"document_id", segment.document_id},
            {"document_name", segment.document_name},
            {"dataset_id", segment.dataset_id},
        });
    }
    return documents;
}

// Ids and scores explain an answer without telling what the documents say.
void write_ids(trace::Span& span, const Segments& segments, trace::CaptureMode mode) {
    if (mode == trace::CaptureMode::off) {
        return;
    }
    std::vector<std::string> ids;
    std::vector<double> scores;
    json::array documents;
    for (const auto& segment : segments) {
        ids.push_back(segment.id);
        scores.push_back(segment.score);
        documents.push_back(json::object{{"id", segment.id}, {"score", segment.score}});
    }
    set(span, names::kFlowspanDocumentIds, std::span<const std::string>(ids));
    set(span, names::kFlowspanDocumentScores, std::span<const double>(scores));
    if (mode == trace::CaptureMode::metadata) {
        set(span, names::kGenAiRetrievalDocuments, to_json_text(documents));
    }
}

struct RetrievalHandler {
    const trace::CapturePolicy* policy;
    static constexpr auto kKind = opentelemetry::trace::SpanKind::kClient;

    static std::string data_source(const knowledge::RetrievalRequest& request) {
        return fmt::format("{}", fmt::join(request.dataset_ids, ","));
    }

    static std::string span_name(const knowledge::RetrievalRequest& request) {
        return "retrieval " + data_source(request);
    }

    void on_start(trace::Span& span, const knowledge::RetrievalRequest& request) const {
        set(span, names::kGenAiOperationName, "retrieval");
        set(span, names::kGenAiProviderName, "flowspan");  // this program searches itself
        set(span, names::kGenAiDataSourceId, data_source(request));
        set(span, names::kGenAiRequestTopK, request.top_k);
        policy->write(
            span,
            trace::content::kRetrievalQuery,
            [&] { return request.query.size(); },
            [&] { return request.query; }
        );
    }

    void on_result(trace::Span& span, const Result<knowledge::RetrievalReply>& reply) const {
        const auto& segments = reply->segments;
        set(span, names::kFlowspanDocumentCount, static_cast<std::int64_t>(segments.size()));
        write_ids(span, segments, policy->mode(trace::ContentKind::documents));
        policy->write(
            span,
            trace::content::kRetrievalDocuments,
            [&] { return size_of(segments); },
            [&] { return json::value(to_documents(segments)); }
        );
    }
};

struct Retrieve {
    knowledge::KnowledgeStore* inner;

    Task<Result<knowledge::RetrievalReply>> operator()(const knowledge::RetrievalRequest& request
    ) const {
        return inner->retrieve(request);
    }
};

class TracedKnowledge final : public knowledge::KnowledgeStore {
public:
    TracedKnowledge(knowledge::KnowledgeStore& inner, const trace::CapturePolicy& policy)
        : inner_(inner), retrieve_(RetrievalHandler{&policy}, Retrieve{&inner}) {}

    Task<Result<knowledge::Dataset>> create_dataset(std::string name, std::string description)
        override {
        return inner_.create_dataset(std::move(name), std::move(description));
    }

    Task<Result<std::vector<knowledge::Dataset>>> list_datasets() override {
        return inner_.list_datasets();
    }

    Task<Result<knowledge::AddedDocument>> add_document(knowledge::NewDocument document) override {
        return inner_.add_document(std::move(document));
    }

    Task<Result<knowledge::ResolvedDatasets>> resolve(std::vector<std::string> ids) override {
        return inner_.resolve(std::move(ids));
    }

    Task<Result<std::vector<std::string>>> metadata_fields(std::vector<std::string> dataset_ids
    ) override {
        return inner_.metadata_fields(std::move(dataset_ids));
    }

    Task<Result<knowledge::RetrievalReply>> retrieve(knowledge::RetrievalRequest request) override {
        co_return co_await retrieve_(request);
    }

private:
    knowledge::KnowledgeStore& inner_;
    trace::TracedCallable<RetrievalHandler, Retrieve> retrieve_;
};

}  // namespace

std::unique_ptr<knowledge::KnowledgeStore> trace_knowledge(
    knowledge::KnowledgeStore& inner, const trace::CapturePolicy& policy
) {
    return std::make_unique<TracedKnowledge>(inner, policy);
}

}  // namespace flowspan::observe
