// Failover twins: a request that met a limit on account A comes back, just as long, on B.
//
// Chance twins are counted by the same search with the clock of the errors moved by some seconds,
// several times: what is left over the moved searches is coordination. Of the tails whose record
// told of a limit, and of those that only ended in a short answer, each, what is left over says how
// often one is repeated elsewhere: so much the rarity of a pair has to beat.
#pragma once
#include <array>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "dataplane/base/clock.h"

namespace seine::detect {

// What is known of the request that a connection ended with.
enum class Ending : std::uint8_t { limited = 0, short_answer = 1 };
inline constexpr std::size_t kEndings = 2;

struct TwinEdge {
    // By ending: ln of how rarely chance would bring the pairs, and how many there are.
    std::array<float, kEndings> rarity{};
    std::array<std::uint8_t, kEndings> count{};
    std::uint16_t last_h = 0;
};

class Twins {
  public:
    struct Limits {
        std::size_t heads_max = 1 << 20;
        std::size_t tails_max = 1 << 18;
        std::size_t edges_max = 1 << 20;
    };
    // Longest answer that is taken for an error, and how far two lengths of one request may differ
    // (another key in its header).
    static constexpr std::uint32_t kErrorBytesMax = 1000;
    static constexpr std::uint32_t kSlackBytes = 4;
    static constexpr std::int64_t kWindowNs = 1'250 * kMillisecond;

    explicit Twins(Limits limits) : limits_(limits) {}
    // The first request of a connection: when the connection was opened, and its length.
    void head(Nanos opened, std::uint32_t account, std::uint32_t org, std::uint32_t request_bytes);
    // The last request of a connection, answered by a limit or shortly.
    void tail(Nanos asked, std::uint32_t account, std::uint32_t org, std::uint32_t request_bytes,
              Ending ending);
    // Pairs what came since the last call; forgets what is older than an hour.
    void match(Nanos now, std::uint16_t now_h);
    // The slot's account was evicted and another one has it now: its marks and edges go with the next
    // match, and until then forgotten() tells of them.
    void forget_account(std::uint32_t account);
    [[nodiscard]] bool forgotten(std::uint32_t account) const noexcept {
        return !forgotten_.empty() && forgotten_.contains(account);
    }
    [[nodiscard]] bool forgotten_edge(std::uint64_t key) const noexcept {
        return forgotten(static_cast<std::uint32_t>(key >> 32)) ||
               forgotten(static_cast<std::uint32_t>(key));
    }
    // Drops what was forgotten. As match(), not while edges or marks are being read in steps.
    void drop_forgotten();
    void expire(std::uint16_t oldest_h);

    using Edges = std::unordered_map<std::uint64_t, TwinEdge>;
    // An edge by its key, with the odds that it is no chance.
    struct WeighedEdge {
        std::uint64_t key = 0;
        float nats = 0;
    };
    using Weighed = std::vector<WeighedEdge>;
    // Key: lower account slot in the high half, higher one in the low half.
    [[nodiscard]] const Edges& edges() const noexcept { return edges_; }
    // What the moved clocks found, all together: the same thing by chance alone, kClocks times.
    [[nodiscard]] const Edges& chance() const noexcept { return chance_; }
    static constexpr std::size_t kClocks = 8;
    // ln of the odds that an edge is no chance.
    [[nodiscard]] double nats(const TwinEdge& edge) const noexcept;
    // How often a tail comes back elsewhere beyond chance, carefully.
    [[nodiscard]] double repeated(Ending ending) const noexcept;
    // Of each ending, since the beginning: tails, and the rare pairs of the true and moved clocks.
    struct Tally {
        double tails = 0, pairs = 0, chance = 0;
    };
    using Tallies = std::array<Tally, kEndings>;
    [[nodiscard]] const Tallies& tallies() const noexcept { return tallies_; }
    void set_tallies(const Tallies& tallies) noexcept { tallies_ = tallies; }
    [[nodiscard]] std::uint64_t evicted() const noexcept { return evicted_; }
    [[nodiscard]] std::size_t bytes() const noexcept;

