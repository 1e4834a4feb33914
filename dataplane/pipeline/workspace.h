// Everything one worker's stages share: tables, pools, scratch, counters and the way out.
#pragma once
#include <array>
#include <memory>
#include <vector>

#include "dataplane/base/byte_ring.h"
#include "dataplane/contract/frame.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/crypto/keyed_hash.h"
#include "dataplane/crypto/quic_keys.h"
#include "dataplane/fingerprint/h2_client.h"
#include "dataplane/fingerprint/tls_client.h"
#include "dataplane/flow/flow_table.h"
#include "dataplane/flow/slab.h"
#include "dataplane/flow/timer_wheel.h"
#include "dataplane/pipeline/bypass.h"
#include "dataplane/pipeline/config.h"
#include "dataplane/pipeline/counters.h"
#include "dataplane/pipeline/flow_state.h"
#include "dataplane/pipeline/stage_mark.h"
#include "dataplane/signature/matcher.h"
#include "dataplane/tls/certificate.h"
#include "dataplane/tls/client_hello.h"
#include "dataplane/tls/server_hello.h"
#include "dataplane/wire/decode.h"
#include "dataplane/wire/duplicates.h"
#ifdef SEINE_JA4PLUS
#include "dataplane/fingerprint/ja4plus/ja4h.h"
#include "dataplane/fingerprint/ja4plus/ja4s.h"
#endif

namespace seine::pipeline {

// Flows with cold state in the order they took it. When none is left, the oldest that is still half open
// gives its own up, so that a flood of SYNs starves floods and not handshakes.
struct HalfOpen {
    flow::FlowId id;
    std::uint64_t number;
};
class HalfOpenQueue {
  public:
    explicit HalfOpenQueue(std::uint32_t count)
        : items_(std::make_unique<HalfOpen[]>(std::bit_ceil(count))), mask_(std::bit_ceil(count) - 1) {}
    // Past the bound the oldest is forgotten: it keeps its state until its own time is over.
    void push(HalfOpen item) noexcept {
        items_[head_++ & mask_] = item;
        if (head_ - tail_ > mask_) ++tail_;
    }
    [[nodiscard]] bool empty() const noexcept { return head_ == tail_; }
    HalfOpen pop() noexcept { return items_[tail_++ & mask_]; }

  private:
    std::unique_ptr<HalfOpen[]> items_;
    std::uint64_t mask_;
    std::uint64_t head_ = 0;
    std::uint64_t tail_ = 0;
};

// Who gives up cold state when none is left. They are chosen two evictions ahead, so that what their last record is
// written from is on its way meanwhile.
struct ColdVictims {
    std::unique_ptr<flow::FlowId[]> owners;  // by cold state
    std::uint32_t hand = 0;                  // where the search goes on
    HalfOpen ahead[2] = {{flow::kNoFlow, 0}, {flow::kNoFlow, 0}};
};

// Made once per worker; every buffer in it is reserved then.
struct Workspace {
    Workspace(const InspectorConfig& config_in, ByteRing& out_in)
        : config(config_in),
          out(out_in),
          decoder({.datagrams_max = config.limits.fragment_datagrams_max,
                   .timeout_ns = config.limits.fragment_ns,
                   .pool_bytes = config.limits.fragment_pool_bytes},
                  config.table_seed),
          duplicates(config.limits.span_copies_max, config.table_seed),
          h2_pool({.connection_count = config.limits.h2_connections_max}),
          half_open(config.limits.cold_flows_max),
          half_open_holders(config.limits.cold_flows_max),
          matcher(config.worker) {}

    static constexpr std::size_t kFactsBytes = 3072;  // with the fixed part within one record
    // Raw forms of the longest hellos: few flows have them, and one in so many may at a time.
    static constexpr std::size_t kRawFactsBytes = std::size_t{256} * 1024;
    static constexpr std::uint32_t kRawFactsShare = 16;

    InspectorConfig config;
    ByteRing& out;
    Counters counters;
    StageCell stage{0};
    wire::Decoder decoder;
    wire::DuplicateFilter duplicates;
    http::H2Pool h2_pool;
    HalfOpenQueue half_open;
    HalfOpenQueue half_open_holders;  // those that hold reassembly buffers too
    std::unique_ptr<FactsPool> facts;
    std::unique_ptr<flow::FlowTable<FlowHot>> table;
    std::unique_ptr<flow::TimerWheel> wheel;
    std::unique_ptr<flow::Pool<Cold>> cold;
    std::unique_ptr<flow::Pool<ExchangeBlock>> exchanges;
    std::unique_ptr<stream::BufferPool> stream_pool;
    std::unique_ptr<crypto::QuicCrypto> quic_crypto;
    std::unique_ptr<crypto::Digester> digester;
    std::unique_ptr<crypto::KeyedHash> keyed;
    std::unique_ptr<BypassLink> bypass;  // nullptr: no flow is passed by
    std::uint64_t flows_numbered = 0;
    std::uint64_t flows_before_step = 0;  // numbers below this were given before time last stepped back
    ColdVictims victims;
    Nanos now;  // latest time seen
    signature::Matcher matcher;

    // Scratch of one call; nothing in it is kept between packets.
    tls::ClientHello client_hello;
    tls::ServerHello server_hello;
    tls::CertificateList certificate_list;
    tls::Certificate certificate;
    http::Request request;
    http::Response response;
    preface::ProxyHeader proxy_header;
    quic::DatagramFacts quic_facts;
    FixedString<fingerprint::kH2ClientBytesMax> h2_text;
#ifdef SEINE_JA4PLUS
    FixedString<fingerprint::kJa4hRawBytesMax> ja4h_raw;
#endif
    std::array<char, fingerprint::kJa4RawBytesMax> raw_text{};
    std::array<char, 2 * fingerprint::kJa4RawBytesMax> match_text{};
    FixedString<4096> match_names;
    std::array<std::uint8_t, tls::kHandshakeBytesMax> handshake_scratch{};
    std::array<std::uint8_t, 66 * 1024> quic_scratch{};

    [[nodiscard]] stream::Room room() noexcept {
        return {stream_pool.get(), config.limits.stream_bytes_max, config.limits.stream_segments_max};
    }
};

// One flow at the moment a packet or timer of it is handled.
struct FlowContext {
    Workspace& w;
    std::uint32_t id;
    FlowHot& hot;
    Cold& cold;
    Nanos now;
    ByteView segment;  // payload of the TCP segment at hand

    // Facts wait for the next record of the flow; when they fill their slab, that record is written now.
    void fact(contract::Field field, std::string_view text) noexcept;
    void hash_fact(contract::Field field, std::uint64_t hash) noexcept;
    void incomplete(Incomplete why) noexcept {
        cold.numbers.incomplete_known |= 1u << static_cast<unsigned>(why);
    }
    void worthy(contract::App app) noexcept {
        hot.app = app;
        if (!hot.has(kWorthy)) cold.worthy_at = now;
        hot.set(kWorthy);
    }

  private:
    bool make_room() noexcept;
    void facts_dropped() noexcept;
};

}  // namespace seine::pipeline
