#include "export/otlp_file_sink.hpp"

#include "export/otlp_json.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace flowspan::exporting {

namespace {

std::string system_words(int error_number) {
    return std::system_category().message(error_number);
}

class OtlpFileSink final : public SpanSink {
public:
    OtlpFileSink(std::string path, int descriptor)
        : name_(descriptor == STDERR_FILENO ? "console" : fmt::format("file {}", path)),
          descriptor_(descriptor) {}

    ~OtlpFileSink() override { close_file(); }

    [[nodiscard]] std::string_view name() const noexcept override { return name_; }

    void begin(const ExportResource& resource) override { resource_ = resource; }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override {
        line_.clear();
        append_otlp_json(line_, resource_, batch);
        line_ += '\n';
        std::string_view rest = line_;
        while (!rest.empty()) {
            const auto written = ::write(descriptor_, rest.data(), rest.size());
            if (written < 0 && errno != EINTR) {
                return failure(
                    ErrorCode::execution_failed,
                    fmt::format("cannot write: {}", system_words(errno))
                );
            }
            rest.remove_prefix(written < 0 ? 0 : static_cast<std::size_t>(written));
        }
        return ExportReceipt{};
    }

    [[nodiscard]] Result<void> close() override {
        if (close_file() != 0) {
            return failure(
                ErrorCode::execution_failed, fmt::format("cannot close: {}", system_words(errno))
            );
        }
        return {};
    }

private:
    int close_file() noexcept {
        const int descriptor = std::exchange(descriptor_, -1);
        return descriptor < 0 || descriptor == STDERR_FILENO ? 0 : ::close(descriptor);
    }

    const std::string name_;
    int descriptor_;
    ExportResource resource_;
    std::string line_;
};

}  // namespace

Result<std::shared_ptr<SpanSink>> make_otlp_file_sink(const std::string& path) {
    if (path == "-") {
        return std::make_shared<OtlpFileSink>(path, STDERR_FILENO);
    }
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (descriptor < 0) {
        return failure(
            ErrorCode::invalid_input,
            fmt::format("cannot open {} for the trace: {}", path, system_words(errno))
        );
    }
    return std::make_shared<OtlpFileSink>(path, descriptor);
}

}  // namespace flowspan::exporting
