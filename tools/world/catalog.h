// Clients and kernels of a world: which hellos, header orders and SYNs there are, and who shows
// which.
#pragma once
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "dataplane/base/status.h"
#include "tools/world/parameters.h"
#include "tools/world/random.h"

namespace seine::world {

// A text by number; 0 is none.
using TextId = std::uint32_t;

class Texts {
  public:
    TextId id(const std::string& text);
    [[nodiscard]] const std::string& text(TextId id) const { return texts_[id]; }
    [[nodiscard]] std::size_t count() const { return texts_.size(); }

  private:
    std::vector<std::string> texts_{""};
    std::unordered_map<std::string, TextId> ids_;
};

enum class Resume : std::uint8_t { none, reuse, single };
enum class Role : std::uint8_t { dev, srv, mob, exit, box };

// What a client program looks like from outside: TLS library with its generation, header order.
struct Build {
    std::uint16_t client = 0;
    std::uint16_t number = 0;  // popularity rank inside the client
    std::uint16_t tls = 0;
    std::uint16_t generation = 0;
    bool tls12 = false;
    bool padding = false;        // some of its hellos carry it
    bool retry_request = false;  // its first key share is never taken
    std::uint64_t header_desc = 0;
};
struct HelloTexts {
    TextId ja4 = 0;
    TextId ja4_norm = 0;
};
enum class Carrier : std::uint8_t { tcp, quic };

class Catalog {
  public:
    static Result<Catalog> make(const Parameters& parameters, std::uint64_t seed);

    // A client in a role, then a build of it, both from a draw in [0, 1).
    [[nodiscard]] std::uint16_t client_of(Role role, double unit) const;
    [[nodiscard]] std::uint16_t build_of(std::uint16_t client, double unit) const;
    // The build as it is at `days` into the window for an account with this key: who follows a new
    // version by itself changes the TLS generation when it comes out.
    [[nodiscard]] Build build(std::uint16_t client, std::uint16_t number, std::uint64_t key,
                              double days) const;
    [[nodiscard]] HelloTexts hello(const Build& build, Carrier carrier, bool resumed,
                                   bool padded) const;
    [[nodiscard]] std::uint16_t kernel_of(Role role, double unit) const;
    [[nodiscard]] TextId syn(std::uint16_t kernel, std::uint32_t mss) const;
    [[nodiscard]] Resume resume(std::uint16_t client) const { return resume_[client]; }
    // Index of a client by name; the last one where there is none.
    [[nodiscard]] std::uint16_t client_named(const std::string& name) const;
    [[nodiscard]] const Texts& texts() const { return texts_; }
    [[nodiscard]] const Parameters& parameters() const { return *parameters_; }

  private:
    explicit Catalog(const Parameters& parameters, std::uint64_t seed)
        : parameters_(&parameters), seed_(seed) {}
    Status make_hellos();
    void make_syns();
    [[nodiscard]] std::size_t slot(const Build& build, Carrier carrier, bool resumed,
                                   bool padded) const;

    const Parameters* parameters_;
    std::uint64_t seed_;
    Texts texts_;
    std::vector<Weights> client_weights_;  // by role dev, srv, mob
    std::vector<Weights> kernel_weights_;  // by role
    std::vector<Weights> build_weights_;   // by client
    std::vector<Resume> resume_;
    std::vector<double> rollout_day_;     // by client, negative: none
    std::vector<std::size_t> tls_first_;  // first slot of a library
    std::vector<HelloTexts> hellos_;
    std::unordered_map<std::uint64_t, TextId> syns_;  // kernel << 32 | mss
};

}  // namespace seine::world
