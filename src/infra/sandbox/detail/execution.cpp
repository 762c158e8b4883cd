#include "infra/sandbox/detail/execution.hpp"

#include "async/use_task.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

namespace asio = boost::asio;

namespace flowspan::infra::sandbox {

namespace {

using namespace std::chrono_literals;

// Memory can grow by some 50 MB between two looks; the kernel's own limits stand behind.
constexpr auto kWatchInterval = 25ms;
// Failure reports fit in this whatever the limit for results is.
constexpr std::size_t kReplyBytesMin = 65536;

/// The length in front of every message, little-endian.
std::array<char, 4> to_length(std::size_t size) {
    std::array<char, 4> bytes{};
    for (auto& byte : bytes) {
        byte = static_cast<char>(size & 0xFFU);
        size >>= 8U;
    }
    return bytes;
}

std::size_t from_length(const std::array<char, 4>& bytes) {
    std::size_t size = 0;
    for (auto byte = bytes.rbegin(); byte != bytes.rend(); ++byte) {
        size = (size << 8U) | static_cast<unsigned char>(*byte);
    }
    return size;
}

}  // namespace

Execution::Execution(LiveWorker& worker, const Limits& limits)
    : worker_(worker),
      limits_(limits),
      print_buffer_(std::make_unique<std::array<char, 65536>>()) {}

Task<Outcome> Execution::run(const std::string& request) {
    const auto executor = co_await async::this_executor();
    auto wall_end = real_clock().steady_now() + limits_.wall_time;
    auto wall_breach = Breach::wall_time;
    if (const auto deadline = executor.task()->deadline(); deadline && *deadline < wall_end) {
        wall_end = *deadline;
        wall_breach = Breach::deadline;
    }
    async::TaskGroup group(executor);
    group.spawn(
        [](Execution& self, async::TaskGroup& siblings, const std::string& text) {
            return self.exchange(siblings, text);
        },
        std::ref(*this),
        std::ref(group),
        std::cref(request)
    );
    group.spawn([](Execution& self) { return self.collect_printed(); }, std::ref(*this));
    group.spawn(
        [](Execution& self, SteadyTime end, Breach breach) { return self.watch(end, breach); },
        std::ref(*this),
        wall_end,
        wall_breach
    );
    co_await group.join();
    worker_.kill();
    if (outcome_.reply.empty() && outcome_.breach == Breach::none) {
        outcome_.end = co_await worker_.wait_end();
    }
    collect_rest();
    co_return std::move(outcome_);
}

Task<void> Execution::exchange(async::TaskGroup& group, const std::string& request) {
    boost::system::error_code code;
    const auto length = to_length(request.size());
    const std::array<asio::const_buffer, 2> message = {asio::buffer(length), asio::buffer(request)};
    co_await asio::async_write(
        worker_.data(), message, asio::redirect_error(async::use_task, code)
    );
    std::array<char, 4> reply_length{};
    if (!code && co_await read_exactly(reply_length.data(), reply_length.size())) {
        const auto size = from_length(reply_length);
        if (size > std::max(limits_.output_bytes + 1, kReplyBytesMin)) {
            stop(Breach::reply_size);
        } else {
            std::string reply(size, '\0');
            if (co_await read_exactly(reply.data(), size)) {
                outcome_.reply = std::move(reply);
            }
        }
    }
    // The watch and the collector have nothing to wait for any more.
    group.cancel();
}

Task<bool> Execution::read_exactly(char* target, std::size_t size) {
    boost::system::error_code code;
    co_await asio::async_read(
        worker_.data(), asio::buffer(target, size), asio::redirect_error(async::use_task, code)
    );
    if (code == asio::error::operation_aborted) {
        async::throw_cancelled();
    }
    co_return !code;
}

Task<void> Execution::collect_printed() {
    boost::system::error_code code;
    while (!code && outcome_.breach == Breach::none) {
        const auto size = co_await worker_.printed().async_read_some(
            asio::buffer(*print_buffer_), asio::redirect_error(async::use_task, code)
        );
        keep_printed(size);
    }
}

void Execution::collect_rest() {
    while (outcome_.breach == Breach::none) {
        const auto size =
            ::read(worker_.printed().native_handle(), print_buffer_->data(), print_buffer_->size());
        if (size <= 0) {
            return;
        }
        keep_printed(static_cast<std::size_t>(size));
    }
}

void Execution::keep_printed(std::size_t size) {
    const auto kept = std::min(size, limits_.printed_bytes - outcome_.printed.size());
    outcome_.printed.append(print_buffer_->data(), kept);
    printed_size_ += size;
    if (printed_size_ > limits_.output_bytes) {
        stop(Breach::printed);
    }
}

Task<void> Execution::watch(SteadyTime wall_end, Breach wall_breach) {
    while (outcome_.breach == Breach::none) {
        const auto left = wall_end - real_clock().steady_now();
        if (left <= 0ns) {
            stop(wall_breach);
            co_return;
        }
        co_await async::sleep(std::min<std::chrono::nanoseconds>(kWatchInterval, left));
        const auto usage = worker_.usage();
        if (!usage) {
            continue;
        }
        if (usage->resident_bytes > limits_.memory_bytes) {
            stop(Breach::memory);
        } else if (usage->processor_time > limits_.processor_time) {
            stop(Breach::processor_time);
        } else if (usage->threads > limits_.threads) {
            stop(Breach::threads);
        }
    }
}

void Execution::stop(Breach breach) {
    if (outcome_.breach == Breach::none) {
        outcome_.breach = breach;
        worker_.kill();
    }
}

}  // namespace flowspan::infra::sandbox
