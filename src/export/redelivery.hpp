#pragma once
// Redelivery: what crashed processes could not send goes to the receivers that they had.

#include "flowspan/base/clock.hpp"
#include "flowspan/export/telemetry_config.hpp"

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace flowspan::exporting {

/// Works once, on a thread of its own: closes the spans of lost processes in the store, then sends
/// each crashed process's spans, those that it had not sent and those that were interrupted, to its
/// receivers, as far as this process has them too (by their name). What arrived is settled in the
/// store's books; what did not is left for the next program. A span may arrive twice if the process
/// crashed between sending it and noting that.
class Redelivery {
public:
    using MakeSinks = std::function<std::vector<std::shared_ptr<SpanSink>>()>;

    /// `make_sinks` is called for each crashed process, on the thread.
    Redelivery(std::string store_path, BatchConfig batch, MakeSinks make_sinks);
    ~Redelivery();
    Redelivery(const Redelivery&) = delete;
    Redelivery& operator=(const Redelivery&) = delete;

    /// Waits for it, but gives up soon after the deadline.
    void finish(SteadyTime deadline);

private:
    struct State;
    class Worker;
    std::shared_ptr<State> state_;  // owners: this and the thread
    std::thread thread_;
};

}  // namespace flowspan::exporting
