#pragma once
// SpanRecord: one span as plain data, compact, safe to keep after the tracer is gone.

#include "export/shared_texts.hpp"
#include "flowspan/export/span_limits.hpp"
#include "flowspan/trace/run_scope.hpp"

#include <boost/container/small_vector.hpp>

#include <opentelemetry/trace/span_id.h>
#include <opentelemetry/trace/span_metadata.h>
#include <opentelemetry/trace/trace_id.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace flowspan::exporting {

/// A list of numbers or booleans inside a record; the elements are not aligned in memory.
template <class T>
class PackedList {
public:
    explicit PackedList(std::string_view bytes) : bytes_(bytes) {}

    [[nodiscard]] std::size_t size() const noexcept { return bytes_.size() / sizeof(T); }

    [[nodiscard]] T operator[](std::size_t index) const noexcept {
        T value;
        std::memcpy(&value, bytes_.data() + index * sizeof(T), sizeof(T));
        return value;
    }

    template <class Function>
    void for_each(Function function) const {
        for (std::size_t i = 0; i < size(); ++i) {
            function((*this)[i]);
        }
    }

private:
    std::string_view bytes_;
};

/// A list of texts inside a record.
class TextList {
public:
    explicit TextList(std::string_view bytes) : bytes_(bytes) {}

    template <class Function>
    void for_each(Function function) const {
        for (std::size_t at = 0; at < bytes_.size();) {
            std::uint32_t size = 0;
            std::memcpy(&size, bytes_.data() + at, sizeof(size));
            function(bytes_.substr(at + sizeof(size), size));
            at += sizeof(size) + size;
        }
    }

private:
    std::string_view bytes_;
};

/// Bytes that are no text.
struct ByteView {
    std::string_view bytes;
};

using ValueView = std::variant<
    bool,
    std::int64_t,
    double,
    std::string_view,
    ByteView,
    PackedList<bool>,
    PackedList<std::int64_t>,
    PackedList<double>,
    TextList>;

struct AttributeView {
    std::string_view key;
    ValueView value;
};

/// One span. Its text and lists stand in one buffer, but for keys, which are shared by all spans,
/// so that a typical span needs two small allocations; thousands of them may be open. Views
/// returned by the readers live as long as the record and no writer is called. Writers apply the
/// limits, repair UTF-8 and keep the last write of each key. Not synchronised.
class SpanRecord {
public:
    SpanRecord() = default;
    SpanRecord(const SpanRecord&) = default;
    SpanRecord& operator=(const SpanRecord&) = default;

    opentelemetry::trace::TraceId trace_id;
    opentelemetry::trace::SpanId span_id;
    opentelemetry::trace::SpanId parent_span_id;
    std::int64_t start_ns = 0;  ///< since 1970, UTC
    std::int64_t duration_ns = 0;
    opentelemetry::trace::SpanKind kind = opentelemetry::trace::SpanKind::kInternal;
    std::uint8_t trace_flags = 0;
    bool is_parent_remote = false;
    bool is_open = false;  ///< still running: `duration_ns` is 0, or how long it runs by now
    /// Its place in the order in which the process ended spans; 0 if unknown.
    std::uint64_t sequence = 0;
    std::uint32_t journal_slot = 0;  ///< where the process's journal has it; 0: nowhere
    std::uint32_t dropped_attributes = 0;
    std::uint32_t dropped_events = 0;
    std::uint32_t dropped_links = 0;
    trace::RunScopePtr run;  ///< the run that the span was started in; may be null

    struct Event {
        std::string_view name;
        std::int64_t time_ns = 0;  ///< since 1970, UTC
        std::size_t index = 0;     ///< for for_each_event_attribute
        std::uint32_t dropped_attributes = 0;
    };

    struct Link {
        opentelemetry::trace::TraceId trace_id;
        opentelemetry::trace::SpanId span_id;
        std::string_view trace_state;
        std::size_t index = 0;  ///< for for_each_link_attribute
        std::uint32_t dropped_attributes = 0;
        std::uint8_t trace_flags = 0;
        bool is_remote = false;
    };

    [[nodiscard]] std::string_view name() const noexcept { return view(name_); }

    [[nodiscard]] std::string_view trace_state() const noexcept {
        return rare_ ? view(rare_->trace_state) : std::string_view();
    }

    [[nodiscard]] std::string_view scope_name() const noexcept { return view(scope_name_); }

    [[nodiscard]] std::string_view scope_version() const noexcept { return view(scope_version_); }

    [[nodiscard]] std::string_view scope_schema_url() const noexcept { return view(scope_schema_); }

    [[nodiscard]] opentelemetry::trace::StatusCode status() const noexcept { return status_; }

