#include "infra/http/curl_loop.hpp"

#include "async/use_task.hpp"
#include "flowspan/async/moment.hpp"
#include "flowspan/base/clock.hpp"
#include "flowspan/base/error.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <utility>

namespace asio = boost::asio;

namespace flowspan::http {

using namespace std::chrono_literals;

namespace {

constexpr int kEventsPerWake = 256;
// libcurl walks all connections to a host when a request starts, so thousands of streams to one
// server are spread over several multi handles; a quiet process uses only the first.
constexpr std::size_t kTransfersPerShard = 192;
constexpr long kIdleConnectionsPerShard = 256;
constexpr std::size_t kTransfersMax = 20'000;
constexpr std::size_t kIdleTransfersMax = 256;
// A stalled reply is noticed at most an eighth of its timeout late.
constexpr int kStallCheckFraction = 8;
constexpr auto kStallCheckMin = 5ms;
constexpr auto kStallCheckMax = 1s;
// How long connections of a shard that a burst opened are kept for the next burst.
constexpr auto kSweepInterval = 30s;
constexpr int kSettleRoundsMax = 16;

}  // namespace

asio::execution_context::id CurlLoop::id;

struct CurlLoop::Shard {
    Shard(CurlLoop& owner, std::uint32_t number)
        : loop(owner), index(number), timer(owner.context_) {}

