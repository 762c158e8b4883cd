#pragma once
// trace_span<Handler>: a span around any function or coroutine, described by a handler.

#include "flowspan/async/task.hpp"
#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/tracer.hpp"

#include <opentelemetry/trace/span_startoptions.h>

#include <exception>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace flowspan::trace {

namespace detail {

template <class T>
struct TaskTraits : std::false_type {};

template <class T>
struct TaskTraits<Task<T>> : std::true_type {
    using Value = T;
};

template <class T>
struct ResultTraits : std::false_type {};

template <class T>
struct ResultTraits<Result<T>> : std::true_type {};

template <class Handler>
opentelemetry::trace::SpanKind span_kind() {
    if constexpr (requires { Handler::kKind; }) {
        return Handler::kKind;
    } else {
        return opentelemetry::trace::SpanKind::kInternal;
    }
}

/// What the handler holds around its span; nothing for most.
template <class Handler, class... Arguments>
auto enter(const Handler& handler, const Arguments&... arguments) {
    if constexpr (requires { handler.enter(arguments...); }) {
        return handler.enter(arguments...);
    } else {
        return std::monostate();
    }
}

struct NothingHeld {};

/// What the handler holds inside of its span; nothing for most.
template <class Handler, class... Arguments>
auto hold(const Handler& handler, const SpanPtr& span, Arguments&... arguments) {
    if constexpr (requires { handler.hold(span, arguments...); }) {
        return handler.hold(span, arguments...);
    } else {
        return NothingHeld();
    }
}

/// Calls with what is held as the last argument if `callable` takes it.
template <class Callable, class Held, class... Arguments>
decltype(auto) invoke_holding(const Callable& callable, Held& held, Arguments&&... arguments) {
    constexpr bool kIsHeld = !std::is_same_v<Held, NothingHeld>;
    if constexpr (kIsHeld && std::is_invocable_v<const Callable&, Arguments..., Held&>) {
        return std::invoke(callable, std::forward<Arguments>(arguments)..., held);
    } else {
        return std::invoke(callable, std::forward<Arguments>(arguments)...);
    }
}

/// The span of one call: started current, ended exactly once, also when the call throws.
template <class Handler>
class CallSpan {
public:
    template <class... Arguments>
    explicit CallSpan(const Handler& handler, const Arguments&... arguments)
        : handler_(handler),
          span_(start(handler, arguments...)),
          is_recording_(span_->IsRecording()),
          current_(context_with(span_)) {
        if (is_recording_) {
            if constexpr (requires { handler.on_start(*span_, arguments...); }) {
                handler.on_start(*span_, arguments...);
            }
        }
    }

    ~CallSpan() { span_->End(); }

    [[nodiscard]] const SpanPtr& span() const noexcept { return span_; }

    CallSpan(const CallSpan&) = delete;
    CallSpan& operator=(const CallSpan&) = delete;

    template <class T>
    void finish(T& result) {
        if (!is_recording_) {
            return;
        }
        if constexpr (ResultTraits<std::remove_cvref_t<T>>::value) {
            if (!result.has_value()) {
                record_error(*span_, result.error());
                if constexpr (requires { handler_.on_error(*span_, result.error()); }) {
                    handler_.on_error(*span_, result.error());
                }
                return;
            }
        }
        if constexpr (requires { handler_.on_result(*span_, result); }) {
            handler_.on_result(*span_, result);
        }
    }

    void finish() {
        if constexpr (requires { handler_.on_result(*span_); }) {
            if (is_recording_) {
                handler_.on_result(*span_);
            }
        }
    }

    void fail(const std::exception_ptr& exception) {
        record_exception(*span_, exception);
        if constexpr (requires { handler_.on_exception(*span_, exception); }) {
            handler_.on_exception(*span_, exception);
        }
    }

private:
    template <class... Arguments>
    static SpanPtr start(const Handler& handler, const Arguments&... arguments) {
        opentelemetry::trace::StartSpanOptions options;
        options.kind = span_kind<Handler>();
        // A handler may give a view, a reference or a string of its own.
        const auto& name = handler.span_name(arguments...);
        const std::string_view view(name);
        return tracer().StartSpan({view.data(), view.size()}, options);
    }

    const Handler& handler_;
    SpanPtr span_;
    bool is_recording_;  // as long as nobody but this ends the span; asking it takes a lock
    CurrentContext current_;
};

}  // namespace detail

