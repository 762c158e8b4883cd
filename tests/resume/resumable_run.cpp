#include "tests/resume/resumable_run.hpp"

#include "cli/program.hpp"
#include "flowspan/async/runtime.hpp"
#include "service/form_answer.hpp"
#include "service/loaded_app.hpp"

#include <opentelemetry/context/runtime_context.h>

#include <utility>

namespace flowspan::resume {

namespace {

class HookedEvents final : public engine::EventSink {
public:
    HookedEvents(const EventHook& hook, engine::RunControl control)
        : hook_(hook), control_(std::move(control)) {}

    void on_event(const engine::Event& event) override {
        ++count;
        if (hook_) {
            hook_(event, count, control_);
        }
    }

    int count = 0;

private:
    const EventHook& hook_;
    engine::RunControl control_;
};

cli::Config make_config(const PartOptions& options) {
    cli::Config config;
    auto& endpoint = config.models.default_endpoint.emplace();
    endpoint.base_url = options.model_url + "/v1";
    endpoint.provider_name = "scripted";
    return config;
}

Part describe(const Result<service::GenerateResult>& generated, const HookedEvents& events) {
    Part part;
    part.event_count = events.count;
    if (!generated) {
        part.status = "refused: " + generated.error().full_text();
        return part;
    }
    part.status = engine::to_string(generated->run.status);
    part.outputs = to_json_text(generated->run.outputs);
    part.total_tokens = generated->run.total_tokens;
    if (generated->paused) {
        part.paused = *generated->paused;
    }
    return part;
}

Part refuse(const Error& error) {
    Part part;
    part.status = "refused: " + error.full_text();
    return part;
}

Task<Part> start_in(
    cli::Program* program, const std::string* app_file, const PartOptions* options
) {
    const auto caller =
        opentelemetry::context::RuntimeContext::Attach(trace::extract(options->headers));
    const auto check = service::check_app_file(*app_file, program->factory());
    service::GenerateRequest request;
    request.app = check.app;
    request.query = "weather";
    request.invoke_from = "test";
    request.keeper = options->keeper;
    HookedEvents events(options->hook, request.control);
    const auto generated = co_await program->generate_service().generate(request, events);
    co_return describe(generated, events);
}

Result<json::object> answer_all(const engine::RunSnapshot& snapshot) {
    json::object answers;
    for (const auto& form : service::waiting_forms(snapshot)) {
        FLOWSPAN_TRY(
            auto answer, service::check_form_answer(form, "yes", {{"comment", "all right"}})
        );
        answers[string_member(form, "form_id")] = std::move(answer);
    }
    return answers;
}

Task<Part> resume_in(cli::Program* program, const std::string* text, const PartOptions* options) {
    auto paused = service::parse_paused_run(*text);
    if (!paused) {
        co_return refuse(paused.error());
    }
    const auto check =
        service::check_app_text(paused->app_source, paused->app_file, program->factory());
    service::ResumeRequest request;
    request.app = check.app;
    auto answers = answer_all(*paused->run);
    if (!answers) {
        co_return refuse(answers.error());
    }
    request.answers = *std::move(answers);
    request.paused = *std::move(paused);
    request.keeper = options->keeper;
    HookedEvents events(options->hook, request.control);
    const auto generated = co_await program->generate_service().resume(request, events);
    co_return describe(generated, events);
}

}  // namespace

Part start_run(const std::string& app_file, const PartOptions& options) {
    cli::Program program(make_config(options));
    return program.runtime().block_on(start_in, &program, &app_file, &options);
}

Part resume_run(const std::string& paused_text, const PartOptions& options) {
    cli::Program program(make_config(options));
    return program.runtime().block_on(resume_in, &program, &paused_text, &options);
}

Part run_to_the_end(Part part, const PartOptions& options) {
    while (part.paused) {
        part = resume_run(to_json_text(service::to_json(*part.paused)), options);
    }
    return part;
}

}  // namespace flowspan::resume