    CurlLoop& loop;
    std::uint32_t index;
    CURLM* multi = nullptr;
    std::size_t active = 0;
    bool was_used = false;
    bool is_due = false;
    SteadyTime due = SteadyTime::max();
    SteadyTime armed = SteadyTime::max();
    asio::steady_timer timer;
};

TransferLease::~TransferLease() {
    loop_.release(std::move(transfer_));
}

CurlLoop::CurlLoop(asio::execution_context& context)
    : service(context),
      context_(static_cast<asio::io_context&>(context)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      events_(context_),
      stall_timer_(context_),
      sweep_timer_(context_),
      share_(curl_share_init()) {
    FLOWSPAN_ASSERT(epoll_ >= 0, "no file descriptor is left for the HTTP client");
    FLOWSPAN_ASSERT(share_ != nullptr, "libcurl cannot be used");
    events_.assign(epoll_);
    // One thread uses the share, so it needs no locks.
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share_, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    wait_for_events();
}

CurlLoop::~CurlLoop() {
    curl_share_cleanup(share_);
}

void CurlLoop::shutdown() {
    is_shut_down_ = true;
    std::vector<asio::any_completion_handler<void()>> handlers;
    while (!running_.empty()) {
        Transfer& transfer = *running_.back();
        detach(transfer);
        handlers.push_back(std::move(transfer.handler_));
    }
    // Each handler holds the coroutine that holds the transfer.
    handlers.clear();
    idle_transfers_.clear();
    for (const auto& shard : shards_) {
        curl_multi_cleanup(std::exchange(shard->multi, nullptr));
    }
}

std::unique_ptr<Transfer> CurlLoop::acquire() {
    if (idle_transfers_.empty()) {
        auto transfer = std::make_unique<Transfer>();
        curl_easy_setopt(transfer->easy_, CURLOPT_SHARE, share_);
        return transfer;
    }
    auto transfer = std::move(idle_transfers_.back());
    idle_transfers_.pop_back();
    return transfer;
}

void CurlLoop::release(std::unique_ptr<Transfer> transfer) noexcept {
    if (transfer->state_ == Transfer::State::running) {
        detach(*transfer);
    }
    std::erase(pending_cancels_, transfer.get());
    if (!is_shut_down_ && idle_transfers_.size() < kIdleTransfersMax && transfer->reset()) {
        idle_transfers_.push_back(std::move(transfer));
    }
}

bool CurlLoop::has_room() const noexcept {
    return running_.size() < kTransfersMax;
}

Task<void> CurlLoop::perform(Transfer& transfer, const async::TaskExecutor& executor) {
    transfer.executor_.emplace(executor);
    return asio::async_initiate<const asio::use_awaitable_t<async::TaskExecutor>, void()>(
        [this, &transfer](auto handler) {
            auto slot = asio::get_associated_cancellation_slot(handler);
            transfer.handler_ = std::move(handler);
            if (slot.is_connected()) {
                slot.assign([this, &transfer](asio::cancellation_type) {
                    cancel(transfer, EarlyEnd::cancelled);
                });
            }
            start(transfer);
        },
        async::use_task
    );
}

CurlLoop::Shard& CurlLoop::find_shard() {
    const auto found = std::ranges::find_if(shards_, [](const auto& shard) {
        return shard->active < kTransfersPerShard;
    });
    Shard& shard = found != shards_.end() ? **found
                                          : *shards_.emplace_back(std::make_unique<Shard>(
                                                *this, static_cast<std::uint32_t>(shards_.size())
                                            ));
    if (shard.multi == nullptr) {
        open(shard);
    }
    return shard;
}

void CurlLoop::open(Shard& shard) {
    shard.multi = curl_multi_init();
    FLOWSPAN_ASSERT(shard.multi != nullptr, "no memory or file descriptor is left for libcurl");
    curl_multi_setopt(shard.multi, CURLMOPT_SOCKETFUNCTION, &CurlLoop::on_socket);
    curl_multi_setopt(shard.multi, CURLMOPT_SOCKETDATA, &shard);
    curl_multi_setopt(shard.multi, CURLMOPT_TIMERFUNCTION, &CurlLoop::on_timer);
    curl_multi_setopt(shard.multi, CURLMOPT_TIMERDATA, &shard);
    curl_multi_setopt(shard.multi, CURLMOPT_MAXCONNECTS, kIdleConnectionsPerShard);
}

void CurlLoop::start(Transfer& transfer) {
    Shard& shard = find_shard();
    transfer.shard_ = shard.index;
    transfer.state_ = Transfer::State::running;
    transfer.last_activity_ = real_clock().steady_now();
    transfer.running_index_ = running_.size();
    running_.push_back(&transfer);
    ++shard.active;
    shard.was_used = true;
    const auto added = curl_multi_add_handle(shard.multi, transfer.easy_);
    FLOWSPAN_ASSERT(added == CURLM_OK, "libcurl refuses a transfer");
    watch_reading(transfer);
}

void CurlLoop::cancel(Transfer& transfer, EarlyEnd why) {
    if (transfer.state_ != Transfer::State::running) {
        return;
    }
    if (transfer.early_end == EarlyEnd::none) {
        transfer.early_end = why;
    }
    // libcurl lets no handle be removed from within its own callbacks.
    if (is_in_curl_) {
        pending_cancels_.push_back(&transfer);
        return;
    }
    complete(transfer, false);
}

void CurlLoop::detach(Transfer& transfer) noexcept {
    Shard& shard = *shards_[transfer.shard_];
    curl_multi_remove_handle(shard.multi, transfer.easy_);
    transfer.state_ = Transfer::State::ended;
    --shard.active;
    running_[transfer.running_index_] = running_.back();
    running_[transfer.running_index_]->running_index_ = transfer.running_index_;
    running_.pop_back();
    if (shard.active == 0 && shard.index > 0) {
        plan_sweep();
    }
}

void CurlLoop::complete(Transfer& transfer, bool is_inline) {
    detach(transfer);
    auto handler = std::move(transfer.handler_);
    if (is_inline) {
        asio::dispatch(*transfer.executor_, std::move(handler));
    } else {
        asio::post(*transfer.executor_, std::move(handler));
    }
}

void CurlLoop::wait_for_events() {
    events_.async_wait(
        asio::posix::descriptor_base::wait_read,
        [this](const boost::system::error_code& code) {
            if (!code) {
                handle_events();
                wait_for_events();
            }
        }
    );
}

void CurlLoop::handle_events() {
    std::array<epoll_event, kEventsPerWake> events;
    const int count = epoll_wait(epoll_, events.data(), kEventsPerWake, 0);
    is_settling_ = true;
    hand_to_curl({events.data(), static_cast<std::size_t>(std::max(count, 0))});
    settle();
}

void CurlLoop::hand_to_curl(std::span<const epoll_event> events) {
    const async::MomentScope moment(real_clock().steady_now());
    is_in_curl_ = true;
    for (const auto& event : events) {
        const auto& shard = *shards_[event.data.u64 >> 32U];
        // An event for a socket that an earlier one of this round closed is ignored by libcurl.
        const int action = ((event.events & EPOLLIN) != 0U ? CURL_CSELECT_IN : 0) |
                           ((event.events & EPOLLOUT) != 0U ? CURL_CSELECT_OUT : 0);
        int running = 0;
        curl_multi_socket_action(
            shard.multi, static_cast<curl_socket_t>(event.data.u64 & 0xFFFFFFFFU), action, &running
        );
    }
    is_in_curl_ = false;
}

void CurlLoop::settle() {
    is_settling_ = true;
    int rounds = 0;
    do {
        is_settle_requested_ = false;
        cancel_pending();
        // By index: a resumed task may start transfers and so add shards.
        for (std::size_t i = 0; i < shards_.size(); ++i) {
            run_timeouts(*shards_[i]);
        }
        cancel_pending();
        for (std::size_t i = 0; i < shards_.size(); ++i) {
            collect_finished(*shards_[i]);
        }
    } while (is_settle_requested_ && ++rounds < kSettleRoundsMax);
    is_settling_ = false;
    if (std::exchange(is_settle_requested_, false)) {
        request_settle();
    }
}

void CurlLoop::request_settle() {
    if (std::exchange(is_settle_requested_, true) || is_settling_) {
        return;
    }
    asio::post(context_, [this] {
        if (is_settle_requested_) {
            settle();
        }
    });
}

void CurlLoop::run_timeouts(Shard& shard) {
    if (!std::exchange(shard.is_due, false) || shard.multi == nullptr) {
        return;
    }
    int running = 0;
    is_in_curl_ = true;
    curl_multi_socket_action(shard.multi, CURL_SOCKET_TIMEOUT, 0, &running);
    is_in_curl_ = false;
}

void CurlLoop::cancel_pending() {
    while (!pending_cancels_.empty()) {
        Transfer& transfer = *pending_cancels_.back();
        pending_cancels_.pop_back();
        if (transfer.state_ == Transfer::State::running) {
            complete(transfer, false);
        }
    }
}

void CurlLoop::collect_finished(Shard& shard) {
    if (shard.multi == nullptr) {
        return;
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(shard.multi, &left)) {
        const auto result = message->data.result;
        void* self = nullptr;
        curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &self);
        auto& transfer = *static_cast<Transfer*>(self);
        transfer.code = result;
        complete(transfer, true);
    }
}

int CurlLoop::on_socket(CURL* /*easy*/, curl_socket_t socket, int what, void* self, void* known) {
    auto& shard = *static_cast<Shard*>(self);
    const int epoll = shard.loop.epoll_;
    if (what == CURL_POLL_REMOVE) {
        epoll_ctl(epoll, EPOLL_CTL_DEL, socket, nullptr);
        return 0;
    }
    epoll_event event{};
    event.events =
        ((what & CURL_POLL_IN) != 0 ? EPOLLIN : 0U) | ((what & CURL_POLL_OUT) != 0 ? EPOLLOUT : 0U);
    event.data.u64 =
        (static_cast<std::uint64_t>(shard.index) << 32U) | static_cast<std::uint32_t>(socket);
    if (known == nullptr) {
        // A descriptor that was closed behind our back and opened again may still be in the set.
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event) != 0) {
            epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event);
        }
        curl_multi_assign(shard.multi, socket, self);
    } else {
        epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event);
    }
    return 0;
}

