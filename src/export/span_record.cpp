#include "export/span_record.hpp"

#include "flowspan/base/text.hpp"
#include "flowspan/trace/names.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <utility>

namespace flowspan::exporting {

namespace {

using opentelemetry::trace::StatusCode;

// Fits the name and the texts of about eight ordinary attributes. One less than a size that
// allocators hand out: the buffer's text ends with a zero.
constexpr std::size_t kBufferBytesInitial = 191;
// Of a span with more attributes than it holds itself.
constexpr std::size_t kSpilledAttributes = 24;
constexpr std::size_t kNameBytesMax = 1024;
constexpr std::size_t kTraceStateBytesMax = 4096;
constexpr std::size_t kKeyBytesMax = 256;
constexpr std::size_t kStatusBytesMax = 4096;
constexpr std::size_t kCutKeysMax = 16;
// What large values leave for the small facts that are written after them.
constexpr std::size_t kReservedForSmall = 16UL * 1024UL;
constexpr std::size_t kSmallValue = 1024;
// Below this a rewritten value's old place is not worth reclaiming.
constexpr std::size_t kWasteWorthCompacting = 32UL * 1024UL;
constexpr std::size_t kSpareWorthFreeing = 8UL * 1024UL;

std::uint64_t pack(std::uint32_t at, std::uint32_t size) noexcept {
    return (static_cast<std::uint64_t>(at) << 32U) | size;
}

// Most texts are ASCII; eight bytes at a time is enough to make the check vanish.
bool is_ascii(std::string_view text) noexcept {
    constexpr std::uint64_t kHighBits = 0x8080808080808080ULL;
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= text.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, text.data() + at, sizeof(word));
        if ((word & kHighBits) != 0) {
            return false;
        }
    }
    return std::ranges::all_of(text.substr(at), [](char byte) {
        return static_cast<unsigned char>(byte) < 0x80;
    });
}

/// An attribute's key as it is kept: valid and not too long, the same for all writers and readers.
class KeptKey {
public:
    explicit KeptKey(std::string_view given)
        : text(utf8_prefix(given, kKeyBytesMax)), number(shared_texts::number_of(text)) {
        if (!number && !is_valid_utf8(text)) {
            repaired_ = to_valid_utf8(text);
            text = utf8_prefix(repaired_, kKeyBytesMax);
            number = shared_texts::number_of(text);
        }
    }

    KeptKey(const KeptKey&) = delete;
    KeptKey& operator=(const KeptKey&) = delete;

    std::string_view text;
    std::optional<std::uint32_t> number;  ///< if it is shared

private:
    std::string repaired_;
};

std::string_view limit_length(std::string_view text, std::size_t length_max) noexcept {
    return length_max == 0 || text.size() <= length_max ? text
                                                        : code_point_prefix(text, length_max);
}

}  // namespace

std::size_t SpanRecord::byte_size() const noexcept {
    auto bytes = sizeof(SpanRecord) + buffer_.capacity();
    if (attributes_.size() > kInlineAttributes) {
        bytes += attributes_.capacity() * sizeof(Slot);
    }
    if (rare_) {
        bytes += sizeof(Rare) + rare_->details.capacity() * sizeof(Slot) +
                 rare_->events.capacity() * sizeof(EventSlot) +
                 rare_->links.capacity() * sizeof(LinkSlot);
    }
    return bytes;
}

AttributeView SpanRecord::read(const Slot& slot) const noexcept {
    const Slice slice{
        static_cast<std::uint32_t>(slot.bits >> 32U), static_cast<std::uint32_t>(slot.bits)
    };
    const auto key = key_of(slot);
    switch (slot.type) {
        case Type::boolean:
            return {key, slot.bits != 0};
        case Type::integer:
            return {key, static_cast<std::int64_t>(slot.bits)};
        case Type::number:
            return {key, std::bit_cast<double>(slot.bits)};
        case Type::text:
            return {key, view(slice)};
        case Type::bytes:
            return {key, ByteView{view(slice)}};
        case Type::booleans:
            return {key, PackedList<bool>(view(slice))};
        case Type::integers:
            return {key, PackedList<std::int64_t>(view(slice))};
        case Type::numbers:
            return {key, PackedList<double>(view(slice))};
        case Type::texts:
            return {key, TextList(view(slice))};
    }
    return {key, false};
}

