// The file of tag keys: read, made, rotated. Only its owner may read it.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "control/account/secret_memory.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"

namespace seine::account {

// Lines of the file; `#` begins a comment, blanks separate:
//
//   epoch 3 since 1790000000 tag <64 hex digits> key <32 hex digits>
//   mac 1 <32 hex digits>
//
// An epoch's `tag` keys HMAC-SHA256 over account and organisation names, its `key` keys SipHash-2-4
// over API keys. The newest epoch whose `since` (seconds since 1970) has come is in force; the one
// before it is kept so that tags can be carried over, until `account key retire` destroys it. A
// `mac` is shared with gateways that send binary records; its number is the record's mac_key_id.
class TagKeys {
  public:
    static constexpr std::size_t kTagKeyBytes = 32;
    static constexpr std::size_t kSipKeyBytes = 16;
    static constexpr std::size_t kEpochsMax = 8;
    static constexpr std::size_t kMacsMax = 256;

    struct Epoch {
        std::uint16_t number = 0;
        std::int64_t since_s = 0;
        const std::uint8_t* tag_key = nullptr;  // kTagKeyBytes, in locked memory
        const std::uint8_t* sip_key = nullptr;  // kSipKeyBytes, likewise
    };

    // Refuses a file that others than its owner can read, that somebody else owns, or that is
    // damaged; errors name file, line and remedy, never a key.
    static Result<std::unique_ptr<TagKeys>> load(const std::string& path);

    // Newest first.
    [[nodiscard]] const std::vector<Epoch>& epochs() const noexcept { return epochs_; }
    // In force at `now_s`; the oldest where none has begun.
    [[nodiscard]] const Epoch& at(std::int64_t now_s) const noexcept;
    // The one before that, nullptr: none.
    [[nodiscard]] const Epoch* before(std::int64_t now_s) const noexcept;
    // kSipKeyBytes, or nullptr when the file has no such key.
    [[nodiscard]] const std::uint8_t* mac(std::uint8_t number) const noexcept {
        return macs_[number];
    }
    [[nodiscard]] bool locked() const noexcept { return memory_.locked(); }

  private:
    TagKeys() : macs_(kMacsMax, nullptr) {}
    Status read_line(const std::string& where, std::string_view line);
    const std::uint8_t* keep(std::string_view hex, std::size_t bytes);

    SecretMemory memory_;
    std::size_t used_ = 0;
    std::vector<Epoch> epochs_;
    std::vector<const std::uint8_t*> macs_;
};

// What `seinectl account key ...` does to the file. All write a new file beside it, mode 0600, and
// put it in place at once.
struct KeyFile {
    // Fails when the file is there already.
    static Status make(const std::string& path, std::int64_t now_s);
    // Adds an epoch that begins at `since_s`; the one in force stays for the overlap.
    static Status rotate(const std::string& path, std::int64_t now_s, std::int64_t since_s);
    // Destroys all epochs but the one in force. Refused before the overlap of two weeks is over,
    // unless `at_once`.
    static Status retire(const std::string& path, std::int64_t now_s, bool at_once);
    // Adds a MAC key and writes it, 16 raw bytes of mode 0600, to `out` for the gateway.
    static Status add_mac(const std::string& path, std::uint8_t number, const std::string& out);
    // Writes the API-key hash key of the epoch in force, 16 raw bytes of mode 0600, for
    // seine-dataplane --hash-key-file: key tags of inline sources are then those of logs.
    static Status export_hash_key(const std::string& path, std::int64_t now_s,
                                  const std::string& out);

    static constexpr std::int64_t kOverlapSeconds = 14 * 86400;
};

}  // namespace seine::account
