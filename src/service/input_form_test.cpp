#include "service/input_form.hpp"

#include <gtest/gtest.h>

#include <string>

namespace flowspan::service {
namespace {

dsl::Graph graph_with(std::string_view field) {
    dsl::NodeSpec start;
    start.id = "s";
    start.type = "start";
    start.data = *parse_json(R"({"variables":[)" + std::string(field) + "]}");
    dsl::Graph graph;
    graph.root_id = "s";
    graph.nodes.push_back(std::move(start));
    return graph;
}

struct Case {
    std::string field;
    std::string inputs;
    std::string expected;  ///< JSON of the variable, or the error text
};

class InputForm : public ::testing::TestWithParam<Case> {};

TEST_P(InputForm, ChecksOneField) {
    const auto& [field, inputs, expected] = GetParam();
    const auto checked = validate_inputs(graph_with(field), parse_json(inputs)->get_object());
    if (checked) {
        ASSERT_EQ(checked->size(), 1U);
        EXPECT_EQ(to_json_text(checked->front().value.json()), expected);
    } else {
        EXPECT_EQ(checked.error().message, expected);
        EXPECT_EQ(checked.error().code, ErrorCode::invalid_input);
    }
}

constexpr auto kText = R"({"variable":"a","label":"A","type":"text-input","max_length":3})";
constexpr auto kRequired = R"({"variable":"a","label":"A","type":"paragraph","required":true})";
constexpr auto kNumber = R"({"variable":"n","label":"N","type":"number"})";
constexpr auto kSelect = R"({"variable":"c","label":"C","type":"select","options":["x","y"]})";
constexpr auto kFlag = R"({"variable":"f","label":"F","type":"checkbox"})";
constexpr auto kFile = R"({"variable":"d","label":"D","type":"file"})";
constexpr auto kFiles = R"({"variable":"l","label":"L","type":"file-list","max_length":1})";
constexpr auto kImage =
    R"({"variable":"p","label":"P","type":"file","allowed_file_types":["image"]})";
constexpr auto kTwoUrls = R"({"variable":"l","label":"L","type":"file-list","number_limits":2,)"
                          R"("allowed_file_upload_methods":["remote_url"]})";
constexpr auto kJson = R"({"variable":"j","label":"J","type":"json_object"})";
constexpr auto kDefault = R"({"variable":"a","label":"A","type":"text-input","default":"d"})";

INSTANTIATE_TEST_SUITE_P(
    Table,
    InputForm,
    ::testing::Values(
        Case{kText, R"({"a":"abc"})", R"("abc")"},
        Case{kText, R"({})", "null"},
        Case{kText, R"({"a":"abcd"})", "a in input form must be less than 3 characters"},
        Case{kText, R"({"a":5})", "(type 'text-input') a in input form must be a string"},
        Case{kRequired, R"({})", "a is required in input form"},
        Case{kRequired, R"({"a":"x\u0000y"})", R"("xy")"},
        Case{kDefault, R"({})", R"("d")"},
        Case{kNumber, R"({"n":" 5 "})", "5"},
        Case{kNumber, R"({"n":"5.5"})", "5.5E0"},
        Case{kNumber, R"({"n":""})", "null"},
        Case{kNumber, R"({"n":"x"})", "n in input form must be a valid number"},
        Case{kSelect, R"({"c":"y"})", R"("y")"},
        Case{kSelect, R"({"c":"z"})", "c in input form must be one of the following: ['x', 'y']"},
        Case{kFlag, R"({"f":"YES"})", "true"},
        Case{kFlag, R"({"f":0})", "false"},
        Case{kFlag, R"({"f":"maybe"})", R"("maybe")"},
        Case{kFile, R"({"d":"x"})", "d in input form must be a file"},
        Case{kFile, R"({"d":{"type":"image"}})", "transfer_method is required in file mapping"},
        Case{kFiles, R"({"l":{}})", "l in input form must be a list of files"},
        Case{
            kFiles,
            R"({"l":[{"transfer_method":"remote_url","url":"http://h/a.png"},)"
            R"({"transfer_method":"remote_url","url":"http://h/b.png"}]})",
            "l in input form must be less than 1 files"
        },
        Case{
            kImage,
            R"({"p":{"transfer_method":"remote_url","url":"http://h/a.pdf"}})",
            "File validation failed for file: a.pdf (it is of type document with extension `.pdf`; "
            "p takes: image)"
        },
        Case{
            kTwoUrls,
            R"({"l":[{"transfer_method":"local_file","upload_file_id":"1","filename":"a.png"}]})",
            "File validation failed for file: a.png (it comes as local_file; l takes: remote_url)"
        },
        Case{
            kTwoUrls,
            R"({"l":[{"transfer_method":"remote_url","url":"http://h/a"},)"
            R"({"transfer_method":"remote_url","url":"http://h/b"},)"
            R"({"transfer_method":"remote_url","url":"http://h/c"}]})",
            "l in input form must be less than 2 files"
        },
        Case{kJson, R"({"j":"{\"k\":1}"})", R"({"k":1})"},
        Case{kJson, R"({"j":[1]})", "j in input form must be a dict"}
    )
);

dsl::Graph graph_of(std::string_view type, std::string_view data) {
    auto graph = graph_with("");
    graph.nodes[0].type = type;
    graph.nodes[0].data = *parse_json(data);
    return graph;
}

std::string checked_text(const dsl::Graph& graph, std::string_view inputs) {
    const auto checked = validate_inputs(graph, parse_json(inputs)->get_object());
    if (!checked) {
        return checked.error().message;
    }
    json::object variables;
    for (const auto& [name, value] : *checked) {
        variables[name] = value.json();
    }
    return to_json_text(variables);
}

TEST(InputFormOfTriggers, OfAWebhookHasWhatItsRequestDeclares) {
    const auto graph = graph_of(
        "trigger-webhook",
        R"({"headers":[{"name":"X-Key","type":"string"}],"params":[{"name":"n","type":"number"}],
            "body":[{"name":"tags","type":"array[string]"},{"name":"user","type":"object"}]})"
    );
    std::string form;
    for (const auto& field : describe_form(graph).fields) {
        form += field.variable + ":" + field.type + " ";
    }
    EXPECT_EQ(
        form, "X_Key:paragraph n:number tags:list user:json_object webhook_data:json_object "
    );
    EXPECT_EQ(
        checked_text(graph, R"({"X_Key":"k","n":"4","tags":"[\"a\"]","user":{"id":1}})"),
        R"({"X_Key":"k","n":4,"tags":["a"],"user":{"id":1},"webhook_data":null})"
    );
    EXPECT_EQ(checked_text(graph, R"({"tags":"a"})"), "tags in input form must be a list");
}

