// A log line to an account record.
#pragma once
#include <string>
#include <string_view>

#include "control/account/join.h"
#include "control/account/log_line.h"
#include "control/account/names.h"
#include "control/account/source_config.h"

namespace seine::account {

// One thread. Names and keys of a line are wiped before read() returns; the line itself is its
// owner's to wipe.
class LineReader {
  public:
    // Borrows both.
    LineReader(const SourceConfig& source, Names& names)
        : source_(source), names_(names), line_(source.format) {}

    // ok: `out` is set. not_this: the line is of the format, but names no account or no client and
    // no id; a request without a key is no fault. malformed: not of the format, or a field is not
    // what it should be: fault() says which. limit: too long.
    Parse read(std::string_view line, Nanos now, SourceRecord& out);
    // Whether records tell of their requests too (SourceRecord::said, good until the next read()).
    void tell_requests(bool yes) noexcept { tell_requests_ = yes; }
    // Of the last line that was not ok; never holds a value that might be secret.
    [[nodiscard]] const std::string& fault() const noexcept { return fault_; }

  private:
    Parse read_fields(Nanos now, SourceRecord& out);
    Parse wrong(LogProperty property, std::string_view expected);
    void read_request();
    bool read_times(Nanos now, SourceRecord& out);
    bool read_ends(contract::AccountRecord& record);
    [[nodiscard]] std::uint64_t number(LogProperty property, std::uint64_t most) const noexcept;

    const SourceConfig& source_;
    Names& names_;
    LogLine line_;
    std::string fault_;
    bool tell_requests_ = false;
    Request request_;
};

}  // namespace seine::account
