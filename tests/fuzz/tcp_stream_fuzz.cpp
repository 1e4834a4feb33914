// TcpStream fed any segments: what it yields is the sender's bytes, in order, never the garbage.
#include <cstdint>
#include <vector>

#include "dataplane/base/assert.h"
#include "dataplane/base/byte_reader.h"
#include "dataplane/stream/tcp_stream.h"

namespace {

using seine::ByteReader;
using seine::ByteView;
using namespace seine::stream;

BufferPool& pool() {
    static auto made = BufferPool::make(8 << 20);
    return **made;
}

std::uint8_t true_byte(std::uint32_t seq) { return static_cast<std::uint8_t>(seq * 131 >> 3); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView(data, size));
    const Room room{&pool(), 8192, 64};
    const std::uint8_t mode = in.u8();
    const bool honest = (mode & 1) != 0;  // payload is what its sequence numbers say
    const std::uint32_t origin = in.be32();
    TcpStream stream;
    for (int step = 0; step < 1000 && !in.empty(); ++step) {
        const std::uint8_t what = in.u8();
        TcpSegment segment;
        const std::int32_t jump = static_cast<std::int16_t>(in.be16());
        segment.seq = origin + static_cast<std::uint32_t>((what & 0x40) != 0 ? jump * 4096 : jump);
        if ((what & 0x30) == 0x30) {
            static_cast<void>(stream.acked(room, segment.seq));
            if ((what & 1) != 0) static_cast<void>(stream.resync(room));
            continue;
        }
        segment.syn = (what & 1) != 0;
        segment.fin = (what & 2) != 0;
        segment.rst = (what & 0x0c) == 0x0c;
        segment.payload_bytes = in.u8() * 4u;
        std::vector<std::uint8_t> payload(segment.payload_bytes - ((what & 0x80) != 0 ? segment.payload_bytes / 3 : 0));
        const std::uint32_t first_seq = segment.seq + (segment.syn ? 1 : 0);
        for (std::size_t i = 0; i < payload.size(); ++i) {
            payload[i] = honest ? true_byte(first_seq + static_cast<std::uint32_t>(i)) : what;
        }
        segment.bytes = payload;
        const std::uint64_t base_before = stream.base();
        const Push push = stream.push(room, segment);
        SEINE_CHECK(stream.base() >= base_before || !stream.consumed_any());
        const ByteView ready = push.delivery.ready;
        // With the SYN first, offset 0 is ISN + 1, and every byte must be the one its number asks for.
        if (honest && stream.syn_seen() && stream.base() < TcpStream::kUnseenStart / 2) {
            const std::uint32_t seq = stream.isn() + 1 + static_cast<std::uint32_t>(stream.base());
            for (std::size_t i = 0; i < ready.size(); ++i) {
                SEINE_CHECK(ready[i] == true_byte(seq + static_cast<std::uint32_t>(i)));
            }
        }
        const std::uint64_t used = (mode & 2) != 0 ? ready.size() : (what & 4) != 0 ? ready.size() + 3 : 0;
        const Added kept = stream.finish(room, push, used);
        if (gave_up(kept) || gave_up(push.delivery.added)) stream.clear(room);
        SEINE_CHECK(stream.buffer().held_bytes() <= room.bytes_max);
        SEINE_CHECK(stream.buffer().segment_count() <= room.segments_max);
    }
    stream.clear(room);
    SEINE_CHECK(pool().bytes_used() == 0);
    return 0;
}
