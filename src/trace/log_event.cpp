#include "flowspan/trace/log_event.hpp"

#include <atomic>

namespace flowspan::trace {

namespace {

std::atomic<LogReceiver*> g_receiver{nullptr};

}  // namespace

void set_log_receiver(LogReceiver* receiver) noexcept {
    g_receiver.store(receiver, std::memory_order_release);
}

bool has_log_receiver() noexcept {
    return g_receiver.load(std::memory_order_relaxed) != nullptr;
}

void emit_log(const LogEvent& event) noexcept {
    if (auto* receiver = g_receiver.load(std::memory_order_acquire)) {
        receiver->on_log(event);
    }
}

}  // namespace flowspan::trace