const SpanRecord::Slot* SpanRecord::find(std::string_view key) const noexcept {
    return find(key, shared_texts::number_of(key));
}

// A key is shared in all places or in none.
const SpanRecord::Slot* SpanRecord::find(std::string_view key, std::optional<std::uint32_t> number)
    const noexcept {
    const auto found = std::ranges::find_if(attributes_, [&](const Slot& slot) {
        return number ? slot.key().is_shared() && slot.key_at == *number
                      : slot.key_size == key.size() && key_of(slot) == key;
    });
    return found == attributes_.end() ? nullptr : &*found;
}

std::string_view SpanRecord::text(std::string_view key, std::string_view fallback) const noexcept {
    const Slot* slot = find(key);
    return slot != nullptr && slot->type == Type::text
               ? std::get<std::string_view>(read(*slot).value)
               : fallback;
}

std::int64_t SpanRecord::integer(std::string_view key, std::int64_t fallback) const noexcept {
    const Slot* slot = find(key);
    return slot != nullptr && slot->type == Type::integer ? static_cast<std::int64_t>(slot->bits)
                                                          : fallback;
}

double SpanRecord::number(std::string_view key, double fallback) const noexcept {
    const Slot* slot = find(key);
    if (slot == nullptr) {
        return fallback;
    }
    if (slot->type == Type::integer) {
        return static_cast<double>(static_cast<std::int64_t>(slot->bits));
    }
    return slot->type == Type::number ? std::bit_cast<double>(slot->bits) : fallback;
}

SpanRecord::Event SpanRecord::event(std::size_t index) const noexcept {
    const auto& slot = rare_->events[index];
    return {view(slot.name), slot.time_ns, index, slot.dropped};
}

SpanRecord::Link SpanRecord::link(std::size_t index) const noexcept {
    const auto& slot = rare_->links[index];
    return {
        slot.trace_id,
        slot.span_id,
        view(slot.trace_state),
        index,
        slot.dropped,
        slot.trace_flags,
        slot.is_remote
    };
}

std::size_t SpanRecord::live_bytes() const noexcept {
    const auto details = rare_ ? rare_->details.size() * sizeof(Slot) : 0;
    return buffer_.size() - wasted_bytes_ + shared_bytes_ + details;
}

// How much of a value of `bytes` bytes may be kept.
std::size_t SpanRecord::room_for(std::size_t bytes, const SpanLimits& limits) const noexcept {
    std::size_t bytes_max = limits.span_bytes_max;
    if (bytes > kSmallValue && bytes_max > 2 * kReservedForSmall) {
        bytes_max -= kReservedForSmall;
    }
    const auto used = live_bytes();
    return used >= bytes_max ? 0 : std::min(bytes, bytes_max - used);
}

// Repairing may make a text up to three times as long.
std::size_t SpanRecord::repair_room(std::string_view text, const SpanLimits& limits)
    const noexcept {
    return std::max(text.size(), room_for(3 * text.size(), limits));
}

SpanRecord::Slice SpanRecord::append(std::string_view text) {
    if (buffer_.capacity() < kBufferBytesInitial) {
        buffer_.reserve(kBufferBytesInitial);
    }
    const Slice slice{
        static_cast<std::uint32_t>(buffer_.size()), static_cast<std::uint32_t>(text.size())
    };
    buffer_.append(text);
    return slice;
}

SpanRecord::Slice SpanRecord::append_text(std::string_view text, std::size_t bytes_max) {
    const auto prefix = utf8_prefix(text, bytes_max);
    if (is_ascii(prefix) || is_valid_utf8(prefix)) {
        return append(prefix);
    }
    // Each bad byte grows to three, so the limit is applied again.
    const auto repaired = to_valid_utf8(prefix);
    return append(utf8_prefix(repaired, bytes_max));
}

void SpanRecord::overwrite(Slice& slice, std::string_view text, std::size_t bytes_max) {
    wasted_bytes_ += slice.size;
    slice = append_text(text, bytes_max);
}

