// Sockets of account sources: read in turn with everything else, or in a thread of their own.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fstream>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

#include "control/account/secret_memory.h"
#include "control/account/sources.h"

namespace seine::account {
namespace {

using Kind = SourceConfig::Kind;

// Of one source in one round, so that none starves the others.
constexpr std::size_t kDatagramsARound = 512;
constexpr std::size_t kStreamBytesARound = std::size_t{1} << 20;
constexpr std::size_t kStreamsMax = 64;
constexpr std::size_t kParcelsARound = 8;
// Of what waits in the kernel at the end: whoever goes on sending does not hold the end up.
constexpr unsigned kRoundsAtEnd = 64;
// Between two looks while datagrams come: as many are read at a call as came meanwhile. The short one is
// for queues of ten, which a Unix socket has unless the kernel is told otherwise.
constexpr std::chrono::microseconds kNap{1000};
constexpr std::chrono::microseconds kShortNap{250};
constexpr unsigned kLongQueue = 512;
constexpr char kQueueSetting[] = "/proc/sys/net/unix/max_dgram_qlen";
constexpr int kIdleWaitMs = 10;

// What a name or key left of itself in registers that were put aside lies below the frames of now, and
// nothing else runs in that thread that would write over it.
[[gnu::noinline]] void wipe_stack_below() noexcept {
    std::array<std::uint8_t, 64 * 1024> room;  // NOLINT: not set, but what was there before
    wipe(room.data(), room.size());
}

std::chrono::microseconds nap() {
    unsigned queue = 0;
    std::ifstream(kQueueSetting) >> queue;
    return queue >= kLongQueue ? kNap : kShortNap;
}

}  // namespace

bool Sources::may_read() { return !runs_ || parcels_.has_room(); }

bool Sources::poll_socket(Source& source, Nanos now, const Take& take) {
    if (source.socket.fd() < 0) return false;
    const Take counted = [&source, &take, now](const SourceRecord& record) {
        ++source.status.records;
        source.status.last_record = now;
        take(record);
    };
    return source.config.kind == Kind::syslog_tcp ? poll_stream(source, now, counted)
                                                  : poll_datagrams(source, now, counted);
}

void Sources::read_sockets_apart() {
    apart_ = true;
    begin_thread();
}

void Sources::begin_thread() {
    const bool sockets = std::any_of(sources_.begin(), sources_.end(),
                                     [](const auto& source) { return has_socket(source->config.kind); });
    if (!apart_ || !sockets || runs_) return;
    ending_ = false;
    runs_ = true;
    thread_ = std::thread([this] { read_apart(); });
}

void Sources::end_thread() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
    runs_ = false;
    apart_ = false;
}

// The thread that reads sockets. What it throws is thrown where its records would have been handed out.
void Sources::read_apart() {
    try {
        read_until_end();
    } catch (...) {
        failure_ = std::current_exception();
        failed_ = true;
    }
}

void Sources::read_until_end() {
    const std::chrono::microseconds between = nap();
    std::vector<pollfd> waits;
    bool wiped = false;  // since something was read last
    const Take take = [this](const SourceRecord& record) {
        if (taken_ != nullptr) taken_->add();
        parcels_.fresh().add(record);
    };
    while (!ending_) {
        const Nanos now{now_};
        bool any = false;
        bool more = true;
        for (std::size_t i = 0; more; ++i) {
            const std::lock_guard lock(mutex_);
            more = i < sources_.size();
            if (!more) {
                tell_rekeys(now, take);
                break;
            }
            names_->now(now);
            any = poll_socket(*sources_[i], now, take) || any;
        }
        wiped = wiped && !any;
        if (!parcels_.give() || any) {
            std::this_thread::sleep_for(between);
            continue;
        }
        if (!std::exchange(wiped, true)) wipe_stack_below();
        waits.clear();
        {
            const std::lock_guard lock(mutex_);
            for (const auto& source : sources_) {
                if (source->socket.fd() >= 0) waits.push_back({source->socket.fd(), POLLIN, 0});
                for (const Source::Stream& stream : source->streams) waits.push_back({stream.fd, POLLIN, 0});
            }
        }
        static_cast<void>(::poll(waits.data(), waits.size(), kIdleWaitMs));
    }
}

