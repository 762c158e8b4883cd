#include "export/process_resource.hpp"

#include "flowspan/base/clock.hpp"
#include "flowspan/trace/names.hpp"
#include "flowspan/trace/tracer.hpp"

#include <opentelemetry/sdk/version/version.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>

namespace flowspan::exporting {

namespace {

std::string host_name() {
    std::array<char, 256> name{};
    return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
}

}  // namespace

ExportResource make_process_resource(const TelemetryConfig& config) {
    namespace names = trace::names;
    ExportResource resource;
    resource.schema_url = trace::kSchemaUrl;
    const auto set = [&resource](ResourceAttribute attribute) {
        auto& all = resource.attributes;
        const auto found = std::ranges::find(all, attribute.name, &ResourceAttribute::name);
        if (found != all.end()) {
            found->value = std::move(attribute.value);
        } else {
            all.push_back(std::move(attribute));
        }
    };
    set({names::kServiceName, config.service_name});
    if (!config.service_version.empty()) {
        set({names::kServiceVersion, config.service_version});
    }
    set({names::kServiceInstanceId, make_uuid(real_random())});
    set({names::kHostName, host_name()});
    set({names::kProcessPid, static_cast<std::int64_t>(::getpid())});
    set({names::kTelemetrySdkName, std::string("opentelemetry")});
    set({names::kTelemetrySdkLanguage, std::string("cpp")});
    set({names::kTelemetrySdkVersion, std::string(OPENTELEMETRY_SDK_VERSION)});
    for (const auto& attribute : config.resource) {
        set(attribute);
    }
    return resource;
}

}  // namespace flowspan::exporting
