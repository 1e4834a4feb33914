// Any bytes as an opened Initial's frames, and as transport parameters.
#include <cstdlib>
#include <vector>

#include "dataplane/quic/frames.h"
#include "dataplane/quic/transport_params.h"
#include "dataplane/quic/varint.h"

namespace {

void require(bool holds) {
    if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine;
    static quic::CryptoPieces pieces;
    static quic::CryptoPieces padded_pieces;
    const ByteView payload(data, size);
    pieces.clear();
    quic::FrameFacts facts;
    const Parse status = quic::read_initial_frames(payload, facts, pieces);
    for (const quic::CryptoPiece& piece : pieces) {
        require(!piece.bytes.empty() && piece.bytes.data() >= data);
        require(piece.bytes.data() + piece.bytes.size() <= data + size);
        require(piece.offset + piece.bytes.size() <= quic::kVarintMax);
    }
    require(facts.padding_bytes <= size);
    if (status == Parse::ok && facts.padding_bytes == 0) {
        // PADDING in front changes nothing but its own count.
        std::vector<std::uint8_t> padded(67);
        padded.insert(padded.end(), payload.begin(), payload.end());
        padded_pieces.clear();
        quic::FrameFacts padded_facts;
        const Parse again = quic::read_initial_frames(padded, padded_facts, padded_pieces);
        require(again == Parse::ok || again == Parse::limit);
        require(padded_facts.padding_bytes == 67);
        require(again == Parse::limit || padded_pieces.size() == pieces.size());
    }

    quic::TransportParams params;
    if (quic::read_transport_params(payload, params) == Parse::ok) {
        std::uint64_t value = 0;
        static_cast<void>(params.number(quic::ParamId::max_idle_timeout, value));
        require(value <= quic::kVarintMax);
    }
    return 0;
}
