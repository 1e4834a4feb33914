// All account sources of a control: sockets and logs read in turn, records handed to the join.
#pragma once
#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "control/account/datagram.h"
#include "control/account/directory.h"
#include "control/account/file_tail.h"
#include "control/account/inbox.h"
#include "control/account/names.h"
#include "control/account/record_parcels.h"
#include "control/account/source.h"
#include "control/account/source_config.h"
#include "control/account/taken_records.h"
#include "dataplane/contract/frame.h"

namespace seine::account {

// One thread, which may leave the sockets to one of its own. Never waits for what is not there.
class Sources {
  public:
    using Take = std::function<void(const SourceRecord&)>;

    // Opens sockets; a log that is not there is waited for. `keys` may change later (SIGHUP), and
    // be null while there is no source.
    static Result<std::unique_ptr<Sources>> open(const std::vector<SourceConfig>& sources,
                                                 std::shared_ptr<const TagKeys> keys);
    ~Sources();
    Sources(const Sources&) = delete;
    Sources& operator=(const Sources&) = delete;

    // Whether records of logs, syslog and inline requests tell of the request (SourceRecord::said).
    void tell_requests(bool yes);
    void replace_keys(std::shared_ptr<const TagKeys> keys);
    // Reads what is there, a bounded part of it; true when there was something, or may be. The logs of
    // gateways of which `may_read` says no are left as they are: they keep what they hold.
    using MayRead = std::function<bool(std::uint32_t gateway)>;
    bool poll(Nanos now, const Take& take, const MayRead& may_read = {});
    // From here on sockets are read in a thread of their own, and poll() hands out what it read: in the
    // order of each socket, which is all that there was before. Times are those of the last poll().
    void read_sockets_apart();
    // Ends that thread; the next poll() hands out all that it had read.
    void end_thread();
    // Where what sockets give is counted as it is read; before the first poll(), and it outlives this.
    void count_in(TakenRecords& taken) noexcept { taken_ = &taken; }
    // How many of those were handed out. Less than taken: the others wait here.
    [[nodiscard]] std::uint64_t handed_out() const noexcept { return handed_out_; }
    // At the end, for sockets alone: what that thread had read and what still waits in the kernel, a
    // bounded part of it. The thread ends.
    void drain(Nanos now, const Take& take);
    // A record of the ring: inline sources take the account of a request in clear from it.
    void record(const contract::RecordView& record, Nanos now, const Take& take);
    // Held while the directory or the names are used, once sockets are read apart.
    [[nodiscard]] std::unique_lock<std::mutex> hold() const { return std::unique_lock(mutex_); }
    Directory& directory() noexcept { return directory_; }
    Names& names() noexcept { return *names_; }

    [[nodiscard]] std::uint32_t log_count() const noexcept;
    // Places in logs, by the source's name, for the store.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> places() const;
    // Before the first poll().
    void begin_at(const std::string& name, const std::string& place);

    using Source = account::Source;
    // One that is ready and not read yet, so that opening it may fail before anything changes. Any
    // thread. `inherits`: the socket at its place is that of a source that ends when this begins.
    // `place`: where its log was left, empty when it never was read.
    Result<std::shared_ptr<Source>> open_apart(const SourceConfig& config, bool inherits, const std::string& place);
    // Ends those that are named, begins others. A log that goes on under its name goes on where it
    // was; so does one that ended here before.
    void replace(const std::vector<std::string>& gone, const std::vector<std::shared_ptr<Source>>& come);
    [[nodiscard]] std::vector<SourceStatus> status() const;

  private:
    Sources() = default;
    void take_over(Source& from, Source& to);
    static Status open_source(Source& source, bool inherits);
    bool may_read();
    void begin_thread();
    void read_apart();
    void read_until_end();
    bool take_read(const Take& take);
    bool poll_socket_here(Source& source, Nanos now, const Take& take);
    void tell_rekeys(Nanos now, const Take& take);
    bool poll_tail(Source& source, Nanos now, const Take& take);
    bool poll_socket(Source& source, Nanos now, const Take& take);
    bool poll_datagrams(Source& source, Nanos now, const Take& take);
    bool poll_stream(Source& source, Nanos now, const Take& take);
    void line(Source& source, std::string_view text, Nanos now, const Take& take);
    void framed_line(Source& source, std::string_view text, Nanos now, const Take& take);

    bool tell_requests_ = false;
    bool apart_ = false;  // sockets are left to the thread, where there are any
    TakenRecords* taken_ = nullptr;
    std::uint64_t handed_out_ = 0;
    Request request_;  // of an inline request
    RecordParcel reading_;
    std::map<std::string, std::string> left_;  // places in logs of sources that ended

    // Names, directory and what is read by whom: of both threads. The list changes in the one, under
    // the lock.
    mutable std::mutex mutex_;
    Directory directory_;
    std::unique_ptr<Names> names_;
    std::vector<std::shared_ptr<Source>> sources_;
    std::unique_ptr<Inbox> inbox_;  // made for the first datagram
    std::vector<std::uint8_t> buffer_;

    std::atomic<std::int64_t> now_{0};  // of the last poll()
    std::atomic<bool> runs_{false};  // the thread
    std::atomic<bool> ending_{false};
    std::atomic<bool> failed_{false};  // the thread, by what follows; poll() throws that
    std::exception_ptr failure_;
    RecordParcels parcels_;
    std::thread thread_;
};

}  // namespace seine::account
