// Any bytes as SSH: banner, packets, KEXINIT and the segments that count; the split does not
// matter.
#include <algorithm>
#include <cstdlib>

#include "dataplane/ssh/segments.h"
#include "dataplane/ssh/ssh.h"

namespace {

using namespace seine;
using namespace seine::ssh;

void require(bool holds) {
    if (!holds) std::abort();
}
bool within(std::string_view part, ByteView whole) {
    const std::string_view text = as_text(whole);
    return part.empty() ||
           (part.data() >= text.data() && part.data() + part.size() <= text.data() + text.size());
}

struct End {
    int banners = 0;
    int lists = 0;
    friend bool operator==(const End&, const End&) = default;
};

End run(ByteView stream, std::size_t piece) {
    End end;
    Direction direction;
    std::size_t consumed = 0;
    for (std::size_t at = 0; at < stream.size() && !direction.done();) {
        at = std::min(stream.size(), at + piece);
        while (!direction.done()) {
            const ByteView front = stream.subspan(consumed, at - consumed);
            Banner banner;
            KexInit kexinit;
            const auto step = direction.feed(front, banner, kexinit);
            require(step.consume <= front.size());
            if (step.event == Direction::Event::banner) {
                ++end.banners;
                require(within(banner.text, front) && within(banner.software, front));
            }
            if (step.event == Direction::Event::kexinit) {
                ++end.lists;
                require(within(kexinit.kex, front) && within(kexinit.languages_s2c, front));
            }
            consumed += step.consume;
            if (step.parse == Parse::need_more) break;
            if (step.parse != Parse::ok) return end;
        }
    }
    require(end.banners <= 1 && end.lists <= 1);
    return end;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) return 0;
    const std::size_t piece = 1 + data[0] % 23;
    const ByteView bytes(data + 1, size - 1);
    require(run(bytes, size) == run(bytes, piece));
    Segments segments;
    std::uint32_t sequence = 0xfffffff0;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        const ByteView part = bytes.subspan(at, std::min(piece, bytes.size() - at));
        const auto length = static_cast<std::uint32_t>(part.size());
        static_cast<void>(segments.counts((at & 1) != 0, sequence, part, length));
        require(!segments.counts((at & 1) != 0, sequence, part, length));
        sequence += length;
    }
    return 0;
}
