// Capture files through DPDK's pcap driver, with what that driver leaves out read alongside.
//
// net_pcap hands over bytes only: the link type is lost, times are cut to microseconds, and a frame
// that the capture cut short looks whole. A second reader (capture::PcapFile) steps along with the
// driver, frame i beside packet i, and supplies exact times, link types and wire lengths; their
// captured lengths are compared for every packet, so that the two can never drift apart unseen.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "dataplane/runtime/port.h"
#include "dataplane/runtime/source.h"

namespace seine::runtime {

// Files are read one after another, in the order given, as one stream. A file that cannot be read or
// breaks off is told in problems(); what was sound before the break is delivered, and so are the
// files after it.
class PcapFeed final : public PacketSource {
  public:
    // Packets the pool must have at least. The driver loses a packet when it finds no buffer, so it
    // is not asked while fewer are free than the longest frames would need.
    static constexpr std::uint32_t kPoolPackets = 16383;

    PcapFeed(std::vector<std::string> paths, Pool& pool);
    ~PcapFeed() override;

    std::size_t receive(std::span<rte_mbuf*> out) noexcept override;
    [[nodiscard]] bool ended() const noexcept override;
    [[nodiscard]] Nanos last_time() const noexcept override;

    // One line per file that was not sound to its end. Stable once ended().
    [[nodiscard]] const std::vector<std::string>& problems() const noexcept;
    // Driver counters of all files so far, as one port.
    [[nodiscard]] PortSnapshot port() const;

  private:
    struct Rooms;
    std::unique_ptr<Rooms> rooms_;
};

}  // namespace seine::runtime
