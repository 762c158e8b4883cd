#include "export/otlp_client.hpp"

#include "export/otlp_protobuf.hpp"
#include "flowspan/base/json.hpp"
#include "flowspan/base/text.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace flowspan::exporting {

namespace {

// A gRPC message: compressed flag, length (big-endian), bytes.
constexpr std::size_t kGrpcPrefixBytes = 5;

OtlpTransfer::Headers protocol_headers(const OtlpConfig& config) {
    OtlpTransfer::Headers headers;
    switch (config.protocol) {
        case OtlpProtocol::http_protobuf:
            headers.emplace_back("Content-Type", "application/x-protobuf");
            break;
        case OtlpProtocol::http_json:
            headers.emplace_back("Content-Type", "application/json");
            break;
        case OtlpProtocol::grpc:
            headers.emplace_back("Content-Type", "application/grpc");
            headers.emplace_back("TE", "trailers");
            // At most eight digits.
            headers.emplace_back(
                "grpc-timeout",
                fmt::format("{}m", std::min<std::int64_t>(config.timeout.count(), 99'999'999))
            );
            break;
    }
    if (config.is_gzip) {
        const bool is_grpc = config.protocol == OtlpProtocol::grpc;
        headers.emplace_back(is_grpc ? "grpc-encoding" : "Content-Encoding", "gzip");
    }
    return headers;
}

std::string gzip(std::string_view data) {
    constexpr int kGzipWindow = 15 + 16;
    constexpr int kMemoryLevel = 8;
    z_stream stream{};
    const int ready = deflateInit2(
        &stream, Z_BEST_SPEED, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY
    );
    FLOWSPAN_ASSERT(ready == Z_OK, "zlib has no memory");
    std::string packed(deflateBound(&stream, static_cast<uLong>(data.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(data.data()));
    stream.avail_in = static_cast<uInt>(data.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    const int done = deflate(&stream, Z_FINISH);
    FLOWSPAN_ASSERT(done == Z_STREAM_END, "the bound of zlib is too small");
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

// `body` has kGrpcPrefixBytes of room at its front.
void write_grpc_prefix(std::string& body, bool is_compressed) {
    const auto size = body.size() - kGrpcPrefixBytes;
    body[0] = is_compressed ? '\1' : '\0';
    for (std::size_t i = 0; i < 4; ++i) {
        body[1 + i] = static_cast<char>((size >> (24U - 8U * i)) & 0xFFU);
    }
}

Error http_error(long status) {
    auto code = ErrorCode::remote_failure;
    if (status == 401 || status == 403) {
        code = ErrorCode::unauthorized;
    } else if (status == 429) {
        code = ErrorCode::rate_limited;
    } else if (status == 502 || status == 503 || status == 504) {
        code = ErrorCode::unavailable;
    }
    return {code, fmt::format("the receiver answered HTTP {}", status)};
}

// Which statuses may be tried again is fixed by the OTLP specification.
Error grpc_error(const OtlpReply& reply) {
    enum Status {
        cancelled = 1,
        deadline_exceeded = 4,
        permission_denied = 7,
        resource_exhausted = 8,
        aborted = 10,
        out_of_range = 11,
        unavailable = 14,
        data_loss = 15,
        unauthenticated = 16,
    };

    const int status = reply.grpc_status.value_or(-1);
    auto code = ErrorCode::remote_failure;
    switch (status) {
        case cancelled:
        case deadline_exceeded:
        case aborted:
        case out_of_range:
        case unavailable:
        case data_loss:
            code = ErrorCode::unavailable;
            break;
        case resource_exhausted:
            code = reply.may_retry_grpc ? ErrorCode::rate_limited : ErrorCode::remote_failure;
            break;
        case permission_denied:
        case unauthenticated:
            code = ErrorCode::unauthorized;
            break;
        default:
            break;
    }
    return {
        code,
        fmt::format(
            "the receiver answered gRPC status {}{}{}",
            status,
            reply.grpc_message.empty() ? "" : ": ",
            reply.grpc_message
        )
    };
}

std::string_view rejected_key(OtlpSignal signal) noexcept {
    switch (signal) {
        case OtlpSignal::metrics:
            return "rejectedDataPoints";
        case OtlpSignal::logs:
            return "rejectedLogRecords";
        case OtlpSignal::traces:
            break;
    }
    return "rejectedSpans";
}

ExportReceipt parse_json_response(std::string_view body, OtlpSignal signal) {
    ExportReceipt receipt;
    const auto parsed = parse_json(body);
    const auto* partial = parsed ? find_member(*parsed, "partialSuccess") : nullptr;
    if (partial == nullptr) {
        return receipt;
    }
    // 64-bit integers are texts in OTLP JSON, but some receivers write numbers.
    if (const auto* rejected = find_member(*partial, rejected_key(signal)); rejected != nullptr) {
        if (rejected->is_int64() && rejected->get_int64() > 0) {
            receipt.rejected = static_cast<std::uint64_t>(rejected->get_int64());
        } else {
            receipt.rejected =
                std::strtoull(std::string(string_or_empty(*rejected)).c_str(), nullptr, 10);
        }
    }
    receipt.reason = string_member(*partial, "errorMessage");
    return receipt;
}

}  // namespace

std::string reply_excerpt(std::string_view body) {
    constexpr std::size_t kExcerptBytes = 500;
    auto text = to_valid_utf8(trim(utf8_prefix(body, kExcerptBytes)));
    std::ranges::replace_if(
        text, [](char byte) { return static_cast<unsigned char>(byte) < ' '; }, ' '
    );
    return text;
}

std::string_view protocol_name(OtlpProtocol protocol) noexcept {
    switch (protocol) {
        case OtlpProtocol::http_protobuf:
            return "http/protobuf";
        case OtlpProtocol::http_json:
            return "http/json";
        case OtlpProtocol::grpc:
            return "grpc";
    }
    return "";
}

OtlpClient::OtlpClient(
    OtlpConfig config, const OtlpTarget& target, OtlpSignal signal, std::string_view name
)
    : config_(std::move(config)),
      signal_(signal),
      name_(fmt::format(
          "{}{}OTLP {} {}",
          name,
          name.empty() ? "" : ": ",
          protocol_name(config_.protocol),
          target.display
      )),
      transfer_(config_, target, protocol_headers(config_)) {}

Result<ExportReceipt> OtlpClient::send(std::string body) {
    const bool is_grpc = config_.protocol == OtlpProtocol::grpc;
    retry_after_ = {};
    if (config_.is_gzip) {
        body = std::string(is_grpc ? kGrpcPrefixBytes : 0, '\0') +
               gzip(std::string_view(body).substr(prefix_bytes()));
    }
    if (is_grpc) {
        write_grpc_prefix(body, config_.is_gzip);
    }
    auto reply = transfer_.post(body);
    if (!reply) {
        return failure(std::move(reply).error());
    }
    retry_after_ = reply->retry_after;
    return is_grpc ? read_grpc(*reply) : read_http(*reply);
}

std::size_t OtlpClient::prefix_bytes() const noexcept {
    return config_.protocol == OtlpProtocol::grpc ? kGrpcPrefixBytes : 0;
}

Result<ExportReceipt> OtlpClient::read_http(const OtlpReply& reply) const {
    if (reply.status < 200 || reply.status > 299) {
        return failure(http_error(reply.status).with_detail(reply_excerpt(reply.body)));
    }
    return config_.protocol == OtlpProtocol::http_json ? parse_json_response(reply.body, signal_)
                                                       : parse_otlp_response(reply.body);
}

Result<ExportReceipt> OtlpClient::read_grpc(const OtlpReply& reply) {
    if (reply.status != 200) {
        return failure(http_error(reply.status));
    }
    if (reply.grpc_status != 0) {
        return failure(grpc_error(reply));
    }
    return parse_otlp_response(
        std::string_view(reply.body).substr(std::min(kGrpcPrefixBytes, reply.body.size()))
    );
}

}  // namespace flowspan::exporting
