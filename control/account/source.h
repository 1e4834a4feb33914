// One account source as it is read: its socket, its streams or its log, and what it counts.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unistd.h>
#include <vector>

#include "control/account/datagram.h"
#include "control/account/file_tail.h"
#include "control/account/line_record.h"
#include "control/account/sockets.h"
#include "control/account/syslog.h"

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
    bool held = false;          // its log is not read on now: the rings are behind, and enough waits for them
    std::uint64_t held_ms = 0;  // for so long in all
    std::uint64_t unread_bytes = 0;  // of its log
    std::uint64_t dropped = 0;  // by the kernel: its socket buffer was full
    std::string last_fault;     // of the newest line that was not understood; holds no value of it
    Nanos last_record;
};

struct Source {
    struct Stream {
        int fd = -1;
        SyslogFrames frames;
    };
    Source(const SourceConfig& given, Names& names)
        : config(given),
          reader(config, names),
          datagrams(names, given.kind == SourceConfig::Kind::udp_records && !given.unsigned_records) {}
    ~Source() {
        for (Stream& stream : streams) {
            stream.frames.forget();
            ::close(stream.fd);
        }
    }
    SourceConfig config;
    LineReader reader;
    DatagramReader datagrams;
    Socket socket;
    std::vector<Stream> streams;
    std::unique_ptr<FileTail> tail;
    bool held = false;  // as SourceStatus
    std::int64_t held_ns = 0;
    SourceStatus status;
};

}  // namespace seine::account