SpanRecord::Name SpanRecord::add_name(std::string_view text, std::optional<std::uint32_t> number) {
    if (number) {
        shared_bytes_ += static_cast<std::uint32_t>(text.size());
        return {*number, Name::kShared};
    }
    const auto stored = append_text(text, kNameBytesMax);
    return {stored.at, static_cast<std::uint16_t>(stored.size)};
}

void SpanRecord::remove_name(const Name& name) noexcept {
    const auto size = static_cast<std::uint32_t>(view(name).size());
    (name.is_shared() ? shared_bytes_ : wasted_bytes_) += name.is_shared() ? 0U - size : size;
}

void SpanRecord::replace_name(Name& name, std::string_view text) {
    remove_name(name);
    name = add_name(text, shared_texts::number_of(text));
}

void SpanRecord::set_name(std::string_view text) {
    overwrite(name_, text, kNameBytesMax);
}

void SpanRecord::set_trace_state(std::string_view text) {
    overwrite(rare_.get_or_make().trace_state, text, kTraceStateBytesMax);
}

void SpanRecord::set_scope(
    std::string_view name, std::string_view version, std::string_view schema_url
) {
    replace_name(scope_name_, name);
    replace_name(scope_version_, version);
    replace_name(scope_schema_, schema_url);
}

void SpanRecord::set_status(StatusCode code, std::string_view description) {
    if (code == StatusCode::kUnset || status_ == StatusCode::kOk) {
        return;
    }
    status_ = code;
    if (code == StatusCode::kError) {
        overwrite(rare_.get_or_make().status_text, description, kStatusBytesMax);
    } else if (rare_) {
        wasted_bytes_ += std::exchange(rare_->status_text, {}).size;
    }
    compact_if_wasteful();
}

void SpanRecord::note_cut(std::string_view key, std::size_t bytes) {
    auto& rare = rare_.get_or_make();
    rare.cut_bytes += bytes;
    if (rare.cut_keys.size() < kCutKeysMax &&
        std::ranges::find(rare.cut_keys, key) == rare.cut_keys.end()) {
        rare.cut_keys.emplace_back(key);
    }
}

void SpanRecord::waste(const Slot& slot) noexcept {
    if (slot.type > Type::number) {
        wasted_bytes_ += static_cast<std::uint32_t>(slot.bits);
    }
}

void SpanRecord::set_attribute(
    std::string_view given, const Value& value, const SpanLimits& limits
) {
    const KeptKey key(given);
    if (const Slot* found = find(key.text, key.number); found != nullptr) {
        auto& slot = attributes_[static_cast<std::size_t>(found - attributes_.data())];
        waste(slot);
        slot.type = Type::boolean;
        if (!write_value(slot, value, limits)) {
            remove_name(slot.key());
            attributes_.erase(attributes_.begin() + (&slot - attributes_.data()));
            ++dropped_attributes;
        }
        compact_if_wasteful();
        return;
    }
    if (key.text.empty() || attributes_.size() >= limits.attributes_max ||
        room_for(key.text.size(), limits) < key.text.size()) {
        ++dropped_attributes;
        return;
    }
    Slot slot;
    slot.set_key(add_name(key.text, key.number));
    if (write_value(slot, value, limits)) {
        if (attributes_.size() == kInlineAttributes) {
            attributes_.reserve(kSpilledAttributes);
        }
        attributes_.push_back(slot);
    } else {
        remove_name(slot.key());
        ++dropped_attributes;
    }
}

struct SpanRecord::ValueWriter {
    SpanRecord& record;
    Slot& slot;
    const SpanLimits& limits;

    bool scalar(Type type, std::uint64_t bits) const {
        slot.type = type;
        slot.bits = bits;
        return true;
    }

    template <class T>
    bool packed(Type type, std::span<const T> values) const {
        const auto* bytes = reinterpret_cast<const char*>(values.data());
        return record.write_packed(slot, type, {bytes, values.size_bytes()}, limits);
    }

    bool operator()(bool flag) const { return scalar(Type::boolean, flag ? 1 : 0); }

