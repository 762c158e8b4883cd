#include "export/span_journal.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/trace/names.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace flowspan::exporting {

namespace names = trace::names;
namespace otel = opentelemetry::trace;

namespace {

constexpr std::uint64_t kMagic = 0x31'6c'6a'6e'61'70'73'66;  // "fspanjl1"
// With 256 bytes each 2 MiB of disk, of which only pages that were ever used take memory. Spans
// beyond are counted, not named.
constexpr std::uint32_t kSlots = 8192;
constexpr std::size_t kHeaderBytes = 4096;
constexpr std::size_t kTextBytes = 188;
constexpr std::size_t kPartMax = 64;  // of a name or a value
constexpr std::string_view kSuffix = "-live-";
constexpr std::chrono::hours kMakingMax{1};

enum class SlotState : std::uint32_t { empty, open, ended };

struct Slot {
    std::atomic<SlotState> state;  // written last
    std::uint8_t kind;
    std::uint8_t trace_flags;
    std::uint8_t is_parent_remote;
    std::uint8_t is_error;
    std::array<std::uint8_t, otel::TraceId::kSize> trace_id;
    std::array<std::uint8_t, otel::SpanId::kSize> span_id;
    std::array<std::uint8_t, otel::SpanId::kSize> parent_span_id;
    std::int64_t start_ns;
    std::int64_t duration_ns;
    std::uint64_t sequence;
    std::uint32_t text_size;
    std::array<char, kTextBytes> text;
};

struct Header {
    std::atomic<std::uint64_t> magic;  // written last
    std::int64_t process_id;
    std::int64_t pid;
    std::int64_t started_ns;
    std::atomic<std::uint64_t> started;
    std::uint64_t resource_size;
};

constexpr std::size_t kResourceMax = kHeaderBytes - sizeof(Header);

/// Short texts and numbers, one after another. What does not fit is left out.
class TextWriter {
public:
    explicit TextWriter(Slot& slot) : slot_(slot) { slot_.text_size = 0; }

    void add(std::string_view text) noexcept {
        text = text.substr(0, kPartMax);
        slot_.text[slot_.text_size] = static_cast<char>(text.size());
        std::memcpy(slot_.text.data() + slot_.text_size + 1, text.data(), text.size());
        slot_.text_size += static_cast<std::uint32_t>(text.size()) + 1;
    }

    void add_fact(std::size_t key, std::string_view value) noexcept {
        if (slot_.text_size + std::min(value.size(), kPartMax) + 2 <= kTextBytes) {
            slot_.text[slot_.text_size++] = static_cast<char>(key);
            add(value);
        }
    }

private:
    Slot& slot_;
};

class TextReader {
public:
    explicit TextReader(const Slot& slot)
        : text_(slot.text.data(), std::min<std::size_t>(slot.text_size, kTextBytes)) {}

    [[nodiscard]] bool has_more() const noexcept { return !text_.empty(); }

    [[nodiscard]] std::size_t next_key() noexcept {
        const auto key = static_cast<std::uint8_t>(text_.front());
        text_.remove_prefix(1);
        return key;
    }

