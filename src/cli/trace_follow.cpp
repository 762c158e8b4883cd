#include "cli/trace_follow.hpp"

#include "export/lost_processes.hpp"
#include "export/stored_span.hpp"
#include "export/stored_trace.hpp"
#include "export/trace_label.hpp"
#include "export/trace_tree.hpp"
#include "flowspan/base/clock.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <ctime>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace flowspan::cli {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr milliseconds kPollDelay{100};
// A dead owner's spans never end by themselves.
constexpr milliseconds kOwnerCheckDelay{1000};

std::int64_t now_ns() {
    return std::chrono::duration_cast<nanoseconds>(real_clock().system_now().time_since_epoch())
        .count();
}

/// Blocks the signals that end the program while it lives, so that waiting can take them.
class SignalWait {
public:
    SignalWait() {
        sigemptyset(&set_);
        sigaddset(&set_, SIGINT);
        sigaddset(&set_, SIGTERM);
        pthread_sigmask(SIG_BLOCK, &set_, &before_);
    }

    ~SignalWait() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

    SignalWait(const SignalWait&) = delete;
    SignalWait& operator=(const SignalWait&) = delete;

    /// False if a signal came.
    [[nodiscard]] bool wait(milliseconds delay) const {
        const timespec timeout{
            .tv_sec = delay.count() / 1000, .tv_nsec = (delay.count() % 1000) * 1'000'000
        };
        return sigtimedwait(&set_, nullptr, &timeout) < 0;
    }

private:
    sigset_t set_{};
    sigset_t before_{};
};

/// The spans of one trace, kept up to date with what changed.
class FollowedTrace {
public:
    FollowedTrace(store::SpanStore& store, std::string trace_id)
        : store_(store), trace_id_(std::move(trace_id)) {}

    /// True if something changed.
    Result<bool> refresh() {
        FLOWSPAN_TRY(const auto change, store_.last_change());
        if (change == change_) {
            return false;
        }
        FLOWSPAN_TRY(const auto rows, store_.read_spans(trace_id_, change_));
        for (const auto& row : rows) {
            FLOWSPAN_TRY(auto record, exporting::read_stored_span(row.record));
            spans_.insert_or_assign(row.span_id, std::move(record));
        }
        // Of the changes after our look at the number some are read twice, none is missed.
        change_ = change;
        return !rows.empty();
    }

    [[nodiscard]] bool has_ended() const {
        return !spans_.empty() && std::ranges::none_of(spans_, [](const auto& entry) {
            return entry.second->is_open;
        });
    }

    /// Those that run last until `now`.
    [[nodiscard]] std::vector<exporting::SpanRecordPtr> spans(std::int64_t now) const {
        std::vector<exporting::SpanRecordPtr> spans;
        spans.reserve(spans_.size());
        for (const auto& [id, span] : spans_) {
            if (span->is_open) {
                span->duration_ns = std::max<std::int64_t>(0, now - span->start_ns);
            }
            spans.push_back(span);
        }
        return spans;
    }

private:
    store::SpanStore& store_;
    const std::string trace_id_;
    std::int64_t change_ = 0;
    std::map<std::string, std::shared_ptr<exporting::SpanRecord>, std::less<>> spans_;
};

using Spans = std::vector<exporting::SpanRecordPtr>;

/// Draws the tree over the one before.
class TreePainter {
public:
    void paint(const Spans& spans, bool is_last) {
        const auto terminal = Terminal::detect();
        exporting::TreeOptions tree;
        tree.width = terminal.width;
        tree.use_color = terminal.has_color;
        tree.use_unicode = terminal.has_unicode;
        auto text = exporting::render_trace_tree(spans, tree);
        if (!is_last) {
            text = last_lines(std::move(text), std::max<std::size_t>(2, terminal.height) - 1);
        }
        std::string out;
        if (lines_ > 0) {
            out = fmt::format("\x1b[{}A", lines_);
        }
        write_output(out + "\r\x1b[J" + text);
        lines_ = static_cast<std::size_t>(std::ranges::count(text, '\n'));
    }

private:
    // Lines above the screen cannot be drawn over; what happens now stands below.
    static std::string last_lines(std::string text, std::size_t lines_max) {
        auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n'));
        std::size_t from = 0;
        for (; lines > lines_max; --lines) {
            from = text.find('\n', from) + 1;
        }
        return text.substr(from);
    }

    std::size_t lines_ = 0;
};

