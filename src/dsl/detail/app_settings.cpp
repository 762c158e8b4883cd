#include "dsl/detail/app_settings.hpp"

#include "dsl/data_reader.hpp"

#include <fmt/format.h>

#include <string_view>
#include <utility>

namespace flowspan::dsl::detail {

namespace {

// How many files a user may add where a file does not say.
constexpr int kFilesMaxDefault = 3;

// Files of before file variables switch uploads on under `image`.
void normalise_file_upload(json::object& upload) {
    const auto* image = upload.if_contains("image");
    if (image == nullptr || !image->is_object()) {
        return;
    }
    const auto* enabled = find_member(*image, "enabled");
    if (enabled == nullptr || to_boolean(*enabled) != true) {
        return;
    }
    const auto* limit = find_member(*image, "number_limits");
    const auto* methods = find_member(*image, "transfer_methods");
    // Copies, as adding members moves those that are there.
    json::value files_max = limit == nullptr ? json::value(kFilesMaxDefault) : *limit;
    json::value upload_methods =
        methods == nullptr ? json::value(json::array{"remote_url", "local_file"}) : *methods;
    upload["enabled"] = true;
    upload["number_limits"] = std::move(files_max);
    upload["allowed_file_upload_methods"] = std::move(upload_methods);
    upload.emplace("allowed_file_types", json::array{"image"});
    upload.emplace("allowed_file_extensions", json::array());
    upload.stable_erase("image");
}

bool is_enabled(const json::value& settings, std::string_view key) {
    const auto* part = find_member(settings, key);
    const auto* enabled = part == nullptr ? nullptr : find_member(*part, "enabled");
    return enabled != nullptr && to_boolean(*enabled) == true;
}

// Nobody should believe that a message or an answer is checked where it is not.
void warn_about_moderation(const json::value& features, Findings& findings) {
    const auto* moderation = find_member(features, "sensitive_word_avoidance");
    const auto* config = moderation == nullptr ? nullptr : find_member(*moderation, "config");
    if (config == nullptr || !is_enabled(features, "sensitive_word_avoidance")) {
        return;
    }
    if (is_enabled(*config, "inputs_config") || is_enabled(*config, "outputs_config")) {
        findings.warning(
            "app.feature_not_applied",
            "/workflow/features/sensitive_word_avoidance",
            "the feature `sensitive_word_avoidance` is not applied here: messages and answers are "
            "not checked"
        );
    }
}

void check_text(const json::value& model, std::string_view key, Findings& findings) {
    if (string_member(model, key).empty()) {
        findings.error(
            "app.invalid_model_config",
            fmt::format("/model_config/model/{}", key),
            fmt::format("`model_config.model.{}` is missing; name it there", key)
        );
    }
}

}  // namespace

json::value load_features(const json::value& workflow, Findings& findings) {
    const auto* given = find_member(workflow, "features");
    if (given == nullptr || given->is_null()) {
        return json::object();
    }
    if (!given->is_object()) {
        findings.error(
            "app.invalid_features",
            "/workflow/features",
            fmt::format("`workflow.features` must be a mapping, but is {}", describe_kind(*given))
        );
        return json::object();
    }
    auto features = given->get_object();
    if (auto* upload = features.if_contains("file_upload");
        upload != nullptr && upload->is_object()) {
        normalise_file_upload(upload->get_object());
    }
    warn_about_moderation(features, findings);
    return features;
}

json::value load_model_config(const json::value& file, Findings& findings) {
    const auto* config = find_member(file, "model_config");
    if (config == nullptr || !config->is_object()) {
        findings.error(
            "app.missing_model_config",
            "/model_config",
            "Missing model_config for chat/agent-chat/completion app: add the mapping "
            "`model_config`"
        );
        return {};
    }
    const auto* model = find_member(*config, "model");
    if (model == nullptr || !model->is_object()) {
        findings.error(
            "app.invalid_model_config",
            "/model_config/model",
            "`model_config.model` must be a mapping with `provider` and `name`"
        );
    } else {
        check_text(*model, "provider", findings);
        check_text(*model, "name", findings);
    }
    const auto prompt_type = string_member(*config, "prompt_type", "simple");
    if (prompt_type != "simple" && prompt_type != "advanced") {
        findings.error(
            "app.invalid_model_config",
            "/model_config/prompt_type",
            fmt::format("`prompt_type` must be `simple` or `advanced`, but is `{}`", prompt_type)
        );
    }
    const auto* form = find_member(*config, "user_input_form");
    if (form != nullptr && !form->is_null() && !form->is_array()) {
        findings.error(
            "app.invalid_model_config",
            "/model_config/user_input_form",
            fmt::format("`user_input_form` must be a list, but is {}", describe_kind(*form))
        );
    }
    return *config;
}

}  // namespace flowspan::dsl::detail