/// A callable that wraps another one in a span. Made by trace_span().
///
/// `Handler` describes the span. Only `span_name` is required; the hooks run for spans that record:
///
/// - `span_name(arguments...)`: text of low cardinality.
/// - `kKind`: a SpanKind, internal if absent.
/// - `enter(arguments...)`: makes what is held around the span, such as a scope that the span
///   starts in; it goes after the span has ended.
/// - `hold(span_ptr, arguments...)`: makes what lives inside of the span, from before the call
/// until
///   before its result is read. A callable that takes it as one more argument gets it.
/// - `on_start(span, arguments...)`: reads the arguments.
/// - `on_result(span, value)`: reads what was returned; for Result<T> the whole Result, if it holds
///   a value.
/// - `on_error(span, error)`: a Result that failed.
/// - `on_exception(span, exception_ptr)`: the call threw.
///
/// Status, error.type and the exception event are written by the wrapper. A coroutine's span is
/// current in its whole task across suspensions and ends when it is done. While tracing is off the
/// call goes straight through. The wrapper must outlive the tasks it returns; lvalue arguments must
/// too, rvalues are moved into the task.
template <class Handler, class Callable>
class TracedCallable {
public:
    TracedCallable(Handler handler, Callable callable)
        : handler_(std::move(handler)), callable_(std::move(callable)) {}

    template <class... Arguments>
        requires std::is_invocable_v<const Callable&, Arguments...>
    auto operator()(Arguments&&... arguments) const
        -> std::invoke_result_t<const Callable&, Arguments...> {
        using R = std::invoke_result_t<const Callable&, Arguments...>;
        if (!is_tracing_enabled()) {
            return std::invoke(callable_, std::forward<Arguments>(arguments)...);
        }
        if constexpr (detail::TaskTraits<R>::value) {
            // Arguments is T& for lvalues and T for rvalues: by reference or moved into the frame.
            return run_task<R, Arguments...>(*this, std::forward<Arguments>(arguments)...);
        } else {
            return run<R>(std::forward<Arguments>(arguments)...);
        }
    }

private:
    template <class R, class... Arguments>
    static R run_task(const TracedCallable& self, Arguments... arguments) {
        using T = typename detail::TaskTraits<R>::Value;
        [[maybe_unused]] const auto held = detail::enter(self.handler_, arguments...);
        detail::CallSpan<Handler> span(self.handler_, arguments...);
        std::exception_ptr exception;
        try {
            if constexpr (std::is_void_v<T>) {
                {
                    [[maybe_unused]] auto within =
                        detail::hold(self.handler_, span.span(), arguments...);
                    co_await detail::invoke_holding(
                        self.callable_, within, static_cast<Arguments&&>(arguments)...
                    );
                }
                span.finish();
                co_return;
            } else {
                std::optional<T> result;
                {
                    [[maybe_unused]] auto within =
                        detail::hold(self.handler_, span.span(), arguments...);
                    result.emplace(co_await detail::invoke_holding(
                        self.callable_, within, static_cast<Arguments&&>(arguments)...
                    ));
                }
                span.finish(*result);
                co_return *std::move(result);
            }
        } catch (...) {
            exception = std::current_exception();
        }
        span.fail(exception);
        std::rethrow_exception(exception);
    }

    template <class R, class... Arguments>
    R run(Arguments&&... arguments) const {
        [[maybe_unused]] const auto held = detail::enter(handler_, std::as_const(arguments)...);
        detail::CallSpan<Handler> span(handler_, std::as_const(arguments)...);
        try {
            if constexpr (std::is_void_v<R>) {
                call(span.span(), std::forward<Arguments>(arguments)...);
                span.finish();
            } else if constexpr (std::is_reference_v<R>) {
                R result = call(span.span(), std::forward<Arguments>(arguments)...);
                span.finish(result);
                return static_cast<R>(result);
            } else {
                R result = call(span.span(), std::forward<Arguments>(arguments)...);
                span.finish(result);
                return result;
            }
        } catch (...) {
            span.fail(std::current_exception());
            throw;
        }
    }

    template <class... Arguments>
    decltype(auto) call(const SpanPtr& span, Arguments&&... arguments) const {
        [[maybe_unused]] auto within = detail::hold(handler_, span, arguments...);
        return detail::invoke_holding(callable_, within, std::forward<Arguments>(arguments)...);
    }

    Handler handler_;
    Callable callable_;
};

/// Wraps `callable` (function, member function, functor with overloads, lambda).
template <class Handler, class Callable, class... HandlerArguments>
[[nodiscard]] auto trace_span(Callable&& callable, HandlerArguments&&... handler_arguments) {
    return TracedCallable<Handler, std::decay_t<Callable>>(
        Handler(std::forward<HandlerArguments>(handler_arguments)...),
        std::forward<Callable>(callable)
    );
}

}  // namespace flowspan::trace
