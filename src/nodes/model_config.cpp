#include "nodes/model_config.hpp"

#include "flowspan/base/text.hpp"
#include "nodes/variables.hpp"

#include <utility>

namespace flowspan::nodes {

namespace {

// Characters of a resolved parameter; longer ones are cut.
constexpr std::size_t kParameterTextMax = 1024;
// Files in records show this much of their data at both ends.
constexpr std::size_t kDataShown = 10;

std::vector<std::string> read_stop(const json::value& data) {
    std::vector<std::string> stop;
    if (data.is_string() && !data.get_string().empty()) {
        stop.emplace_back(data.get_string());
    } else if (const auto* list = data.if_array()) {
        for (const auto& item : *list) {
            if (item.is_string()) {
                stop.emplace_back(item.get_string());
            }
        }
    }
    return stop;
}

json::value parameter_value(std::string text) {
    text = code_point_prefix(text, kParameterTextMax);
    if (const auto parsed = parse_json(trim(text));
        parsed && (parsed->is_number() || parsed->is_bool())) {
        return *parsed;
    }
    return json::value(text);
}

std::string shorten(std::string_view data) {
    if (data.size() <= 2 * kDataShown) {
        return std::string(data);
    }
    return std::string(utf8_prefix(data, kDataShown)) + "..." +
           to_valid_utf8(data.substr(data.size() - kDataShown));
}

json::object record_of(const model::ChatMessage& message) {
    constexpr std::string_view kKinds[] = {"text", "image", "audio", "video", "document"};
    std::string text = message.text;
    json::array files;
    for (const auto& part : message.parts) {
        if (part.kind == model::ContentPart::Kind::text) {
            text += part.text;
            continue;
        }
        json::object file;
        file["type"] = kKinds[static_cast<std::size_t>(part.kind)];
        file["data"] = shorten(part.url);
        if (!part.detail.empty()) {
            file["detail"] = part.detail;
        }
        files.push_back(std::move(file));
    }
    return {{"role", message.role}, {"text", std::move(text)}, {"files", std::move(files)}};
}

}  // namespace

ModelConfig read_model_config(const dsl::DataReader& reader, std::string_view key) {
    const auto model = reader.required_object(key);
    ModelConfig config;
    if (!model.exists()) {
        return config;
    }
    config.ref = {model.required_text("provider"), model.required_text("name")};
    config.is_completion = model.text("mode", "chat") == "completion";
    for (const auto& parameter : model.members("completion_params")) {
        const auto& data = parameter.data();
        if (parameter.key() == "stop") {
            config.stop = read_stop(data);
        } else if (data.is_string() && value::TextTemplate(data.get_string()).references().size()) {
            config.templates.emplace_back(parameter.key(), value::TextTemplate(data.get_string()));
        } else if (!data.is_null()) {
            config.parameters[parameter.key()] = data;
        }
    }
    return config;
}

model::ChatRequest make_request(engine::NodeContext& context, const ModelConfig& config) {
    model::ChatRequest request;
    request.model = config.ref;
    request.parameters = config.parameters;
    for (const auto& [name, text] : config.templates) {
        request.parameters[name] = parameter_value(resolve(context, text));
    }
    request.stop = config.stop;
    request.is_completion = config.is_completion;
    request.user = context.run().user_id;
    return request;
}

void record_model(engine::NodeContext& context, const ModelConfig& config) {
    auto& inputs = context.record().inputs;
    inputs["model_provider"] = config.ref.provider;
    inputs["model_name"] = config.ref.name;
}

void record_prompts(
    engine::NodeContext& context,
    const ModelConfig& config,
    const std::vector<model::ChatMessage>& messages
) {
    json::array prompts;
    for (const auto& message : messages) {
        prompts.push_back(record_of(message));
    }
    auto& data = context.record().process_data;
    data["model_mode"] = config.is_completion ? "completion" : "chat";
    data["prompts"] = std::move(prompts);
    data["model_provider"] = config.ref.provider;
    data["model_name"] = config.ref.name;
}

void record_reply(
    engine::NodeContext& context, const ModelConfig& config, const model::ChatReply& reply
) {
    auto& record = context.record();
    const auto& usage = reply.usage;
    record.process_data["usage"] = usage.to_json();
    record.process_data["finish_reason"] =
        reply.finish_reason ? json::value(*reply.finish_reason) : json::value();
    record.metadata["total_tokens"] = usage.total_tokens();
    record.metadata["total_price"] = usage.total_price();
    record.metadata["currency"] = usage.currency;
    engine::ModelFacts facts;
    facts.provider = config.ref.provider;
    facts.model = config.ref.name;
    facts.prompt_tokens = usage.prompt_tokens;
    facts.completion_tokens = usage.completion_tokens;
    facts.total_price = usage.total_price();
    facts.currency = usage.currency;
    facts.finish_reason = reply.finish_reason.value_or(std::string());
    facts.time_to_first_token = usage.time_to_first_token;
    record.facts = std::move(facts);
}

Error as_model_error(Error error) {
    if (!error.type.empty()) {
        return error;
    }
    switch (error.code) {
        case ErrorCode::unauthorized:
            error.type = "InvokeAuthorizationError";
            break;
        case ErrorCode::rate_limited:
            error.type = "InvokeRateLimitError";
            break;
        case ErrorCode::timeout:
        case ErrorCode::unavailable:
            error.type = "InvokeConnectionError";
            break;
        case ErrorCode::remote_failure:
            error.type = "InvokeServerUnavailableError";
            break;
        case ErrorCode::invalid_input:
            error.type = "InvokeBadRequestError";
            break;
        case ErrorCode::not_found:
            error.type = "ModelNotExistError";
            break;
        default:
            error.type = "InvokeError";
            break;
    }
    return error;
}

}  // namespace flowspan::nodes
