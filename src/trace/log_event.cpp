#include "flowspan/trace/log_event.hpp"

#include "flowspan/trace/run_scope.hpp"

#include <atomic>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace flowspan::trace {

namespace {

std::atomic<LogReceiver*> g_receiver{nullptr};

/// Redacted texts of one event, kept while it is handed on.
class CleanTexts {
public:
    explicit CleanTexts(const LogReceiver& receiver) : redactor_(receiver.find_redactor()) {
        if (const auto scope = current_run_scope();
            scope != nullptr && scope->redactor != nullptr) {
            owned_ = scope->redactor;
        } else if (redactor_ == nullptr) {
            owned_ = Redactor::make_default();
        }
        redactor_ = owned_ == nullptr ? redactor_ : owned_.get();
    }

    [[nodiscard]] std::string_view clean(std::string_view text) {
        auto cleaned = redactor_->redact(text);
        return cleaned ? std::string_view(texts_.emplace_back(*std::move(cleaned))) : text;
    }

private:
    std::shared_ptr<const Redactor> owned_;
    const Redactor* redactor_;
    std::deque<std::string> texts_;  // does not move what it holds
};

}  // namespace

void set_log_receiver(LogReceiver* receiver) noexcept {
    g_receiver.store(receiver, std::memory_order_release);
}

bool has_log_receiver() noexcept {
    return g_receiver.load(std::memory_order_relaxed) != nullptr;
}

void emit_log(const LogEvent& event) noexcept {
    auto* receiver = g_receiver.load(std::memory_order_acquire);
    if (receiver == nullptr) {
        return;
    }
    CleanTexts texts(*receiver);
    std::vector<LogAttribute> attributes(event.attributes.begin(), event.attributes.end());
    for (auto& attribute : attributes) {
        if (auto* text = std::get_if<std::string_view>(&attribute.value)) {
            *text = texts.clean(*text);
        }
    }
    auto clean = event;
    clean.body = texts.clean(event.body);
    clean.attributes = attributes;
    receiver->on_log(clean);
}

}  // namespace flowspan::trace