    bool operator()(std::int64_t number) const {
        return scalar(Type::integer, static_cast<std::uint64_t>(number));
    }

    bool operator()(double number) const {
        return scalar(Type::number, std::bit_cast<std::uint64_t>(number));
    }

    bool operator()(std::string_view text) const { return record.write_text(slot, text, limits); }

    bool operator()(ByteView view) const {
        return record.write_packed(slot, Type::bytes, view.bytes, limits);
    }

    bool operator()(std::span<const bool> values) const { return packed(Type::booleans, values); }

    bool operator()(std::span<const std::int64_t> values) const {
        return packed(Type::integers, values);
    }

    bool operator()(std::span<const double> values) const { return packed(Type::numbers, values); }

    bool operator()(std::span<const std::string_view> values) const {
        return record.write_texts(slot, values, limits);
    }
};

bool SpanRecord::write_value(Slot& slot, const Value& value, const SpanLimits& limits) {
    return std::visit(ValueWriter{*this, slot, limits}, value);
}

bool SpanRecord::write_text(Slot& slot, std::string_view text, const SpanLimits& limits) {
    const auto wanted = limit_length(text, limits.value_length_max);
    const auto room = room_for(wanted.size(), limits);
    if (room == 0 && !wanted.empty()) {
        note_cut(key_of(slot), text.size());
        return false;
    }
    const auto kept = utf8_prefix(wanted, room);
    if (kept.size() < text.size()) {
        note_cut(key_of(slot), text.size() - kept.size());
    }
    const auto slice = append_text(kept, repair_room(kept, limits));
    slot.type = Type::text;
    slot.bits = pack(slice.at, slice.size);
    return true;
}

bool SpanRecord::write_texts(
    Slot& slot, std::span<const std::string_view> texts, const SpanLimits& limits
) {
    const auto start = static_cast<std::uint32_t>(buffer_.size());
    for (const auto text : texts) {
        const auto wanted = limit_length(text, limits.value_length_max);
        std::uint32_t size = 0;
        const auto needed = wanted.size() + sizeof(size);
        if (room_for(needed, limits) < needed) {
            note_cut(key_of(slot), text.size());
            continue;
        }
        if (wanted.size() < text.size()) {
            note_cut(key_of(slot), text.size() - wanted.size());
        }
        const auto prefix = append({reinterpret_cast<const char*>(&size), sizeof(size)});
        size = append_text(wanted, repair_room(wanted, limits)).size;
        std::memcpy(buffer_.data() + prefix.at, &size, sizeof(size));
    }
    slot.type = Type::texts;
    slot.bits = pack(start, static_cast<std::uint32_t>(buffer_.size()) - start);
    return true;
}

bool SpanRecord::write_packed(
    Slot& slot, Type type, std::string_view bytes, const SpanLimits& limits
) {
    if (room_for(bytes.size(), limits) < bytes.size()) {
        note_cut(key_of(slot), bytes.size());
        return false;
    }
    const auto slice = append(bytes);
    slot.type = type;
    slot.bits = pack(slice.at, slice.size);
    return true;
}

bool SpanRecord::begin_event(
    std::string_view event_name, std::int64_t time_ns, const SpanLimits& limits
) {
    const auto size = std::min(event_name.size(), kNameBytesMax);
    auto& rare = rare_.get_or_make();
    if (rare.events.size() >= limits.events_max || room_for(size, limits) < size) {
        ++dropped_events;
        return false;
    }
    EventSlot slot;
    slot.time_ns = time_ns;
    slot.name = append_text(event_name, kNameBytesMax);
    slot.first = static_cast<std::uint32_t>(rare.details.size());
    rare.events.push_back(slot);
    return true;
}

bool SpanRecord::begin_link(const LinkTarget& target, const SpanLimits& limits) {
    const auto size = target.trace_state.size();
    auto& rare = rare_.get_or_make();
    if (rare.links.size() >= limits.links_max || room_for(size, limits) < size) {
        ++dropped_links;
        return false;
    }
    LinkSlot slot;
    slot.trace_id = target.trace_id;
    slot.span_id = target.span_id;
    slot.trace_flags = target.trace_flags;
    slot.is_remote = target.is_remote;
    slot.trace_state = append_text(target.trace_state, kTraceStateBytesMax);
    slot.first = static_cast<std::uint32_t>(rare.details.size());
    rare.links.push_back(slot);
    return true;
}