    [[nodiscard]] std::string_view next() noexcept {
        if (text_.empty()) {
            return {};
        }
        const auto size = static_cast<std::uint8_t>(text_.front());
        const auto part = text_.substr(1, size);
        text_.remove_prefix(std::min<std::size_t>(text_.size(), size + std::size_t{1}));
        return part;
    }

private:
    std::string_view text_;
};

// Which node, which round: what a span is started with and its name does not say. None of it is
// content. Their places stand in the file, in the order in which spans have them.
constexpr std::array<std::string_view, 9> kFacts = {
    names::kNodeId,
    names::kNodeType,
    names::kNodeExecutionId,
    names::kDifyNodeTitle,
    names::kDifyNodeIndex,
    names::kDifyIterationId,
    names::kDifyIterationIndex,
    names::kDifyLoopId,
    names::kDifyLoopIndex,
};

void write_facts(TextWriter& text, const SpanRecord& span) noexcept {
    std::size_t next = 0;
    span.for_each_attribute([&](const AttributeView& attribute) {
        const auto* const found = std::find(kFacts.begin() + next, kFacts.end(), attribute.key);
        if (found == kFacts.end()) {
            return;
        }
        const auto key = static_cast<std::size_t>(found - kFacts.begin());
        next = key + 1;
        if (const auto* value = std::get_if<std::string_view>(&attribute.value)) {
            text.add_fact(key, *value);
        } else if (const auto* number = std::get_if<std::int64_t>(&attribute.value)) {
            // The leading zero byte tells it from a text.
            std::array<char, sizeof(*number) + 1> bytes{};
            std::memcpy(bytes.data() + 1, number, sizeof(*number));
            text.add_fact(key, {bytes.data(), bytes.size()});
        }
    });
}

void read_facts(TextReader& text, SpanRecord& span) {
    while (text.has_more()) {
        const auto key = text.next_key();
        const auto value = text.next();
        std::int64_t number = 0;
        if (key >= kFacts.size()) {
            continue;
        }
        if (value.size() == sizeof(number) + 1 && value.front() == '\0') {
            std::memcpy(&number, value.data() + 1, sizeof(number));
            span.set_attribute(kFacts.at(key), number, {});
        } else {
            span.set_attribute(kFacts.at(key), value, {});
        }
    }
}

template <class Id, std::size_t kSize>
Id to_id(const std::array<std::uint8_t, kSize>& bytes) {
    return Id(opentelemetry::nostd::span<const std::uint8_t, kSize>(bytes.data(), kSize));
}

std::shared_ptr<SpanRecord> to_record(const Slot& slot, bool has_ended) {
    auto span = std::make_shared<SpanRecord>();
    span->trace_id = to_id<otel::TraceId>(slot.trace_id);
    span->span_id = to_id<otel::SpanId>(slot.span_id);
    span->parent_span_id = to_id<otel::SpanId>(slot.parent_span_id);
    span->kind = static_cast<otel::SpanKind>(std::min<std::uint8_t>(slot.kind, 4));
    span->trace_flags = slot.trace_flags;
    span->is_parent_remote = slot.is_parent_remote != 0;
    span->start_ns = slot.start_ns;
    span->is_open = !has_ended;
    TextReader text(slot);
    span->set_name(text.next());
    read_facts(text, *span);
    if (has_ended) {
        span->duration_ns = slot.duration_ns;
        span->sequence = slot.sequence;
        if (slot.is_error != 0) {
            span->set_status(otel::StatusCode::kError, {});
        }
        span->set_attribute(names::kFlowspanFactsLost, true, {});
    }
    return span;
}

std::filesystem::path journal_path(
    const std::filesystem::path& store_path, std::int64_t process_id
) {
    auto path = store_path;
    path += fmt::format("{}{:012x}", kSuffix, process_id);
    return path;
}

// A file of the wanted size whose pages exist, so that a full disk shows here and not as a signal.
int make_file(const std::filesystem::path& path, std::size_t bytes) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) {
        return -1;
    }
    if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 ||
        ::fallocate(descriptor, 0, 0, static_cast<off_t>(bytes)) != 0) {
        ::unlink(path.c_str());
        ::close(descriptor);
        return -1;
    }
    return descriptor;
}

}  // namespace

struct SpanJournal::Layout {
    Header header;
    std::array<char, kResourceMax> resource;
    std::array<Slot, kSlots> slots;
};

