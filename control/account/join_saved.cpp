#include "control/account/join_saved.h"

#include "control/account/saved.h"

namespace seine::account {
namespace {

// A state of another build or seed has another head.
struct Head {
    char magic[8] = {'S', 'J', 'O', 'I', 'N', '1', 0, 0};
    std::uint64_t connection_bytes = sizeof(Connection);
    std::uint64_t claim_bytes = sizeof(Claim);
    std::uint64_t use_bytes = sizeof(Use);
    std::uint64_t boot_bytes = sizeof(Gateway::Boot);
    std::uint64_t counter_bytes = sizeof(JoinCounters);
    std::uint64_t seed = 0;
};

}  // namespace

void save_join(std::string& state, std::uint64_t seed, const JoinCounters& counters,
               const Gateways& gateways, const Connections& connections, const Pending& pending,
               bool with_connections) {
    SavedWriter writer(state);
    Head head;
    head.seed = seed;
    writer.put(head);
    writer.put(counters);
    gateways.save(state);
    if (with_connections) {
        connections.save(state);
    } else {
        writer.put(std::uint32_t{0});
    }
    for (std::uint32_t at = pending.oldest(); at != 0; at = pending.after(at)) {
        const Claim& claim = pending[at];
        writer.put(claim);
        writer.put(connections.identities()[claim.identity]);
        writer.put(connections.servers()[claim.server]);
    }
}

bool restore_join(std::string_view state, std::uint64_t seed, JoinCounters& counters,
                  Gateways& gateways, Connections& connections,
                  const std::function<void(const Claim&)>& wait) {
    SavedReader in(state);
    Head wanted;
    Head head;
    wanted.seed = seed;
    if (!in.take(head) || std::memcmp(&head, &wanted, sizeof head) != 0) return false;
    if (!in.take(counters) || !gateways.restore(in) || !connections.restore(in)) return false;
    while (!in.empty()) {
        Claim claim;
        Identity identity;
        ServerEnd server;
        if (!in.take(claim) || !in.take(identity) || !in.take(server)) return false;
        if (claim.gateway >= gateways.all().size()) return false;
        claim.request = 0;  // what was kept of the request went with the process
        claim.identity = connections.identities().hold(identity);
        if (claim.server != 0) claim.server = connections.servers().hold(server);
        wait(claim);
    }
    return true;
}

}  // namespace seine::account