/// One line for each start and each end, for pipes.
class LinePrinter {
public:
    void print(const Spans& spans) {
        std::multimap<std::int64_t, std::string> lines;
        for (const auto& span : spans) {
            origin_ns_ = origin_ns_ == 0 ? span->start_ns : std::min(origin_ns_, span->start_ns);
        }
        for (const auto& span : spans) {
            auto& state = states_[exporting::to_hex(span->span_id)];
            if (!std::exchange(state.has_started, true)) {
                lines.emplace(span->start_ns, line(*span, "start", span->start_ns));
            }
            if (!span->is_open && !std::exchange(state.has_ended, true)) {
                lines.emplace(span->end_ns(), line(*span, "end  ", span->end_ns()));
            }
        }
        for (const auto& [time, text] : lines) {
            write_output(text);
        }
    }

private:
    struct State {
        bool has_started = false;
        bool has_ended = false;
    };

    [[nodiscard]] std::string line(
        const exporting::SpanRecord& span, std::string_view what, std::int64_t time_ns
    ) const {
        exporting::TraceNode node;
        node.span = &span;
        node.has_failed = span.status() == opentelemetry::trace::StatusCode::kError;
        std::string label;
        for (const auto& piece : exporting::label_pieces(node, exporting::symbols(false))) {
            label += piece.text;
        }
        const double seconds = static_cast<double>(time_ns - origin_ns_) / 1e9;
        auto text = fmt::format("{:9.3f} s  {}  {}", seconds, what, label);
        if (!span.is_open && what != "start") {
            const auto& marks = exporting::symbols(false);
            text += fmt::format("  {}", exporting::duration_text(span.duration_ns, marks));
            const auto failure = exporting::failure_text(span);
            text += failure.empty() ? "" : "  " + failure;
        }
        return text + "\n";
    }

    std::map<std::string, State, std::less<>> states_;
    std::int64_t origin_ns_ = 0;
};

/// The newest running trace; empty once a signal came.
Result<std::string> wait_for_trace(store::SpanStore& store, const SignalWait& signals) {
    store::TraceFilter filter;
    filter.status = "running";
    filter.limit = 1;
    for (bool has_said = false;; has_said = true) {
        FLOWSPAN_TRY(const auto traces, store.list_traces(filter));
        if (!traces.empty()) {
            return traces.front().trace_id;
        }
        if (!has_said) {
            write_error("flowspan: nothing is running; waiting for a run\n");
        }
        if (!signals.wait(kPollDelay)) {
            return std::string();
        }
    }
}

class Follower {
public:
    Follower(store::SpanStore& store, std::string trace_id, const Terminal& terminal)
        : store_(store),
          trace_(store, std::move(trace_id)),
          is_terminal_(terminal.is_output_terminal) {}

    Result<ExitCode> follow(const SignalWait& signals) {
        auto checked_at = real_clock().steady_now();
        while (true) {
            const auto begun = real_clock().steady_now();
            if (begun - checked_at >= kOwnerCheckDelay) {
                checked_at = begun;
                static_cast<void>(exporting::close_lost_processes(store_, store_.options().path));
            }
            FLOWSPAN_TRY(const bool has_changed, trace_.refresh());
            const bool is_over = trace_.has_ended();
            show(has_changed, is_over);
            if (is_over) {
                return ExitCode::done;
            }
            // A trace that takes long to read and draw is looked at less often.
            const auto cost =
                std::chrono::duration_cast<milliseconds>(real_clock().steady_now() - begun);
            if (!signals.wait(std::max(kPollDelay, 4 * cost))) {
                return ExitCode::interrupted;
            }
        }
    }

private:
    void show(bool has_changed, bool is_over) {
        const auto spans = trace_.spans(now_ns());
        if (is_terminal_) {
            // Also without a change: the times of what runs grow.
            painter_.paint(spans, is_over);
        } else if (has_changed) {
            printer_.print(spans);
        }
    }

    store::SpanStore& store_;
    FollowedTrace trace_;
    const bool is_terminal_;
    TreePainter painter_;
    LinePrinter printer_;
};

}  // namespace

Result<ExitCode> follow_trace(
    store::SpanStore& store, const std::string& trace_id, const Terminal& terminal
) {
    const SignalWait signals;
    std::string found;
    if (trace_id.empty()) {
        FLOWSPAN_TRY(found, wait_for_trace(store, signals));
        if (found.empty()) {
            return ExitCode::interrupted;
        }
    } else {
        FLOWSPAN_TRY(auto trace, exporting::find_trace(store, trace_id));
        found = std::move(trace.trace_id);
    }
    return Follower(store, std::move(found), terminal).follow(signals);
}

}  // namespace flowspan::cli
