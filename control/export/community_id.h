// Community ID v1: the hash of a flow's ends that other sensors print too.
#pragma once
#include <cstdint>
#include <string>

#include "dataplane/base/bytes.h"

namespace seine::siem {

// "1:" and the base64 of SHA-1 over seed, ordered ends, protocol and ports
// (github.com/corelight/community-id-spec). Addresses are 16 bytes, IPv4 v4-mapped; seed 0.
std::string community_id(ByteView source, ByteView target, std::uint16_t source_port,
                         std::uint16_t target_port, std::uint8_t protocol);

}  // namespace seine::siem
