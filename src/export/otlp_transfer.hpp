#pragma once
// One HTTP connection to an OTLP receiver: sends a body, waits for the answer, can be cancelled.

#include "flowspan/base/result.hpp"
#include "flowspan/export/telemetry_config.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace flowspan::exporting {

struct OtlpReply {
    long status = 0;
    std::string body;
    std::chrono::milliseconds retry_after{0};
    std::optional<int> grpc_status;
    std::string grpc_message;
    bool may_retry_grpc = false;  ///< the server attached details, which is where it says "later"
};

enum class OtlpSignal : std::uint8_t { traces, metrics, logs };

/// Where to send: what of an OtlpConfig remains when the protocol is settled.
struct OtlpTarget {
    std::string url;
    std::string display;  ///< the endpoint without user and password
    bool is_tls = false;
    bool is_loopback = false;
};

/// Checks the endpoint and completes it for the protocol.
[[nodiscard]] Result<OtlpTarget> resolve_target(
    const OtlpConfig& config, OtlpSignal signal = OtlpSignal::traces
);

/// Not thread-safe but for `cancel`.
class OtlpTransfer {
public:
    using Headers = std::vector<std::pair<std::string, std::string>>;

    OtlpTransfer(const OtlpConfig& config, const OtlpTarget& target, const Headers& extra);
    ~OtlpTransfer();
    OtlpTransfer(const OtlpTransfer&) = delete;
    OtlpTransfer& operator=(const OtlpTransfer&) = delete;

    /// Any HTTP answer is a reply; `timeout` and `unavailable` are failures to get one.
    [[nodiscard]] Result<OtlpReply> post(std::string_view body);

    /// From any thread: ends a running post at once and fails all later ones.
    void cancel() noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace flowspan::exporting
