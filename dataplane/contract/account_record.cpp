// Account records and the window that keeps replayed ones out.
#include "dataplane/contract/account_record.h"

#include <algorithm>

namespace seine::contract {
namespace {

// Walks a record in table order; one visitor writes, the other reads, so that they cannot disagree.
template <typename Visit, typename Record>
void each_field(Visit& visit, Record& record, std::uint16_t& magic, std::uint8_t& version,
                std::uint32_t& reserved) {
    visit(magic);
    visit(version);
    visit(record.flags);
    visit(record.gateway_id);
    visit(record.seq);
    visit(record.t_req_us);
    visit(record.t_conn_us);
    visit(record.client_ip);
    visit(record.client_port);
    visit(record.server_ip);
    visit(record.server_port);
    visit(record.proto);
    visit(record.stream_no);
    visit(record.account_tag);
    visit(record.org_tag);
    visit(record.boot_epoch);
    visit(record.type);
    visit(record.mac_key_id);
    visit(reserved);
    visit(record.key_tag);
    visit(record.tag_epoch);
    visit(record.endpoint_id);
    visit(record.model_id);
    visit(record.status_class);
    visit(record.limit_flag);
    visit(record.tok_in_b);
    visit(record.tok_out_b);
    visit(record.tier);
    visit(record.trust);
    visit(record.first_seen_day);
    visit(record.session_hint);
    visit(record.platform_id);
    visit(record.header_desc);
    visit(record.mac);
}

struct Laying {
    std::uint8_t* at;
    template <typename T>
    void operator()(const T& value) noexcept {
        std::memcpy(at, &value, sizeof value);
        at += sizeof value;
    }
};
struct Reading {
    const std::uint8_t* at;
    template <typename T>
    void operator()(T& value) noexcept {
        std::memcpy(&value, at, sizeof value);
        at += sizeof value;
    }
};

}  // namespace

void encode_account(std::span<std::uint8_t, kAccountRecordBytes> out,
                    const AccountRecord& record) noexcept {
    std::uint16_t magic = kAccountMagic;
    std::uint8_t version = kAccountVersion;
    std::uint32_t reserved = 0;
    Laying lay{out.data()};
    each_field(lay, record, magic, version, reserved);
    set_account_mac(out, 0);
}

void set_account_mac(std::span<std::uint8_t, kAccountRecordBytes> record,
                     std::uint64_t mac) noexcept {
    std::memcpy(record.data() + kAccountMacAt, &mac, sizeof mac);
}

Parse decode_account(ByteView bytes, AccountRecord& out) noexcept {
    if (bytes.size() < kAccountRecordBytes) return Parse::need_more;
    std::uint16_t magic = 0;
    std::uint8_t version = 0;
    std::uint32_t reserved = 0;
    Reading read{bytes.data()};
    each_field(read, out, magic, version, reserved);
    if (magic != kAccountMagic) return Parse::not_this;
    if (version != kAccountVersion) return Parse::limit;
    const bool sound = out.type <= AccountType::directory &&
                       (out.flags & ~unsigned{AccountFlags::all}) == 0 && reserved == 0 &&
                       (out.proto == 6 || out.proto == 17 || out.proto == 0);
    return sound ? Parse::ok : Parse::malformed;
}

Parse count_accounts(ByteView datagram, std::size_t& count) noexcept {
    count = datagram.size() / kAccountRecordBytes;
    if (count > kAccountRecordsPerDatagramMax) return Parse::limit;
    return count == 0 || datagram.size() % kAccountRecordBytes != 0 ? Parse::need_more : Parse::ok;
}

SequenceWindow::Answer SequenceWindow::take(std::uint32_t seq) noexcept {
    const auto set = [this](std::uint32_t at) {
        bits_[at % kWindow / 64] |= std::uint64_t{1} << (at % 64);
    };
    if (!begun_) {
        begun_ = true;
        highest_ = seq;
        span_ = 1;
        set(seq);
        return Answer::fresh;
    }
    const std::uint32_t ahead = seq - highest_;
    if (ahead != 0 && ahead < (1u << 31)) {
        // The places that the window moves onto belong to sequences that now leave it.
        const std::uint32_t moved = std::min(ahead, kWindow);
        for (std::uint32_t i = 1; i <= moved; ++i) {
            const std::uint32_t at = highest_ + i;
            const bool held =
                span_ + i > kWindow;  // the place stood for a sequence of the old window
            if (held && !marked(at)) ++missed_;
            bits_[at % kWindow / 64] &= ~(std::uint64_t{1} << (at % 64));
        }
        // Of a jump past the whole window, what lies in between never stood in it.
        missed_ += ahead - moved;
        span_ = std::min(kWindow, span_ + moved);
        highest_ = seq;
        set(seq);
        return Answer::fresh;
    }
    const std::uint32_t behind = highest_ - seq;
    if (behind >= kWindow) return Answer::too_old;
    if (marked(seq)) return Answer::duplicate;
    // Older than the first that came: it was never awaited, but it is fresh.
    span_ = std::max(span_, behind + 1);
    set(seq);
    return Answer::fresh;
}

}  // namespace seine::contract
