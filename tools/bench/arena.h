// Packets of a bench in one packed arena, made new between slices: other clients, other hello randoms.
#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/base/mapped_memory.h"
#include "dataplane/runtime/bench_feed.h"
#include "dataplane/wire/decode.h"

namespace seine::bench {

// Frames begin at cache lines, as buffers of a port do. A pass over the arena is one life of all its flows;
// the next pass gives every flow another client address and every TLS hello another random, so no flow and
// no hello ever comes twice. What lies in a tunnel or a fragment stays as it is, and so do QUIC Initials: they
// are protected, and nothing in the line remembers one by its bytes.
class Arena {
  public:
    Arena();

    // Reserves room; frames past it are refused.
    Status reserve(std::size_t bytes);
    // False when the arena is full. Times not falling by more than reordering explains.
    bool add(ByteView frame, std::uint32_t wire_bytes, wire::LinkType link, Nanos time);

    [[nodiscard]] std::size_t size() const noexcept { return packets_.size(); }
    [[nodiscard]] std::uint64_t bytes() const noexcept { return frame_bytes_; }
    [[nodiscard]] std::uint64_t flows() const noexcept { return flows_; }
    [[nodiscard]] std::uint64_t hellos() const noexcept { return hellos_; }
    [[nodiscard]] double mean_bytes() const noexcept {
        return packets_.empty() ? 0 : static_cast<double>(frame_bytes_) / static_cast<double>(packets_.size());
    }
    // Packets whose 5-tuple repeats from pass to pass.
    [[nodiscard]] std::uint64_t fixed_packets() const noexcept { return fixed_; }

    // Writes packets [first, first + out.size()) as they are in pass `pass` and describes them in `out`.
    // Pass 0 is the arena as it was filled.
    void render(std::size_t first, std::uint32_t pass, std::span<runtime::BenchFrame> out);
    // Writes them as data of flows that another arena opened: packet i as in pass `passes[i]`, its sequence number
    // moved on by `seq_add`, at `start` and a nanosecond each.
    void render_data(std::size_t first, std::span<const std::uint32_t> passes, std::uint32_t seq_add, Nanos start,
                     std::span<runtime::BenchFrame> out);
    // Of the rendered packets: later or earlier than their capture says.
    void shift_time(std::int64_t ns) noexcept { shift_ns_ = ns; }
    [[nodiscard]] Nanos first_time() const noexcept { return first_time_; }
    // The last frame of every TCP flow that carries payload from the client, `copies` times, into `out`.
    void data_of_flows(Arena& out, unsigned copies) const;
    // Time from the first packet of one pass to the first of the next.
    [[nodiscard]] std::int64_t pass_ns() const noexcept;

  private:
    struct Packet {
        std::uint64_t at = 0;  // in the arena
        std::int64_t time_ns = 0;  // after the first packet
        std::uint32_t wire_bytes = 0;
        std::uint32_t client_word = 0;  // last four bytes of the client's address, as loaded
        std::uint16_t length = 0;
        std::uint16_t client_at = 0;  // 0: not rewritten
        std::uint16_t random_at = 0;  // 0: no hello begins here
        std::uint16_t seq_at = 0;     // 0: no TCP
        std::uint32_t seq = 0;
        std::uint32_t flow = 0;       // in order of appearance
        bool client_data = false;
        bool ipv6 = false;
        wire::LinkType link{};
    };
    void place_client(const wire::PacketView& view, ByteView frame, Packet& packet);

    MappedMemory memory_;
    std::size_t used_ = 0;
    std::vector<Packet> packets_;
    wire::Decoder decoder_;
    struct Known {
        bool from_low;  // its first packet came from the lower end
        std::uint32_t number;
    };
    std::unordered_map<std::uint64_t, Known> known_;  // by flow
    std::int64_t shift_ns_ = 0;
    Nanos first_time_;
    std::uint64_t frame_bytes_ = 0;
    std::uint64_t flows_ = 0;
    std::uint64_t hellos_ = 0;
    std::uint64_t fixed_ = 0;
};

}  // namespace seine::bench
