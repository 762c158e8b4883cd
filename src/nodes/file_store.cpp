#include "nodes/file_store.hpp"

#include "flowspan/async/pools.hpp"
#include "flowspan/value/file.hpp"
#include "flowspan/value/mime_types.hpp"
#include "flowspan/value/value.hpp"
#include "infra/http/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

namespace flowspan::nodes {

namespace {

constexpr std::size_t kExtensionLengthMax = 16;

// Where the bytes lie; `name` is ours and safe as a file name. Called on pool threads.
class ByteStore {
public:
    virtual ~ByteStore() = default;
    [[nodiscard]] virtual Result<std::string> put(const std::string& name, std::string bytes) = 0;
    [[nodiscard]] virtual Result<std::string> get(const std::string& name) = 0;
};

class MemoryStore final : public ByteStore {
public:
    Result<std::string> put(const std::string& name, std::string bytes) override {
        const std::lock_guard lock(mutex_);
        files_[name] = std::move(bytes);
        return std::string();
    }

    Result<std::string> get(const std::string& name) override {
        const std::lock_guard lock(mutex_);
        const auto found = files_.find(name);
        if (found == files_.end()) {
            return failure(ErrorCode::not_found, "the file is not in the store");
        }
        return found->second;
    }

private:
    std::mutex mutex_;
    std::map<std::string, std::string> files_;
};

class FolderStore final : public ByteStore {
public:
    explicit FolderStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

    Result<std::string> put(const std::string& name, std::string bytes) override {
        std::error_code ec;
        std::filesystem::create_directories(folder_, ec);
        const auto path = folder_ / name;
        std::ofstream out(path, std::ios::binary);
        out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
        out.close();
        if (!out) {
            return failure(Error(ErrorCode::unavailable, "the file could not be written")
                               .with_detail(path.string()));
        }
        return "file://" + std::filesystem::absolute(path, ec).string();
    }

    Result<std::string> get(const std::string& name) override {
        std::ifstream in(folder_ / name, std::ios::binary);
        if (!in) {
            return failure(ErrorCode::not_found, "the file is not in the store");
        }
        return std::string(std::istreambuf_iterator<char>(in), {});
    }

private:
    std::filesystem::path folder_;
};

// A reference comes from a variable, so it is checked before it is used as a file name.
bool is_own_reference(std::string_view reference) {
    constexpr std::string_view kAllowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    return !reference.empty() && !reference.starts_with('.') &&
           reference.find_first_not_of(kAllowed) == std::string_view::npos;
}

std::string safe_extension(std::string_view filename) {
    const auto extension = value::extension_of_name(filename);
    return extension.size() <= kExtensionLengthMax &&
                   is_own_reference(extension.substr(extension.empty() ? 0 : 1))
               ? std::string(extension)
               : std::string();
}

class LocalFileStore final : public FileStore {
public:
    LocalFileStore(FileStoreOptions options, http::HttpClient& http_client, Random& random)
        : options_(std::move(options)), http_client_(http_client), random_(random) {
        if (options_.folder.empty()) {
            bytes_ = std::make_unique<MemoryStore>();
        } else {
            bytes_ = std::make_unique<FolderStore>(options_.folder);
        }
    }

    Task<Result<json::object>> save(FileContent content) override {
        const auto size = content.bytes.size();
        if (size > options_.file_size_max) {
            co_return too_large(size, options_.file_size_max);
        }
        if (total_size_.fetch_add(size) + size > options_.total_size_max) {
            total_size_.fetch_sub(size);
            co_return too_large(total_size_ + size, options_.total_size_max);
        }
        const auto reference = make_uuid(random_) + safe_extension(content.filename);
        auto record = make_file_record(content, reference, {});
        FLOWSPAN_CO_TRY(
            const auto url,
            co_await async::on_blocking(
                [store = bytes_.get(), reference, bytes = std::move(content.bytes)]() mutable {
                    return store->put(reference, std::move(bytes));
                }
            )
        );
        record["url"] = url.empty() ? json::value() : json::value(url);
        co_return record;
    }

    Task<Result<std::string>> load(json::value record) override {
        const std::string reference(string_member(record, "reference"));
        if (is_own_reference(reference)) {
            co_return co_await async::on_blocking([store = bytes_.get(), reference] {
                return store->get(reference);
            });
        }
        const std::string url(value::file_url(record));
        if (!url.starts_with("http://") && !url.starts_with("https://")) {
            co_return failure(ErrorCode::not_found, "the file has neither content nor a URL");
        }
        co_return co_await download(url);
    }

private:
    static std::unexpected<Error> too_large(std::size_t size, std::size_t size_max) {
        return failure(
            ErrorCode::limit_exceeded,
            fmt::format("the files have {} bytes; at most {} are kept", size, size_max)
        );
    }

    Task<Result<std::string>> download(std::string url) {
        http::HttpRequest request;
        request.url = std::move(url);
        request.should_follow_redirects = true;
        request.body_size_max = options_.file_size_max;
        FLOWSPAN_CO_TRY(auto response, co_await http_client_.send(std::move(request)));
        if (!response.is_success()) {
            co_return failure(
                ErrorCode::unavailable,
                fmt::format("fetching the file gave status {}", response.status)
            );
        }
        co_return std::move(response.body);
    }

    FileStoreOptions options_;
    http::HttpClient& http_client_;
    Random& random_;
    std::unique_ptr<ByteStore> bytes_;
    std::atomic<std::size_t> total_size_ = 0;
};

}  // namespace

std::unique_ptr<FileStore> make_file_store(
    FileStoreOptions options, http::HttpClient& http_client, Random& random
) {
    return std::make_unique<LocalFileStore>(std::move(options), http_client, random);
}

json::object make_file_record(
    const FileContent& content, std::string_view reference, std::string_view url
) {
    // Either tells the other; models want both.
    std::string extension(value::extension_of_name(content.filename));
    std::string mime_type(value::without_parameters(content.mime_type));
    if (mime_type.empty()) {
        mime_type = value::mime_type_of_extension(extension);
    } else if (extension.empty()) {
        extension = value::extension_of_mime_type(mime_type);
    }
    json::object record;
    record[value::kFileIdentityKey] = value::kFileIdentity;
    record["id"] = nullptr;
    record["type"] = value::detect_file_type(extension, mime_type);
    record["transfer_method"] = content.transfer_method;
    record["remote_url"] = nullptr;
    record["reference"] = reference;
    record["related_id"] = reference;
    record["filename"] = content.filename;
    record["extension"] = extension.empty() ? json::value() : json::value(extension);
    record["mime_type"] = mime_type.empty() ? json::value() : json::value(mime_type);
    record["size"] = static_cast<std::int64_t>(content.bytes.size());
    record["url"] = url.empty() ? json::value() : json::value(url);
    return record;
}

}  // namespace flowspan::nodes
