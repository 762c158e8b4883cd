#pragma once
// OTLP groups spans by the instrumentation that made them; this finds the groups of a batch.

#include "export/span_record.hpp"

#include <algorithm>
#include <vector>

namespace flowspan::exporting {

[[nodiscard]] inline bool is_same_scope(const SpanRecord& a, const SpanRecord& b) noexcept {
    return a.scope_name() == b.scope_name() && a.scope_version() == b.scope_version() &&
           a.scope_schema_url() == b.scope_schema_url();
}

/// One span of each scope in the batch, in order of appearance. Scopes are few.
[[nodiscard]] inline std::vector<const SpanRecord*> find_scopes(SpanBatch batch) {
    std::vector<const SpanRecord*> scopes;
    for (const auto& span : batch) {
        const bool is_known = std::ranges::any_of(scopes, [&span](const SpanRecord* scope) {
            return is_same_scope(*scope, *span);
        });
        if (!is_known) {
            scopes.push_back(span.get());
        }
    }
    return scopes;
}

/// W3C flags, and whether the parent or linked span is remote, as OTLP packs them.
[[nodiscard]] inline std::uint32_t otlp_flags(std::uint8_t trace_flags, bool is_remote) noexcept {
    constexpr std::uint32_t kRemoteIsKnown = 0x100;
    constexpr std::uint32_t kIsRemote = 0x200;
    return trace_flags | kRemoteIsKnown | (is_remote ? kIsRemote : 0);
}

/// The API counts span kinds from 0, OTLP from 1.
[[nodiscard]] inline std::uint32_t otlp_kind(opentelemetry::trace::SpanKind kind) noexcept {
    return static_cast<std::uint32_t>(kind) + 1;
}

}  // namespace flowspan::exporting
