#include "control/account/tag_keys.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/base/bytes.h"

namespace seine::account {
namespace {

constexpr std::size_t kFileBytesMax = 64 * 1024;

std::string_view next_word(std::string_view& line) noexcept {
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return line = {};
    const std::size_t end = std::min(line.find_first_of(" \t\r", first), line.size());
    const std::string_view word = line.substr(first, end - first);
    line.remove_prefix(end);
    return word;
}

template <typename T>
bool number_of(std::string_view text, T& out) noexcept {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

// The file's bytes in locked memory. What is wrong with its place, owner or mode is said here.
Result<SecretMemory> read_whole(const std::string& path, std::size_t& bytes) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) {
        return Status(errno == ENOENT ? Code::not_found : Code::failed,
                      path + ": " + std::strerror(errno) +
                          (errno == ENOENT ? "; make it with: seinectl account key new" : ""));
    }
    struct stat about {};
    std::string wrong;
    if (::fstat(fd, &about) != 0 || !S_ISREG(about.st_mode)) {
        wrong = "is no regular file";
    } else if ((about.st_mode & 077) != 0) {
        wrong =
            "can be read by others; tag keys in it may be known: chmod 600, and rotate them "
            "(seinectl account key rotate)";
    } else if (about.st_uid != ::geteuid() && about.st_uid != 0) {
        wrong = "belongs to another user; chown it to the one that runs seine-control";
    } else if (about.st_size > static_cast<off_t>(kFileBytesMax)) {
        wrong = "is too long for a key file";
    }
    auto memory = SecretMemory::make(kFileBytesMax);
    if (wrong.empty() && memory) {
        bytes = 0;
        while (bytes < kFileBytesMax) {
            const ssize_t got = ::read(fd, memory->bytes().data() + bytes, kFileBytesMax - bytes);
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) wrong = std::strerror(errno);
            if (got <= 0) break;
            bytes += static_cast<std::size_t>(got);
        }
    }
    ::close(fd);
    if (!wrong.empty()) return failed(path + ": " + wrong);
    return memory;
}

Status random_bytes(std::uint8_t* at, std::size_t bytes) {
    if (::getrandom(at, bytes, 0) == static_cast<ssize_t>(bytes)) return {};
    return failed(std::string("the kernel gives no random bytes for a key: ") +
                  std::strerror(errno));
}

// Appends text to a secret buffer that is large enough.
class SecretText {
  public:
    explicit SecretText(SecretMemory memory) : memory_(std::move(memory)) {}
    void text(std::string_view text) noexcept {
        std::memcpy(memory_.bytes().data() + used_, text.data(), text.size());
        used_ += text.size();
    }
    void number(std::int64_t value) {
        char digits[24];
        const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
        text({digits, static_cast<std::size_t>(end - digits)});
    }
    void hex(const std::uint8_t* at, std::size_t count) noexcept {
        for (std::size_t i = 0; i < count; ++i) {
            const char digits[2] = {kHexDigits[at[i] >> 4], kHexDigits[at[i] & 15]};
            text({digits, 2});
        }
    }
    [[nodiscard]] ByteView view() const noexcept { return {memory_.bytes().data(), used_}; }

  private:
    SecretMemory memory_;
    std::size_t used_ = 0;
};

// A new file with mode 0600 in place of whatever is at `path`, whole or not at all.
Status put(const std::string& path, ByteView bytes) {
    const std::string beside = path + ".new";
    static_cast<void>(::unlink(beside.c_str()));
    const int fd = ::open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    for (std::size_t at = 0; ok && at < bytes.size();) {
        const ssize_t put = ::write(fd, bytes.data() + at, bytes.size() - at);
        ok = put > 0 || (put < 0 && errno == EINTR);
        if (put > 0) at += static_cast<std::size_t>(put);
    }
    ok = ok && ::fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) ::close(fd);
    if (ok && ::rename(beside.c_str(), path.c_str()) == 0) return {};
    const std::string why = std::strerror(ok ? errno : error);
    static_cast<void>(::unlink(beside.c_str()));
    return failed(path + ": cannot be written (" + why + ")");
}

constexpr std::string_view kHead =
    "# Seine's tag keys. Whoever has them can tell which account a tag stands for. Mode 0600.\n"
    "# Appliances of one fleet share this file; nothing else needs it.\n";

void put_epoch(SecretText& out, const TagKeys::Epoch& epoch) {
    out.text("epoch ");
    out.number(epoch.number);
    out.text(" since ");
    out.number(epoch.since_s);
    out.text(" tag ");
    out.hex(epoch.tag_key, TagKeys::kTagKeyBytes);
    out.text(" key ");
    out.hex(epoch.sip_key, TagKeys::kSipKeyBytes);
    out.text("\n");
}

