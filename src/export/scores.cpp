#include "export/scores.hpp"

#include "export/otlp_client.hpp"
#include "flowspan/trace/names.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;

namespace {

class ScoreSink final : public SpanSink {
public:
    ScoreSink(
        std::shared_ptr<SpanSink> inner,
        const OtlpConfig& config,
        const OtlpTarget& target,
        const ScoreApi& api
    )
        : inner_(std::move(inner)),
          api_(api),
          transfer_(config, target, {{"Content-Type", "application/json"}}) {}

    [[nodiscard]] std::string_view name() const noexcept override { return inner_->name(); }

    void begin(const ExportResource& resource) override { inner_->begin(resource); }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override {
        retry_after_ = {};
        // The same batch again: its spans have arrived, some of its scores have not.
        if (batch.empty() || under_way_.first != batch.front()) {
            under_way_ = {};
            auto receipt = inner_->export_spans(batch);
            if (!receipt) {
                retry_after_ = inner_->retry_after();
                return receipt;
            }
            begin_scores(batch, *std::move(receipt));
        }
        for (; under_way_.next < under_way_.requests.size(); ++under_way_.next) {
            const auto& request = under_way_.requests[under_way_.next];
            if (auto told = tell(request); !told) {
                return failure(std::move(told).error());
            }
            under_way_.scores_left -= request.scores;
        }
        return std::exchange(under_way_, {}).receipt;
    }

    [[nodiscard]] std::size_t arrived_of_failed() const noexcept override {
        return under_way_.spans - under_way_.scores_left;
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
    /// A batch whose spans have arrived.
    struct UnderWay {
        SpanRecordPtr first;
        std::size_t spans = 0;
        std::size_t scores_left = 0;
        std::vector<ScoreRequest> requests;
        std::size_t next = 0;
        ExportReceipt receipt;
    };

    void begin_scores(SpanBatch batch, ExportReceipt receipt) {
        under_way_.first = batch.empty() ? nullptr : batch.front();
        under_way_.spans = batch.size();
        under_way_.receipt = std::move(receipt);
        std::vector<const SpanRecord*> scores;
        for (const auto& span : batch) {
            if (span->has(names::kGenAiEvaluationName)) {
                scores.push_back(span.get());
            }
        }
        if (!scores.empty()) {
            under_way_.scores_left = scores.size();
            under_way_.requests = api_.requests(scores);
        }
    }

    /// Fails if it may help to ask again.
    Result<void> tell(const ScoreRequest& request) {
        FLOWSPAN_TRY(const auto reply, transfer_.post(request.body));
        retry_after_ = reply.retry_after;
        auto receipt = api_.read(reply, request.scores);
        auto& total = under_way_.receipt;
        if (receipt) {
            total.rejected += receipt->rejected;
            total.reason = receipt->reason.empty() ? total.reason : receipt->reason;
            return {};
        }
        if (is_retryable(receipt.error().code)) {
            return failure(std::move(receipt).error());
        }
        // The spans have arrived, and other scores may yet.
        total.rejected += request.scores;
        total.reason = receipt.error().full_text();
        return {};
    }

    const std::shared_ptr<SpanSink> inner_;  // this alone
    const ScoreApi api_;
    OtlpTransfer transfer_;
    UnderWay under_way_;
    std::chrono::milliseconds retry_after_{0};
};

}  // namespace

Result<std::shared_ptr<SpanSink>> add_scores(
    std::shared_ptr<SpanSink> inner, const OtlpConfig& config, const ScoreApi& api
) {
    auto scores = config;
    scores.endpoint =
        config.protocol == OtlpProtocol::grpc ? std::string() : api.url(config.endpoint);
    if (scores.endpoint.empty()) {
        return inner;
    }
    scores.protocol = OtlpProtocol::http_json;
    scores.is_gzip = false;
    FLOWSPAN_TRY(const auto target, resolve_target(scores));
    return std::make_shared<ScoreSink>(std::move(inner), scores, target, api);
}

Result<ExportReceipt> read_score_reply(const OtlpReply& reply) {
    if (reply.status >= 200 && reply.status <= 299) {
        return ExportReceipt{};
    }
    const bool may_help = reply.status == 408 || reply.status == 429 || reply.status >= 500;
    return failure(Error(
                       may_help ? ErrorCode::unavailable : ErrorCode::remote_failure,
                       fmt::format("the receiver of scores answered HTTP {}", reply.status)
    )
                       .with_detail(reply_excerpt(reply.body)));
}

std::string replace_suffix(
    std::string_view endpoint, std::string_view suffix, std::string_view replacement
) {
    while (endpoint.ends_with('/')) {
        endpoint.remove_suffix(1);
    }
    if (!endpoint.ends_with(suffix)) {
        return {};
    }
    endpoint.remove_suffix(suffix.size());
    return fmt::format("{}{}", endpoint, replacement);
}

}  // namespace flowspan::exporting