TEST(InputFormOfTriggers, OfAWebhookWantsWhatItsRequestMustHave) {
    const auto graph = graph_of(
        "trigger-webhook",
        R"({"headers":[{"name":"X-Key","type":"string","required":true}],
            "body":[{"name":"n","type":"number","required":false}]})"
    );
    EXPECT_EQ(checked_text(graph, "{}"), "X_Key is required in input form");
    EXPECT_EQ(
        checked_text(graph, R"({"webhook_data":"{\"body\":{\"n\":\"x\"}}"})"),
        "Required header missing: X-Key\nbody parameter 'n' of the request must be: number"
    );
    EXPECT_EQ(
        checked_text(graph, R"({"webhook_data":{"headers":{"x-key":"k"}}})"),
        R"({"webhook_data":{"headers":{"x-key":"k"}}})"
    );
    EXPECT_EQ(
        checked_text(graph, R"({"webhook_data":"x"})"),
        "X_Key is required in input form\nwebhook_data in input form must be a dict"
    );
}

TEST(InputFormOfTriggers, OfAnEventTakesWhateverTheEventHas) {
    EXPECT_EQ(
        checked_text(graph_of("trigger-plugin", "{}"), R"({"a":{"b":1}})"), R"({"a":{"b":1}})"
    );
    EXPECT_EQ(checked_text(graph_of("trigger-schedule", "{}"), R"({"a":1})"), "{}");
}

