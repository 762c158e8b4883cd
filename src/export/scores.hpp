#pragma once
// Back ends that keep scores apart from spans: what a score's span says goes to their own API, too.

#include "export/otlp_transfer.hpp"
#include "export/span_sink.hpp"

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::exporting {

/// One request, and for how many scores it speaks.
struct ScoreRequest {
    std::string body;
    std::size_t scores = 1;
};

/// How a back end is told of scores. Asking again must make no second score.
struct ScoreApi {
    /// Where; empty if the endpoint of spans does not tell.
    std::string (*url)(const std::string& endpoint) = nullptr;
    /// The spans are all scores, at least one.
    std::vector<ScoreRequest> (*requests)(std::span<const SpanRecord* const> scores) = nullptr;
    /// What the answer means for a request of so many scores; `rejected` counts scores.
    Result<ExportReceipt> (*read)(const OtlpReply& reply, std::size_t scores) = nullptr;
};

/// `inner`, and the score spans told to `api` besides, with the same credentials. Only `inner` if
/// the API has no place or spans go by gRPC.
[[nodiscard]] Result<std::shared_ptr<SpanSink>> add_scores(
    std::shared_ptr<SpanSink> inner, const OtlpConfig& config, const ScoreApi& api
);

// One file each, in scores/.
[[nodiscard]] ScoreApi langfuse_scores() noexcept;
[[nodiscard]] ScoreApi langsmith_scores() noexcept;
[[nodiscard]] ScoreApi phoenix_scores() noexcept;

// What they do alike.

/// Fails for all but 2xx; 408, 429 and 5xx may be tried again.
[[nodiscard]] Result<ExportReceipt> read_score_reply(const OtlpReply& reply);

/// `replacement` in the place of an endpoint's `suffix`; empty if the endpoint ends otherwise.
[[nodiscard]] std::string replace_suffix(
    std::string_view endpoint, std::string_view suffix, std::string_view replacement
);

}  // namespace flowspan::exporting
