// The log of what operators did: lines that are only ever appended, each bound to the one before by
// its hash.
//
// A line is one JSON object:
// {"seq":N,"at_ns":T,"author":"..","action":"..","detail":"..","previous":"HEX","hash":"HEX"}.
// `hash` is SHA-256 over the line up to and without the hash member; `previous` is that of the line
// before (64 zeros for the first). A changed, removed or inserted line breaks the chain from there
// on. What the chain alone cannot show is that its end was cut off: FILE.head holds the last number
// and hash and shows that, unless it is cut as well.
#pragma once
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"

namespace seine::config {

struct AuditLine {
    std::uint64_t sequence = 0;
    Nanos at;
    std::string author;
    std::string action;  // "config commit", "export pause"
    std::string detail;
    std::string hash;
};

struct AuditVerdict {
    bool sound = false;
    std::uint64_t lines = 0;  // good ones from the start
    std::string fault;        // "line 17: ..", when not sound
};

class Audit {
  public:
    // Continues the file at `path`; it is made if missing. Code::corrupt when its chain is broken:
    // nothing is appended to a log that cannot be trusted; move it away and keep it.
    static Result<std::unique_ptr<Audit>> open(const std::string& path);
    ~Audit();
    Audit(const Audit&) = delete;
    Audit& operator=(const Audit&) = delete;

    // On the disk when it returns. Any thread.
    Status append(Nanos at, std::string_view author, std::string_view action,
                  std::string_view detail);
    // The last `count` lines, oldest first.
    Result<std::vector<AuditLine>> last(std::size_t count) const;
    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    explicit Audit(std::string path) : path_(std::move(path)) {}
    Status write_head();

    std::string path_;
    mutable std::mutex mutex_;
    int fd_ = -1;
    std::uint64_t sequence_ = 0;
    std::string hash_;
};

// Walks a log and its head. Code::failed only when it cannot be read.
Result<AuditVerdict> verify_audit(const std::string& path);

}  // namespace seine::config
