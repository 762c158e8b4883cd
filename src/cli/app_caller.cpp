#include "cli/app_caller.hpp"

#include "cli/app_environment.hpp"
#include "flowspan/async/pools.hpp"
#include "flowspan/value/value.hpp"
#include "service/loaded_app.hpp"

#include <fmt/format.h>

#include <utility>

namespace flowspan::cli {

namespace {

// What streams inside of a tool is nobody's answer.
class NoConsumer final : public engine::EventSink {
public:
    void on_event(const engine::Event& /*event*/) override {}
};

service::GenerateRequest make_request(
    std::shared_ptr<const service::LoadedApp> app, tools::WorkflowCall call
) {
    service::GenerateRequest request;
    request.app = std::move(app);
    if (const auto* query = call.inputs.if_contains("query")) {
        request.query = value::python_str(*query);
    }
    request.inputs = std::move(call.inputs);
    request.user = call.context.user_id;
    request.call_depth = call.context.call_depth + 1;
    return request;
}

}  // namespace

void AppCaller::connect(service::AppGenerateService& service, const engine::NodeFactory& factory) {
    service_ = &service;
    factory_ = &factory;
}

Result<AppCaller::AppPtr> AppCaller::load(const std::string& file) {
    {
        const std::lock_guard lock(mutex_);
        if (const auto found = apps_.find(file); found != apps_.end()) {
            return found->second;
        }
    }
    auto check = service::check_app_file(file, *factory_);
    if (!check.app) {
        const auto reason = check.problems.empty() ? std::string("it is no app that can be run")
                                                   : check.problems.front().message;
        return failure(ErrorCode::invalid_input, fmt::format("app `{}`: {}", file, reason));
    }
    FLOWSPAN_TRY(auto app, with_environment(std::move(check.app), environment_, {}, {}));
    const std::lock_guard lock(mutex_);
    return apps_.emplace(file, std::move(app)).first->second;
}

Task<Result<tools::WorkflowReply>> AppCaller::call(tools::WorkflowCall call) {
    if (service_ == nullptr) {
        co_return failure(ErrorCode::unsupported, "apps cannot be run here");
    }
    FLOWSPAN_CO_TRY(auto app, co_await async::on_blocking([this, &call] {
                        return load(call.app_file);
                    }));
    const auto request = make_request(std::move(app), std::move(call));
    NoConsumer consumer;
    FLOWSPAN_CO_TRY(auto result, co_await service_->generate(request, consumer));
    auto& run = result.run;
    if (run.error) {
        co_return failure(*std::move(run.error));
    }
    if (run.status != engine::RunStatus::succeeded &&
        run.status != engine::RunStatus::partial_succeeded) {
        co_return failure(
            ErrorCode::unsupported,
            fmt::format("the app ended as {}", engine::to_string(run.status))
        );
    }
    co_return tools::WorkflowReply{
        std::move(run.outputs), {run.total_tokens, run.total_price, run.currency}
    };
}

}  // namespace flowspan::cli