struct FreshEpoch {
    std::array<std::uint8_t, TagKeys::kTagKeyBytes + TagKeys::kSipKeyBytes> bytes{};
    FreshEpoch() = default;
    FreshEpoch(const FreshEpoch&) = delete;
    FreshEpoch& operator=(const FreshEpoch&) = delete;
    ~FreshEpoch() { wipe(bytes.data(), bytes.size()); }
};

// Writes `epochs`, a fresh one with `fresh_number` first unless that is 0, and all MAC keys of
// `keys`.
Status write_file(const std::string& path, const TagKeys* keys,
                  const std::vector<TagKeys::Epoch>& epochs, std::uint16_t fresh_number,
                  std::int64_t since_s, int mac_number = -1, const std::uint8_t* mac = nullptr) {
    auto memory = SecretMemory::make(kFileBytesMax);
    if (!memory) return memory.error();
    SecretText out(std::move(*memory));
    out.text(kHead);
    FreshEpoch fresh;
    if (fresh_number != 0) {
        const Status made = random_bytes(fresh.bytes.data(), fresh.bytes.size());
        if (!made.ok()) return made;
        put_epoch(out, {fresh_number, since_s, fresh.bytes.data(),
                        fresh.bytes.data() + TagKeys::kTagKeyBytes});
    }
    for (const TagKeys::Epoch& epoch : epochs) put_epoch(out, epoch);
    for (int number = 0; number < static_cast<int>(TagKeys::kMacsMax); ++number) {
        const std::uint8_t* key =
            keys == nullptr ? nullptr : keys->mac(static_cast<std::uint8_t>(number));
        if (number == mac_number) key = mac;
        if (key == nullptr) continue;
        out.text("mac ");
        out.number(number);
        out.text(" ");
        out.hex(key, TagKeys::kSipKeyBytes);
        out.text("\n");
    }
    return put(path, out.view());
}

}  // namespace

Result<std::unique_ptr<TagKeys>> TagKeys::load(const std::string& path) {
    std::size_t bytes = 0;
    auto file = read_whole(path, bytes);
    if (!file) return file.error();
    auto memory =
        SecretMemory::make(kEpochsMax * (kTagKeyBytes + kSipKeyBytes) + kMacsMax * kSipKeyBytes);
    if (!memory) return memory.error();
    std::unique_ptr<TagKeys> keys(new TagKeys);
    keys->memory_ = std::move(*memory);
    std::string_view text = as_text({file->bytes().data(), bytes});
    for (unsigned number = 1; !text.empty(); ++number) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const Status read =
            keys->read_line(path + ":" + std::to_string(number), text.substr(0, end));
        if (!read.ok()) return read;
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    if (keys->epochs_.empty()) {
        return failed(path + ": holds no epoch; make a key file with: seinectl account key new");
    }
    std::sort(keys->epochs_.begin(), keys->epochs_.end(),
              [](const Epoch& a, const Epoch& b) { return a.number > b.number; });
    return keys;
}

Status TagKeys::read_line(const std::string& where, std::string_view line) {
    line = line.substr(0, line.find('#'));
    const std::string_view kind = next_word(line);
    if (kind.empty()) return {};
    if (kind == "mac") {
        unsigned number = 0;
        if (!number_of(next_word(line), number) || number >= kMacsMax) {
            return failed(where + ": the number of a MAC key is 0 to 255");
        }
        macs_[number] = keep(next_word(line), kSipKeyBytes);
        if (macs_[number] == nullptr) return failed(where + ": a MAC key has 32 hex digits");
    } else if (kind == "epoch") {
        Epoch epoch;
        bool ok = number_of(next_word(line), epoch.number) && next_word(line) == "since" &&
                  number_of(next_word(line), epoch.since_s) && next_word(line) == "tag";
        if (ok) epoch.tag_key = keep(next_word(line), kTagKeyBytes);
        ok = ok && next_word(line) == "key";
        if (ok) epoch.sip_key = keep(next_word(line), kSipKeyBytes);
        const bool twice = std::any_of(epochs_.begin(), epochs_.end(), [&epoch](const Epoch& e) {
            return e.number == epoch.number;
        });
        if (!ok || epoch.tag_key == nullptr || epoch.sip_key == nullptr) {
            return failed(where + ": expected: epoch NUMBER since SECONDS tag 64-HEX key 32-HEX");
        }
        if (twice) return failed(where + ": this epoch stands in the file twice");
        if (epochs_.size() == kEpochsMax) {
            return failed(where +
                          ": more than 8 epochs; retire old ones: seinectl account key retire");
        }
        epochs_.push_back(epoch);
    } else {
        return failed(where + ": a line begins with epoch or mac");
    }
    if (!next_word(line).empty()) return failed(where + ": more on the line than expected");
    return {};
}

