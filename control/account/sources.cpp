#include "control/account/sources.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/account/inline_record.h"
#include "control/account/source.h"

namespace seine::account {
namespace {

using Kind = SourceConfig::Kind;

// Of one source in one round, so that none starves the others.
constexpr std::size_t kBytesARound = std::size_t{4} << 20;
constexpr std::size_t kStreamBytesAtOnce = 64 * 1024;

// A Unix socket whose file somebody removed takes nothing any more and says nothing of it.
std::string socket_problem(const Source& source) {
    struct stat about {};
    const bool by_file = source.config.kind == Kind::unix_records || source.config.kind == Kind::syslog_unix;
    if (!by_file || source.socket.fd() < 0 || (::stat(source.config.place.c_str(), &about) == 0 && S_ISSOCK(about.st_mode)))
        return {};
    return source.config.place + ": the socket's file is gone, gateways cannot send; restart seine-control";
}

}  // namespace

Result<std::unique_ptr<Sources>> Sources::open(const std::vector<SourceConfig>& sources,
                                               std::shared_ptr<const TagKeys> keys) {
    std::unique_ptr<Sources> all(new Sources);
    all->names_ = std::make_unique<Names>(std::move(keys), all->directory_);
    all->buffer_.resize(kStreamBytesAtOnce);
    for (const SourceConfig& config : sources) {
        auto source = std::make_shared<Source>(config, *all->names_);
        const Status opened = all->open_source(*source, false);
        if (!opened.ok())
            return Status(opened.code(),
                          "account source '" + config.name + "': " + opened.message());
        all->sources_.push_back(std::move(source));
    }
    return all;
}

Sources::~Sources() {
    end_thread();
    wipe(buffer_.data(), buffer_.size());
}

Status Sources::open_source(Source& source, bool inherits) {
    const SourceConfig& config = source.config;
    source.status.name = config.name;
    source.status.kind = name_of(config.kind);
    source.status.place = config.place;
    source.status.gateway = config.gateway;
    Result<Socket> opened = Socket();
    if (inherits && has_socket(config.kind)) return {};
    switch (config.kind) {
        case Kind::unix_records:
        case Kind::syslog_unix:
            opened = open_unix_datagram(config.place, config.socket_mode);
            break;
        case Kind::udp_records:
        case Kind::syslog_udp:
            opened = open_udp(config.place);
            break;
        case Kind::syslog_tcp:
            opened = open_tcp_listener(config.place);
            break;
        case Kind::file:
            source.tail = std::make_unique<FileTail>(config.place, config.from_start);
            break;
        case Kind::inline_http:
            break;
    }
    if (!opened) return opened.error();
    source.socket = std::move(*opened);
    return {};
}

Result<std::shared_ptr<Sources::Source>> Sources::open_apart(const SourceConfig& config, bool inherits,
                                                             const std::string& place) {
    auto source = std::make_shared<Source>(config, *names_);
    const Status opened = open_source(*source, inherits);
    if (!opened.ok()) return Status(opened.code(), "account source '" + config.name + "': " + opened.message());
    if (source->tail != nullptr && !place.empty()) source->tail->begin_at(place_from(place));
    return source;
}

// `to` comes where `from` was: under its name, at its place, or both.
void Sources::take_over(Source& from, Source& to) {
    if (from.config.place != to.config.place) return;
    if (has_socket(from.config.kind) && has_socket(to.config.kind) && to.socket.fd() < 0) {
        to.socket = std::move(from.socket);
        to.streams.swap(from.streams);
        const bool unix_socket = to.config.kind == Kind::unix_records || to.config.kind == Kind::syslog_unix;
        if (unix_socket) static_cast<void>(::chmod(to.config.place.c_str(), to.config.socket_mode));
    } else if (from.tail != nullptr && to.tail != nullptr && from.config.name == to.config.name) {
        to.tail = std::move(from.tail);
    }
}

void Sources::replace(const std::vector<std::string>& gone, const std::vector<std::shared_ptr<Source>>& come) {
    const std::lock_guard lock(mutex_);
    for (const std::string& name : gone) {
        const auto at = std::find_if(sources_.begin(), sources_.end(),
                                     [&name](const auto& source) { return source->config.name == name; });
        if (at == sources_.end()) continue;
        if ((*at)->tail != nullptr && (*at)->tail->place().known) left_[name] = to_text((*at)->tail->place());
        for (const auto& source : come) take_over(**at, *source);
        sources_.erase(at);
    }
    for (const auto& source : come) {
        const auto left = left_.find(source->config.name);
        if (left != left_.end() && source->tail != nullptr) {
            // One that was taken over stands where it stood.
            if (!source->tail->place().known) source->tail->begin_at(place_from(left->second));
            left_.erase(left);
        }
        source->reader.tell_requests(tell_requests_);
        sources_.push_back(source);
    }
    begin_thread();
}

void Sources::tell_requests(bool yes) {
    if (yes == tell_requests_) return;
    tell_requests_ = yes;
    const std::lock_guard lock(mutex_);
    for (const auto& source : sources_) source->reader.tell_requests(yes);
}

void Sources::replace_keys(std::shared_ptr<const TagKeys> keys) {
    const std::lock_guard lock(mutex_);
    // Readers hold the Names by reference: it stays where it is.
    *names_ = Names(std::move(keys), directory_);
}

bool Sources::poll(Nanos now, const Take& take, const MayRead& may_read) {
    const std::int64_t before = now_.exchange(now.count);
    const std::int64_t since = before == 0 ? 0 : std::max<std::int64_t>(0, now.count - before);
    const bool apart = runs_;
    bool any = take_read(take);
    bool lines = false;
    for (const auto& held : sources_) {
        Source& source = *held;
        if (source.tail != nullptr) {
            source.held = may_read && !may_read(source.config.gateway);
            if (source.held) source.held_ns += since;
            lines = source.held || poll_tail(source, now, take) || lines;
        } else if (!apart) {
            any = poll_socket_here(source, now, take) || any;
        }
    }
    if (apart && !lines) return any;
    const std::lock_guard lock(mutex_);
    tell_rekeys(now, take);
    return any || lines;
}

// The lock is had line by line: who reads sockets does not wait for a log to end.
bool Sources::poll_tail(Source& source, Nanos now, const Take& take) {
    const Take counted = [&source, &take, now](const SourceRecord& record) {
        ++source.status.records;
        source.status.last_record = now;
        take(record);
    };
    return source.tail->poll(now, kBytesARound, [&](std::string_view text) {
        const std::lock_guard lock(mutex_);
        names_->now(now);
        line(source, text, now, counted);
    });
}

void Sources::tell_rekeys(Nanos now, const Take& take) {
    for (const contract::AccountRecord& rekey : names_->take_rekeys()) {
        SourceRecord record;
        record.record = rekey;
        record.record.t_req_us = static_cast<std::uint64_t>(now.micros());
        record.mode = model::SourceMode::import;
        record.sequenced = false;
        take(record);
    }
}

void Sources::record(const contract::RecordView& record, Nanos now, const Take& take) {
    for (const auto& held : sources_) {
        Source& source = *held;
        if (source.config.kind != Kind::inline_http || record.kind != contract::Kind::request)
            continue;
        const std::lock_guard lock(mutex_);
        names_->now(now);
        SourceRecord out;
        ++source.status.lines;
        if (read_inline(record, source.config.gateway, *names_, out) != Parse::ok) {
            ++source.status.nameless;
            continue;
        }
        ++source.status.records;
        source.status.last_record = now;
        if (tell_requests_) {
            request_said(record, request_);
            out.said = &request_;
        }
        take(out);
    }
}

void Sources::line(Source& source, std::string_view text, Nanos now, const Take& take) {
    SourceRecord record;
    ++source.status.lines;
    const Parse parse = source.reader.read(text, now, record);
    switch (parse) {
        case Parse::ok:
            take(record);
            return;
        case Parse::not_this:
            ++source.status.nameless;
            break;
        case Parse::limit:
            ++source.status.oversized;
            break;
        case Parse::need_more:
        case Parse::malformed:
            ++source.status.malformed;
            break;
    }
    source.status.last_fault = source.reader.fault();
}

void Sources::framed_line(Source& source, std::string_view text, Nanos now, const Take& take) {
    std::string_view message;
    if (syslog_message(text, message) == Parse::ok) return line(source, message, now, take);
    ++source.status.lines;
    ++source.status.malformed;
    source.status.last_fault = "has no syslog header";
}

std::vector<std::pair<std::string, std::string>> Sources::places() const {
    std::vector<std::pair<std::string, std::string>> places(left_.begin(), left_.end());
    for (const auto& source : sources_) {
        if (source->tail == nullptr) continue;
        const TailPlace place = source->tail->place();
        if (place.known) places.emplace_back(source->config.name, to_text(place));
    }
    return places;
}

std::uint32_t Sources::log_count() const noexcept {
    const auto is_log = [](const auto& source) { return source->tail != nullptr; };
    return static_cast<std::uint32_t>(std::count_if(sources_.begin(), sources_.end(), is_log));
}

void Sources::begin_at(const std::string& name, const std::string& place) {
    for (const auto& source : sources_) {
        if (source->config.name == name && source->tail != nullptr)
            source->tail->begin_at(place_from(place));
    }
}

std::vector<SourceStatus> Sources::status() const {
    std::vector<SourceStatus> all;
    const std::lock_guard lock(mutex_);
    for (const auto& source : sources_) {
        SourceStatus status = source->status;
        const DatagramCounters& datagrams = source->datagrams.counters();
        status.malformed += datagrams.malformed;
        status.oversized += datagrams.oversized;
        status.forged = datagrams.forged;
        status.unsigned_refused = datagrams.unsigned_refused;
        status.other_version = datagrams.other_version;
        status.nameless += datagrams.anonymous;
        status.problem = socket_problem(*source);
        if (source->tail != nullptr) {
            const TailCounters& tail = source->tail->counters();
            status.problem = source->tail->problem();
            status.oversized += tail.too_long;
            status.rotated = tail.rotated;
            status.truncated = tail.truncated;
            status.missed = tail.missed;
            status.unread_bytes = source->tail->unread();
            status.held = source->held;
            status.held_ms = static_cast<std::uint64_t>(source->held_ns / kMillisecond);
        }
        all.push_back(std::move(status));
    }
    return all;
}

}  // namespace seine::account
