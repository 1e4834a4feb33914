// What one flow keeps between packets: hot state for its whole life, cold state while parsers run.
#pragma once
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "dataplane/contract/fields.h"
#include "dataplane/fingerprint/descriptors.h"
#include "dataplane/http/h2_connection.h"
#include "dataplane/http/http1_connection.h"
#include "dataplane/pipeline/facts.h"
#include "dataplane/pipeline/meter.h"
#include "dataplane/pipeline/numbers.h"
#include "dataplane/preface/preface.h"
#include "dataplane/quic/session.h"
#include "dataplane/signature/match_state.h"
#include "dataplane/ssh/segments.h"
#include "dataplane/ssh/ssh.h"
#include "dataplane/stream/tcp_stream.h"
#include "dataplane/tls/dtls.h"
#include "dataplane/tls/record_layer.h"
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4l.h"
#include "dataplane/fingerprint/ja4plus/ja4ssh.h"
#endif

namespace seine::pipeline {

enum class Side : std::uint8_t { client = 0, server = 1 };
constexpr Side other(Side side) noexcept { return side == Side::client ? Side::server : Side::client; }
constexpr unsigned index(Side side) noexcept { return static_cast<unsigned>(side); }

// Bits of FlowHot::flags.
enum Flag : std::uint16_t {
    kClientLow = 1,       // the lower endpoint of the key is the client
    kClientKnown = 2,     // by SYN or by bytes, not by guess
    kSeenClient = 4,
    kSeenServer = 8,
    kHandshaken = 16,     // SYN, SYN-ACK and an ACK of it
    kWorthy = 32,         // has something a record is for
    kOpenTold = 64,
    kFinClient = 128,
    kFinServer = 256,
    kEnded = 512,         // FIN from both or RST: lingers to absorb what still comes
    kSettled = 1024,      // fingerprints taken or given up
    kUdp = 2048,
    kQuic = 4096,
    kPayload = 8192,      // payload was seen
    kIpv6 = 16384,
    kBypass = 32768,      // a card may drop its packets: what is seen of it has gaps
};

// What the close record says of a flow's cold state beside the facts.
struct ColdTotals {
    std::uint32_t requests;
    std::uint32_t retransmissions;
    std::uint32_t conflicts;

    [[nodiscard]] bool any() const noexcept { return (requests | retransmissions | conflicts) != 0; }
};

// The first sixteen bytes share a cache line with the flow's key; the rest is the second line.
struct FlowHot {
    Nanos last_seen;
    std::uint32_t cold = 0xffffffff;
    std::uint16_t flags = 0;
    contract::App app{};
    contract::EndReason end_reason : 7 = {};
    bool totals_kept : 1 = false;  // cold state went before the close record, which still says its totals

    Nanos first_seen;
    std::uint64_t number : 40 = 0;    // third part of the flow id, before the worker is mixed in
    std::uint64_t update_no : 24 = 0;  // of the next periodic update; due so many periods after first_seen
    std::uint32_t packets[2] = {};    // by Side
    std::uint64_t payload[2] = {};    // bytes on the wire, of TCP each counted once
    std::uint32_t next_seq[2] = {};   // TCP, of settled flows
    // Only TLS and QUIC flows count turns; the totals are there when `totals_kept` says so, which it never is for those.
    union {
        Meter meter = {};
        ColdTotals totals;
    };
    std::uint32_t exchanges = 0xffffffff;  // a block of finished ones

