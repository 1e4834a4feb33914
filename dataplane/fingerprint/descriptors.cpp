// The SYN descriptor letter by letter, and the times of a handshake.
#include "dataplane/fingerprint/descriptors.h"

#include <algorithm>
#include <limits>

#include "dataplane/wire/tcp.h"

namespace seine::fingerprint {
namespace {

constexpr std::uint8_t kFlagEce = 0x40;
constexpr std::uint8_t kFlagCwr = 0x80;
constexpr std::uint8_t kOptionFastOpen = 34;  // RFC 7413
constexpr std::uint32_t kMultipleMax = 64;

unsigned ttl_class(std::uint8_t ttl) noexcept {
    return ttl <= 32 ? 32 : ttl <= 64 ? 64 : ttl <= 128 ? 128 : 255;
}

void append_window(const wire::PacketView& syn, std::uint32_t mss, SynText& out) noexcept {
    const std::uint32_t headers = syn.ip_version == 6 ? 60 : 40;
    const auto append_multiple = [&](char letter, std::uint32_t unit) {
        if (mss == 0 || syn.window == 0 || syn.window % unit != 0 || syn.window / unit > kMultipleMax) return false;
        out.push(letter);
        out.append_decimal(syn.window / unit);
        return true;
    };
    if (append_multiple('x', mss) || append_multiple('y', mss + headers)) return;
    out.append_decimal(syn.window);
}

// One option; '?' where its length is not the one its RFC gives.
void append_option(const wire::TcpOption& option, SynText& out) noexcept {
    const std::size_t length = option.value.size();
    switch (option.kind) {
        case wire::kTcpOptionEnd: out.push('E'); return;
        case wire::kTcpOptionNop: out.push('N'); return;
        case wire::kTcpOptionMss:
            out.push('M');
            if (length != 2) break;
            out.append_decimal(load_be16(option.value.data()));
            return;
        case wire::kTcpOptionWindowScale:
            out.push('W');
            if (length != 1) break;
            out.append_decimal(option.value[0]);
            return;
        case wire::kTcpOptionSackPermitted:
            out.push('S');
            if (length != 0) break;
            return;
        case wire::kTcpOptionTimestamps:
            out.push('T');
            if (length != 8) break;
            return;
        case kOptionFastOpen: out.push('F'); return;
        default:
            out.push('X');
            out.append_decimal(option.kind);
            return;
    }
    out.push('?');
}

std::uint32_t mss_of(ByteView options) noexcept {
    wire::TcpOptions walk(options);
    wire::TcpOption option;
    while (walk.next(option) == Parse::ok) {
        if (option.kind == wire::kTcpOptionMss && option.value.size() == 2) return load_be16(option.value.data());
    }
    return 0;
}

// True when the list is sound to its end.
bool append_options(ByteView options, SynText& out) noexcept {
    wire::TcpOptions walk(options);
    wire::TcpOption option;
    bool first = true;
    Parse parsed = walk.next(option);
    for (; parsed == Parse::ok; parsed = walk.next(option)) {
        if (!first) out.push('.');
        first = false;
        append_option(option, out);
    }
    if (first) out.push('-');
    return parsed == Parse::need_more;
}

void append_flags(const wire::PacketView& syn, bool sound, SynText& out) noexcept {
    const std::size_t before = out.size();
    const bool is_ack = (syn.tcp_flags & wire::kTcpAck) != 0;
    const std::uint8_t ecn = syn.tcp_flags & (kFlagEce | kFlagCwr);
    const bool is_v4 = syn.ip_version == 4;
    if (is_v4 && syn.dont_fragment) out.push('d');
    if (ecn == (is_ack ? kFlagEce : kFlagEce | kFlagCwr)) out.push('e');
    if (syn.payload_wire_bytes > 0) out.push('p');
    if (is_v4 && syn.dont_fragment && syn.ip_id != 0) out.push('i');
    if ((syn.tcp_flags & (wire::kTcpUrg | wire::kTcpPsh | wire::kTcpFin)) != 0) out.push('u');
    if (!sound || syn.options_cut) out.push('b');
    if (out.size() == before) out.push('-');
}

constexpr std::string_view kCauseNames[] = {
#define SEINE_X(id, meaning) #id,
    SEINE_RTT_CAUSES(SEINE_X)
#undef SEINE_X
};
constexpr auto kCauseCount = static_cast<std::size_t>(RttCause::count_);
static_assert(std::size(kCauseNames) == kCauseCount && kCauseCount <= 16);

std::int32_t micros_between(Nanos earlier, Nanos later) noexcept {
    const std::int64_t us = (later - earlier) / kMicrosecond;
    return static_cast<std::int32_t>(std::min<std::int64_t>(us, std::numeric_limits<std::int32_t>::max()));
}

}  // namespace

void syn_descriptor(const wire::PacketView& syn, SynText& out) noexcept {
    out.clear();
    out.append_decimal(syn.ip_version);
    out.push('/');
    out.append_decimal(ttl_class(syn.ttl));
    out.push('/');
    append_window(syn, mss_of(syn.options), out);
    out.push('/');
    const bool sound = append_options(syn.options, out);
    out.push('/');
    append_flags(syn, sound, out);
}

std::string_view rtt_cause_name(RttCause cause) noexcept {
    const auto at = static_cast<std::size_t>(cause);
    return at < kCauseCount ? kCauseNames[at] : std::string_view("unknown");
}

void rtt_cause_names(std::uint16_t causes, RttCauseText& out) noexcept {
    out.clear();
    for (std::size_t i = 0; i < kCauseCount; ++i) {
        if ((causes >> i & 1) == 0) continue;
        if (!out.empty()) out.push(',');
        out.append(kCauseNames[i]);
    }
}

void CrossLayerRtt::syn_ack(Nanos now) noexcept {
    if (stage_ == Stage::idle) {
        t1_ = now;
        stage_ = Stage::syn_ack_out;
        see(kT1 | kServer);
        return;
    }
    mark(RttCause::retransmission);
}

void CrossLayerRtt::client_ack(Nanos now) noexcept {
    if (stage_ != Stage::syn_ack_out) return;
    t2_ = now;
    stage_ = Stage::established;
    see(kT2 | kClient);
    if (t2_ < t1_) mark(RttCause::time_back);
}

void CrossLayerRtt::client_payload(Nanos now) noexcept {
    if (measured()) return;
    see(kClient);
    if (!seen(kClientByte)) {
        first_client_ = now;
        see(kClientByte);
    }
    if (stage_ != Stage::flight) return;
    t4_ = now;
    see(kT4);
    if (t4_ < t3_) mark(RttCause::time_back);
    stage_ = Stage::measured;
}

void CrossLayerRtt::client_hello() noexcept {
    if (stage_ < Stage::hello) stage_ = Stage::hello;
}

void CrossLayerRtt::server_payload(Nanos now, std::uint32_t payload_bytes) noexcept {
    if (measured()) return;
    see(kServer);
    if (stage_ != Stage::hello && stage_ != Stage::flight) return;
    stage_ = Stage::flight;
    t3_ = now;
    see(kT3);
    const std::uint64_t bytes = std::uint64_t{flight_bytes_} + payload_bytes;
    flight_bytes_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, 0xffffffff));
}

