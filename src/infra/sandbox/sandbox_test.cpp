#include "infra/sandbox/sandbox.hpp"

#include "infra/sandbox/sandbox_test_fixture.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace flowspan::infra::sandbox {
namespace {

using testing::HasSubstr;

struct CodeCase {
    const char* name;
    Language language;
    const char* code;
    const char* inputs;
    /// As to_text() gives it.
    const char* expected;
};

class CodeTest : public SandboxTest {
protected:
    void expect(const std::vector<CodeCase>& cases) {
        for (const auto& test : cases) {
            const auto inputs = parse_json(test.inputs);
            ASSERT_TRUE(inputs) << test.name;
            const auto reply = run({test.language, test.code, inputs->get_object(), {}});
            EXPECT_EQ(to_text(reply), test.expected) << test.name;
        }
    }
};

constexpr auto kPython = Language::python3;
constexpr auto kJavascript = Language::javascript;

const std::vector<CodeCase> kGoodPython = {
    {"keyword arguments",
     kPython,
     "def main(a, b):\n    return {'sum': a + b}",
     R"({"a":1,"b":2})",
     R"({"sum":3})"},
    {"integers and floats stay apart",
     kPython,
     "def main(i, f):\n    return {'types': [type(i).__name__, type(f).__name__], 'i': i, 'f': f}",
     R"({"i":1,"f":1.0})",
     R"({"types":["int","float"],"i":1,"f":1E0})"},
    {"modules that the wrapper of exported code has imported",
     kPython,
     "def main(t):\n    return {'n': json.loads(b64decode(t))['n'], 'd': os.path.basename('/a/b')}",
     R"({"t":"eyJuIjogMX0="})",
     R"({"n":1,"d":"b"})"},
    {"64-bit integers",
     kPython,
     "def main(n):\n    return {'n': n, 'm': -n - 1}",
     R"({"n":9223372036854775807})",
     R"({"n":9223372036854775807,"m":-9223372036854775808})"},
    {"unicode",
     kPython,
     "def main(t):\n    return {'t': t + '語', 'n': len(t)}",
     R"({"t":"héllo 😀"})",
     R"({"t":"héllo 😀語","n":7})"},
    {"surrogates",
     kPython,
     "def main():\n    return {'pair': '\\ud83d\\ude00', 'lone': 'a\\ud83d', '\\udc00': 1}",
     "{}",
     R"({"pair":"😀","lone":"a�","�":1})"},
    {"module level code, imports and classes",
     kPython,
     "import json, re\nfrom dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n"
     "K = re.sub('a', 'b', 'aa')\ndef main():\n    return {'k': K, 'x': P(3).x}",
     "{}",
     R"({"k":"bb","x":3})"},
    {"null, nested and empty",
     kPython,
     "def main(a):\n    return {'a': a, 'b': {}, 'c': [[]]}",
     R"({"a":{"x":[null,true,{"y":""}]}})",
     R"({"a":{"x":[null,true,{"y":""}]},"b":{},"c":[[]]})"},
    {"scientific notation in text becomes a number",
     kPython,
     "def main():\n    return {'a': '-1.5e+10', 'b': ['2E-3', '1e5', 'x1e+5', '1e+999']}",
     "{}",
     R"({"a":-1.5E10,"b":[2E-3,"1e5","x1e+5","1e+999"]})"},
    {"a last line without newline, and the marks of another protocol",
     kPython,
     "def main():\n    print('<<RESULT>>{}<<RESULT>>')\n    return {'ok': True} # {{inputs}}",
     "{}",
     R"({"ok":true})"},
    {"asyncio",
     kPython,
     "import asyncio\nasync def work():\n    await asyncio.sleep(0)\n    return 7\n"
     "def main():\n    return {'n': asyncio.run(work())}",
     "{}",
     R"({"n":7})"},
    {"threads",
     kPython,
     "import threading\ndef main():\n    out = []\n"
     "    t = [threading.Thread(target=out.append, args=(i,)) for i in range(4)]\n"
     "    [x.start() for x in t]; [x.join() for x in t]\n    return {'n': sorted(out)}",
     "{}",
     R"({"n":[0,1,2,3]})"},
    {"a private writable tmp",
     kPython,
     "def main():\n    open('/tmp/a', 'w').write('x')\n    return {'t': open('/tmp/a').read()}",
     "{}",
     R"({"t":"x"})"},
};

const std::vector<CodeCase> kBadPython = {
    {"raises",
     kPython,
     "def main(a):\n    b = 0\n    return {'x': a / b}",
     R"({"a":1})",
     "error: the code failed at line 3: ZeroDivisionError: division by zero"},
    {"raises inside a library",
     kPython,
     "import json\ndef main():\n    return json.loads('{')",
     "{}",
     "error: the code failed at line 3: json.decoder.JSONDecodeError: Expecting property name "
     "enclosed in double quotes: line 1 column 2 (char 1)"},
    {"syntax",
     kPython,
     "x = 1\ndef main(:\n    pass",
     "{}",
     "error: the code failed at line 2: SyntaxError: invalid syntax"},
    {"module level",
     kPython,
     "x = 1\nimport no_such_module\ndef main(): return {}",
     "{}",
     "error: the code failed at line 2: ModuleNotFoundError: No module named 'no_such_module'"},
    {"no main",
     kPython,
     "x = 1",
     "{}",
     "error: the code failed: NameError: name 'main' is not defined"},
    {"an input that main does not take",
     kPython,
     "def main():\n    return {}",
     R"({"a":1})",
     "error: the code failed: TypeError: main() got an unexpected keyword argument 'a'"},
    {"no mapping",
     kPython,
     "def main():\n    return [1]",
     "{}",
     "error: Result must be a dict, got list"},
    {"nothing", kPython, "def main():\n    pass", "{}", "error: Result must be a dict, got NoneType"
    },
    {"not a number",
     kPython,
     "def main():\n    return {'a': [1, float('nan')]}",
     "{}",
     "error: the code failed: TypeError: result['a'][1] is nan, which JSON cannot express"},
    {"an object",
     kPython,
     "def main():\n    return {'a': {'b': object}}",
     "{}",
     "error: the code failed: TypeError: result['a']['b'] is of type type, which JSON cannot "
     "express"},
    {"circular",
     kPython,
     "def main():\n    a = []\n    a.append(a)\n    return {'a': a}",
     "{}",
     "error: the code failed: ValueError: Circular reference detected"},
    {"leaves",
     kPython,
     "import sys\ndef main():\n    sys.exit(3)",
     "{}",
     "error: the code ended at line 3 before main returned: SystemExit: 3"},
    {"leaves at once",
     kPython,
     "import os\ndef main():\n    os._exit(3)",
     "{}",
     "error: the code ended its process (exit status 3) before main returned"},
    {"crashes",
     kPython,
     "import ctypes\ndef main():\n    ctypes.string_at(8)",
     "{}",
     "error: the code's process was ended by signal 11"},
    {"recursion",
     kPython,
     "def main():\n    return main()",
     "{}",
     "error: the code failed at line 2: RecursionError: maximum recursion depth exceeded"},
};

const std::vector<CodeCase> kGoodJavascript = {
    {"destructures its inputs",
     kJavascript,
     "function main({a, b}) { return {sum: a + b}; }",
     R"({"a":1,"b":2})",
     R"({"sum":3})"},
    {"numbers",
     kJavascript,
     "function main({f}) { return {f, g: f + 0.5, n: NaN, u: undefined}; }",
     R"({"f":1.0})",
     R"({"f":1,"g":1.5E0,"n":null})"},
    {"unicode",
     kJavascript,
     "const main = ({t}) => ({t: t + '語', n: t.length})",
     R"({"t":"héllo 😀"})",
     R"({"t":"héllo 😀語","n":8})"},
    {"surrogates",
     kJavascript,
     "function main() { return {pair: '\\ud83d\\ude00', lone: 'a\\ud83d'} } // end",
     "{}",
     R"({"pair":"😀","lone":"a�"})"},
    {"require",
     kJavascript,
     "const {createHash} = require('crypto'); function main() {\n"
     "  return {h: createHash('sha256').update('x').digest('hex').slice(0, 8)} }",
     "{}",
     R"({"h":"2d711642"})"},
    {"asynchronous functions are not awaited",
     kJavascript,
     "async function main() { return {a: 1} }",
     "{}",
     "{}"},
    {"a private writable tmp",
     kJavascript,
     "const fs = require('fs'); function main() { fs.writeFileSync('/tmp/a', 'x');"
     "  return {t: fs.readFileSync('/tmp/a', 'utf8')} }",
     "{}",
     R"({"t":"x"})"},
};

const std::vector<CodeCase> kBadJavascript = {
    {"throws",
     kJavascript,
     "function main({a}) {\n  return a.b.c;\n}",
     R"({"a":{}})",
     "error: the code failed at line 2: TypeError: Cannot read properties of undefined (reading "
     "'c')"},
    {"throws no error",
     kJavascript,
     "function main() { throw 'bad' }",
     "{}",
     "error: the code failed: Uncaught 'bad'"},
    {"syntax",
     kJavascript,
     "let a = 1;\nfunction main( { return {} }",
     "{}",
     "error: the code failed at line 2: SyntaxError: Unexpected token '{'"},
    {"no main",
     kJavascript,
     "let a = 1;",
     "{}",
     "error: the code failed: ReferenceError: main is not defined"},
    {"no mapping",
     kJavascript,
     "function main() { return 'x' }",
     "{}",
     "error: Result must be a dict, got str"},
    {"nothing",
     kJavascript,
     "function main() {}",
     "{}",
     "error: Failed to parse JSON response: main returned undefined"},
    {"an integer too large for JSON",
     kJavascript,
     "function main() { return {a: 1n} }",
     "{}",
     "error: the code failed: TypeError: Do not know how to serialize a BigInt"},
    {"leaves",
     kJavascript,
     "function main() { process.exit(4) }",
     "{}",
     "error: the code ended its process (exit status 4) before main returned"},
};

TEST_F(CodeTest, RunsPython) {
    expect(kGoodPython);
}

TEST_F(CodeTest, SaysWhatFailedInPythonAndWhere) {
    expect(kBadPython);
}

TEST_F(CodeTest, RunsJavascript) {
    expect(kGoodJavascript);
}

TEST_F(CodeTest, SaysWhatFailedInJavascriptAndWhere) {
    expect(kBadJavascript);
}

TEST_F(SandboxTest, FailuresOfTheCodeCarryTheErrorTypeOfCodeNodes) {
    EXPECT_EQ(python("def main(): raise ValueError('x')").error().type, "CodeExecutionError");
    EXPECT_EQ(python("def main(): return 1").error().type, "WorkflowNodeError");
    EXPECT_EQ(jinja2("{{ a.b.c }}").error().type, "TemplateRenderError");
    const auto error = python("def main(): raise ValueError('secret')").error();
    EXPECT_EQ(error.code, ErrorCode::execution_failed);
    EXPECT_THAT(error.describe(), testing::Not(HasSubstr("secret")));
}

TEST_F(SandboxTest, RefusesResultsThatAreNestedTooDeep) {
    const auto reply = python(
        "def main():\n    a = []\n    for _ in range(300):\n        a = [a]\n    return {'a': a}"
    );
    EXPECT_THAT(to_text(reply), HasSubstr("Failed to parse JSON response"));
}

TEST_F(SandboxTest, KeepsWhatIsPrintedApartFromTheResult) {
    const auto from_python = python(
        "import sys, os\ndef main():\n    print('out')\n    os.write(2, b'err')\n"
        "    sys.stdout = None\n    return {}"
    );
    ASSERT_TRUE(from_python);
    EXPECT_THAT(from_python->printed, testing::AllOf(HasSubstr("out\n"), HasSubstr("err")));
    const auto from_javascript =
        javascript("function main() { console.log('out'); console.error('err'); return {} }");
    ASSERT_TRUE(from_javascript);
    EXPECT_EQ(from_javascript->printed, "out\nerr\n");
}

TEST_F(SandboxTest, CarriesInputsAndResultsOfMegabytes) {
    const std::string text(3U << 20U, 'x');
    for (const auto language : {Language::python3, Language::javascript}) {
        const auto* code = language == Language::python3 ? "def main(t):\n    return {'t': t}"
                                                         : "function main({t}) { return {t} }";
        const auto reply = run({language, code, {{"t", text}}, {}});
        ASSERT_TRUE(reply) << reply.error().full_text();
        EXPECT_EQ(reply->result.at("t").as_string(), text);
    }
}

struct TemplateCase {
    const char* source;
    const char* variables;
    const char* expected;
};

TEST_F(SandboxTest, RendersTemplatesAsJinja2DoesByDefault) {
    const std::vector<TemplateCase> cases = {
        {"Hello {{ name }}!", R"({"name":"Zoë"})", "Hello Zoë!"},
        {"{{ missing }}|{{ none }}", R"({"none":null})", "|None"},
        {"{{ i }} {{ f }} {{ t }} {{ l }} {{ m }}",
         R"({"i":1,"f":1.0,"t":true,"l":[1,"a"],"m":{"k":2.5}})",
         "1 1.0 True [1, 'a'] {'k': 2.5}"},
        {"a\n\n", "{}", "a\n"},
        {"{% for x in l %}{{ loop.index }}:{{ x | upper }} {% endfor %}",
         R"({"l":["a","b"]})",
         "1:A 2:B "},
        {"{% if a %}\n  yes\n{% endif %}", R"({"a":1})", "\n  yes\n"},
        {"<b>{{ h }}</b>", R"({"h":"<i>&"})", "<b><i>&</b>"},
        {"{{ self_ }}{{ 'x' * 3 }}", R"({"self":1})", "xxx"},
        {"{{ '\\ud83d' }}", "{}", "�"},
        {"a\n{{ missing.attribute }}",
         "{}",
         "error: the template failed at line 2: UndefinedError: 'missing' is undefined"},
        {"a\n{% for %}",
         "{}",
         "error: the template failed at line 2: TemplateSyntaxError: Expected an expression, got "
         "'end of statement block'"},
        {"{% include 'x' %}",
         "{}",
         "error: the template failed at line 1: TypeError: no loader for this environment specified"
        },
        {"{{ 1 / 0 }}",
         "{}",
         "error: the template failed at line 1: ZeroDivisionError: division by zero"},
    };
    for (const auto& test : cases) {
        const auto variables = parse_json(test.variables);
        EXPECT_EQ(to_text(jinja2(test.source, variables->get_object())), test.expected)
            << test.source;
    }
}

}  // namespace
}  // namespace flowspan::infra::sandbox
