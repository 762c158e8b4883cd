#pragma once
// The scripts of src/infra/sandbox/workers, which CMake puts into the program.

#include <string_view>

namespace flowspan::infra::sandbox {

extern const std::string_view kZygoteScript;
extern const std::string_view kPythonWorkerScript;
extern const std::string_view kNodeWorkerScript;

}  // namespace flowspan::infra::sandbox
