// A flow's datagrams through a QUIC session: path byte, two bytes of length, bytes, and again.
// Every datagram goes through a second session too, whose crypto has forgotten its key schedules
// and whose scratch is exactly as long as promised: the answers are the same.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "dataplane/quic/session.h"

namespace {

using namespace seine;

void require(bool holds) {
    if (!holds) std::abort();
}

bool same(const quic::DatagramFacts& a, const quic::DatagramFacts& b) {
    return a.side == b.side && a.initial == b.initial && a.rekeyed == b.rekeyed &&
           a.retry_sound == b.retry_sound && a.opened_count == b.opened_count &&
           a.failed_count == b.failed_count && a.no_keys_count == b.no_keys_count &&
           std::equal(a.crypto.begin(), a.crypto.end(), b.crypto.begin(), b.crypto.end(),
                      [](const quic::CryptoPiece& x, const quic::CryptoPiece& y) {
                          return x.offset == y.offset && std::ranges::equal(x.bytes, y.bytes);
                      });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static auto kept = crypto::QuicCrypto::make();
    static auto forgetful = crypto::QuicCrypto::make();
    static quic::DatagramFacts facts;
    static quic::DatagramFacts facts_again;
    quic::Session session;
    quic::Session session_again;
    std::vector<std::uint8_t> roomy(70000);
    ByteReader in({data, size});
    while (in.left() > 3) {
        const auto path = static_cast<quic::Path>(in.u8() & 1);
        const ByteView datagram = in.take(std::min<std::size_t>(in.be16(), in.left()));
        const Parse status = session.on_datagram(datagram, path, *kept.value(), roomy, facts);

        const crypto::QuicKeys other{};
        const std::uint8_t sample[crypto::QuicCrypto::kSampleBytes] = {};
        static_cast<void>(forgetful.value()->header_mask(other, sample));
        std::vector<std::uint8_t> exact(datagram.size() + 21);
        require(session_again.on_datagram(datagram, path, *forgetful.value(), exact, facts_again) ==
                status);
        require(same(facts, facts_again));
        for (const quic::CryptoPiece& piece : facts_again.crypto) {
            require(piece.bytes.data() >= exact.data() &&
                    piece.bytes.data() + piece.bytes.size() <= exact.data() + exact.size());
        }
    }
    return 0;
}