const std::uint8_t* TagKeys::keep(std::string_view hex, std::size_t bytes) {
    if (hex.size() != 2 * bytes || used_ + bytes > memory_.bytes().size()) return nullptr;
    std::uint8_t* at = memory_.bytes().data() + used_;
    for (std::size_t i = 0; i < bytes; ++i) {
        const auto [end, error] =
            std::from_chars(hex.data() + 2 * i, hex.data() + 2 * i + 2, at[i], 16);
        if (error != std::errc{} || end != hex.data() + 2 * i + 2) return nullptr;
    }
    used_ += bytes;
    return at;
}

const TagKeys::Epoch& TagKeys::at(std::int64_t now_s) const noexcept {
    for (const Epoch& epoch : epochs_) {
        if (epoch.since_s <= now_s) return epoch;
    }
    return epochs_.back();
}

const TagKeys::Epoch* TagKeys::before(std::int64_t now_s) const noexcept {
    const Epoch* next = &at(now_s) + 1;
    return next == epochs_.data() + epochs_.size() ? nullptr : next;
}

Status KeyFile::make(const std::string& path, std::int64_t now_s) {
    struct stat about {};
    if (::lstat(path.c_str(), &about) == 0) {
        return failed(path +
                      ": is there already; accounts are known by its keys. To change them: "
                      "seinectl account key rotate");
    }
    return write_file(path, nullptr, {}, 1, now_s);
}

Status KeyFile::rotate(const std::string& path, std::int64_t now_s, std::int64_t since_s) {
    auto keys = TagKeys::load(path);
    if (!keys) return keys.error();
    const TagKeys::Epoch& newest = (*keys)->epochs().front();
    if (newest.since_s > now_s) {
        return failed(path + ": epoch " + std::to_string(newest.number) +
                      " has not begun yet; one rotation at a time");
    }
    if ((*keys)->epochs().size() == TagKeys::kEpochsMax || newest.number == UINT16_MAX) {
        return failed(path + ": too many epochs; destroy old ones: seinectl account key retire");
    }
    return write_file(path, keys->get(), (*keys)->epochs(),
                      static_cast<std::uint16_t>(newest.number + 1), std::max(since_s, now_s));
}

Status KeyFile::retire(const std::string& path, std::int64_t now_s, bool at_once) {
    auto keys = TagKeys::load(path);
    if (!keys) return keys.error();
    const TagKeys::Epoch& current = (*keys)->at(now_s);
    if ((*keys)->before(now_s) == nullptr) {
        return failed(path + ": holds no older epoch than the one in force");
    }
    if (!at_once && now_s - current.since_s < kOverlapSeconds) {
        const std::int64_t days = (kOverlapSeconds - (now_s - current.since_s) + 86399) / 86400;
        return failed(path + ": the overlap ends in " + std::to_string(days) +
                      " days; accounts not seen since the rotation would be strangers. "
                      "--at-once destroys the old keys all the same");
    }
    std::vector<TagKeys::Epoch> kept;
    for (const TagKeys::Epoch& epoch : (*keys)->epochs()) {
        if (epoch.number >= current.number) kept.push_back(epoch);
    }
    return write_file(path, keys->get(), kept, 0, 0);
}

Status KeyFile::add_mac(const std::string& path, std::uint8_t number, const std::string& out) {
    auto keys = TagKeys::load(path);
    if (!keys) return keys.error();
    if ((*keys)->mac(number) != nullptr) {
        return failed(path + ": MAC key " + std::to_string(number) +
                      " is there already; take another number");
    }
    FreshEpoch fresh;
    const Status made = random_bytes(fresh.bytes.data(), TagKeys::kSipKeyBytes);
    if (!made.ok()) return made;
    const Status written = put(out, {fresh.bytes.data(), TagKeys::kSipKeyBytes});
    if (!written.ok()) return written;
    return write_file(path, keys->get(), (*keys)->epochs(), 0, 0, number, fresh.bytes.data());
}

Status KeyFile::export_hash_key(const std::string& path, std::int64_t now_s,
                                const std::string& out) {
    auto keys = TagKeys::load(path);
    if (!keys) return keys.error();
    return put(out, {(*keys)->at(now_s).sip_key, TagKeys::kSipKeyBytes});
}

}  // namespace seine::account
