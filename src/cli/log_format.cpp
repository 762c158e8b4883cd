#include "cli/log_format.hpp"

#include "flowspan/trace/run_scope.hpp"
#include "trace/log_lines.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <string_view>
#include <utility>

namespace flowspan::cli {

namespace {

/// The message, redacted by the rules of the running task's run.
class RedactedMessage final : public spdlog::custom_flag_formatter {
public:
    explicit RedactedMessage(std::shared_ptr<const trace::Redactor> outside_runs)
        : outside_runs_(std::move(outside_runs)) {}

    void format(
        const spdlog::details::log_msg& message, const std::tm& /*time*/, spdlog::memory_buf_t& out
    ) override {
        const std::string_view text(message.payload.data(), message.payload.size());
        const auto scope = trace::current_run_scope();
        const auto cleaned = scope != nullptr && scope->redactor != nullptr
                                 ? scope->redactor->redact(text)
                                 : outside_runs_->redact(text);
        const std::string_view shown = cleaned ? std::string_view(*cleaned) : text;
        out.append(shown.data(), shown.data() + shown.size());
    }

    [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<RedactedMessage>(outside_runs_);
    }

private:
    std::shared_ptr<const trace::Redactor> outside_runs_;  // owners: all copies of the format
};

}  // namespace

void set_log_format(const std::shared_ptr<const trace::Redactor>& redactor) {
    spdlog::pattern_formatter::custom_flags flags;
    flags['*'] = std::make_unique<RedactedMessage>(redactor);
    flags['&'] = trace::make_span_flag();
    spdlog::set_formatter(std::make_unique<spdlog::pattern_formatter>(
        "flowspan: %*%&",
        spdlog::pattern_time_type::local,
        spdlog::details::os::default_eol,
        std::move(flags)
    ));
}

}  // namespace flowspan::cli
