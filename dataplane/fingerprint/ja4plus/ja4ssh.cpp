// JA4SSH windows: packet counts, bare ACKs and the most frequent payload length of each side.
#include "dataplane/fingerprint/ja4plus/ja4ssh.h"

#include <algorithm>
#include <span>

#include "dataplane/base/assert.h"

namespace seine::fingerprint {
namespace {

// The value that occurs most often, the smallest of them if several do; 0 for none. Sorts in place.
std::uint16_t most_frequent(std::span<std::uint16_t> lengths) noexcept {
    std::sort(lengths.begin(), lengths.end());
    std::uint16_t best = 0;
    std::size_t best_count = 0;
    for (std::size_t i = 0; i < lengths.size();) {
        std::size_t run = i;
        while (run < lengths.size() && lengths[run] == lengths[i]) ++run;
        if (run - i > best_count) {
            best_count = run - i;
            best = lengths[i];
        }
        i = run;
    }
    return best;
}

template <std::size_t Cap>
void append_pair(char left_mark, std::uint64_t left, std::uint64_t right,
                 FixedString<Cap>& out) noexcept {
    out.push(left_mark);
    out.append_decimal(left);
    out.push('s');
    out.append_decimal(right);
}

}  // namespace

bool Ja4ssh::packet(bool from_client, std::uint32_t payload_bytes) noexcept {
    const std::size_t count = packet_count();
    SEINE_ASSERT(count < kWindowPackets);
    if (count >= kWindowPackets) return true;
    const auto length = static_cast<std::uint16_t>(std::min<std::uint32_t>(payload_bytes, 0xffff));
    if (from_client) {
        lengths_[client_.packets++] = length;
    } else {
        lengths_[kWindowPackets - 1 - server_.packets++] = length;
    }
    return count + 1 == kWindowPackets;
}

bool Ja4ssh::take(FixedString<kJa4sshBytesMax>& out) noexcept {
    if (packet_count() == 0) return false;
    const std::span<std::uint16_t> all(lengths_);
    out.clear();
    append_pair('c', most_frequent(all.first(client_.packets)),
                most_frequent(all.last(server_.packets)), out);
    out.push('_');
    append_pair('c', client_.packets, server_.packets, out);
    out.push('_');
    append_pair('c', client_.acks, server_.acks, out);
    client_ = {};
    server_ = {};
    return true;
}

}  // namespace seine::fingerprint
