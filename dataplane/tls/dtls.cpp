// DTLS: recognition, record and fragment headers, and the bounded assembler of handshake messages.
#include "dataplane/tls/dtls.h"

#include <algorithm>

#include "dataplane/base/assert.h"

namespace seine::tls {
namespace {

constexpr std::uint16_t kOldOpenSsl = 0x0100;  // OpenSSL 0.9.8 before RFC 4347 was out
// TLSCiphertext, with the same allowance as over TCP.
constexpr std::size_t kRecordBytesMax = (1u << 14) + 2048;

bool dtls_version(std::uint16_t version) noexcept {
    return version == 0xfeff || version == 0xfefd || version == 0xfefc || version == kOldOpenSsl;
}

bool known_type(std::uint8_t type) noexcept {
    return type >= content::kChangeCipherSpec && type <= 26;  // 26: ACK (RFC 9147 section 7)
}

// 001CSLEE: what begins a record of DTLS 1.3 once keys are there.
bool unified_header(std::uint8_t first) noexcept { return first >> 5 == 1; }

}  // namespace

Parse looks_like_dtls(ByteView datagram) noexcept {
    if (!datagram.empty() && datagram[0] != content::kHandshake) return Parse::not_this;
    if (datagram.size() >= 3 && !dtls_version(load_be16(datagram.data() + 1))) return Parse::not_this;
    if (datagram.size() < DtlsRecord::kHeaderBytes + DtlsFragment::kHeaderBytes) {
        return Parse::need_more;
    }
    ByteReader in(datagram);
    DtlsRecord record;
    const Parse outer = read(in, record);
    if (outer == Parse::need_more) return outer;
    if (outer != Parse::ok || record.epoch != 0) return Parse::not_this;
    ByteReader message(record.fragment);
    DtlsFragment fragment;
    if (message.empty() || read(message, fragment) != Parse::ok) return Parse::not_this;
    const bool hello = fragment.type >= handshake::kClientHello &&
                       fragment.type <= handshake::kHelloVerifyRequest;
    if (!hello || fragment.bytes.empty()) return Parse::not_this;
    if (fragment.offset > 0 || fragment.bytes.size() < 2) return Parse::ok;
    return dtls_version(load_be16(fragment.bytes.data())) ? Parse::ok : Parse::not_this;
}

Parse read(ByteReader& in, DtlsRecord& out) noexcept {
    out = {};
    const std::uint8_t type = in.empty() ? std::uint8_t{0} : in.rest()[0];
    out.type = type;
    if (type == content::kTls12Cid || unified_header(type)) {
        out.ciphered = true;
        out.fragment = in.take(in.left());
        return Parse::ok;
    }
    if (!known_type(type)) return Parse::not_this;
    const std::uint8_t* at = in.fixed<DtlsRecord::kHeaderBytes>();
    if (at == nullptr) return Parse::need_more;
    out.version = load_be16(at + 1);
    out.epoch = load_be16(at + 3);
    out.sequence = (std::uint64_t{load_be16(at + 5)} << 32) | load_be32(at + 7);
    out.ciphered = out.epoch != 0;
    const std::size_t length = load_be16(at + 11);
    if (!dtls_version(out.version) || length > kRecordBytesMax) return Parse::malformed;
    out.fragment = in.take(length);
    return in.failed() ? Parse::need_more : Parse::ok;
}

Parse read(ByteReader& in, DtlsFragment& out) noexcept {
    out = {};
    const std::uint8_t* at = in.fixed<DtlsFragment::kHeaderBytes>();
    if (at == nullptr) return Parse::malformed;
    out.type = at[0];
    out.message_bytes = load_be24(at + 1);
    out.message_seq = load_be16(at + 4);
    out.offset = load_be24(at + 6);
    out.bytes = in.take(load_be24(at + 9));
    if (in.failed() || out.offset + out.bytes.size() > out.message_bytes) return Parse::malformed;
    return out.message_bytes > kHandshakeBytesMax ? Parse::limit : Parse::ok;
}

bool DtlsAssembler::handed_out(std::uint16_t message_seq) const noexcept {
    return message_seq < 64 && ((done_ >> message_seq) & 1) != 0;
}

// The slot that gathers this message, opened if need be; nullptr when there is no room.
DtlsAssembler::Slot* DtlsAssembler::slot_of(const DtlsFragment& fragment, std::size_t room) noexcept {
    Slot* unused = nullptr;
    for (Slot& slot : slots_) {
        if (slot.open && slot.message_seq == fragment.message_seq) return &slot;
        if (!slot.open && unused == nullptr) unused = &slot;
    }
    if (open_count_ == 0) buffer_used_ = 0;
    if (unused == nullptr || fragment.message_bytes > room ||
        buffer_used_ > room - fragment.message_bytes) {
        return nullptr;
    }
    *unused = {};
    unused->open = true;
    unused->type = fragment.type;
    unused->message_seq = fragment.message_seq;
    unused->message_bytes = fragment.message_bytes;
    unused->base = buffer_used_;
    buffer_used_ += fragment.message_bytes;
    ++open_count_;
    return unused;
}

// Copies the bytes not had before and merges the ranges. False: too many separate pieces.
bool DtlsAssembler::insert(Slot& slot, const DtlsFragment& fragment, std::uint8_t* target) noexcept {
    const std::uint32_t from = fragment.offset;
    const auto to = static_cast<std::uint32_t>(fragment.offset + fragment.bytes.size());
    if (from == to) return true;
    // Ranges [first, last) touch or overlap the new one and become one with it.
    std::uint32_t first = 0;
    while (first < slot.range_count && slot.ranges[first].to < from) ++first;
    std::uint32_t last = first;
    while (last < slot.range_count && slot.ranges[last].from <= to) ++last;
    if (first == last && slot.range_count == kRangesMax) return false;
    std::uint32_t at = from;
    const auto copy_up_to = [&](std::uint32_t end) noexcept {
        if (end <= at) return;
        std::copy_n(fragment.bytes.data() + (at - from), end - at, target + at);
    };
    for (std::uint32_t i = first; i < last; ++i) {
        copy_up_to(std::min(slot.ranges[i].from, to));
        at = std::max(at, slot.ranges[i].to);
    }
    copy_up_to(to);
    if (first == last) {
        for (std::uint32_t i = slot.range_count; i > first; --i) slot.ranges[i] = slot.ranges[i - 1];
        ++slot.range_count;
        slot.ranges[first] = {from, to};
        return true;
    }
    slot.ranges[first] = {std::min(from, slot.ranges[first].from),
                          std::max(to, slot.ranges[last - 1].to)};
    const std::uint32_t merged = last - first - 1;
    for (std::uint32_t i = first + 1; i + merged < slot.range_count; ++i) {
        slot.ranges[i] = slot.ranges[i + merged];
    }
    slot.range_count -= merged;
    return true;
}

std::size_t DtlsAssembler::buffer_bytes(const DtlsFragment& fragment) const noexcept {
    if (fragment.message_seq >= 64 || handed_out(fragment.message_seq)) return 0;
    for (const Slot& slot : slots_)
        if (slot.open && slot.message_seq == fragment.message_seq)
            return std::size_t{slot.base} + slot.message_bytes;
    if (fragment.whole() || open_count_ == kMessagesMax) return 0;
    return (open_count_ > 0 ? std::size_t{buffer_used_} : 0) + fragment.message_bytes;
}

Parse DtlsAssembler::add(const DtlsFragment& fragment, std::span<std::uint8_t> buffer,
                         DtlsMessage& out) noexcept {
    out = {};
    if (fragment.message_bytes > kHandshakeBytesMax) return Parse::limit;
    if (handed_out(fragment.message_seq)) return Parse::not_this;
    const auto mine = [&](const Slot& slot) noexcept {
        return slot.open && slot.message_seq == fragment.message_seq;
    };
    const auto known = std::find_if(slots_.begin(), slots_.end(), mine);
    const bool fresh = known == slots_.end();
    if (!fresh && (known->type != fragment.type || known->message_bytes != fragment.message_bytes)) {
        return Parse::malformed;
    }
    if (fragment.message_seq >= 64) return Parse::limit;
    const std::uint64_t done_bit = std::uint64_t{1} << fragment.message_seq;
    if (fresh && fragment.whole()) {
        done_ |= done_bit;
        out = {fragment.type, fragment.message_seq, fragment.bytes, false};
        return Parse::ok;
    }
    Slot* slot = slot_of(fragment, buffer.size());
    if (slot == nullptr) return Parse::limit;
    SEINE_ASSERT(slot->base + slot->message_bytes <= buffer.size());
    std::uint8_t* target = buffer.data() + slot->base;
    if (!insert(*slot, fragment, target)) return Parse::limit;
    const bool whole = slot->range_count == 1 && slot->ranges[0].from == 0 &&
                       slot->ranges[0].to == slot->message_bytes;
    if (!whole) return Parse::need_more;
    done_ |= done_bit;
    out = {slot->type, slot->message_seq, {target, slot->message_bytes}, true};
    slot->open = false;
    --open_count_;
    return Parse::ok;
}

Parse read_hello_verify_request(ByteView body, HelloVerifyRequest& out) noexcept {
    out = {};
    ByteReader in(body);
    const std::uint16_t version = in.be16();
    const ByteView cookie = in.vec8();
    if (in.failed() || !in.empty()) return Parse::malformed;
    out.version = version;
    out.cookie = cookie;
    return Parse::ok;
}

}  // namespace seine::tls
