#include "dataplane/runtime/pcap_feed.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <optional>

#include "dataplane/capture/pcap_file.h"
#include "dataplane/runtime/dpdk/mbuf.h"

namespace seine::runtime {
namespace {

// The driver keeps a packet's length in 16 bits; a longer one is taken from the second reader.
constexpr std::size_t kDriverBytesMax = 65535;
// What libpcap lets one captured frame hold.
constexpr std::size_t kFrameBytesMax = std::size_t{256} << 10;
constexpr std::size_t kBufferBytes = 2048;
// Buffers that may lie in the caches of other threads, out of the driver's reach.
constexpr std::size_t kCachedMax = 16 * 192;

struct Descriptor {
    int fd = -1;
    ~Descriptor() { reset(); }
    void reset(int next = -1) {
        if (fd >= 0) close(fd);
        fd = next;
    }
};

std::size_t chain_bytes(const rte_mbuf* packet) noexcept {
    std::size_t bytes = 0;
    for (; packet != nullptr; packet = packet->next) bytes += packet->data_len;
    return bytes;
}

// A chain of buffers that holds `bytes`; nullptr when the pool is empty.
rte_mbuf* copy_of(ByteView bytes, rte_mempool* pool) noexcept {
    rte_mbuf* head = nullptr;
    rte_mbuf* tail = nullptr;
    do {
        rte_mbuf* part = rte_pktmbuf_alloc(pool);
        if (part == nullptr) {
            rte_pktmbuf_free(head);
            return nullptr;
        }
        taken_from_pool({&part, 1});
        const auto take = static_cast<std::uint16_t>(
            std::min<std::size_t>(bytes.size(), rte_pktmbuf_tailroom(part)));
        std::memcpy(rte_pktmbuf_append(part, take), bytes.data(), take);
        bytes = bytes.subspan(take);
        if (head == nullptr) {
            head = part;
        } else {
            tail->next = part;
            head->nb_segs++;
            head->pkt_len += take;
        }
        tail = part;
    } while (!bytes.empty());
    return head;
}

}  // namespace

struct PcapFeed::Rooms {
    Rooms(std::vector<std::string> p, Pool& q) : paths(std::move(p)), pool(q) {}

