// Protected QUIC v1 Initial datagrams around a handshake message.
#pragma once
#include <vector>

#include "dataplane/crypto/quic_keys.h"
#include "tools/generate/mix_random.h"

namespace seine::generate {

// A client's hello in one or more datagrams of 1,250 bytes. `shuffled`: cut small and out of order, with PINGs in
// between, as Chrome does. `client_id` gets the connection id that the keys come from.
std::vector<synth::Bytes> client_initials(MixRandom& random, crypto::QuicCrypto& crypto, const synth::Bytes& hello,
                                          bool shuffled, synth::Bytes& client_id);
// The server's hello in one datagram of 1,200 bytes.
synth::Bytes server_initial(MixRandom& random, crypto::QuicCrypto& crypto, const synth::Bytes& hello,
                            const synth::Bytes& client_id);

}  // namespace seine::generate
