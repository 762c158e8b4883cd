#include "flowspan/trace/capture_policy.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/trace/run_scope.hpp"
#include "trace/content_text.hpp"

#include <string>
#include <utility>

namespace flowspan::trace {

std::size_t content_size(const json::value& value) noexcept {
    constexpr std::size_t kScalarBytes = 8;
    std::size_t bytes = 0;
    switch (value.kind()) {
        case json::kind::object:
            for (const auto& member : value.get_object()) {
                bytes += member.key().size() + content_size(member.value());
            }
            return bytes;
        case json::kind::array:
            for (const auto& item : value.get_array()) {
                bytes += content_size(item);
            }
            return bytes;
        case json::kind::string:
            return value.get_string().size();
        default:
            return kScalarBytes;
    }
}

ContentModes CapturePolicy::modes_for(std::string_view app_id, std::string_view app_name) const {
    ContentModes modes(CaptureMode::off);
    for (const auto& reader : readers) {
        modes.widen(reader.modes_for(app_id, app_name));
    }
    return modes;
}

CaptureMode CapturePolicy::mode(ContentKind kind) const {
    const auto scope = current_run_scope();
    return scope != nullptr ? scope->modes[kind] : modes_for({}, {})[kind];
}

const Redactor& CapturePolicy::current_redactor() const {
    const auto scope = current_run_scope();
    // The scope is the task's, which goes on living while it writes.
    return scope != nullptr && scope->redactor != nullptr ? *scope->redactor : *redactor;
}

void CapturePolicy::write_content(Span& span, const ContentFact& fact, const json::value& value)
    const {
    const auto& clean = current_redactor();
    if (content_size(value) <= content_bytes_max) {
        auto text = content_json(value, clean, kNoLimit);
        if (text.size() <= content_bytes_max) {
            set(span, fact.key, text);
            return;
        }
    }
    write_large(
        span,
        fact,
        content_json(value, clean, content_bytes_max),
        store == nullptr ? std::string() : content_json(value, clean, kNoLimit)
    );
}

void CapturePolicy::write_content(Span& span, const ContentFact& fact, const std::string& text)
    const {
    auto cleaned = current_redactor().redact(text);
    const auto& shown = cleaned ? *cleaned : text;
    if (shown.size() <= content_bytes_max) {
        set(span, fact.key, shown);
        return;
    }
    const auto head = cut_text(shown, content_bytes_max);
    write_large(span, fact, head, store == nullptr ? std::string() : shown);
}

void CapturePolicy::write_large(
    Span& span, const ContentFact& fact, std::string_view head, std::string whole
) const {
    set(span, fact.key, head);
    if (store == nullptr || whole.size() <= content_bytes_max) {
        return;
    }
    if (const auto reference = store->put(std::move(whole)); !reference.empty()) {
        set(span, fact.ref_key, reference);
    }
}

}  // namespace flowspan::trace
