// Every named counter of a worker: what came in, what was dropped, what was given up and why.
#pragma once
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string_view>

#include "dataplane/wire/decode.h"

namespace seine::pipeline {

// X(name, meaning). The name is what an operator reads in `seinectl status` and the stats file.
#define SEINE_PIPELINE_COUNTERS(X)                                                            \
    X(packets, "frames handed to the inspector")                                              \
    X(packet_bytes, "captured bytes of those frames")                                         \
    X(packets_cut, "frames the capture cut short")                                            \
    X(packets_copied_by_span, "second copies of a packet, left out")                          \
    X(packets_settled, "packets of settled flows: a probe, a counter and the meter")          \
    X(packets_tcp, "TCP segments inspected")                                                  \
    X(packets_udp, "UDP datagrams inspected")                                                 \
    X(time_stepped_back, "times the input's clock went back too far to be reordering")        \
    X(flows_new, "flows opened")                                                              \
    X(flows_closed_fin, "flows ended by FIN from both sides")                                 \
    X(flows_closed_rst, "flows ended by RST")                                                 \
    X(flows_closed_reused, "flows ended because their 5-tuple began anew")                    \
    X(flows_closed_idle, "flows ended by their idle limit")                                   \
    X(flows_closed_half_open, "flows that never got past the handshake")                      \
    X(flows_closed_end, "flows ended with the input")                                         \
    X(flows_seen_both, "flows that ended and were seen in both directions")                   \
    X(flows_seen_client_only, "flows that ended and showed only the client's packets")        \
    X(flows_seen_server_only, "flows that ended and showed only the server's packets")        \
    X(flows_evicted, "flows evicted because the table was full")                              \
    X(flows_refused, "packets without a flow because no entry could be freed")                \
    X(cold_settled_early, "flows settled before their time: others needed their state")       \
    X(cold_exhausted, "flows not inspected: no state left for handshakes in flight")          \
    X(stream_conflicts, "segments whose bytes differ from those received first")              \
    X(stream_duplicates, "segments that brought nothing new")                                 \
    X(stream_reordered, "segments that arrived before their turn")                            \
    X(stream_keepalives, "keep-alive probes left out of the stream")                          \
    X(stream_out_of_window, "segments too far from the expected sequence number")             \
    X(stream_lost, "directions given up: bytes acknowledged that were never captured")        \
    X(stream_limit_bytes, "directions given up: more bytes waiting than allowed")             \
    X(stream_limit_segments, "directions given up: more segments waiting than allowed")       \
    X(stream_pool_exhausted, "directions given up: no reassembly buffer left")                \
    X(protocol_unknown, "flows whose bytes no parser claims")                                 \
    X(preface_found, "prefaces read: PROXY, CONNECT, SOCKS, STARTTLS")                        \
    X(preface_malformed, "prefaces that broke off")                                           \
    X(tls_client_hellos, "ClientHellos fingerprinted, over TCP")                              \
    X(tls_server_hellos, "ServerHellos fingerprinted, over TCP")                              \
    X(tls_hello_malformed, "hellos without a fingerprint: malformed")                         \
    X(tls_hello_limit, "hellos without a fingerprint: past a bound")                          \
    X(tls_hello_cut, "hellos without a fingerprint: the rest never came")                     \
    X(tls_records_malformed, "directions given up: not sound TLS records")                    \
    X(tls_ssl2, "SSLv2 hellos, which carry no fingerprint")                                   \
    X(tls_retries, "HelloRetryRequests")                                                      \
    X(certificates, "certificates read in clear")                                             \
    X(certificates_malformed, "certificate messages that did not parse")                      \
    X(dtls_client_hellos, "ClientHellos fingerprinted, over DTLS")                            \
    X(dtls_server_hellos, "ServerHellos fingerprinted, over DTLS")                            \
    X(dtls_malformed, "DTLS datagrams that did not parse")                                    \
    X(quic_client_hellos, "ClientHellos fingerprinted, over QUIC")                            \
    X(quic_server_hellos, "ServerHellos fingerprinted, over QUIC")                            \
    X(quic_initials_opened, "QUIC Initials decrypted")                                        \
    X(quic_initials_failed, "QUIC Initials that did not authenticate")                        \
    X(quic_initials_unknown_keys, "QUIC Initials of flows whose client's keys are unknown")     \
    X(quic_version_unknown, "QUIC long headers of a version without known keys")              \
    X(quic_malformed, "QUIC packets that did not parse")                                      \
    X(quic_gave_up, "QUIC flows given up: too many datagrams without a hello")                \
    X(http1_requests, "HTTP/1 request heads")                                                 \
    X(http1_responses, "HTTP/1 response heads")                                               \
    X(http_malformed, "directions given up: broken HTTP")                                     \
    X(http_limit, "directions given up: HTTP head past a bound")                              \
    X(h2_requests, "HTTP/2 request heads in clear")                                           \
    X(h2_connections_exhausted, "HTTP/2 connections not read: no state left")                 \
    X(ssh_banners, "SSH banners")                                                             \
    X(dhcp_messages, "DHCP messages")                                                         \
    X(texts_known, "lists whose SHA-256 was remembered")                                      \
    X(texts_hashed, "lists whose SHA-256 was computed")                                       \
    X(records_open, "open records written")                                                   \
    X(records_request, "request records written")                                             \
    X(records_update, "update records written")                                               \
    X(records_close, "close records written")                                                 \
    X(records_finding, "findings written")                                                    \
    X(rule_hits, "rules that hit, told or not")                                               \
    X(records_dropped_ring_full, "records lost: the exporter did not keep up")                \
    X(records_truncated, "records that lost text to their size limit")                        \
    X(facts_dropped, "facts left out of a record: no buffer left or too many")                \
    X(exchange_blocks_exhausted, "exchange meters written early: no block left")              \
    X(bypass_asked, "flows that a card may pass by: settled, bulk, neither TLS nor QUIC")     \
    X(packets_bypassed, "packets of such flows that a card dropped and counted")              \
    X(bypass_queue_full, "such flows that found no place to ask; they ask again later")

enum class Counter : std::uint16_t {
#define SEINE_X(name, meaning) name,
    SEINE_PIPELINE_COUNTERS(SEINE_X)
#undef SEINE_X
        count_
};
inline constexpr std::size_t kCounterCount = static_cast<std::size_t>(Counter::count_);

struct CounterText {
    std::string_view name;
    std::string_view meaning;
};
inline constexpr CounterText kCounterTexts[] = {
#define SEINE_X(name, meaning) {#name, meaning},
    SEINE_PIPELINE_COUNTERS(SEINE_X)
#undef SEINE_X
};

// What the reassembly of IP fragments counts for itself (wire/fragments.h).
inline constexpr CounterText kFragmentCounterTexts[] = {
#define SEINE_X(name, meaning) {#name, meaning},
    SEINE_FRAGMENT_COUNTERS(SEINE_X)
#undef SEINE_X
};
inline constexpr std::size_t kFragmentCounterCount = std::size(kFragmentCounterTexts);

// One writer (the worker), any number of readers, which see each number whole but not one instant.
class Counters {
  public:
    void add(Counter counter, std::uint64_t n = 1) noexcept {
        auto& cell = cells_[static_cast<std::size_t>(counter)];
        cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    void add(wire::DecodeResult result, std::uint64_t n = 1) noexcept {
        auto& cell = decode_[static_cast<std::size_t>(result)];
        cell.store(cell.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
    }
    // As they stand; the owner of the table says so from time to time.
    void set(const wire::FragmentCounters& counted) noexcept {
        std::size_t at = 0;
#define SEINE_X(name, meaning) fragments_[at++].store(counted.name, std::memory_order_relaxed);
        SEINE_FRAGMENT_COUNTERS(SEINE_X)
#undef SEINE_X
    }
    [[nodiscard]] std::uint64_t get(Counter counter) const noexcept {
        return cells_[static_cast<std::size_t>(counter)].load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t get(wire::DecodeResult result) const noexcept {
        return decode_[static_cast<std::size_t>(result)].load(std::memory_order_relaxed);
    }
    // Calls visit(prefix, name, meaning, value) for every counter in table order; decode outcomes
    // carry the prefix "decode_", those of reassembled fragments "fragment_".
    template <typename Visit>
    void for_each(Visit&& visit) const {
        for (std::size_t i = 0; i < kCounterCount; ++i) {
            visit(std::string_view{}, kCounterTexts[i].name, kCounterTexts[i].meaning,
                  cells_[i].load(std::memory_order_relaxed));
        }
        for (std::size_t i = 0; i < wire::kDecodeResultCount; ++i) {
            const auto result = static_cast<wire::DecodeResult>(i);
            visit(std::string_view{"decode_"}, wire::decode_result_name(result),
                  wire::decode_result_meaning(result), decode_[i].load(std::memory_order_relaxed));
        }
        for (std::size_t i = 0; i < kFragmentCounterCount; ++i) {
            visit(std::string_view{"fragment_"}, kFragmentCounterTexts[i].name,
                  kFragmentCounterTexts[i].meaning, fragments_[i].load(std::memory_order_relaxed));
        }
    }

  private:
    std::array<std::atomic<std::uint64_t>, kCounterCount> cells_{};
    std::array<std::atomic<std::uint64_t>, wire::kDecodeResultCount> decode_{};
    std::array<std::atomic<std::uint64_t>, kFragmentCounterCount> fragments_{};
};

}  // namespace seine::pipeline
