// Conversations of the mix, packet by packet.
#pragma once
#include <memory>
#include <vector>

#include "dataplane/base/bytes.h"
#include "tools/generate/mix_clients.h"
#include "tools/generate/mix_frames.h"
#include "tools/generate/mix_random.h"

namespace seine::generate {

// Bytes that look like ciphertext, made once and shown from anywhere.
class Filler {
  public:
    explicit Filler(MixRandom& random) : bytes_(random.bytes(std::size_t{256} * 1448)) {}
    [[nodiscard]] ByteView some(MixRandom& random, std::size_t count) const {
        return ByteView(bytes_).subspan(random.below(bytes_.size() - count), count);
    }

  private:
    synth::Bytes bytes_;
};

// What one side says before the other answers: bytes as given, then filler, in TLS records if `records`.
struct Speech {
    From from = From::client;
    synth::Bytes literal;
    std::uint64_t filler_bytes = 0;
    bool records = false;
};

class Conversation {
  public:
    virtual ~Conversation() = default;
    // The next frame, in `out`; empty at the end.
    virtual ByteView next(MixRandom& random, std::vector<std::uint8_t>& out) = 0;
};

struct TcpPlan {
    std::vector<Speech> speeches;
    bool fin = true;
};
std::unique_ptr<Conversation> tcp_conversation(MixRandom& random, const Filler& filler, FrameBuilder frames, TcpPlan plan);

struct Datagram {
    From from = From::client;
    synth::Bytes literal;
    std::size_t filler_bytes = 0;  // behind it
};
std::unique_ptr<Conversation> udp_conversation(const Filler& filler, FrameBuilder frames, std::vector<Datagram> datagrams);

}  // namespace seine::generate
