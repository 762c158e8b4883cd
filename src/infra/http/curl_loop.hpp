#pragma once
// libcurl's multi interface on an Asio loop: one per io_context.

#include "infra/http/transfer.hpp"

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <curl/curl.h>
#include <sys/epoll.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace flowspan::http {

class CurlLoop;

/// Borrows a transfer from its loop's pool for one attempt.
class TransferLease {
public:
    TransferLease(CurlLoop& loop, std::unique_ptr<Transfer> transfer)
        : loop_(loop), transfer_(std::move(transfer)) {}

    ~TransferLease();
    TransferLease(const TransferLease&) = delete;
    TransferLease& operator=(const TransferLease&) = delete;

    Transfer& operator*() const noexcept { return *transfer_; }

    Transfer* operator->() const noexcept { return transfer_.get(); }

private:
    CurlLoop& loop_;
    std::unique_ptr<Transfer> transfer_;
};

/// Everything happens on the loop's thread. All sockets of libcurl stand in one epoll set of our
/// own, and only that set is watched through Asio: a wake-up costs the same for one ready socket as
/// for hundreds.
class CurlLoop final : public boost::asio::execution_context::service {
public:
    using key_type = CurlLoop;
    static boost::asio::execution_context::id id;

    explicit CurlLoop(boost::asio::execution_context& context);
    ~CurlLoop() override;

    [[nodiscard]] std::unique_ptr<Transfer> acquire();
    void release(std::unique_ptr<Transfer> transfer) noexcept;

    /// False if as many transfers run as this loop allows.
    [[nodiscard]] bool has_room() const noexcept;

    /// Runs a prepared transfer to its end: `transfer.code` and `transfer.early_end` say which.
    /// Cancelling the task ends the transfer at once; `early_end` is `cancelled` then.
    /// `executor` is the calling task's.
    [[nodiscard]] Task<void> perform(Transfer& transfer, const async::TaskExecutor& executor);

private:
    struct Shard;

    void shutdown() override;
    void start(Transfer& transfer);
    void cancel(Transfer& transfer, EarlyEnd why);
    void detach(Transfer& transfer) noexcept;
    void complete(Transfer& transfer, bool is_inline);
    Shard& find_shard();
    void open(Shard& shard);
    void wait_for_events();
    void handle_events();
    void hand_to_curl(std::span<const epoll_event> events);
    void settle();
    void run_timeouts(Shard& shard);
    void collect_finished(Shard& shard);
    void cancel_pending();
    void request_settle();
    void arm_timer(Shard& shard);
    void watch_reading(const Transfer& transfer);
    void find_stalled();
    void plan_sweep();

    static int on_socket(CURL* easy, curl_socket_t socket, int what, void* shard, void* known);
    static int on_timer(CURLM* multi, long timeout_ms, void* shard);

    boost::asio::io_context& context_;
    int epoll_;
    boost::asio::posix::stream_descriptor events_;
    boost::asio::steady_timer stall_timer_;
    boost::asio::steady_timer sweep_timer_;
    CURLSH* share_;
    // Never removed, only closed: timers refer to them.
    std::vector<std::unique_ptr<Shard>> shards_;
    std::vector<std::unique_ptr<Transfer>> idle_transfers_;
    std::vector<Transfer*> running_;
    std::vector<Transfer*> pending_cancels_;
    SteadyTime stall_check_ = SteadyTime::max();
    bool is_in_curl_ = false;
    bool is_settling_ = false;
    bool is_settle_requested_ = false;
    bool is_sweep_planned_ = false;
    bool is_shut_down_ = false;
};

}  // namespace flowspan::http
