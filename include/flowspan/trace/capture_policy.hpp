#pragma once
// What of prompts, answers, inputs and outputs is recorded on spans: the only way for content onto
// a span.

#include "flowspan/base/json.hpp"
#include "flowspan/trace/content.hpp"
#include "flowspan/trace/redactor.hpp"
#include "flowspan/trace/tracer.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace flowspan::trace {

/// Keeps texts that are too large for a span. Safe to use from any thread.
class ContentStore {
public:
    virtual ~ContentStore() = default;

    /// Takes redacted text and gives the reference under which it can be read later; empty if the
    /// store cannot take it now. Never waits for the disk.
    [[nodiscard]] virtual std::string put(std::string text) = 0;
};

/// Bytes of text in a JSON document, about: strings and keys as they are, everything else as 8.
[[nodiscard]] std::size_t content_size(const json::value& value) noexcept;

struct CapturePolicy {
    /// Who reads spans. What anybody may see of an app is recorded, and shown only to those who may
    /// see it.
    std::vector<ContentRules> readers = {ContentRules{}};
    std::size_t content_bytes_max = 16UL * 1024UL;  ///< on the span; a longer text is cut
    ContentStore* store = nullptr;                  ///< for what is cut; may be null
    std::shared_ptr<const Redactor> redactor = Redactor::make_default();

    /// What is recorded of an app: the most that any reader may see.
    [[nodiscard]] ContentModes modes_for(std::string_view app_id, std::string_view app_name) const;

    /// Of the current run.
    [[nodiscard]] CaptureMode mode(ContentKind kind) const;

    /// Records content as the mode of its kind says: nothing, its size, or all of it. `make` gives
    /// a json::value or a text, and is called only for all of it; `size` gives bytes.
    template <class Size, class Make>
    void write(Span& span, const ContentFact& fact, Size size, Make make) const {
        write(span, fact, mode(fact.kind), size, make);
    }

    /// The same under a stricter mode.
    template <class Size, class Make>
    void write(
        Span& span, const ContentFact& fact, CaptureMode mode, const Size& size, const Make& make
    ) const {
        if (mode == CaptureMode::off) {
            return;
        }
        set(span, fact.bytes_key, static_cast<std::int64_t>(size()));
        if (mode == CaptureMode::full) {
            write_content(span, fact, make());
        }
    }

private:
    void write_content(Span& span, const ContentFact& fact, const json::value& value) const;
    void write_content(Span& span, const ContentFact& fact, const std::string& text) const;
    void write_large(Span& span, const ContentFact& fact, std::string_view head, std::string whole)
        const;
    [[nodiscard]] const Redactor& current_redactor() const;
};

}  // namespace flowspan::trace