int CurlLoop::on_timer(CURLM* /*multi*/, long timeout_ms, void* self) {
    auto& shard = *static_cast<Shard*>(self);
    if (shard.loop.is_shut_down_) {
        return 0;
    }
    shard.due = SteadyTime::max();
    if (timeout_ms == 0) {
        shard.is_due = true;
        shard.loop.request_settle();
    } else if (timeout_ms > 0) {
        shard.due = real_clock().steady_now() + std::chrono::milliseconds(timeout_ms);
        shard.loop.arm_timer(shard);
    }
    return 0;
}

void CurlLoop::arm_timer(Shard& shard) {
    // libcurl moves its timeout with nearly every event; a wait that ends too early is cheaper than
    // starting a new one each time.
    if (shard.due >= shard.armed) {
        return;
    }
    shard.armed = shard.due;
    shard.timer.expires_at(shard.due);
    shard.timer.async_wait([this, &shard](const boost::system::error_code& code) {
        if (code) {
            return;
        }
        shard.armed = SteadyTime::max();
        if (shard.due > real_clock().steady_now()) {
            arm_timer(shard);
            return;
        }
        shard.due = SteadyTime::max();
        shard.is_due = true;
        settle();
    });
}

void CurlLoop::watch_reading(const Transfer& transfer) {
    if (transfer.read_timeout_ <= 0ms) {
        return;
    }
    const auto interval = std::clamp<std::chrono::nanoseconds>(
        transfer.read_timeout_ / kStallCheckFraction, kStallCheckMin, kStallCheckMax
    );
    const auto check = real_clock().steady_now() + interval;
    if (check >= stall_check_) {
        return;
    }
    stall_check_ = check;
    stall_timer_.expires_at(check);
    stall_timer_.async_wait([this](const boost::system::error_code& code) {
        if (!code) {
            stall_check_ = SteadyTime::max();
            find_stalled();
        }
    });
}

void CurlLoop::find_stalled() {
    const auto now = real_clock().steady_now();
    // Backwards, because cancel() moves the last one into the gap.
    for (std::size_t i = running_.size(); i > 0; --i) {
        Transfer& transfer = *running_[i - 1];
        if (transfer.read_timeout_ > 0ms &&
            now - transfer.last_activity_ >= transfer.read_timeout_) {
            cancel(
                transfer,
                transfer.is_listener_satisfied_ ? EarlyEnd::listener : EarlyEnd::read_timeout
            );
        } else {
            watch_reading(transfer);
        }
    }
}

void CurlLoop::plan_sweep() {
    if (is_shut_down_ || std::exchange(is_sweep_planned_, true)) {
        return;
    }
    sweep_timer_.expires_after(kSweepInterval);
    sweep_timer_.async_wait([this](const boost::system::error_code& code) {
        if (code) {
            return;
        }
        is_sweep_planned_ = false;
        bool is_more_to_do = false;
        for (const auto& shard : shards_) {
            if (shard->index == 0 || shard->active > 0 || shard->multi == nullptr) {
                continue;
            }
            if (std::exchange(shard->was_used, false)) {
                is_more_to_do = true;
                continue;
            }
            curl_multi_cleanup(std::exchange(shard->multi, nullptr));
            shard->is_due = false;
            shard->due = SteadyTime::max();
        }
        if (is_more_to_do) {
            plan_sweep();
        }
    });
}

}  // namespace flowspan::http