    std::vector<std::string> paths;
    Pool& pool;
    std::size_t path_next = 0;
    unsigned device_next = 0;
    std::optional<capture::PcapFile> file;
    Descriptor descriptor;
    std::unique_ptr<Port> port;
    std::vector<std::string> problems;
    Nanos last;
    bool ended = false;
    // Read by other threads.
    std::atomic<std::uint64_t> packets{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> errors{0};
    std::atomic<std::uint64_t> no_buffer{0};

    void open_next();
    void close_file();
    [[nodiscard]] std::size_t burst_that_fits(std::size_t burst) const noexcept;
    void at_driver_end();
    std::size_t pair_up(std::span<rte_mbuf*> got) noexcept;
    [[nodiscard]] bool complete(rte_mbuf*& packet, const capture::CapturedFrame& frame) noexcept;
};

PcapFeed::PcapFeed(std::vector<std::string> paths, Pool& pool)
    : rooms_(std::make_unique<Rooms>(std::move(paths), pool)) {}
PcapFeed::~PcapFeed() { rooms_->close_file(); }

// The reader goes first: it says what is wrong with a file in the words that seine-replay uses.
void PcapFeed::Rooms::open_next() {
    const std::string& path = paths[path_next++];
    auto reader = capture::PcapFile::open(path);
    if (!reader) {
        problems.push_back(reader.error().message());
        return;
    }
    struct stat about {};
    if (stat(path.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) {
        problems.push_back(path + ": not a regular file, which DPDK's driver needs; save it first, or "
                                  "give it to seine-replay");
        return;
    }
    descriptor.reset(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    PortConfig config;
    config.label = path;
    config.device = "net_pcap" + std::to_string(device_next++);
    // By descriptor: a comma in the path would end the driver's argument.
    config.arguments = "rx_pcap=/proc/self/fd/" + std::to_string(descriptor.fd);
    auto opened = Port::open(config, pool);
    if (!opened) {
        problems.push_back(opened.error().message());
        descriptor.reset();
        return;
    }
    file.emplace(std::move(*reader));
    port = std::move(*opened);
}

void PcapFeed::Rooms::close_file() {
    if (port != nullptr) {
        const PortCounters counted = port->counters();
        errors += counted.ierrors;
        no_buffer += counted.rx_nombuf;
        port.reset();
    }
    file.reset();
    descriptor.reset();
}

// The driver loses a packet for which it finds no buffer, so it is asked for no more than would fit
// even if every frame were as long as the file allows.
std::size_t PcapFeed::Rooms::burst_that_fits(std::size_t burst) const noexcept {
    const std::size_t longest = std::clamp<std::size_t>(file->snapshot_bytes(), 1, kFrameBytesMax);
    const std::size_t free = pool.free_count();
    if (free <= kCachedMax) return 0;
    return std::min(burst, (free - kCachedMax) / (longest / kBufferBytes + 2));
}

void PcapFeed::Rooms::at_driver_end() {
    capture::CapturedFrame frame;
    switch (file->next(frame)) {
        case capture::Next::end:
            break;
        case capture::Next::error:
            problems.push_back(file->error());
            break;
        case capture::Next::frame:
            problems.push_back(file->path() + ": DPDK's pcap driver stopped before packet " +
                               std::to_string(file->frame_count()) +
                               ", which is there; give the file to seine-replay");
            break;
    }
    close_file();
}

bool PcapFeed::Rooms::complete(rte_mbuf*& packet, const capture::CapturedFrame& frame) noexcept {
    if (frame.bytes.size() > kDriverBytesMax) {
        rte_mbuf* whole = copy_of(frame.bytes, pool.handle());
        if (whole == nullptr) return false;
        give_back({&packet, 1});
        packet = whole;
    } else if (chain_bytes(packet) != frame.bytes.size()) {
        return false;
    }
    meta_of(packet) = {frame.time, frame.wire_bytes, frame.link};
    last = std::max(last, frame.time);
    return true;
}

// Gives each packet of the driver its frame of the reader. Returns how many fit; if not all do, the
// rest is freed and the file is given up.
std::size_t PcapFeed::Rooms::pair_up(std::span<rte_mbuf*> got) noexcept {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < got.size(); ++i) {
        capture::CapturedFrame frame;
        const capture::Next next = file->next(frame);
        if (next == capture::Next::frame && complete(got[i], frame)) {
            sum += frame.bytes.size();
            continue;
        }
        problems.push_back(next == capture::Next::error
                               ? file->error()
                               : file->path() + ": packet " + std::to_string(file->frame_count()) +
                                     " differs between DPDK's pcap driver and libpcap; give the file "
                                     "to seine-replay");
        give_back(got.subspan(i));
        close_file();
        got = got.first(i);
        break;
    }
    packets += got.size();
    bytes += sum;
    return got.size();
}

std::size_t PcapFeed::receive(std::span<rte_mbuf*> out) noexcept {
    Rooms& rooms = *rooms_;
    while (!rooms.ended) {
        if (rooms.port == nullptr) {
            if (rooms.path_next == rooms.paths.size()) {
                rooms.ended = true;
                return 0;
            }
            rooms.open_next();
            continue;
        }
        const std::size_t burst = rooms.burst_that_fits(out.size());
        if (burst == 0) return 0;
        const std::size_t got = rooms.port->receive(0, out.first(burst));
        if (got > 0) {
            const std::size_t good = rooms.pair_up(out.first(got));
            if (good > 0) return good;
        } else {
            rooms.at_driver_end();
        }
    }
    return 0;
}

bool PcapFeed::ended() const noexcept { return rooms_->ended; }
Nanos PcapFeed::last_time() const noexcept { return rooms_->last; }
const std::vector<std::string>& PcapFeed::problems() const noexcept { return rooms_->problems; }

PortSnapshot PcapFeed::port() const {
    PortSnapshot out;
    out.label = rooms_->paths.size() == 1 ? rooms_->paths.front()
                                          : std::to_string(rooms_->paths.size()) + " files";
    out.link_up = true;
    out.counters.ipackets = rooms_->packets;
    out.counters.ibytes = rooms_->bytes;
    out.counters.ierrors = rooms_->errors;
    out.counters.rx_nombuf = rooms_->no_buffer;
    return out;
}

}  // namespace seine::runtime
