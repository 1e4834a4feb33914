// What the members of a group have in common, and how well an account fits in: log-odds by group.
//
// For a token that k of the group's m organisations show (the account itself left out) and
// `outside` others: ln(p / q), p the lower bound of k / m and q the upper bound of the share
// outside, both by one standard deviation: what few show says little. A group of channels counts
// once, with its best token, less the price of having looked at several; an account that shows none
// of what most members show pays ln((1 - c) / (1 - c0)), c and c0 being the shares that show any.
// Addresses of rented exits are all alike: for an account behind a relay, networks are compared
// with those of the other accounts behind relays. Request sizes are judged as a whole: drawn from
// the group's sizes, or from one application's.
#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "control/detect/cells.h"
#include "control/detect/relay_place.h"
#include "control/detect/twins.h"

namespace seine::detect {

// One line for each group, and one for where the relay stands: what the delay through an exit says
// beyond there being one.
inline constexpr std::size_t kPlaceLine = kGroups, kLines = kGroups + 1;
inline constexpr double kGroupNatsMax = 6, kGroupNatsMin = -4;
inline constexpr double kTwinNatsMax = 10;  // of twins, whose chance is counted and not assumed

// One line of an account's membership: which token spoke for its group, and how loudly.
struct GroupLine {
    std::uint32_t token = Cell::kNone;  // none: the absence of what is common, or a twin
    enum class Source : std::uint8_t { none, token, missing, twins, sizes, place };
    Source source = Source::none;
    std::uint8_t twin_edges = 0;
    Channel channel{};    // of a missing token
    double k = 0;         // organisations of the group of which the line is true
    double expected = 0;  // as many of m others would
    double nats = 0;
    bool capped = false;  // by a rule of feedback
};

struct Membership {
    std::array<GroupLine, kLines> line{};   // index: group - 1, or kPlaceLine
    double prior = 0;                       // ln(m / N): how rare the group is
    double ruled = 0;                       // what rules of feedback add
    double score = 0;                       // the sum of all, nats of log-odds
    [[nodiscard]] unsigned groups_above(double nats) const noexcept;
};

struct RowView;

// Twins by row: who met whom, and how surely it was no chance.
class TwinGraph {
  public:
    TwinGraph(const Population& population, const Twins::Weighed& edges);
    [[nodiscard]] std::span<const std::uint32_t> of(std::uint32_t row) const noexcept {
        return {other_.data() + begin_[row], begin_[row + 1] - begin_[row]};
    }
    // Beside of().
    [[nodiscard]] std::span<const float> nats_of(std::uint32_t row) const noexcept {
        return {nats_.data() + begin_[row], begin_[row + 1] - begin_[row]};
    }
    void show(std::uint32_t row, RowView& view) const noexcept;
    [[nodiscard]] std::size_t edges() const noexcept { return other_.size() / 2; }
    [[nodiscard]] std::size_t bytes() const noexcept {
        return sizeof(std::uint32_t) *
               (begin_.capacity() + other_.capacity() + nats_.capacity());
    }

  private:
    std::vector<std::uint32_t> begin_;
    std::vector<std::uint32_t> other_;
    std::vector<float> nats_;
};

// The twins that were seen, and those that chance made under all the moved clocks.
struct Ties {
    const TwinGraph* twins = nullptr;
    const TwinGraph* chance = nullptr;
};

// An account as a profile sees it: a row of the population, or one that came since.
struct RowView {
    std::uint32_t id = Cell::kNone;  // its row; none: not of this population
    bool linked = false;             // shares a session with a member, as seen since the sweep
    std::span<const std::uint32_t> tokens, twins;
    std::span<const float> twin_nats;
    std::span<const WayBeyond> ways;
    Row facts;
    const ShapeHistogram* shapes = nullptr;
    const Tempered* tempered = nullptr;  // none: no rule of feedback is about it
};

class Profile {
  public:
    // `members` rise.
    Profile(const Population& population, const Ties& ties, std::vector<std::uint32_t> members);
    [[nodiscard]] RowView view(std::uint32_t row) const;
    [[nodiscard]] Membership fit(const RowView& row) const;
    [[nodiscard]] Membership fit(std::uint32_t row) const { return fit(view(row)); }
    [[nodiscard]] bool is_member(std::uint32_t row) const;
    [[nodiscard]] double orgs() const noexcept { return m_; }
    [[nodiscard]] const std::vector<std::uint32_t>& members() const noexcept { return members_; }
    // Rows that share a telling token or a twin with the group, rising: others cannot belong to it.
    [[nodiscard]] std::vector<std::uint32_t> candidates() const;

