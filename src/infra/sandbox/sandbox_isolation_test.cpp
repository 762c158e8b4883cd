#include "infra/sandbox/sandbox_test_fixture.hpp"

#include <gmock/gmock.h>

#include <vector>

namespace flowspan::infra::sandbox {
namespace {

using testing::HasSubstr;

constexpr auto kPython = Language::python3;
constexpr auto kJavascript = Language::javascript;

constexpr auto* kNoProcess = "tried to start a process";
constexpr auto* kNoNetwork = "tried to open a network connection";
constexpr auto* kNoPermission = "Operation not permitted";
constexpr auto* kNoFile = "No such file or directory";
constexpr auto* kReadOnly = "Read-only file system";

struct Escape {
    Language language;
    const char* code;
    /// Part of the error.
    const char* expected;
};

// Raw system calls, past whatever the interpreter checks itself.
constexpr auto* kPrelude = R"(
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    if libc.syscall(number, *arguments) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
)";

const std::vector<Escape> kEscapes = {
    {kPython, "import os\ndef main(): os.fork()", kNoProcess},
    {kPython, "import os\ndef main(): os.system('id')", kNoProcess},
    {kPython, "import subprocess\ndef main(): subprocess.run(['id'])", kNoProcess},
    {kPython, "import os\ndef main(): os.execv('/usr/bin/id', ['id'])", kNoProcess},
    {kPython,
     "from multiprocessing import Process\ndef main(): Process(target=print).start()",
     kNoProcess},
    {kPython, "def main(): call(57)", kNoPermission},
    {kPython, "def main(): call(58)", kNoPermission},
    {kPython, "def main(): call(56, 17, 0)", kNoPermission},
    {kPython, "def main(): call(435, 0, 0)", "Function not implemented"},
    {kPython, "def main(): call(59, b'/usr/bin/id', 0, 0)", kNoPermission},
    {kPython, "import socket\ndef main(): socket.create_connection(('1.1.1.1', 80))", kNoNetwork},
    {kPython,
     "import urllib.request\ndef main(): urllib.request.urlopen('http://example.com')",
     kNoNetwork},
    {kPython, "import socket\ndef main(): socket.gethostbyname('example.com')", kNoNetwork},
    {kPython, "def main(): call(41, 2, 1, 0)", kNoPermission},
    {kPython, "def main(): call(41, 1, 1, 0)", kNoPermission},
    {kPython, "def main(): open('/etc/shadow')", kNoFile},
    {kPython, "def main(): open('/etc/passwd')", kNoFile},
    {kPython, "import os\ndef main(): os.listdir('/root')", kNoFile},
    {kPython, "import os\ndef main(): os.listdir('/home')", kNoFile},
    {kPython, "import os\ndef main(): os.listdir('/proc')", kNoFile},
    {kPython, "import os\ndef main(): os.listdir('/sys')", kNoFile},
    {kPython, "def main(): open('/usr/bin/x', 'w')", kReadOnly},
    {kPython, "def main(): open('/x', 'w')", kReadOnly},
    {kPython, "def main(): open('/dev/x', 'w')", kReadOnly},
    {kPython, "def main(): open('/flowspan/zygote.py', 'w')", "Error"},
    {kPython, "import os\ndef main(): os.kill(-1, 9)", kNoPermission},
    {kPython, "import os\ndef main(): os.kill(os.getppid(), 9)", kNoPermission},
    {kPython, "import os\ndef main(): os.kill(1, 9)", kNoPermission},
    {kPython, "import os\ndef main(): os.pidfd_open(os.getppid())", kNoPermission},
    {kPython,
     "import fcntl, os\ndef main(): fcntl.fcntl(1, fcntl.F_SETOWN, os.getppid())",
     "Function not implemented"},
    {kPython,
     "import os\ndef main(): os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
     kNoPermission},
    {kPython,
     "import resource, os\ndef main(): resource.prlimit(os.getppid(), 0, (1, 1))",
     "Function not implemented"},
    {kPython,
     "import resource\ndef main(): resource.setrlimit(resource.RLIMIT_DATA, (-1, -1))",
     "not allowed to raise"},
    {kPython, "def main(): call(101, 16, 2, 0, 0)", kNoPermission},
    {kPython, "def main(): call(165, b'tmpfs', b'/tmp', b'tmpfs', 0, 0)", kNoPermission},
    {kPython, "def main(): call(272, 0x10000000)", kNoPermission},
    {kPython, "def main(): call(308, 3, 0)", kNoPermission},
    {kPython, "def main(): call(250, 0, 0)", kNoPermission},
    {kPython, "def main(): call(321, 0, 0, 0)", kNoPermission},
    {kPython, "def main(): call(298, 0, 0, 0, 0, 0)", kNoPermission},
    {kPython, "def main(): call(323, 0)", kNoPermission},
    {kPython, "def main(): call(425, 1, 0)", kNoPermission},
    {kPython, "def main(): call(310, 1, 0, 0, 0, 0, 0)", kNoPermission},
    {kPython, "def main(): call(29, 0, 4096, 0o1600)", kNoPermission},
    {kPython, "def main(): call(126, 0, 0)", kNoPermission},
    {kJavascript, "function main() { require('child_process').execSync('id') }", kNoProcess},
    {kJavascript, "function main() { require('fs').readFileSync('/etc/shadow') }", "ENOENT"},
    {kJavascript, "function main() { require('fs').readdirSync('/root') }", "ENOENT"},
    {kJavascript, "function main() { require('fs').writeFileSync('/usr/x', '') }", "EROFS"},
    {kJavascript, "function main() { process.kill(process.ppid, 9) }", "EPERM"},
    {kJavascript, "function main() { process.kill(-1, 9) }", "EPERM"},
    {kJavascript, "function main() { process.setuid(0) }", "EPERM"},
};

TEST_F(SandboxTest, RefusesEveryWayOutAndSaysWhich) {
    for (const auto& escape : kEscapes) {
        const auto prelude = escape.language == kPython ? kPrelude : "";
        const auto reply = run({escape.language, std::string(prelude) + escape.code, {}, {}});
        ASSERT_FALSE(reply) << escape.code << to_text(reply);
        EXPECT_THAT(to_text(reply), HasSubstr(escape.expected)) << escape.code;
        EXPECT_EQ(reply.error().type, "CodeExecutionError") << escape.code;
    }
}

TEST_F(SandboxTest, NetworkCallsOfJavascriptReachNobody) {
    const auto reply = javascript(R"(
        const net = require('net');
        function main() {
            let failed = null;
            const socket = net.connect(80, '127.0.0.1');
            socket.on('error', (error) => { failed = error.code; });
            const { pid } = require('child_process').spawnSync('id');
            return { connecting: socket.connecting, pid, interfaces: require('os').hostname() };
        })");
    ASSERT_TRUE(reply) << to_text(reply);
    EXPECT_EQ(reply->result.at("pid"), 0);
    EXPECT_EQ(reply->result.at("interfaces"), "sandbox");
}

TEST_F(SandboxTest, ShowsNothingOfTheMachineButItsPrograms) {
    const auto reply = python(R"(
import os
def main():
    return {
        'root': sorted(os.listdir('/')), 'etc': sorted(os.listdir('/etc')),
        'tmp': os.listdir('/tmp'), 'env': sorted(os.environ), 'uid': os.getuid(),
        'descriptors': [fd for fd in range(256) if is_open(fd)], 'cwd': os.getcwd(),
    }
def is_open(fd):
    try:
        os.fstat(fd)
        return True
    except OSError:
        return False
)");
    ASSERT_TRUE(reply) << to_text(reply);
    const auto& seen = reply->result.as_object();
    for (const auto& name : seen.at("root").as_array()) {
        EXPECT_THAT(
            (std::vector<std::string>{
                "bin", "dev", "etc", "flowspan", "lib", "lib32", "lib64", "tmp", "usr"
            }),
            testing::Contains(std::string(name.as_string()))
        );
    }
    EXPECT_EQ(to_json_text(seen.at("etc")), R"(["alternatives","ld.so.cache"])");
    EXPECT_EQ(to_json_text(seen.at("tmp")), "[]");
    EXPECT_EQ(to_json_text(seen.at("env")), R"(["HOME","LANG","PATH","PWD"])");
    EXPECT_EQ(to_json_text(seen.at("descriptors")), "[0,1,2,3]");
    EXPECT_EQ(seen.at("uid"), 65534);
}

TEST_F(SandboxTest, NoExecutionSeesWhatAnotherLeft) {
    constexpr auto* kPythonCode = R"(
import builtins, json, os, sys
def main():
    seen = [hasattr(builtins, 'leak'), hasattr(json, 'leak'), 'leak' in sys.modules,
            os.path.exists('/tmp/leak'), 'LEAK' in os.environ]
    builtins.leak = json.leak = 1
    sys.modules['leak'] = json
    json.dumps = None
    os.environ['LEAK'] = '1'
    open('/tmp/leak', 'w').close()
    return {'seen': any(seen)}
)";
    for (int i = 0; i < 3; ++i) {
        const auto reply = python(kPythonCode);
        ASSERT_TRUE(reply) << to_text(reply);
        EXPECT_EQ(reply->result.at("seen"), false);
    }
    constexpr auto* kJavascriptCode = R"(
        const fs = require('fs');
        function main() {
            const seen = [globalThis.leak, fs.leak, Object.prototype.leak, fs.existsSync('/tmp/l')];
            globalThis.leak = fs.leak = 1;
            fs.writeFileSync('/tmp/l', '');
            const leaked = seen.some((value) => value);
            Object.prototype.leak = 1;
            JSON.stringify = () => '{}';
            return { leaked };
        })";
    for (int i = 0; i < 3; ++i) {
        const auto reply = javascript(kJavascriptCode);
        ASSERT_TRUE(reply) << to_text(reply);
        EXPECT_EQ(reply->result.at("leaked"), false);
    }
    EXPECT_EQ(to_text(jinja2("{{ ''.__class__.__base__.__setattr__ and 1 }}")), "1");
}

TEST_F(SandboxTest, RandomNumbersDifferBetweenExecutions) {
    constexpr auto* kCode = "import random\ndef main(): return {'r': random.random()}";
    EXPECT_NE(to_text(python(kCode)), to_text(python(kCode)));
}

TEST_F(SandboxTest, AForgedReplyConcernsItsOwnExecutionOnly) {
    EXPECT_EQ(
        to_text(python("import os\ndef main(): os.write(3, b'\\1\\0\\0\\0Q'); os._exit(0)")),
        "error: the sandbox's reply is unreadable"
    );
    EXPECT_EQ(
        to_text(python("import os\ndef main(): os.write(3, b'\\xff\\xff\\xff\\xffR')")),
        "error: the code returned more than 10 MiB"
    );
    EXPECT_THAT(
        to_text(python("import os\ndef main(): os.close(3)\n")),
        testing::AnyOf(HasSubstr("exit status 127"), HasSubstr("ended by signal 9"))
    );
    EXPECT_EQ(to_text(python("def main(): return {'a': 1}")), R"({"a":1})");
}

}  // namespace
}  // namespace flowspan::infra::sandbox