std::unique_ptr<SpanJournal> SpanJournal::make(
    const std::filesystem::path& store_path, const store::ProcessRow& process
) {
    static_assert(sizeof(Slot) == 256 && std::atomic<SlotState>::is_always_lock_free);
    std::error_code code;
    if (store_path.has_parent_path()) {
        std::filesystem::create_directories(store_path.parent_path(), code);
    }
    auto path = journal_path(store_path, process.id);
    const int descriptor = make_file(path, sizeof(Layout));
    if (descriptor < 0) {
        return nullptr;
    }
    void* memory =
        ::mmap(nullptr, sizeof(Layout), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (memory == MAP_FAILED) {
        ::unlink(path.c_str());
        ::close(descriptor);
        return nullptr;
    }
    // All zero is a valid layout: no magic, no spans.
    auto* layout = static_cast<Layout*>(memory);
    layout->header.process_id = process.id;
    layout->header.pid = process.pid;
    layout->header.started_ns = process.started_ns;
    if (process.resource.size() <= kResourceMax) {
        layout->header.resource_size = process.resource.size();
        std::memcpy(layout->resource.data(), process.resource.data(), process.resource.size());
    }
    layout->header.magic.store(kMagic, std::memory_order_release);
    return std::unique_ptr<SpanJournal>(new SpanJournal(std::move(path), descriptor, layout));
}

SpanJournal::SpanJournal(std::filesystem::path path, int descriptor, Layout* layout)
    : path_(std::move(path)), descriptor_(descriptor), layout_(layout) {}

SpanJournal::~SpanJournal() {
    ::munmap(layout_, sizeof(Layout));
    ::close(descriptor_);
}

void SpanJournal::set_started(std::uint64_t count) noexcept {
    layout_->header.started.store(count, std::memory_order_release);
}

std::uint32_t SpanJournal::add(const SpanRecord& span) noexcept {
    std::uint32_t number = 0;
    if (!free_.empty()) {
        // The one that was freed last is still in the processor's cache.
        number = free_.back();
        free_.pop_back();
    } else if (next_unused_ <= kSlots) {
        number = next_unused_++;
    } else {
        return 0;
    }
    auto& slot = layout_->slots[number - 1];
    slot.kind = static_cast<std::uint8_t>(span.kind);
    slot.trace_flags = span.trace_flags;
    slot.is_parent_remote = span.is_parent_remote ? 1 : 0;
    slot.is_error = 0;
    std::ranges::copy(span.trace_id.Id(), slot.trace_id.begin());
    std::ranges::copy(span.span_id.Id(), slot.span_id.begin());
    std::ranges::copy(span.parent_span_id.Id(), slot.parent_span_id.begin());
    slot.start_ns = span.start_ns;
    TextWriter text(slot);
    text.add(span.name());
    write_facts(text, span);
    slot.state.store(SlotState::open, std::memory_order_release);
    return number;
}

void SpanJournal::end(std::uint32_t slot_number, const SpanRecord& span) noexcept {
    auto& slot = layout_->slots[slot_number - 1];
    slot.is_error = span.status() == otel::StatusCode::kError ? 1 : 0;
    slot.duration_ns = span.duration_ns;
    slot.sequence = span.sequence;
    slot.state.store(SlotState::ended, std::memory_order_release);
}

void SpanJournal::remove(std::uint32_t slot_number, const otel::SpanId& span_id) noexcept {
    auto& slot = layout_->slots[slot_number - 1];
    if (slot.state.load(std::memory_order_acquire) == SlotState::empty ||
        !std::ranges::equal(span_id.Id(), slot.span_id)) {
        return;
    }
    slot.state.store(SlotState::empty, std::memory_order_release);
    free_.push_back(slot_number);
}

void SpanJournal::discard() noexcept {
    ::unlink(path_.c_str());
}

std::vector<LostJournal> LostJournal::find_all(const std::filesystem::path& store_path) {
    std::vector<LostJournal> found;
    const auto prefix = store_path.filename().string() + std::string(kSuffix);
    auto folder = store_path.parent_path();
    std::error_code code;
    std::filesystem::directory_iterator entry(folder.empty() ? "." : folder, code);
    for (; !code && entry != std::filesystem::directory_iterator(); entry.increment(code)) {
        if (!entry->path().filename().string().starts_with(prefix)) {
            continue;
        }
        if (auto journal = open(entry->path())) {
            found.push_back(*std::move(journal));
        }
    }
    return found;
}

std::optional<LostJournal> LostJournal::open(const std::filesystem::path& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return std::nullopt;
    }
    LostJournal journal(path, descriptor);
    struct stat file{};

    // It may have been removed between our look and our lock.
    const bool is_ours = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0 &&
                         ::fstat(descriptor, &file) == 0 && file.st_nlink > 0;
    if (!is_ours) {
        return std::nullopt;
    }
    if (file.st_size != static_cast<off_t>(sizeof(SpanJournal::Layout)) || !journal.read()) {
        // Its process is making it right now, or was killed when it did.
        const SystemTime changed(std::chrono::seconds(file.st_mtim.tv_sec));
        if (real_clock().system_now() - changed > kMakingMax) {
            journal.discard();
        }
        return std::nullopt;
    }
    return journal;
}

bool LostJournal::is_held(const std::filesystem::path& store_path, std::int64_t process_id) {
    const int descriptor =
        ::open(journal_path(store_path, process_id).c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return false;
    }
    const bool is_held = ::flock(descriptor, LOCK_EX | LOCK_NB) != 0;
    ::close(descriptor);
    return is_held;
}

LostJournal::LostJournal(LostJournal&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      process_(std::move(other.process_)),
      started_(other.started_),
      spans_(std::move(other.spans_)) {}

LostJournal& LostJournal::operator=(LostJournal&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(descriptor_, other.descriptor_);
    std::swap(process_, other.process_);
    std::swap(started_, other.started_);
    std::swap(spans_, other.spans_);
    return *this;
}

LostJournal::~LostJournal() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

bool LostJournal::read() {
    using Layout = SpanJournal::Layout;
    void* memory = ::mmap(nullptr, sizeof(Layout), PROT_READ, MAP_SHARED, descriptor_, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    const auto& layout = *static_cast<const Layout*>(memory);
    const auto& header = layout.header;
    const bool is_whole = header.magic.load(std::memory_order_acquire) == kMagic;
    if (is_whole) {
        process_.id = header.process_id;
        process_.pid = header.pid;
        process_.started_ns = header.started_ns;
        process_.resource.assign(
            layout.resource.data(), std::min<std::size_t>(header.resource_size, kResourceMax)
        );
        process_.seen_ns = header.started_ns;
        started_ = header.started.load(std::memory_order_acquire);
        for (const auto& slot : layout.slots) {
            const auto state = slot.state.load(std::memory_order_acquire);
            if (state == SlotState::open || state == SlotState::ended) {
                const auto& span = spans_.emplace_back(to_record(slot, state == SlotState::ended));
                process_.seen_ns = std::max(process_.seen_ns, span->end_ns());
            }
        }
    }
    ::munmap(memory, sizeof(Layout));
    return is_whole;
}

void LostJournal::discard() noexcept {
    ::unlink(path_.c_str());
}

}  // namespace flowspan::exporting
