// Encoding and checks of admin messages.
#include "dataplane/contract/admin.h"

#include <algorithm>
#include <cstring>

#include "dataplane/base/assert.h"

namespace seine::contract {
namespace {

template <typename T>
void store(std::uint8_t* at, T value) noexcept {
    std::memcpy(at, &value, sizeof value);
}

constexpr std::size_t kReloadHeaderBytes = 12;

bool has_no_body(AdminKind kind) noexcept {
    return kind == AdminKind::stats || kind == AdminKind::stop || kind == AdminKind::done ||
           kind == AdminKind::rollback || kind == AdminKind::rules;
}

}  // namespace

std::size_t encode_admin(std::span<std::uint8_t> out, const AdminMessage& message) noexcept {
    const std::size_t length = kAdminHeaderBytes + message.body.size();
    if (message.body.size() > kAdminBodyBytesMax || out.size() < length) return 0;
    SEINE_ASSERT(message.body.empty() || !has_no_body(message.kind));
    store(out.data(), kAdminMagic);
    store(out.data() + 4, kAdminVersion);
    out[6] = static_cast<std::uint8_t>(message.kind);
    out[7] = message.more ? kAdminMore : std::uint8_t{0};
    store(out.data() + 8, static_cast<std::uint32_t>(length));
    store(out.data() + 12, message.sequence);
    if (!message.body.empty())
        std::memcpy(out.data() + kAdminHeaderBytes, message.body.data(), message.body.size());
    return length;
}

std::vector<std::vector<std::uint8_t>> admin_packets(AdminKind kind, std::uint32_t sequence,
                                                     std::string_view body) {
    std::vector<std::vector<std::uint8_t>> packets;
    ByteView rest = as_bytes(body);
    do {
        const ByteView part = rest.first(std::min(rest.size(), kAdminBodyBytesMax));
        rest = rest.subspan(part.size());
        std::vector<std::uint8_t> packet(kAdminHeaderBytes + part.size());
        packet.resize(encode_admin(packet, {kind, !rest.empty(), sequence, part}));
        packets.push_back(std::move(packet));
    } while (!rest.empty());
    return packets;
}

Parse decode_admin(ByteView packet, AdminMessage& out) noexcept {
    if (packet.size() < 4) return Parse::need_more;
    if (load_le32(packet.data()) != kAdminMagic) return Parse::not_this;
    if (packet.size() < kAdminHeaderBytes) return Parse::need_more;
    if (load_le16(packet.data() + 4) != kAdminVersion) return Parse::limit;
    const std::size_t length = load_le32(packet.data() + 8);
    if (length > kAdminMessageBytesMax) return Parse::limit;
    if (length < kAdminHeaderBytes || length < packet.size()) return Parse::malformed;
    if (length > packet.size()) return Parse::need_more;
    if ((packet[7] & ~unsigned{kAdminMore}) != 0) return Parse::malformed;
    out.kind = static_cast<AdminKind>(packet[6]);
    out.more = packet[7] != 0;
    out.sequence = load_le32(packet.data() + 12);
    out.body = packet.subspan(kAdminHeaderBytes);
    return out.body.empty() || !has_no_body(out.kind) ? Parse::ok : Parse::malformed;
}

std::size_t encode_reload(std::span<std::uint8_t> out, const ReloadRequest& request) noexcept {
    const std::size_t length = kReloadHeaderBytes + request.path.size();
    if (request.path.empty() || request.path.size() > kAdminPathBytesMax || out.size() < length)
        return 0;
    store(out.data(), request.generation);
    store(out.data() + 8, request.confirm_seconds);
    std::memcpy(out.data() + kReloadHeaderBytes, request.path.data(), request.path.size());
    return length;
}

Parse decode_reload(ByteView body, ReloadRequest& out) noexcept {
    if (body.size() < kReloadHeaderBytes) return Parse::need_more;
    if (body.size() - kReloadHeaderBytes > kAdminPathBytesMax) return Parse::limit;
    out.generation = load_le64(body.data());
    out.confirm_seconds = load_le32(body.data() + 8);
    out.path = as_text(body.subspan(kReloadHeaderBytes));
    return out.path.empty() || out.path.find('\0') != std::string_view::npos ? Parse::malformed
                                                                             : Parse::ok;
}

}  // namespace seine::contract