TEST(InputFormLeniency, ReadsNumbersThatAreWrittenAsText) {
    const auto graph = graph_with(R"({"variable":"a","type":"text-input","max_length":"2"},)"
                                  R"({"variable":"c","type":"select","options":[1,"x"]})");
    EXPECT_EQ(
        checked_text(graph, R"({"a":"abc"})"), "a in input form must be less than 2 characters"
    );
    EXPECT_EQ(checked_text(graph, R"({"c":"1"})"), R"({"a":null,"c":"1"})");
}

TEST(InputFormProblems, AreAllReportedAtOnce) {
    const auto checked = validate_inputs(
        graph_with(std::string(kRequired) + "," + kNumber), parse_json(R"({"n":"x"})")->get_object()
    );
    ASSERT_FALSE(checked);
    EXPECT_EQ(
        checked.error().message,
        "a is required in input form\nn in input form must be a valid number"
    );
}

json::value file_of(std::string_view mapping) {
    const auto checked = validate_inputs(
        graph_with(kFile),
        parse_json(R"({"d":{"transfer_method":"remote_url",)" + std::string(mapping) + "}}")
            ->get_object()
    );
    return checked ? checked->front().value.json() : json::value(checked.error().message);
}

TEST(InputFormFiles, CompletesWhatTheCallerDoesNotSay) {
    const auto bare = file_of(R"("url":"https://h/p/report.pdf")");
    EXPECT_EQ(bare.at("mime_type"), json::value("application/pdf"));
    EXPECT_EQ(bare.at("type"), json::value("document"));
    const auto typed = file_of(R"("url":"https://h/p/cat?size=2","mime_type":"image/png; q=1")");
    EXPECT_EQ(typed.at("extension"), json::value(".png"));
    EXPECT_EQ(typed.at("mime_type"), json::value("image/png"));
    EXPECT_EQ(typed.at("type"), json::value("image"));
    EXPECT_EQ(file_of(R"("url":"https://host")").at("filename"), json::value(""));
}

TEST(InputFormFiles, RefusesWhatIsTooLargeForItsType) {
    EXPECT_TRUE(file_of(R"("url":"https://h/a.mp4","size":50000000)").is_object());
    EXPECT_EQ(
        file_of(R"("url":"https://h/a.png","size":50000000)"),
        json::value(
            "File size exceeded: a.png has 50000000 bytes, at most 10 MB are allowed for its type "
            "(image)"
        )
    );
}

TEST(InputFormFiles, SkipsListEntriesThatAreNoFilesYet) {
    const auto graph = graph_with(kFiles);
    EXPECT_EQ(checked_text(graph, R"({"l":[{},{"transfer_method":"remote_url"}]})"), R"({"l":[]})");
}

TEST(InputFormFiles, AllowsTenFilesUnlessTheFieldSaysMore) {
    const auto graph = graph_with(R"({"variable":"l","type":"file-list"})");
    std::string files;
    for (int i = 0; i < 11; ++i) {
        files += R"(,{"transfer_method":"remote_url","url":"http://h/a.png"})";
    }
    EXPECT_EQ(
        checked_text(graph, R"({"l":[)" + files.substr(1) + "]}"),
        "l in input form must be less than 10 files"
    );
}

TEST(InputFormFiles, RemoteFileBecomesARecordWithItsTypeDetected) {
    const auto checked = validate_inputs(
        graph_with(kFile),
        parse_json(R"({"d":{"transfer_method":"remote_url","url":"https://h/p/cat.PNG?x=1"}})")
            ->get_object()
    );
    ASSERT_TRUE(checked) << checked.error().message;
    const auto& file = checked->front().value;
    EXPECT_EQ(file.type(), value::ValueType::file);
    EXPECT_EQ(string_member(file.json(), "type"), "image");
    EXPECT_EQ(string_member(file.json(), "filename"), "cat.PNG");
}

}  // namespace
}  // namespace flowspan::service