// What that thread has read, a bounded part of it; all of it when it has ended.
bool Sources::take_read(const Take& take) {
    if (failed_) std::rethrow_exception(failure_);
    bool any = false;
    for (std::size_t i = 0; i < kParcelsARound || !runs_; ++i) {
        if (!parcels_.take(reading_)) break;
        handed_out_ += reading_.size();
        reading_.each(take);
        any = true;
    }
    if (runs_ || parcels_.left().size() == 0) return any;
    handed_out_ += parcels_.left().size();
    parcels_.left().each(take);
    parcels_.left().clear();
    return true;
}

// In the thread that polls.
bool Sources::poll_socket_here(Source& source, Nanos now, const Take& take) {
    const std::lock_guard lock(mutex_);
    names_->now(now);
    return poll_socket(source, now, [this, &take](const SourceRecord& record) {
        if (taken_ != nullptr) taken_->add();
        ++handed_out_;
        take(record);
    });
}

void Sources::drain(Nanos now, const Take& take) {
    end_thread();
    static_cast<void>(take_read(take));
    bool any = true;
    for (unsigned round = 0; any && round < kRoundsAtEnd; ++round) {
        any = false;
        for (const auto& source : sources_) any = poll_socket_here(*source, now, take) || any;
    }
    const std::lock_guard lock(mutex_);
    tell_rekeys(now, take);
}

bool Sources::poll_datagrams(Source& source, Nanos now, const Take& take) {
    const bool records =
        source.config.kind == Kind::unix_records || source.config.kind == Kind::udp_records;
    if (inbox_ == nullptr) inbox_ = std::make_unique<Inbox>();
    bool any = false;
    for (std::size_t round = 0; round < kDatagramsARound / Inbox::kAtOnce && may_read(); ++round) {
        const std::size_t count = inbox_->receive(source.socket.fd());
        any = any || count > 0;
        for (std::size_t i = 0; i < count; ++i) {
            const Inbox::Datagram datagram = (*inbox_)[i];
            if (datagram.dropped_known) source.status.dropped = datagram.dropped;
            if (datagram.cut) {
                ++source.status.oversized;
            } else if (records) {
                source.datagrams.read(datagram.bytes, take);
                continue;
            } else {
                framed_line(source, as_text(datagram.bytes), now, take);
            }
            wipe(datagram.bytes.data(), datagram.bytes.size());
        }
        if (count < Inbox::kAtOnce) break;
    }
    return any;
}

bool Sources::poll_stream(Source& source, Nanos now, const Take& take) {
    bool any = false;
    while (source.streams.size() < kStreamsMax) {
        const int fd =
            ::accept4(source.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0) break;
        source.streams.emplace_back().fd = fd;
        any = true;
    }
    for (std::size_t i = 0; i < source.streams.size();) {
        Source::Stream& stream = source.streams[i];
        bool open = true;
        for (std::size_t done = 0; open && done < kStreamBytesARound && may_read();) {
            const ssize_t got = ::recv(stream.fd, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
            if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
            open = got > 0;
            if (!open) break;
            any = true;
            done += static_cast<std::size_t>(got);
            const std::string_view text = as_text({buffer_.data(), static_cast<std::size_t>(got)});
            open = stream.frames.feed(
                text, [&](std::string_view frame) { framed_line(source, frame, now, take); });
            if (!open) {
                ++source.status.malformed;
                source.status.last_fault = "is no syslog framing; the connection was closed";
            }
            wipe(buffer_.data(), static_cast<std::size_t>(got));
        }
        if (open) {
            ++i;
            continue;
        }
        stream.frames.forget();
        ::close(stream.fd);
        source.streams.erase(source.streams.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return any;
}

}  // namespace seine::account
