#pragma once
// Inputs as the command line gives them, shaped for the app's start form.

#include "dsl/app.hpp"
#include "flowspan/async/task.hpp"
#include "flowspan/base/json.hpp"
#include "nodes/file_store.hpp"
#include "service/input_form.hpp"

#include <string>
#include <vector>

namespace flowspan::cli {

/// Merges `--inputs` and `-i`. Values stay text unless the field wants more: a list field collects
/// repeated keys or takes a JSON array, an object field takes JSON, a file field attaches `@path`
/// or takes an http(s) URL. `@path` on any other field reads the file as text. An unknown key is an
/// error that names the known ones.
[[nodiscard]] Task<Result<json::object>> read_inputs(
    const service::InputForm& form,
    const std::vector<std::string>& pairs,
    const std::string& all_as_json,
    nodes::FileStore& files
);

/// The files of `--file`, each a path or an http(s) URL, as the app's users would send them. An
/// error if the app takes none.
[[nodiscard]] Task<Result<json::array>> read_uploads(
    const dsl::App& app, const std::vector<std::string>& uploads, nodes::FileStore& files
);

/// A line for each input the app takes and how it is given, for a user who gave the wrong ones.
[[nodiscard]] std::string describe_inputs(const dsl::App& app);

/// What is no valid UTF-8 in `text` becomes U+FFFD, with a warning that names `what`.
[[nodiscard]] std::string clean_text(std::string text, std::string_view what);

}  // namespace flowspan::cli
