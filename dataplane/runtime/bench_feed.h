// A port without a device, for benches: packets of a packed arena in external-buffer mbufs.
//
// Frames lie in the caller's arena, described by a row of descriptors that is read once, in order, as a device's
// is. receive() attaches each to the next mbuf of a ring, which is as long as a port's, and takes a reference as
// the owner of a buffer does that others still hold; the reader's free gives that back. No byte is copied. What a
// device would add (DMA, a bus, doorbells) is not here.
#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/status.h"
#include "dataplane/runtime/source.h"

struct rte_mbuf;

namespace seine::runtime {

struct BenchFrame {
    std::uint8_t* bytes = nullptr;  // outlives the feed's use of it
    std::uint16_t length = 0;
    PacketMeta meta;
};

class BenchFeed final : public PacketSource {
  public:
    // Called on the reader's thread when a slice has been handed out and given back: stop clocks, load() the
    // next one, start clocks. False: there is none, the feed has ended.
    class Turn {
      public:
        virtual bool next(BenchFeed& feed) = 0;
        // Called on the way, every kBreathPackets: what other threads would do beside the reader.
        virtual void breathe() {}

      protected:
        ~Turn() = default;
    };

    static constexpr std::size_t kBreathPackets = 1024;
    static constexpr std::uint32_t kRingPackets = 1024;  // a reader may hold a quarter of them

    // Needs a started EAL.
    static Result<std::unique_ptr<BenchFeed>> make(Turn& turn);
    ~BenchFeed() override;

    // The packets that receive() hands out next, borrowed until they are; only between slices.
    void load(std::span<const BenchFrame> frames) noexcept {
        frames_ = frames;
        at_ = 0;
        breath_at_ = kBreathPackets;
    }

    std::size_t receive(std::span<rte_mbuf*> out) noexcept override;
    [[nodiscard]] bool ended() const noexcept override { return ended_; }

    // The floor: receives what is loaded, reads the private area and the first bytes of each packet, and
    // gives it back. The sum is there so that nothing is optimised away.
    std::uint64_t drain_bare() noexcept;

  private:
    struct Rooms;
    BenchFeed(std::unique_ptr<Rooms> rooms, Turn& turn) noexcept;
    std::size_t hand_out(std::span<rte_mbuf*> out) noexcept;

    std::unique_ptr<Rooms> rooms_;
    Turn& turn_;
    std::span<const BenchFrame> frames_;
    std::size_t at_ = 0;
    std::size_t breath_at_ = kBreathPackets;
    std::uint32_t next_ = 0;  // mbuf of the ring
    bool idle_ = true;
    bool ended_ = false;
};

}  // namespace seine::runtime
