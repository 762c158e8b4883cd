#pragma once
// Speaks OTLP to one receiver: framing, compression, and what its answer means.

#include "export/otlp_transfer.hpp"
#include "export/span_sink.hpp"
#include "flowspan/export/telemetry_config.hpp"

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace flowspan::exporting {

[[nodiscard]] std::string_view protocol_name(OtlpProtocol protocol) noexcept;

/// What a receiver says of a request that it refuses, for people to read.
[[nodiscard]] std::string reply_excerpt(std::string_view body);

/// Not thread-safe but for `cancel` and `name`.
class OtlpClient {
public:
    /// `name` stands in messages beside the endpoint.
    OtlpClient(
        OtlpConfig config, const OtlpTarget& target, OtlpSignal signal, std::string_view name = {}
    );

    /// For messages and books; without credentials.
    [[nodiscard]] std::string_view name() const noexcept { return name_; }

    [[nodiscard]] OtlpProtocol protocol() const noexcept { return config_.protocol; }

    /// Bytes that a body given to `send` keeps free at its front.
    [[nodiscard]] std::size_t prefix_bytes() const noexcept;

    /// One request; `body` is the encoded message.
    [[nodiscard]] Result<ExportReceipt> send(std::string body);

    /// After a failure: how long the receiver asked to wait; 0 if it did not say.
    [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }

    void cancel() noexcept { transfer_.cancel(); }

private:
    [[nodiscard]] Result<ExportReceipt> read_http(const OtlpReply& reply) const;
    [[nodiscard]] static Result<ExportReceipt> read_grpc(const OtlpReply& reply);

    const OtlpConfig config_;
    const OtlpSignal signal_;
    const std::string name_;
    OtlpTransfer transfer_;
    std::chrono::milliseconds retry_after_{0};
};

}  // namespace flowspan::exporting
