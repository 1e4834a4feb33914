// What rules of feedback say, to those who look at connections and at accounts.
#pragma once
#include <array>
#include <cstdint>

#include "control/detect/account.h"

namespace seine::detect {

// Where a connection comes from and with what: values of its address, prefix, network and TLS tokens.
struct Origin {
    std::uint64_t address = 0, prefix = 0, network = 0, tls = 0;
};

// What rules leave of an account's evidence.
struct Tempered {
    static constexpr float kNoCap = 1e9f;
    Tempered() noexcept { most.fill(kNoCap); }
    std::array<float, kGroups> most;  // nats that each group may say; index: group - 1
    float nats = 0;                   // added to its score
    [[nodiscard]] bool any() const noexcept {
        if (nats != 0) return true;
        for (const float m : most) {
            if (m < kNoCap) return true;
        }
        return false;
    }
};

// `oldest_h`: tokens that were last seen before count no more.
class Rules {
  public:
    virtual ~Rules() = default;
    // A value counts nothing.
    [[nodiscard]] virtual bool excluded(Channel channel, std::uint64_t value) const = 0;
    // An account counts nothing: by its name, or because it only comes through intermediaries.
    [[nodiscard]] virtual bool excluded(const Account& account, std::uint16_t oldest_h) const = 0;
    [[nodiscard]] virtual Tempered tempered(const Account& account, std::uint16_t oldest_h) const = 0;
    // The class of the network where an account is most, and of a connection's, which a prefix table
    // may not know.
    [[nodiscard]] virtual NetClass class_of(const Account& account, std::uint16_t oldest_h) const = 0;
    [[nodiscard]] virtual NetClass class_of(const Origin& origin, NetClass otherwise) const = 0;
    // A connection comes through a declared intermediary: it leaves no evidence.
    [[nodiscard]] virtual bool through_intermediary(const Origin& origin) const = 0;
};

}  // namespace seine::detect
