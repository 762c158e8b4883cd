#include "cli/interrupt.hpp"

#include "cli/options.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

#include <atomic>
#include <csignal>
#include <utility>

namespace flowspan::cli {

struct InterruptWatch::State : std::enable_shared_from_this<State> {
    State(const async::TaskExecutor& executor, std::function<void(const std::string&)> handler)
        : loop(executor),
          signals(executor.inner(), SIGINT, SIGTERM),
          on_signal(std::move(handler)) {}

    void wait() {
        signals.async_wait([self = shared_from_this(
                            )](const boost::system::error_code& code, int number) {
            if (code) {
                return;
            }
            if (self->interrupted.exchange(true)) {
                // The orderly way was asked for before and takes too long.
                std::_Exit(static_cast<int>(ExitCode::interrupted));
            }
            self->wait();
            self->on_signal(number == SIGTERM ? "SIGTERM" : "SIGINT");
        });
    }

    async::TaskExecutor loop;
    boost::asio::signal_set signals;
    std::function<void(const std::string&)> on_signal;
    std::atomic<bool> interrupted = false;
};

InterruptWatch::InterruptWatch(
    const async::TaskExecutor& executor, std::function<void(const std::string&)> on_signal
)
    : state_(std::make_shared<State>(executor, std::move(on_signal))) {
    state_->wait();
}

InterruptWatch::~InterruptWatch() {
    // On its own loop: signal sets are not made for two threads at once.
    boost::asio::post(state_->loop, [state = state_] { state->signals.cancel(); });
}

bool InterruptWatch::was_interrupted() const noexcept {
    return state_->interrupted.load();
}

}  // namespace flowspan::cli
