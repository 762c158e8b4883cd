#include "export/otlp_sink.hpp"

#include "export/otlp_client.hpp"
#include "export/otlp_json.hpp"
#include "export/otlp_protobuf.hpp"

#include <utility>

namespace flowspan::exporting {

namespace {

class OtlpSink final : public SpanSink {
public:
    OtlpSink(OtlpConfig config, const OtlpTarget& target, std::string_view name)
        : client_(std::move(config), target, OtlpSignal::traces, name) {}

    [[nodiscard]] std::string_view name() const noexcept override { return client_.name(); }

    void begin(const ExportResource& resource) override { resource_ = resource; }

    [[nodiscard]] Result<ExportReceipt> export_spans(SpanBatch batch) override {
        std::string body(client_.prefix_bytes(), '\0');
        if (client_.protocol() == OtlpProtocol::http_json) {
            append_otlp_json(body, resource_, batch);
        } else {
            append_otlp_protobuf(body, resource_, batch);
        }
        return client_.send(std::move(body));
    }

    [[nodiscard]] std::chrono::milliseconds retry_after() const noexcept override {
        return client_.retry_after();
    }

    void cancel() noexcept override { client_.cancel(); }

private:
    OtlpClient client_;
    ExportResource resource_;
};

}  // namespace

Result<std::shared_ptr<SpanSink>> make_otlp_sink(OtlpConfig config, std::string_view name) {
    FLOWSPAN_TRY(const auto target, resolve_target(config));
    return std::make_shared<OtlpSink>(std::move(config), target, name);
}

}  // namespace flowspan::exporting
