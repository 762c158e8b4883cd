#include "infra/http/transport_error.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace flowspan::http {

namespace {

std::string_view own_text(const Transfer& transfer) {
    const std::string_view text = transfer.error_text();
    return text.empty() ? std::string_view(curl_easy_strerror(transfer.code)) : text;
}

Error connect_error(const Transfer& transfer, const std::string& peer) {
    const int reason = transfer.os_error();
    if (reason == ECONNREFUSED) {
        return {
            ErrorCode::unavailable,
            fmt::format("connection refused by {}: is the server running?", peer)
        };
    }
    if (reason != 0) {
        return {
            ErrorCode::unavailable, fmt::format("cannot connect to {}: {}", peer, strerror(reason))
        };
    }
    return {
        ErrorCode::unavailable, fmt::format("cannot connect to {}: {}", peer, own_text(transfer))
    };
}

Error timeout_error(const Transfer& transfer, const std::string& peer, const TimeLimits& limits) {
    if (limits.is_total_the_deadline && limits.total <= transfer.elapsed()) {
        return {ErrorCode::timeout, fmt::format("the deadline passed while waiting for {}", peer)};
    }
    if (!transfer.is_connected()) {
        return {
            // The server was never reached, so trying again is as good as after a refusal.
            ErrorCode::unavailable,
            fmt::format(
                "no connection to {} within {} ms: is the address right, and the server reachable?",
                peer,
                limits.connect.count()
            )
        };
    }
    return {
        ErrorCode::timeout,
        fmt::format("no complete answer from {} within {} ms", peer, limits.total.count())
    };
}

Error tls_error(const Transfer& transfer, const std::string& peer) {
    return {
        ErrorCode::remote_failure,
        fmt::format(
            "TLS with {} failed: {}; check the address and the certificate",
            peer,
            own_text(transfer)
        )
    };
}

Error early_error(const Transfer& transfer, const std::string& peer, const TimeLimits& limits) {
    if (transfer.early_end == EarlyEnd::read_timeout) {
        return {
            ErrorCode::timeout, fmt::format("{} sent nothing for {} ms", peer, limits.read.count())
        };
    }
    return {
        ErrorCode::limit_exceeded,
        fmt::format("the headers of the answer of {} are too large", peer)
    };
}

}  // namespace

Error transport_error(const Transfer& transfer, const Origin& origin, const TimeLimits& limits) {
    const auto peer = origin.authority();
    if (transfer.early_end != EarlyEnd::none) {
        return early_error(transfer, peer, limits);
    }
    switch (transfer.code) {
        case CURLE_COULDNT_RESOLVE_HOST:
            return {
                ErrorCode::unavailable,
                fmt::format("the host name {} has no address: is it spelled right?", origin.host)
            };
        case CURLE_COULDNT_RESOLVE_PROXY:
            return {
                ErrorCode::unavailable,
                fmt::format("the proxy for {} cannot be found: {}", peer, own_text(transfer))
            };
        case CURLE_COULDNT_CONNECT:
            return connect_error(transfer, peer);
        case CURLE_OPERATION_TIMEDOUT:
            return timeout_error(transfer, peer, limits);
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CONNECT_ERROR:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CIPHER:
        case CURLE_SSL_CACERT_BADFILE:
        case CURLE_SSL_ISSUER_ERROR:
            return tls_error(transfer, peer);
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
            return transfer.is_connected()
                       ? Error(
                             ErrorCode::remote_failure,
                             fmt::format("{} does not speak HTTP: {}", peer, own_text(transfer))
                         )
                       : Error(
                             ErrorCode::invalid_input,
                             fmt::format("the URL cannot be called: {}", own_text(transfer))
                         );
        case CURLE_WEIRD_SERVER_REPLY:
        case CURLE_BAD_CONTENT_ENCODING:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
            return {
                ErrorCode::remote_failure,
                fmt::format("the answer of {} is not valid HTTP: {}", peer, own_text(transfer))
            };
        case CURLE_OUT_OF_MEMORY:
        case CURLE_FAILED_INIT:
        case CURLE_BAD_FUNCTION_ARGUMENT:
            return {ErrorCode::internal, fmt::format("libcurl failed: {}", own_text(transfer))};
        default:
            return {
                ErrorCode::unavailable,
                fmt::format("the connection to {} broke off: {}", peer, own_text(transfer))
            };
    }
}

}  // namespace flowspan::http