void SpanRecord::add_event_attribute(
    std::string_view key, const Value& value, const SpanLimits& limits
) {
    add_detail(rare_->events.back(), limits.event_attributes_max, key, value, limits);
}

void SpanRecord::add_link_attribute(
    std::string_view key, const Value& value, const SpanLimits& limits
) {
    add_detail(rare_->links.back(), limits.link_attributes_max, key, value, limits);
}

void SpanRecord::add_detail(
    DetailOwner& owner,
    std::size_t count_max,
    std::string_view given,
    const Value& value,
    const SpanLimits& limits
) {
    const KeptKey key(given);
    const auto needed = key.text.size() + sizeof(Slot);
    if (owner.count >= count_max || key.text.empty() || room_for(needed, limits) < needed) {
        ++owner.dropped;
        return;
    }
    Slot slot;
    slot.set_key(add_name(key.text, key.number));
    if (write_value(slot, value, limits)) {
        rare_->details.push_back(slot);
        ++owner.count;
    } else {
        remove_name(slot.key());
        ++owner.dropped;
    }
}

void SpanRecord::finish() {
    if (rare_ && rare_->cut_bytes > 0) {
        write_marks();
    }
    // A span waits in queues; what growing left over should not wait with it.
    if (buffer_.capacity() > kSpareWorthFreeing &&
        buffer_.capacity() > buffer_.size() + buffer_.size() / 4) {
        buffer_.shrink_to_fit();
    }
}

void SpanRecord::write_marks() {
    SpanLimits unlimited;
    unlimited.attributes_max = std::numeric_limits<std::size_t>::max();
    unlimited.span_bytes_max = std::numeric_limits<std::uint32_t>::max();
    const auto cut_keys = std::exchange(rare_->cut_keys, {});
    const std::vector<std::string_view> keys(cut_keys.begin(), cut_keys.end());
    const auto cut_bytes = static_cast<std::int64_t>(std::exchange(rare_->cut_bytes, 0));
    set_attribute(
        trace::names::kFlowspanTruncated, std::span<const std::string_view>(keys), unlimited
    );
    set_attribute(trace::names::kFlowspanTruncatedBytes, cut_bytes, unlimited);
}

// Rewriting one growing value again and again must not count against the span's limit.
void SpanRecord::compact_if_wasteful() {
    if (wasted_bytes_ < kWasteWorthCompacting || wasted_bytes_ < buffer_.size() / 2) {
        return;
    }
    const std::string old = std::exchange(buffer_, {});
    buffer_.reserve(old.size() - wasted_bytes_);
    const auto move_slice = [this, &old](Slice& slice) {
        slice = append(std::string_view(old).substr(slice.at, slice.size));
    };
    const auto move_name = [&move_slice](Name& name) {
        if (!name.is_shared()) {
            Slice slice{name.at, name.size};
            move_slice(slice);
            name.at = slice.at;
        }
    };
    const auto move_slot = [&](Slot& slot) {
        auto key = slot.key();
        move_name(key);
        slot.set_key(key);
        if (slot.type > Type::number) {
            Slice value{
                static_cast<std::uint32_t>(slot.bits >> 32U), static_cast<std::uint32_t>(slot.bits)
            };
            move_slice(value);
            slot.bits = pack(value.at, value.size);
        }
    };
    for (auto* name : {&scope_name_, &scope_version_, &scope_schema_}) {
        move_name(*name);
    }
    move_slice(name_);
    std::ranges::for_each(attributes_, move_slot);
    if (rare_) {
        move_slice(rare_->trace_state);
        move_slice(rare_->status_text);
        std::ranges::for_each(rare_->details, move_slot);
        for (auto& slot : rare_->events) {
            move_slice(slot.name);
        }
        for (auto& slot : rare_->links) {
            move_slice(slot.trace_state);
        }
    }
    wasted_bytes_ = 0;
}

}  // namespace flowspan::exporting