    struct Mark {
        std::int64_t at = 0;
        std::uint32_t account = 0;
        std::uint32_t org = 0;
        std::uint32_t bytes = 0;
        Ending ending = Ending::short_answer;  // of a tail
        friend auto operator<=>(const Mark& a, const Mark& b) noexcept {
            if (a.bytes != b.bytes) return a.bytes <=> b.bytes;
            if (a.at != b.at) return a.at <=> b.at;
            return a.account <=> b.account;
        }
        friend bool operator==(const Mark&, const Mark&) = default;
    };
    struct EdgeImage {
        std::uint64_t key = 0;
        TwinEdge edge;
    };
    // Marks that wait for their twin: heads and tails, each those that were matched once and fresh ones.
    static constexpr std::size_t kLists = 4;
    [[nodiscard]] const std::vector<Mark>& marks(std::size_t list) const noexcept {
        return *std::array{&heads_, &fresh_heads_, &tails_, &fresh_tails_}[list];
    }
    // Puts everything back, each account under its new number; what belongs to none is left out.
    template <typename NowAt>
    void restore(std::array<std::vector<Mark>, kLists> marks, const std::vector<EdgeImage>& edges,
                 const std::vector<EdgeImage>& chance, NowAt now_at) {
        for (std::vector<Mark>& list : marks) {
            for (Mark& m : list) m.account = now_at(m.account);
            std::erase_if(list, [](const Mark& m) { return m.account == 0xffffffffu; });
        }
        heads_ = std::move(marks[0]);
        fresh_heads_ = std::move(marks[1]);
        tails_ = std::move(marks[2]);
        fresh_tails_ = std::move(marks[3]);
        put_back(edges, edges_, now_at);
        put_back(chance, chance_, now_at);
    }

  private:
    template <typename NowAt>
    static void put_back(const std::vector<EdgeImage>& from, Edges& to, NowAt now_at) {
        for (const EdgeImage& image : from) {
            const std::uint64_t a = now_at(static_cast<std::uint32_t>(image.key >> 32));
            const std::uint64_t b = now_at(static_cast<std::uint32_t>(image.key));
            if (a == 0xffffffffu || b == 0xffffffffu) continue;
            to[a < b ? a << 32 | b : b << 32 | a] = image.edge;
        }
    }
    template <typename Take>
    static void each(const std::vector<Mark>& marks, std::uint32_t bytes, std::int64_t first,
                     std::int64_t last, Take take);
    // How many marks are of such a length, at any time.
    [[nodiscard]] static std::size_t as_long(const std::vector<Mark>& marks, std::uint32_t bytes,
                                             std::uint32_t slack_bytes);
    struct Clock {
        std::int64_t moved;
        double span_s;  // in which the heads came
        std::uint16_t now_h;
    };
    [[nodiscard]] double rarity_of(const Mark& tail, std::int64_t moved, double span_s) const;
    void search(const std::vector<Mark>& tails, const std::vector<Mark>& heads,
                const Clock& clock);
    void pair_up(const Mark& tail, const Mark& head, const Clock& clock);
    static void settle(std::vector<Mark>& old, std::vector<Mark>& fresh, std::int64_t oldest);

    Limits limits_;
    std::vector<Mark> heads_, fresh_heads_, tails_, fresh_tails_;
    Edges edges_, chance_;
    Tallies tallies_{};
    // Accounts forgotten since the last match, and how many fresh marks were there when it happened:
    // those behind them are of the slot's new account.
    struct Gone {
        std::size_t heads = 0, tails = 0;
    };
    std::unordered_map<std::uint32_t, Gone> forgotten_;
    std::uint64_t evicted_ = 0;
};

}  // namespace seine::detect