    [[nodiscard]] bool has(Flag flag) const noexcept { return (flags & flag) != 0; }
    void set(Flag flag) noexcept { flags = static_cast<std::uint16_t>(flags | flag); }
    void unset(Flag flag) noexcept { flags = static_cast<std::uint16_t>(flags & ~flag); }
};
static_assert(sizeof(FlowHot) == 80);

// Which parser reads one direction.
enum class Protocol : std::uint8_t {
    undecided,  // its first bytes are awaited
    preface,
    tls,
    http1,
    h2,
    ssh,
    watch,  // unknown, but a ClientHello may still begin at a segment's start
    done,   // nothing more to read
};

// A stage's answer: how many bytes of the front it is done with, and what comes next.
enum class Next : std::uint8_t {
    again,      // call with what follows
    wait,       // more bytes are needed
    recognise,  // another protocol begins here
    h2,         // HTTP/2 begins here
    done,       // this direction has nothing more to tell
    give_up,    // this direction is broken; the reason is noted
};
struct Feed {
    std::size_t consume = 0;
    Next next = Next::wait;
};

struct TlsState {
    bool client_hello = false;
    bool server_hello = false;
    bool retry = false;
    std::uint16_t version = 0;
    std::uint64_t session_id = 0;  // keyed hash of what a TLS 1.2 client presented
    tls::RecordReader reader[2];
};

struct QuicState {
    quic::Session session;
    stream::SegmentBuffer crypto[2];
};

struct DtlsState {
    tls::DtlsAssembler assembler[2];
    stream::Slab buffer[2];
};

#ifdef SEINE_JA4PLUS
struct SshState {
    fingerprint::Ja4ssh windows;
    ssh::Segments segments;
    bool ended = false;  // a FIN was seen: the last window is full
};
#endif

// In the order of use: memory far from the processor is what a handshake waits for. Every TCP segment touches the first
// part, one with payload the second as well; datagrams skip the streams between.
struct Cold {
    enum class Kind : std::uint8_t { none, ssh, quic, dtls };

    Cold() noexcept {}
    [[nodiscard]] ColdTotals totals() const noexcept { return {requests, retransmissions, conflicts}; }
    Protocol protocol[2] = {Protocol::undecided, Protocol::undecided};
    // Who sends the ClientHello or the requests: the client, unless a server that was called takes that
    // part (reverse TLS, a request in a SYN-ACK).
    Side speaker = Side::client;
    Kind kind = Kind::none;
    std::uint8_t preface_depth = 0;
    std::uint8_t ttl[2] = {};
    std::uint8_t early_count = 0;
    std::uint16_t mss[2] = {};
    std::uint16_t segments_watched = 0;
    bool unknown_counted = false;
    bool dialogue_told = false;  // SOCKS, STARTTLS ...: the preface that both sides take part in
    bool reset = false;  // the segment at hand is a RST inside the window
    bool presented_token = false;
    bool syn_seen[2] = {};  // SYN of the client, SYN-ACK of the server
    std::uint32_t requests = 0;
    std::uint32_t retransmissions = 0;
    std::uint32_t conflicts = 0;
    std::uint32_t bare_acks[2] = {};  // before the protocol was known
    // Sizes of the first segments with payload before that, lengths of the client positive.
    std::int32_t early_payload[4] = {};
    Nanos worthy_at;  // when it became clear that a record is due
    Facts facts;
    std::uint32_t facts_matched = 0;  // bytes of them that rules have seen
#ifdef SEINE_JA4PLUS
    bool ja4l_client_told = false;
    bool ja4l_server_told = false;
    fingerprint::Ja4lTcp ja4l_tcp;
#endif
    fingerprint::CrossLayerRtt rtt;
    TlsState tls;
    stream::TcpStream stream[2];

    http::H2Connection* h2 = nullptr;
    Numbers numbers;
    signature::MatchState match;
    http::Http1Connection http1;

#ifdef SEINE_JA4PLUS
    fingerprint::Ja4lQuic ja4l_quic;
#endif
    // What only one kind of flow needs.
    union {
        QuicState quic;
        DtlsState dtls;
#ifdef SEINE_JA4PLUS
        SshState ssh_windows;
#endif
    };
    preface::Preface preface;
    ssh::Direction ssh[2];
};
static_assert(std::is_trivially_destructible_v<Cold>);

// Parts of Cold that are asked for ahead: first byte and count.
struct ColdPart {
    std::size_t first;
    std::size_t bytes;
};
inline constexpr ColdPart kColdSegment = {0, offsetof(Cold, h2)};
inline constexpr ColdPart kColdPayload = {offsetof(Cold, h2), offsetof(Cold, match) + 16 - offsetof(Cold, h2)};
inline constexpr ColdPart kColdHttp1 = {offsetof(Cold, http1), sizeof(http::Http1Connection)};
inline constexpr ColdPart kColdDatagram = {0, offsetof(Cold, stream)};
inline constexpr ColdPart kColdQuic = {offsetof(Cold, quic) - 64, sizeof(QuicState) + 64};
// What the last record is written from.
inline constexpr ColdPart kColdTelling = {0, offsetof(Cold, match)};
static_assert(kColdSegment.bytes <= 512 && kColdTelling.bytes <= 640);

}  // namespace seine::pipeline
