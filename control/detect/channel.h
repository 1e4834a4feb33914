// Channels of evidence, the groups they belong to, and the token: one value seen on one channel.
#pragma once
#include <cstdint>
#include <string_view>

#include "control/model/farm.h"
#include "dataplane/base/hash.h"

namespace seine::detect {

enum class Channel : std::uint8_t {
    address = 0,  // IPv4 address, IPv6 /64
    prefix,       // IPv4 /24, IPv6 /56
    network,      // AS number
    client,       // normalised JA4 with the order of headers and the platform claimed
    tls,          // normalised JA4 alone
    syn,          // SYN descriptor
    session,      // a ticket or PSK identity that two organisations presented
    shared,       // a connection that carried several organisations
    onboard,      // day of sign-up, or three-hour bin where the sign-up was seen
    age,          // of the account, in classes
    cadence,      // hours of the day and days of the week
    shape,        // sizes of requests that come again and again
    mix,          // the two commonest shapes together
    variety,      // how many different request sizes
    pivot,        // took up a new model within a day of its appearance
    relay,        // round trips of a relay, as its network class explains them
    exits,        // how many networks the account comes from
    mobility,     // one session identity from three or more networks
    late,         // the hello comes long after TCP was open: a relay asked elsewhere first
    pair,         // the two commonest clients together: several machines work for the account
    way,          // round trips of TLS and TCP through an exit; kept, never shared as a token
};
inline constexpr std::size_t kChannels = 21;
inline constexpr std::size_t kGroups = 6;

[[nodiscard]] constexpr model::Group group_of(Channel channel) noexcept {
    switch (channel) {
        case Channel::address:
        case Channel::prefix:
        case Channel::network:
            return model::Group::net;
        case Channel::client:
        case Channel::tls:
        case Channel::syn:
        case Channel::pair:
            return model::Group::stk;
        case Channel::session:
        case Channel::shared:
            return model::Group::lnk;
        case Channel::onboard:
        case Channel::age:
        case Channel::cadence:
            return model::Group::time;
        case Channel::shape:
        case Channel::mix:
        case Channel::variety:
        case Channel::pivot:
            return model::Group::mix;
        case Channel::relay:
        case Channel::exits:
        case Channel::mobility:
        case Channel::late:
        case Channel::way:
            return model::Group::prx;
    }
    return model::Group::net;
}

[[nodiscard]] constexpr std::uint8_t bit_of(model::Group group) noexcept {
    return static_cast<std::uint8_t>(1u << (static_cast<unsigned>(group) - 1));
}
[[nodiscard]] constexpr std::uint8_t group_bit(Channel channel) noexcept {
    return bit_of(group_of(channel));
}

// "NET", "STK", ..
[[nodiscard]] std::string_view name_of(model::Group group) noexcept;
// Short names, as in the list of templates and in `channels` of an explanation.
[[nodiscard]] std::string_view name_of(Channel channel) noexcept;

// A (channel, value) as one word: equal words are equal tokens.
[[nodiscard]] inline std::uint64_t token_key(Channel channel, std::uint64_t value) noexcept {
    return mix64(value ^ 0x9e3779b97f4a7c15u,
                 0xd6e8feb86659fd93u + 2 * static_cast<std::uint64_t>(channel)) |
           1u;
}

}  // namespace seine::detect
