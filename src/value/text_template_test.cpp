#include "flowspan/value/text_template.hpp"

#include <gtest/gtest.h>

namespace flowspan::value {
namespace {

VariablePool sample() {
    VariablePool pool;
    pool.set("n", "name", Value::string("Ada"));
    pool.set("n", "nothing", Value());
    pool.set("n", "list", Value(parse_json(R"(["a", "b"])").value()));
    pool.set("n", "object", Value(parse_json(R"({"deep": {"er": 1.0}})").value()));
    pool.set("n", "nested", Value::string("{{#n.name#}}"));
    pool.set("node-1", "x", Value::string("dashed"));
    pool.set("env", "KEY", Value::secret("0123456789"));
    pool.set(std::string(50, 'i'), std::string(30, 'v'), Value::string("longest"));
    return pool;
}

TEST(TextTemplate, RendersByTheRulesOfTheAppFormat) {
    struct Case {
        std::string source;
        std::string text;
    };

    const auto id = std::string(50, 'i');
    const auto name = std::string(30, 'v');
    const Case cases[] = {
        {"", ""},
        {"plain", "plain"},
        {"Hi {{#n.name#}}!", "Hi Ada!"},
        {"{{#n.name#}}{{#n.name#}}", "AdaAda"},
        // A missing variable renders as its bare path.
        {"Hi {{#1.name#}}", "Hi 1.name"},
        {"{{#n.object.nope#}}", "n.object.nope"},
        {"[{{#n.nothing#}}]", "[]"},
        {"{{#n.list#}}", R"(["a", "b"])"},
        {"{{#n.object.deep#}}", R"({"er": 1.0})"},
        {"{{#n.object.deep.er#}}", "1.0"},
        // Values are not scanned again.
        {"{{#n.nested#}}", "{{#n.name#}}"},
        // A literal that is exactly a path is replaced too, even with a dash in the id.
        {"n.name", "Ada"},
        {"node-1.x", "dashed"},
        {"n.name ", "n.name "},
        {"{{#n.name#}}n.name", "AdaAda"},
        {"unknown.path", "unknown.path"},
        {".", "."},
        // What does not match the grammar stays.
        {"{{ n.name }}", "{{ n.name }}"},
        {"{{#context#}}", "{{#context#}}"},
        {"{{#n.1b#}}", "{{#n.1b#}}"},
        {"{{#node-1.x#}}", "{{#node-1.x#}}"},
        {"{{#n.#}}", "{{#n.#}}"},
        {"{{#.name#}}", "{{#.name#}}"},
        {"{{#n..name#}}", "{{#n..name#}}"},
        {"{{# n.name #}}", "{{# n.name #}}"},
        {"{{#n.name", "{{#n.name"},
        {"{{#n.name#}", "{{#n.name#}"},
        {"{{#$output.x#}}", "{{#$output.x#}}"},
        {"{{#n.n\u00e9#}}", "{{#n.n\u00e9#}}"},
        {"{{{#n.name#}}}", "{Ada}"},
        {"{{#{{#n.name#}}", "{{#Ada"},
        {"{{#n.name#}}#}}", "Ada#}}"},
        {"{{#_._#}}", "_._"},
        // The limits: 50 for the id, 30 for a name, 10 names.
        {"{{#" + id + "." + name + "#}}", "longest"},
        {"{{#" + id + "i." + name + "#}}", "{{#" + id + "i." + name + "#}}"},
        {"{{#" + id + "." + name + "v#}}", "{{#" + id + "." + name + "v#}}"},
        {"{{#n.a.b.c.d.e.f.g.h.i.j#}}", "n.a.b.c.d.e.f.g.h.i.j"},
        {"{{#n.a.b.c.d.e.f.g.h.i.j.k#}}", "{{#n.a.b.c.d.e.f.g.h.i.j.k#}}"},
    };
    const auto pool = sample();
    for (const auto& test : cases) {
        EXPECT_EQ(TextTemplate(test.source).to_text(pool), test.text) << test.source;
    }
}

TEST(TextTemplate, RendersMarkdownAndMaskedForms) {
    const auto pool = sample();
    const TextTemplate text("{{#n.list#}} {{#env.KEY#}}");
    EXPECT_EQ(text.to_markdown(pool), "- a\n- b 0123456789");
    EXPECT_EQ(text.to_text(pool), R"(["a", "b"] 0123456789)");
    EXPECT_EQ(text.to_masked_text(pool), R"(["a", "b"] 012345************89)");
}

TEST(TextTemplate, ListsPlaceholdersButNotLiteralsThatLookLikeThem) {
    const TextTemplate text("{{#a.b#}} and {{#c.d.e#}}{{#a.b#}}");
    EXPECT_EQ(text.references(), (std::vector<Selector>{{"a", "b"}, {"c", "d", "e"}, {"a", "b"}}));
    const TextTemplate literal("sys.query");
    EXPECT_TRUE(literal.references().empty());
    ASSERT_EQ(literal.segments().size(), 1U);
    EXPECT_FALSE(literal.segments()[0].is_placeholder);
    EXPECT_EQ(literal.segments()[0].selector, (Selector{"sys", "query"}));
}

TEST(TextTemplate, ProseIsNotAReference) {
    const TextTemplate text("See example.com. Then go on.");
    ASSERT_EQ(text.segments().size(), 1U);
    EXPECT_TRUE(text.segments()[0].selector.empty());
}

TEST(TextTemplate, ResolvesEveryTypeInEveryForm) {
    const json::value picture = {
        {kFileIdentityKey, kFileIdentity},
        {"type", "image"},
        {"filename", "a.png"},
        {"extension", ".png"},
        {"remote_url", "http://h/a.png"},
    };

    struct Row {
        Value value;
        std::string_view text;
        std::string_view markdown;
        std::string_view masked;
    };

    const auto parsed = [](std::string_view text) { return Value(parse_json(text).value()); };
    const Row rows[] = {
        {Value(), "", "", ""},
        {Value::string(""), "", "", ""},
        {Value::string("ä\n{{#n.x#}}"), "ä\n{{#n.x#}}", "ä\n{{#n.x#}}", "ä\n{{#n.x#}}"},
        {Value::secret("0123456789"), "0123456789", "0123456789", "012345************89"},
        {Value::integer(0), "0", "0", "0"},
        {Value::integer(-9223372036854775807 - 1),
         "-9223372036854775808",
         "-9223372036854775808",
         "-9223372036854775808"},
        {Value::floating(1), "1.0", "1.0", "1.0"},
        {Value::floating(1e16), "1e+16", "1e+16", "1e+16"},
        {Value::boolean(true), "True", "True", "True"},
        {Value::boolean(false), "False", "False", "False"},
        {parsed("{}"), "{}", "{}", "{}"},
        {parsed(R"({"a": [1, "ä", null]})"),
         R"({"a": [1, "ä", null]})",
         "{\n  \"a\": [\n    1,\n    \"ä\",\n    null\n  ]\n}",
         R"({"a": [1, "ä", null]})"},
        {parsed("[]"), "", "", ""},
        {parsed(R"(["a", "b"])"), R"(["a", "b"])", "- a\n- b", R"(["a", "b"])"},
        {parsed("[1, 2.5]"), "[1, 2.5]", "- 1\n- 2.5", "[1, 2.5]"},
        {parsed("[true]"), "[True]", "- True", "[True]"},
        {parsed(R"([{"a": 1}])"), "[{'a': 1}]", "- {'a': 1}", "[{'a': 1}]"},
        {parsed(R"([1, "x"])"), "[1, 'x']", "- 1\n- x", "[1, 'x']"},
        {Value(picture), "", "![a.png](http://h/a.png)", ""},
        {Value(json::value(json::array{picture})), "", "![a.png](http://h/a.png)", ""},
    };
    for (const auto& row : rows) {
        VariablePool pool;
        pool.set("m", "x", row.value);
        const TextTemplate source("<{{#m.x#}}>");
        const auto what = to_json_text(row.value.json());
        EXPECT_EQ(source.to_text(pool), "<" + std::string(row.text) + ">") << what;
        EXPECT_EQ(source.to_markdown(pool), "<" + std::string(row.markdown) + ">") << what;
        EXPECT_EQ(source.to_masked_text(pool), "<" + std::string(row.masked) + ">") << what;
    }
}

}  // namespace
}  // namespace flowspan::value
