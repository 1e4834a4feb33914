// Finds the client, keeps the Initial keys of both sides and opens what they fit.
#include "dataplane/quic/session.h"

#include <algorithm>

namespace seine::quic {

void ConnectionId::assign(ByteView id) noexcept {
    SEINE_ASSERT(id.size() <= kConnectionIdBytesMax);
    size = static_cast<std::uint8_t>(id.size());
    std::copy(id.begin(), id.end(), bytes);
}

bool ConnectionId::equals(ByteView id) const noexcept {
    return std::equal(id.begin(), id.end(), bytes, bytes + size);
}

struct Session::Call {
    Path path;
    crypto::QuicCrypto& crypto;
    std::span<std::uint8_t> scratch;  // what earlier packets of the datagram left of it
    DatagramFacts& facts;
};

struct Session::Tried {
    bool fits = false;               // the packet's tag is right under these keys
    Parse status = Parse::not_this;  // not_this exactly when nothing spoke against other keys
    [[nodiscard]] bool settled() const noexcept { return fits || status != Parse::not_this; }
};

Parse Session::on_datagram(ByteView datagram, Path path, crypto::QuicCrypto& crypto,
                           std::span<std::uint8_t> scratch, DatagramFacts& facts) noexcept {
    facts.clear();
    Call call{static_cast<Path>(path & 1), crypto, scratch, facts};
    if (client_known_) facts.side = call.path == client_path_ ? Side::client : Side::server;
    return walk(datagram, call);
}

Parse Session::walk(ByteView datagram, Call& call) noexcept {
    DatagramFacts& facts = call.facts;
    ByteReader in(datagram);
    for (std::size_t i = 0; i < kPacketsPerDatagramMax; ++i) {
        if (i > 0 && in.empty()) return Parse::ok;
        const std::size_t left_bytes = in.left();
        Packet packet;
        const Parse read = read_packet(in, packet);
        if (read == Parse::not_this && left_bytes > 0) {
            if (i > 0) {
                facts.trailing_bytes = static_cast<std::uint16_t>(left_bytes);
                return Parse::ok;
            }
            // Peers that vary the fixed bit (RFC 9287) do so once they have met.
            facts.short_header = client_known_;
            return client_known_ ? Parse::ok : Parse::not_this;
        }
        if (read != Parse::ok) return read;
        if (i == 0) {
            facts.version = packet.version;
            facts.target_id = packet.target_id;
            facts.source_id = packet.source_id;
        } else if (packet.type != PacketType::short_header &&
                   !std::equal(packet.target_id.begin(), packet.target_id.end(),
                               facts.target_id.begin(), facts.target_id.end())) {
            ++facts.foreign_count;  // a receiver ignores these (RFC 9000 section 12.2)
            continue;
        }
        const Parse status = on_packet(packet, call);
        if (status != Parse::ok) return status;
    }
    return in.empty() ? Parse::ok : Parse::limit;
}

Parse Session::on_packet(const Packet& packet, Call& call) noexcept {
    DatagramFacts& facts = call.facts;
    switch (packet.type) {
        case PacketType::initial:
            return on_initial(packet, call);
        case PacketType::zero_rtt:
            facts.zero_rtt = true;
            break;
        case PacketType::handshake:
            facts.handshake = true;
            break;
        case PacketType::retry:
            on_retry(packet, call);
            break;
        case PacketType::version_negotiation:
            facts.version_negotiation = true;
            break;
        case PacketType::short_header:
            facts.short_header = true;
            break;
        case PacketType::unknown_version:
            facts.unknown_version = true;
            break;
    }
    return Parse::ok;
}

void Session::on_retry(const Packet& packet, Call& call) noexcept {
    call.facts.retry = true;
    call.facts.retry_token = packet.token;
    // Keys change only when a client's Initial opens under the new id: a forged Retry moves
    // nothing.
    call.facts.retry_sound = client_known_ && check_retry(packet, original_id_.view(), call.crypto,
                                                          call.scratch) == Parse::ok;
}

Parse Session::on_initial(const Packet& packet, Call& call) noexcept {
    DatagramFacts& facts = call.facts;
    std::uint8_t& datagram_count = datagram_counts_[call.path];
    if (!facts.initial && datagram_count <= datagrams_max_) ++datagram_count;
    facts.initial = true;
    if (exhausted(call.path)) return Parse::limit;

    const bool from_server = client_known_ && call.path != client_path_;
    const Parse status =
        from_server ? on_server_initial(packet, call) : on_client_initial(packet, call);
    if (status != Parse::not_this) return status;
    // Without a client we cannot tell its unknown keys from a server's Initial.
    ++(client_known_ ? facts.failed_count : facts.no_keys_count);
    return Parse::ok;
}

Parse Session::on_client_initial(const Packet& packet, Call& call) noexcept {
    const bool same_version = client_.version == packet.version;
    const bool same_id = client_known_ && original_id_.equals(packet.target_id);
    if (same_version) {
        const Tried kept = try_keys(packet, client_, call);
        if (kept.settled() || same_id) return kept.status;
    }
    Keyed fresh;
    if (client_known_ && !same_version) {
        // The client followed its server to another version: same id (RFC 9368 section 2.3).
        const Tried followed =
            try_new_keys(packet, original_id_.view(), crypto::QuicSide::client, call, fresh);
        if (followed.fits) client_ = fresh;
        if (followed.settled() || same_id) return followed.status;
    }
    // A client's first id has eight bytes or more (RFC 9000 section 7.2); none at all is a
    // server's.
    if (packet.target_id.empty()) return Parse::not_this;
    const Tried tried =
        try_new_keys(packet, packet.target_id, crypto::QuicSide::client, call, fresh);
    if (tried.fits) adopt_client(packet, fresh, call);
    return tried.status;
}

void Session::adopt_client(const Packet& packet, const Keyed& fresh, Call& call) noexcept {
    call.facts.rekeyed = client_known_;
    call.facts.side = Side::client;
    call.facts.token = packet.token;
    client_known_ = true;
    client_path_ = call.path;
    client_ = fresh;
    server_ = {};
    original_id_.assign(packet.target_id);
    // What the server's path spent while we had no keys for it was no fault of its own.
    const Path server_path = call.path ^ 1u;
    datagram_counts_[server_path] = 0;
    derivation_counts_[server_path] = 0;
}

Parse Session::on_server_initial(const Packet& packet, Call& call) noexcept {
    if (server_.version == packet.version) return try_keys(packet, server_, call).status;
    Keyed fresh;
    const Tried tried =
        try_new_keys(packet, original_id_.view(), crypto::QuicSide::server, call, fresh);
    if (tried.fits) server_ = fresh;
    return tried.status;
}

Session::Tried Session::try_keys(const Packet& packet, Keyed& keyed, Call& call) noexcept {
    OpenedInitial opened;
    const Parse status =
        open_initial(packet, keyed.keys, call.crypto, keyed.space, call.scratch, opened);
    if (status == Parse::malformed) return {true, status};
    if (status != Parse::ok) return {false, status};
    call.scratch = call.scratch.subspan(packet.bytes.size());
    ++call.facts.opened_count;
    if (call.facts.side == Side::client) call.facts.token = packet.token;
    return {true, read_initial_frames(opened.payload, call.facts.frames, call.facts.crypto)};
}

Session::Tried Session::try_new_keys(const Packet& packet, ByteView id, crypto::QuicSide side,
                                     Call& call, Keyed& out) noexcept {
    if (derivation_counts_[call.path]++ >= kDerivationsMax) return {false, Parse::limit};
    crypto::QuicSalt salt{};
    const bool known = known_version(packet.version, salt);
    SEINE_ASSERT(known);
    static_cast<void>(known);
    out.keys = call.crypto.initial_keys(salt, id, side);
    out.version = packet.version;
    out.space = {};
    return try_keys(packet, out, call);
}

}  // namespace seine::quic
