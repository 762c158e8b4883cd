#pragma once
// For tests of this room: records ended spans in memory with the stock SDK.

#include "flowspan/trace/context_storage.hpp"
#include "flowspan/trace/tracer.hpp"

#include <opentelemetry/exporters/memory/in_memory_span_data.h>
#include <opentelemetry/exporters/memory/in_memory_span_exporter_factory.h>
#include <opentelemetry/sdk/trace/simple_processor_factory.h>
#include <opentelemetry/sdk/trace/tracer_provider_factory.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace flowspan::trace {

/// Tracing is on while one lives.
class SpanRecording {
public:
    using SpanData = opentelemetry::sdk::trace::SpanData;

    SpanRecording() {
        install_context_storage();
        namespace sdk = opentelemetry::sdk::trace;
        auto exporter =
            opentelemetry::exporter::memory::InMemorySpanExporterFactory::Create(data_, 100000);
        std::shared_ptr<opentelemetry::trace::TracerProvider> provider =
            sdk::TracerProviderFactory::Create(
                sdk::SimpleSpanProcessorFactory::Create(std::move(exporter))
            );
        set_tracer_provider(provider);
    }

    ~SpanRecording() { set_tracer_provider({}); }

    SpanRecording(const SpanRecording&) = delete;
    SpanRecording& operator=(const SpanRecording&) = delete;

    /// Spans that ended since the last call, in order of their end.
    std::vector<std::unique_ptr<SpanData>> take() { return data_->GetSpans(); }

private:
    std::shared_ptr<opentelemetry::exporter::memory::InMemorySpanData> data_;
};

}  // namespace flowspan::trace