    /// Empty unless the status is an error.
    [[nodiscard]] std::string_view status_description() const noexcept {
        return rare_ ? view(rare_->status_text) : std::string_view();
    }

    [[nodiscard]] bool is_sampled() const noexcept { return (trace_flags & 1U) != 0; }

    /// The first of its trace in this process: a run, a request.
    [[nodiscard]] bool is_local_root() const noexcept {
        return is_parent_remote || !parent_span_id.IsValid();
    }

    [[nodiscard]] std::int64_t end_ns() const noexcept { return start_ns + duration_ns; }

    [[nodiscard]] std::size_t attribute_count() const noexcept { return attributes_.size(); }

    [[nodiscard]] std::size_t event_count() const noexcept {
        return rare_ ? rare_->events.size() : 0;
    }

    [[nodiscard]] std::size_t link_count() const noexcept {
        return rare_ ? rare_->links.size() : 0;
    }

    /// Memory held by the record, about.
    [[nodiscard]] std::size_t byte_size() const noexcept;

    /// In order of the first write of each key.
    template <class Function>
    void for_each_attribute(Function function) const {
        for (const auto& slot : attributes_) {
            function(read(slot));
        }
    }

    [[nodiscard]] Event event(std::size_t index) const noexcept;
    [[nodiscard]] Link link(std::size_t index) const noexcept;

    template <class Function>
    void for_each_event_attribute(std::size_t index, Function function) const {
        for_each_detail(rare_->events[index], function);
    }

    template <class Function>
    void for_each_link_attribute(std::size_t index, Function function) const {
        for_each_detail(rare_->links[index], function);
    }

    // Single attributes by name, for readers that look for a few.
    [[nodiscard]] bool has(std::string_view key) const noexcept { return find(key) != nullptr; }

    [[nodiscard]] std::string_view text(std::string_view key, std::string_view fallback = {})
        const noexcept;
    [[nodiscard]] std::int64_t integer(std::string_view key, std::int64_t fallback = 0)
        const noexcept;
    /// Integers are converted.
    [[nodiscard]] double number(std::string_view key, double fallback = 0) const noexcept;

    // Writers.
    void set_name(std::string_view text);
    void set_trace_state(std::string_view text);
    void set_scope(std::string_view name, std::string_view version, std::string_view schema_url);
    /// Ok is final, error wins over unset; only an error keeps a description, the last one.
    void set_status(opentelemetry::trace::StatusCode code, std::string_view description);

    /// What a writer accepts; views are copied.
    using Value = std::variant<
        bool,
        std::int64_t,
        double,
        std::string_view,
        ByteView,
        std::span<const bool>,
        std::span<const std::int64_t>,
        std::span<const double>,
        std::span<const std::string_view>>;

    void set_attribute(std::string_view given, const Value& value, const SpanLimits& limits);

    /// False if the event was dropped; its attributes must then not be added.
    bool begin_event(std::string_view name, std::int64_t time_ns, const SpanLimits& limits);
    void add_event_attribute(std::string_view key, const Value& value, const SpanLimits& limits);

    struct LinkTarget {
        opentelemetry::trace::TraceId trace_id;
        opentelemetry::trace::SpanId span_id;
        std::string_view trace_state;
        std::uint8_t trace_flags = 0;
        bool is_remote = false;
    };

    bool begin_link(const LinkTarget& target, const SpanLimits& limits);
    void add_link_attribute(std::string_view key, const Value& value, const SpanLimits& limits);

    /// Call once when the span has ended: adds the marks `flowspan.truncated` (keys whose values
    /// were cut) and `flowspan.truncated_bytes`, if something was cut.
    void finish();

private:
    enum class Type : std::uint8_t {
        boolean,
        integer,
        number,
        text,
        bytes,
        booleans,
        integers,
        numbers,
        texts,
    };

    struct Slice {
        std::uint32_t at = 0;
        std::uint32_t size = 0;
    };

    // A text that may come again with every span: a shared text's number, or a Slice of the buffer.
    struct Name {
        static constexpr std::uint16_t kShared = 0xFFFF;

        std::uint32_t at = 0;
        std::uint16_t size = 0;

        [[nodiscard]] bool is_shared() const noexcept { return size == kShared; }
    };

    // `bits` is the value itself for the first three types, else a Slice of the buffer.
    struct Slot {
        // A Name, whose padding would make the slot half as large again.
        std::uint32_t key_at = 0;
        std::uint16_t key_size = 0;
        Type type = Type::boolean;
        std::uint64_t bits = 0;

        [[nodiscard]] Name key() const noexcept { return {key_at, key_size}; }

        void set_key(Name name) noexcept {
            key_at = name.at;
            key_size = name.size;
        }
    };

