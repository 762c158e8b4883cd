#include "export/langfuse_scores.hpp"

#include "export/otlp_transfer.hpp"
#include "export/span_facts.hpp"
#include "export/stored_span.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/base/text.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace flowspan::exporting {

namespace {

namespace names = trace::names;

constexpr std::string_view kOtelPath = "/api/public/otel";
constexpr std::string_view kIngestionPath = "/api/public/ingestion";

json::object to_event(const SpanRecord& span) {
    const auto id = to_hex(span.span_id);
    const auto label = span.text(names::kGenAiEvaluationScoreLabel);
    json::object body{
        {"id", id},
        {"traceId", to_hex(span.trace_id)},
        {"name", span.text(names::kGenAiEvaluationName)},
    };
    // One value each; the number says more.
    if (span.has(names::kGenAiEvaluationScoreValue)) {
        body["value"] = span.number(names::kGenAiEvaluationScoreValue);
        body["dataType"] = "NUMERIC";
    } else {
        body["value"] = label;
        body["dataType"] = "CATEGORICAL";
    }
    if (const auto comment = span.text(names::kGenAiEvaluationExplanation); !comment.empty()) {
        body["comment"] = comment;
    }
    return {
        {"id", id},
        {"type", "score-create"},
        {"timestamp", iso_time(span.start_ns)},
        {"body", std::move(body)},
    };
}

Error to_error(const OtlpReply& reply) {
    const bool may_help = reply.status == 429 || reply.status >= 500;
    return Error(
               may_help ? ErrorCode::unavailable : ErrorCode::remote_failure,
               fmt::format("the receiver of scores answered HTTP {}", reply.status)
    )
        .with_detail(to_valid_utf8(utf8_prefix(reply.body, 500)));
}

class ScoreSink final : public SpanSink {
public:
    ScoreSink(std::shared_ptr<SpanSink> inner, const OtlpConfig& config, const OtlpTarget& target)
        : inner_(std::move(inner)),
          transfer_(config, target, {{"Content-Type", "application/json"}}) {}

    [[nodiscard]] std::string_view name() const noexcept override { return inner_->name(); }

    void begin(const ExportResource& resource) override { inner_->begin(resource); }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override {
        retry_after_ = {};
        auto receipt = inner_->export_spans(batch);
        if (!receipt) {
            retry_after_ = inner_->retry_after();
            return receipt;
        }
        json::array events;
        for (const auto& span : batch) {
            if (span->has(names::kGenAiEvaluationName)) {
                events.push_back(to_event(*span));
            }
        }
        if (events.empty()) {
            return receipt;
        }
        FLOWSPAN_TRY(
            const auto reply,
            transfer_.post(to_json_text(json::object{{"batch", std::move(events)}}))
        );
        if (reply.status < 200 || reply.status > 299) {
            retry_after_ = reply.retry_after;
            return failure(to_error(reply));
        }
        return receipt;
    }

    [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept override {
        return retry_after_;
    }

    [[nodiscard]] Result<void> close() override { return inner_->close(); }

    void cancel() noexcept override {
        inner_->cancel();
        transfer_.cancel();
    }

private:
    const std::shared_ptr<SpanSink> inner_;  // this alone
    OtlpTransfer transfer_;
    std::chrono::milliseconds retry_after_{0};
};

}  // namespace

Result<std::shared_ptr<SpanSink>> add_langfuse_scores(
    std::shared_ptr<SpanSink> inner, const OtlpConfig& config
) {
    const auto at = config.endpoint.find(kOtelPath);
    if (at == std::string::npos || config.protocol == OtlpProtocol::grpc) {
        return inner;
    }
    auto scores = config;
    scores.protocol = OtlpProtocol::http_json;
    scores.endpoint = config.endpoint.substr(0, at) + std::string(kIngestionPath);
    scores.is_gzip = false;
    FLOWSPAN_TRY(const auto target, resolve_target(scores));
    return std::make_shared<ScoreSink>(std::move(inner), scores, target);
}

}  // namespace flowspan::exporting
