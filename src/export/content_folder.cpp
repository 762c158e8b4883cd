#include "export/content_folder.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <fstream>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace flowspan::exporting {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "sha256:";
constexpr std::size_t kHashBytes = 32;
// How much may be written between two looks at the folder's size.
constexpr std::uint64_t kPruneShare = 16;

std::string hash_of(std::string_view text) {
    std::array<unsigned char, kHashBytes> digest{};
    unsigned int size = 0;
    const int done =
        EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    FLOWSPAN_ASSERT(done == 1 && size == kHashBytes, "OpenSSL has no SHA-256");
    std::string hex;
    for (const auto byte : digest) {
        hex += fmt::format("{:02x}", byte);
    }
    return hex;
}

/// 256 folders keep the lists of names short.
fs::path file_of(const fs::path& folder, const std::string& hash) {
    return folder / hash.substr(0, 2) / (hash + ".txt");
}

bool write_file(const fs::path& path, const std::string& text) {
    std::error_code ignored;
    fs::create_directories(path.parent_path(), ignored);
    // Readers, and other writers of the same text, see all of it or nothing.
    const auto scratch = path.string() + fmt::format(".{:x}", real_random().next());
    {
        std::ofstream file(scratch, std::ios::binary | std::ios::trunc);
        fs::permissions(scratch, fs::perms::owner_read | fs::perms::owner_write, ignored);
        file << text;
        if (!file.flush()) {
            fs::remove(scratch, ignored);
            return false;
        }
    }
    std::error_code failed;
    fs::rename(scratch, path, failed);
    return !failed;
}

class Folder final : public ContentFolder {
public:
    Folder(ContentFolderConfig config, const Clock& clock)
        : config_(std::move(config)), clock_(clock), thread_([this] { work(); }) {}

    ~Folder() override {
        {
            const std::scoped_lock lock(mutex_);
            is_closing_ = true;
        }
        wake_.notify_one();
        thread_.join();
    }

    [[nodiscard]] std::string put(std::string text) override {
        auto hash = hash_of(text);
        {
            const std::scoped_lock lock(mutex_);
            if (waiting_bytes_ + text.size() > config_.queue_bytes_max) {
                ++counts_.refused;
                return {};
            }
            waiting_bytes_ += text.size();
            waiting_.push_back({hash, std::move(text)});
        }
        wake_.notify_one();
        return std::string(kPrefix) + hash;
    }

    void flush() override {
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [this] { return waiting_.empty() && !is_writing_; });
    }

    [[nodiscard]] ContentCounts counts() const override {
        const std::scoped_lock lock(mutex_);
        return counts_;
    }

private:
    struct Item {
        std::string hash;
        std::string text;
    };

    struct File {
        fs::path path;
        fs::file_time_type used;
        std::uint64_t bytes = 0;
    };

    void work() {
        prune();
        while (true) {
            std::unique_lock lock(mutex_);
            is_writing_ = false;
            if (waiting_.empty()) {
                idle_.notify_all();
            }
            wake_.wait(lock, [this] { return is_closing_ || !waiting_.empty(); });
            if (waiting_.empty()) {
                return;
            }
            const auto items = std::exchange(waiting_, {});
            is_writing_ = true;
            lock.unlock();
            for (const auto& item : items) {
                store(item);
            }
            if (written_bytes_ > config_.bytes_max / kPruneShare) {
                prune();
            }
        }
    }

    void store(const Item& item) {
        const auto path = file_of(config_.path, item.hash);
        std::error_code failed;
        bool is_there = fs::exists(path, failed);
        if (is_there) {
            // What is used again is kept longer.
            fs::last_write_time(path, fs::file_time_type::clock::now(), failed);
        } else {
            is_there = write_file(path, item.text);
            written_bytes_ += item.text.size();
        }
        const std::scoped_lock lock(mutex_);
        waiting_bytes_ -= item.text.size();
        ++(is_there ? counts_.stored : counts_.failed);
        if (!is_there && counts_.failed == 1) {
            spdlog::warn("content of spans cannot be written to {}", config_.path.string());
        }
    }

    // Oldest first.
    [[nodiscard]] std::vector<File> list() const {
        std::vector<File> files;
        std::error_code failed;
        auto entry = fs::recursive_directory_iterator(config_.path, failed);
        for (; !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
            std::error_code gone;
            if (entry->is_regular_file(gone)) {
                files.push_back(
                    {entry->path(), entry->last_write_time(gone), entry->file_size(gone)}
                );
            }
        }
        std::ranges::sort(files, {}, &File::used);
        return files;
    }

    void prune() {
        written_bytes_ = 0;
        const auto files = list();
        std::uint64_t bytes = 0;
        for (const auto& file : files) {
            bytes += file.bytes;
        }
        const auto oldest =
            std::chrono::file_clock::from_sys(clock_.system_now() - config_.age_max);
        for (const auto& file : files) {
            if (file.used >= oldest && bytes <= config_.bytes_max) {
                break;
            }
            std::error_code gone;
            fs::remove(file.path, gone);
            bytes -= file.bytes;
        }
    }

    const ContentFolderConfig config_;
    const Clock& clock_;
    mutable std::mutex mutex_;  // guards all below but what only the thread uses
    std::condition_variable wake_;
    std::condition_variable idle_;
    std::vector<Item> waiting_;
    std::size_t waiting_bytes_ = 0;  // includes what is being written
    ContentCounts counts_;
    bool is_writing_ = true;  // until the first look at the folder is done
    bool is_closing_ = false;
    std::uint64_t written_bytes_ = 0;  // the thread's
    std::thread thread_;               // last: it uses all the rest
};

}  // namespace

std::unique_ptr<ContentFolder> make_content_folder(ContentFolderConfig config, const Clock& clock) {
    return std::make_unique<Folder>(std::move(config), clock);
}

Result<std::string> read_content(const fs::path& folder, std::string_view reference) {
    const auto hash = reference.starts_with(kPrefix) ? reference.substr(kPrefix.size()) : reference;
    const bool is_hash = hash.size() == 2 * kHashBytes &&
                         hash.find_first_not_of("0123456789abcdef") == std::string_view::npos;
    if (!is_hash) {
        return failure(
            ErrorCode::invalid_input, fmt::format("`{}` is no reference to content", reference)
        );
    }
    std::ifstream file(file_of(folder, std::string(hash)), std::ios::binary);
    if (folder.empty() || !file) {
        return failure(
            ErrorCode::not_found, fmt::format("{} is not, or no longer, there", reference)
        );
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace flowspan::exporting