    // What every account starts with; what is said of one without ties and so many connections; the
    // most that sizes say; and what is said of one who shows nothing telling of a group, though all
    // show something of it.
    [[nodiscard]] double prior() const noexcept;
    [[nodiscard]] double unlinked_nats(std::uint32_t connections) const noexcept;
    [[nodiscard]] double sizes_nats_max() const noexcept;
    [[nodiscard]] double place_nats_max() const noexcept { return place_.nats_max(); }
    [[nodiscard]] double absent_nats(model::Group group) const noexcept;

    struct Telling {
        std::uint32_t k = 0;  // organisations of the group that show it
        float nats = 0;       // of one who shows it
    };
    [[nodiscard]] const std::unordered_map<std::uint32_t, Telling>& telling() const noexcept {
        return telling_;
    }
    [[nodiscard]] const TwinGraph& twins() const noexcept { return *ties_.twins; }
    // What chance alone gives an account of twins: nats, and how likely.
    struct ByChance {
        double nats = 0, share = 0;
    };
    [[nodiscard]] std::span<const ByChance> twins_by_chance() const noexcept {
        return by_chance_;
    }

  private:
    static constexpr std::size_t kTwinSteps = 8, kLinkStates = 2 * kTwinSteps;
    struct Coverage {
        double in_group = 0, outside = 0;  // shares that show any telling token
        double miss_nats = 0;              // of showing none
    };
    void count_tokens();
    void cover_channels();
    void weigh_links();
    void sum_shapes();
    void condition_networks();
    // None where a token tells nothing.
    [[nodiscard]] const Telling* telling_of(std::uint32_t token) const {
        return tells_[token] ? &telling_.find(token)->second : nullptr;
    }
    [[nodiscard]] double token_nats(std::uint32_t token, std::uint32_t k, bool self,
                                    bool relayed) const;
    [[nodiscard]] double size_nats(const RowView& row, bool self) const;
    void add_tokens(const RowView& row, bool self, Membership& fit) const;
    void add_missing(const RowView& row, Membership& fit) const;
    [[nodiscard]] double bonus(std::uint32_t twin) const;
    // How strong an account's twins in the group are, in steps.
    [[nodiscard]] std::size_t twin_step(const RowView& row) const;
    [[nodiscard]] static std::size_t step_of(double nats) noexcept;
    [[nodiscard]] std::array<double, kTwinSteps> chance_steps() const;
    void weigh_steps(std::size_t first, const std::array<double, kLinkStates>& in,
                     const std::array<double, kLinkStates>& out, double size, double rest);
    // A step of the twins, and kTwinSteps more for one who shares a session with the group.
    [[nodiscard]] std::size_t link_state(const RowView& row, bool self) const;
    [[nodiscard]] double best_network_nats(const RowView& row, bool self) const;
    [[nodiscard]] static std::size_t size_step(double nats) noexcept;
    void add_link(const RowView& row, bool self, Membership& fit) const;
    void add_sizes(const RowView& row, bool self, Membership& fit) const;
    [[nodiscard]] double less_if_new(double nats, std::uint32_t connections) const noexcept;
    static void temper(const Tempered& rules, Membership& fit);
    void add_place(const RowView& row, bool self, Membership& fit) const;

    const Population* population_;
    Ties ties_;
    std::vector<std::uint32_t> members_;
    double m_ = 0, n_all_ = 0;
    std::unordered_map<std::uint32_t, Telling> telling_;
    std::vector<bool> tells_;  // by token: in the map
    std::array<Coverage, kChannels> coverage_{};
    // Accounts behind relays outside the group: how many, how many on each network token, and the
    // most that sharing exits with them can say.
    bool by_relay_ = false;  // most members come through relays
    double relayed_outside_ = 0, relayed_network_nats_ = kGroupNatsMax;
    std::unordered_map<std::uint32_t, std::uint32_t> relayed_on_;
    std::array<double, ShapeHistogram::kBins> shapes_in_{};
    ShareLogs size_logs_;  // of the same, times kAlike
    static constexpr std::size_t kSizeSteps = 6;
    std::array<double, kSizeSteps> size_nats_{};  // what a step of size_nats() says, measured
    double connections_ = 1;                      // median of the members
    RelayPlace place_;
    // Shares of the members in a state as seen, and as weighed: a lower bound, and outside.
    std::array<double, kLinkStates> link_nats_{}, link_seen_{}, link_in_{}, link_out_{};
    std::array<ByChance, kTwinSteps - 1> by_chance_{};
};

}  // namespace seine::detect