    // Has attributes of its own: `details_[first, first + count)`.
    struct DetailOwner {
        std::uint32_t first = 0;
        std::uint32_t count = 0;
        std::uint32_t dropped = 0;
    };

    struct EventSlot : DetailOwner {
        std::int64_t time_ns = 0;
        Slice name;
    };

    struct LinkSlot : DetailOwner {
        opentelemetry::trace::TraceId trace_id;
        opentelemetry::trace::SpanId span_id;
        Slice trace_state;
        std::uint8_t trace_flags = 0;
        bool is_remote = false;
    };

    // What most spans have none of.
    struct Rare {
        std::vector<Slot> details;  // attributes of events and links
        std::vector<EventSlot> events;
        std::vector<LinkSlot> links;
        Slice trace_state;
        Slice status_text;
        std::vector<std::string> cut_keys;
        std::uint64_t cut_bytes = 0;
    };

    // Copied with its record.
    class RarePart {
    public:
        RarePart() = default;
        ~RarePart() = default;

        RarePart(const RarePart& other)
            : rare_(other.rare_ ? std::make_unique<Rare>(*other.rare_) : nullptr) {}

        RarePart& operator=(const RarePart& other) {
            rare_ = other.rare_ ? std::make_unique<Rare>(*other.rare_) : nullptr;
            return *this;
        }

        explicit operator bool() const noexcept { return rare_ != nullptr; }

        Rare* operator->() noexcept { return rare_.get(); }

        const Rare* operator->() const noexcept { return rare_.get(); }

        Rare& get_or_make() {
            if (!rare_) {
                rare_ = std::make_unique<Rare>();
            }
            return *rare_;
        }

    private:
        std::unique_ptr<Rare> rare_;
    };

    struct ValueWriter;

    [[nodiscard]] std::string_view view(Slice slice) const noexcept {
        return {buffer_.data() + slice.at, slice.size};
    }

    [[nodiscard]] std::string_view view(Name name) const noexcept {
        return name.is_shared() ? shared_texts::text_of(name.at) : view(Slice{name.at, name.size});
    }

    [[nodiscard]] std::string_view key_of(const Slot& slot) const noexcept {
        return view(slot.key());
    }

    template <class Function>
    void for_each_detail(const DetailOwner& owner, Function& function) const {
        for (std::size_t i = 0; i < owner.count; ++i) {
            function(read(rare_->details[owner.first + i]));
        }
    }

    [[nodiscard]] AttributeView read(const Slot& slot) const noexcept;
    [[nodiscard]] const Slot* find(std::string_view key) const noexcept;
    [[nodiscard]] const Slot* find(std::string_view key, std::optional<std::uint32_t> number)
        const noexcept;
    [[nodiscard]] std::size_t room_for(std::size_t bytes, const SpanLimits& limits) const noexcept;
    [[nodiscard]] std::size_t repair_room(std::string_view text, const SpanLimits& limits)
        const noexcept;
    [[nodiscard]] std::size_t live_bytes() const noexcept;

    Slice append(std::string_view text);
    Slice append_text(std::string_view text, std::size_t bytes_max);
    void overwrite(Slice& slice, std::string_view text, std::size_t bytes_max);
    Name add_name(std::string_view text, std::optional<std::uint32_t> number);
    void remove_name(const Name& name) noexcept;
    void replace_name(Name& name, std::string_view text);
    void add_detail(
        DetailOwner& owner,
        std::size_t count_max,
        std::string_view given,
        const Value& value,
        const SpanLimits& limits
    );
    bool write_value(Slot& slot, const Value& value, const SpanLimits& limits);
    bool write_text(Slot& slot, std::string_view text, const SpanLimits& limits);
    bool write_texts(Slot& slot, std::span<const std::string_view> texts, const SpanLimits& limits);
    bool write_packed(Slot& slot, Type type, std::string_view bytes, const SpanLimits& limits);
    void write_marks();
    void note_cut(std::string_view key, std::size_t bytes);
    void waste(const Slot& slot) noexcept;
    void compact_if_wasteful();

    static constexpr std::size_t kInlineAttributes = 10;

    opentelemetry::trace::StatusCode status_ = opentelemetry::trace::StatusCode::kUnset;
    Name scope_name_;
    Name scope_version_;
    Name scope_schema_;
    Slice name_;
    std::uint32_t wasted_bytes_ = 0;
    std::uint32_t shared_bytes_ = 0;  // of shared texts: they count against the span's limit
    std::string buffer_;
    boost::container::small_vector<Slot, kInlineAttributes> attributes_;
    RarePart rare_;
};

using SpanRecordPtr = std::shared_ptr<const SpanRecord>;

/// Spans handed to a sink together; valid during the call.
using SpanBatch = std::span<const SpanRecordPtr>;

}  // namespace flowspan::exporting
