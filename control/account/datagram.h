// Datagrams of gateways: account records, binary with a MAC, or JSON lines.
#pragma once
#include <cstdint>
#include <string>

#include "control/account/join.h"
#include "control/account/names.h"
#include "dataplane/base/bytes.h"

namespace seine::account {

struct DatagramCounters {
    std::uint64_t datagrams = 0;
    std::uint64_t records = 0;
    std::uint64_t malformed =
        0;  // neither records nor JSON lines, or fields that are not what they should be
    std::uint64_t other_version = 0;
    std::uint64_t oversized = 0;         // more than 8 records, or a line past its bound
    std::uint64_t forged = 0;            // the MAC is wrong, or of a key that we do not have
    std::uint64_t unsigned_refused = 0;  // no MAC where one is needed
    std::uint64_t anonymous = 0;         // no account
};

// One thread.
class DatagramReader {
  public:
    // `mac_needed`: a record must bear a MAC (UDP); on a Unix socket the file's mode says who may
    // write, and a mac_key_id of 0 with a mac of 0 is none.
    DatagramReader(Names& names, bool mac_needed) : names_(names), mac_needed_(mac_needed) {}

    // Calls take(const SourceRecord&) for each sound record; names and keys in `datagram` are
    // wiped.
    template <typename Take>
    void read(std::span<std::uint8_t> datagram, Take&& take);
    [[nodiscard]] const DatagramCounters& counters() const noexcept { return counters_; }

  private:
    Parse read_binary(ByteView record, SourceRecord& out);
    Parse read_json(std::string_view line, SourceRecord& out);
    template <typename SignedBytes>
    Parse judge(SourceRecord& out, SignedBytes&& signed_bytes);
    void count(Parse parse) noexcept;

    Names& names_;
    bool mac_needed_;
    std::string scratch_;
    DatagramCounters counters_;
};

// One JSON line: names of the fields of contract/account_record.h; tags and hashes in hex,
// addresses as text, flags as a list of their names, proto "tcp" or "udp" or a number, type by name
// or number. In place of tags `account`, `org` and `key` may give names, which `names` tags. mac:
// hex of SipHash-2-4 over the 152 bytes that the same record has in binary, with mac_key_id.
// malformed: no such object, or a value out of range.
Parse read_record_json(std::string_view line, std::string& scratch, Names& names,
                       SourceRecord& out);

template <typename Take>
void DatagramReader::read(std::span<std::uint8_t> datagram, Take&& take) {
    ++counters_.datagrams;
    SourceRecord record;
    if (!datagram.empty() && datagram[0] == '{') {
        std::string_view text = as_text(datagram);
        while (!text.empty()) {
            const std::size_t end = text.find('\n');
            const std::string_view line = text.substr(0, end);
            text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
            if (line.empty()) continue;
            const Parse parse = read_json(line, record);
            if (parse == Parse::ok) take(record);
            count(parse);
        }
        wipe(datagram.data(), datagram.size());
        return;
    }
    std::size_t records = 0;
    const Parse counted = contract::count_accounts(datagram, records);
    if (counted != Parse::ok) return count(counted);
    for (std::size_t i = 0; i < records; ++i) {
        const Parse parse = read_binary(
            datagram.subspan(i * contract::kAccountRecordBytes, contract::kAccountRecordBytes),
            record);
        if (parse == Parse::ok) take(record);
        count(parse);
    }
}

}  // namespace seine::account
