// Account sources, tag keys and directory inside the daemon: one part of the ingest thread.
#pragma once
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "control/account/sources.h"
#include "control/config/section.h"
#include "control/service/config.h"
#include "control/service/ingest.h"
#include "control/store/store.h"

namespace seine::service {

struct AccountStatus {
    std::vector<account::SourceStatus> sources;
    std::size_t directory_accounts = 0;
    std::size_t directory_keys = 0;
    std::uint64_t directory_refused = 0;
    std::uint16_t tag_epoch = 0;
    bool keys_locked = false;
    std::string keys_problem;  // of the last reload; the keys before it are still in use
    std::uint64_t unstored = 0;  // records that sockets gave and no batch has stored, over all lives
};

class AccountPart {
  public:
    // With the sources of the bootstrap file, if it names any. Fails on a source or key file that is
    // not sound: at start nobody is served half.
    static Result<std::unique_ptr<AccountPart>> make(const Config& config, store::Store& store);

    // For Ingest::add(); this outlives the ingest.
    IngestPart part();
    // What keeps a request until its connection is known and gives it a number, 0 when it does not
    // want it; and whether it wants any. Before Ingest::start(); called in the ingest thread.
    void keep_requests(std::function<std::uint64_t(const account::Request&)> keep, std::function<bool()> wanted) {
        keep_request_ = std::move(keep);
        requests_wanted_ = std::move(wanted);
    }
    // Sources beside those of the bootstrap file, all of them as they are from now on: opens what is
    // new, and apply() hands it to the ingest thread, which turns to it within a round. A failure has
    // changed nothing. Any thread, one at a time; before a change the one before it was applied or
    // given up.
    Result<std::unique_ptr<config::Change>> prepare(const std::vector<account::SourceConfig>& wanted);
    // Whether `name` is of the bootstrap file.
    [[nodiscard]] bool is_fixed(const std::string& name) const;
    // Whether there is any source. Any thread.
    [[nodiscard]] bool any() const noexcept { return source_count_ != 0; }
    // Any thread; as of at most half a second ago.
    [[nodiscard]] AccountStatus status() const;
    // Lines of account::to_text(DirectoryEntry). Any thread. All or nothing: the first that is not
    // sound fails. They are in force within a round of the ingest thread and kept with its next
    // commit: when imports_stored() has come to the number that is given.
    Result<std::uint64_t> import(const std::vector<std::string>& lines);
    // Any thread.
    [[nodiscard]] std::uint64_t imports_stored() const noexcept { return imports_stored_; }
    // SIGHUP: reads the key file anew in the ingest thread. Any thread.
    void reload_keys() noexcept { reload_ = true; }

  private:
    // What the ingest thread does to its sources.
    struct Turn {
        std::vector<std::string> gone;
        std::vector<std::shared_ptr<account::Sources::Source>> come;
        std::shared_ptr<const account::TagKeys> keys;  // where there were none before
    };
    struct Ready;
    explicit AccountPart(const std::string& taken_file) : taken_(taken_file) {}
    Status take_up_taken();
    void tell_unstored();
    Status load_first_keys(Turn& turn);
    void turn_to(const Turn& turn);
    void hand_over(account::Join& join, Nanos now);
    bool poll(account::Join& join, Nanos now);
    void put_imported(account::Join& join, Nanos now);
    void load_keys();
    void publish(Nanos now);
    [[nodiscard]] account::SourceRecord kept(const account::SourceRecord& said) const;

    static constexpr char kDirectoryRoom[] = "account-directory";
    static constexpr char kPlaceRoom[] = "account-source";
    static constexpr char kTakenRoom[] = "account-sockets";
    store::Store* store_ = nullptr;
    std::string keys_path_;
    std::vector<std::string> fixed_;                  // names of the bootstrap file's
    std::vector<account::SourceConfig> committed_;    // of the last change that was applied
    std::shared_ptr<const account::TagKeys> first_keys_;  // of the thread that changes sources
    std::atomic<std::size_t> source_count_{0};
    account::TakenRecords taken_;
    std::uint64_t in_batch_ = 0;   // of those that were taken, when the last batch was made
    std::uint64_t stored_ = 0;
    std::uint64_t unstored_ = 0;   // of the lives before
    std::uint64_t first_taken_ = 0;  // when this one began
    std::unique_ptr<account::Sources> sources_;
    std::shared_ptr<const account::TagKeys> keys_;
    std::function<std::uint64_t(const account::Request&)> keep_request_;
    std::function<bool()> requests_wanted_;
    account::Join* join_ = nullptr;  // of the ingest thread
    std::vector<account::SourceRecord> early_;  // of the rings' first round, before the join was seen
    static constexpr std::size_t kTogether = 32;
    std::vector<account::SourceRecord> together_;  // of a poll, handed on in one go
    std::atomic<bool> reload_{false};
    std::string keys_problem_;
    // Entries of imports: put into the directory, of them in the last batch, of them stored.
    std::uint64_t imports_put_ = 0;
    std::uint64_t imports_in_batch_ = 0;
    std::atomic<std::uint64_t> imports_stored_{0};
    bool begun_ = false;  // the first poll was
    std::size_t ring_records_ = 0;  // since the poll before
    // Where a round brings so many records the rings hold more. Lines of a gateway that wait for them are
    // read ahead up to its part of the other: past it its logs keep them, else they would be given up
    // before their flows come.
    static constexpr std::size_t kRingsBehind = 8192;
    static constexpr std::uint32_t kReadAheadMax = 50'000;
    static constexpr std::uint32_t kReadAheadLeast = 2000;
    [[nodiscard]] std::uint32_t read_ahead_max() const;
    Nanos published_;

    mutable std::mutex mutex_;  // of what follows
    std::vector<Turn> turns_;
    std::vector<account::DirectoryEntry> imported_;
    std::uint64_t imports_ = 0;  // that were ever taken
    AccountStatus status_;
};

}  // namespace seine::service
