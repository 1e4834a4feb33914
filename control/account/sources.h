// All account sources of a control: sockets and logs read in turn, records handed to the join.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/account/datagram.h"
#include "control/account/directory.h"
#include "control/account/file_tail.h"
#include "control/account/inbox.h"
#include "control/account/names.h"
#include "control/account/source_config.h"
#include "dataplane/contract/frame.h"

namespace seine::account {

struct SourceStatus {
    std::string name;
    std::string kind;
    std::string place;
    std::string problem;  // empty: none
    std::uint32_t gateway = 0;
    std::uint64_t records = 0;    // handed to the join
    std::uint64_t lines = 0;      // of logs and syslog
    std::uint64_t malformed = 0;  // not of the format
    std::uint64_t nameless = 0;   // of the format, but no account, or no connection
    std::uint64_t oversized = 0;
    std::uint64_t forged = 0;
    std::uint64_t unsigned_refused = 0;
    std::uint64_t other_version = 0;
    std::uint64_t rotated = 0;
    std::uint64_t truncated = 0;
    std::uint64_t missed = 0;
    std::uint64_t dropped = 0;  // by the kernel: its socket buffer was full
    std::string last_fault;     // of the newest line that was not understood; holds no value of it
    Nanos last_record;
};

// One thread. Never waits.
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
    void tell_requests(bool yes) noexcept;
    void replace_keys(std::shared_ptr<const TagKeys> keys);
    // Reads what is there, a bounded part of it; true when there was something.
    bool poll(Nanos now, const Take& take);
    // A record of the ring: inline sources take the account of a request in clear from it.
    void record(const contract::RecordView& record, Nanos now, const Take& take);
    Directory& directory() noexcept { return directory_; }
    Names& names() noexcept { return *names_; }

    // Places in logs, by the source's name, for the store.
    [[nodiscard]] std::vector<std::pair<std::string, std::string>> places() const;
    // Before the first poll().
    void begin_at(const std::string& name, const std::string& place);

    struct Source;
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
    bool poll_datagrams(Source& source, Nanos now, const Take& take);
    bool poll_stream(Source& source, Nanos now, const Take& take);
    void line(Source& source, std::string_view text, Nanos now, const Take& take);
    void framed_line(Source& source, std::string_view text, Nanos now, const Take& take);

    bool tell_requests_ = false;
    Request request_;  // of an inline request
    Directory directory_;
    std::unique_ptr<Names> names_;
    std::vector<std::shared_ptr<Source>> sources_;
    std::map<std::string, std::string> left_;  // places in logs of sources that ended
    std::unique_ptr<Inbox> inbox_;  // made for the first datagram
    std::vector<std::uint8_t> buffer_;
};

}  // namespace seine::account