void CrossLayerRtt::mark(RttCause cause) noexcept {
    if (stage_ == Stage::idle && cause != RttCause::fast_open) return;
    if (measured() && cause != RttCause::client_certificate && cause != RttCause::abbreviated) return;
    causes_ = static_cast<std::uint16_t>(causes_ | rtt_bit(cause));
}

void CrossLayerRtt::poll_gap(std::int64_t gap_ns) noexcept {
    if (gap_ns > kPollGapNsMax) mark(RttCause::poll_gap);
}

void CrossLayerRtt::set_mss(std::uint16_t mss) noexcept {
    if (mss > 0) mss_ = mss;
}

RttSample CrossLayerRtt::sample() const noexcept {
    RttSample out;
    if (seen(kT1 | kT2) && t2_ >= t1_) out.rtt_tcp_us = micros_between(t1_, t2_);
    if (seen(kT3 | kT4) && t4_ >= t3_) out.rtt_tls_us = micros_between(t3_, t4_);
    if (seen(kT2 | kClientByte) && first_client_ >= t2_) out.late_hello_us = micros_between(t2_, first_client_);
    unsigned causes = causes_;
    if (flight_bytes_ > kFlightSegmentsMax * mss_) causes |= rtt_bit(RttCause::flight_too_long);
    if (!seen(kClient | kServer)) causes |= rtt_bit(RttCause::one_direction);
    if (!measured()) causes |= rtt_bit(RttCause::incomplete);
    out.causes = static_cast<std::uint16_t>(causes);
    out.valid = causes == 0 && out.rtt_tcp_us >= 0 && out.rtt_tls_us >= 0;
    return out;
}

}  // namespace seine::fingerprint
