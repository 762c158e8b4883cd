#include "service/form_answer.hpp"

#include <gtest/gtest.h>

namespace flowspan::service {
namespace {

json::object approval_form() {
    return parse_json(R"({
        "TYPE": "human_input_required", "form_id": "f1", "node_title": "Approve",
        "inputs": [
            {"type": "paragraph", "output_variable_name": "comment"},
            {"type": "select", "output_variable_name": "level",
             "option_source": {"type": "constant", "value": ["low", "high"]}},
            {"type": "file-list", "output_variable_name": "files"}],
        "actions": [{"id": "yes", "title": "Yes"}, {"id": "no", "title": "No"}],
        "resolved_default_values": {"comment": "fine"}})")
        ->get_object();
}

std::string error_of(const Result<json::object>& result) {
    return result ? "" : result.error().message;
}

TEST(FormAnswer, TakesDefaultsForWhatIsNotGiven) {
    const auto answer =
        check_form_answer(approval_form(), "yes", {{"level", "low"}, {"files", json::array()}});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(
        *answer,
        parse_json(R"({"action":"yes","inputs":{"comment":"fine","level":"low","files":[]}})")
            ->get_object()
    );
}

TEST(FormAnswer, SaysAllThatIsWrong) {
    EXPECT_EQ(
        error_of(check_form_answer(approval_form(), "maybe", {})),
        "Invalid action: maybe; choose one of: yes, no"
    );
    EXPECT_EQ(
        error_of(check_form_answer(approval_form(), "", {})),
        "Invalid action: none was given; choose one of: yes, no"
    );
    EXPECT_EQ(
        error_of(check_form_answer(approval_form(), "no", {{"comment", 5}, {"level", "mid"}})),
        "comment must be a text\nlevel must be one of: low, high\nMissing required inputs: files"
    );
}

TEST(FormAnswer, TakesTheFilesThatTheFormAllows) {
    auto form = approval_form();
    form["inputs"] = json::array{json::object{
        {"type", "file-list"},
        {"output_variable_name", "scans"},
        {"allowed_file_types", json::array{"image"}},
        {"number_limits", 1}
    }};
    const json::object picture{{"transfer_method", "remote_url"}, {"url", "http://h/a.png"}};
    const json::object text{{"transfer_method", "remote_url"}, {"url", "http://h/a.txt"}};
    EXPECT_TRUE(check_form_answer(form, "yes", {{"scans", json::array{picture}}}));
    EXPECT_EQ(
        error_of(check_form_answer(form, "yes", {{"scans", json::array{text}}})),
        "File validation failed for file: a.txt (it is of type document with extension `.txt`; "
        "scans takes: image)"
    );
    EXPECT_EQ(
        error_of(check_form_answer(form, "yes", {{"scans", json::array{picture, picture}}})),
        "Number of files exceeds the maximum limit 1"
    );
}

TEST(FormAnswer, FindsTheFormThatIsMeant) {
    engine::RunSnapshot snapshot;
    EXPECT_EQ(
        error_of(find_form(snapshot, "")), "the run waits for no form; resume it without one"
    );
    auto form = approval_form();
    snapshot.pause_reasons = {json::object{{"TYPE", "scheduled_pause"}}, form};
    EXPECT_EQ(find_form(snapshot, "")->at("form_id"), "f1");
    form["form_id"] = "f2";
    snapshot.pause_reasons.push_back(form);
    EXPECT_EQ(find_form(snapshot, "f2")->at("form_id"), "f2");
    EXPECT_TRUE(error_of(find_form(snapshot, "")).starts_with("the run waits for several forms"));
    EXPECT_TRUE(error_of(find_form(snapshot, "f3")).contains("f1  Approve"));
}

}  // namespace
}  // namespace flowspan::service
