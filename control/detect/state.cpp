// Plain values in the byte order and layout of this build: a state is read by the program that
// wrote it, and refused by one whose layout differs.
#include "control/detect/state.h"

#include <cstring>
#include <istream>
#include <ostream>
#include <type_traits>

namespace seine::detect {
namespace {

constexpr char kMagic[8] = {'S', 'E', 'I', 'N', 'E', 'D', 'T', '3'};

// The part of an account that is copied as it is; its tokens follow.
struct AccountImage {
    model::AccountTag tag;
    model::OrgTag org;
    std::uint32_t first_seen_day, connections, exchanges, linked_to, slot;
    Nanos first, last, signup, closed, alerted;
    std::uint8_t tier, trust, flags, tokens;
    GapHistogram gaps;
    std::array<std::uint16_t, kNetClasses> by_class;
    std::array<std::uint8_t, 24> hours;
    std::array<std::uint8_t, 7> days;
    ShapeHistogram shapes;
    std::array<std::uint32_t, 6> recent;
    double score;
    std::uint64_t farm;
};

class Writer {
  public:
    explicit Writer(std::ostream& out) : out_(out) {}
    void bytes(const void* at, std::size_t n) {
        const auto* from = static_cast<const char*>(at);
        out_.write(from, static_cast<std::streamsize>(n));
        for (std::size_t i = 0; i < n; ++i) {
            sum_ = (sum_ ^ static_cast<std::uint8_t>(from[i])) * 0x100000001b3u;
        }
    }
    template <typename T>
    void put(const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        bytes(&value, sizeof value);
    }
    template <typename T>
    void list(const std::vector<T>& values) {
        put(static_cast<std::uint64_t>(values.size()));
        if (!values.empty()) bytes(values.data(), values.size() * sizeof(T));
    }
    void text(const std::string& value) {
        put(static_cast<std::uint64_t>(value.size()));
        bytes(value.data(), value.size());
    }
    void seal() {
        const std::uint64_t sum = sum_;
        put(sum);
    }
    [[nodiscard]] bool good() const { return out_.good(); }

  private:
    std::ostream& out_;
    std::uint64_t sum_ = 0xcbf29ce484222325u;
};

class Reader {
  public:
    explicit Reader(std::istream& in) : in_(in) {}
    bool bytes(void* at, std::size_t n) {
        auto* to = static_cast<char*>(at);
        in_.read(to, static_cast<std::streamsize>(n));
        if (static_cast<std::size_t>(in_.gcount()) != n) return good_ = false;
        for (std::size_t i = 0; i < n; ++i) {
            sum_ = (sum_ ^ static_cast<std::uint8_t>(to[i])) * 0x100000001b3u;
        }
        return true;
    }
    template <typename T>
    bool get(T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        return good_ && bytes(&value, sizeof value);
    }
    template <typename T>
    bool list(std::vector<T>& values, std::uint64_t most) {
        std::uint64_t n = 0;
        if (!get(n) || n > most) return good_ = false;
        values.resize(n);
        return n == 0 || bytes(values.data(), n * sizeof(T));
    }
    bool text(std::string& value) {
        std::uint64_t n = 0;
        if (!get(n) || n > 4096) return good_ = false;
        value.resize(n);
        return n == 0 || bytes(value.data(), n);
    }
    bool sealed() {
        const std::uint64_t expected = sum_;
        std::uint64_t sum = 0;
        return get(sum) && sum == expected;
    }
    [[nodiscard]] bool good() const { return good_; }

  private:
    std::istream& in_;
    std::uint64_t sum_ = 0xcbf29ce484222325u;
    bool good_ = true;
};

void put_account(Writer& w, std::uint32_t slot, const Account& a) {
    AccountImage image;
    std::memset(static_cast<void*>(&image), 0, sizeof image);
    image.tag = a.tag;
    image.org = a.org;
    image.first_seen_day = a.first_seen_day;
    image.connections = a.connections;
    image.exchanges = a.exchanges;
    image.linked_to = a.linked_to;
    image.slot = slot;
    image.first = a.first;
    image.last = a.last;
    image.signup = a.signup;
    image.closed = a.closed;
    image.alerted = a.alerted;
    image.tier = a.tier;
    image.trust = a.trust;
    image.flags = a.flags;
    image.tokens = static_cast<std::uint8_t>(a.tokens.size());
    image.gaps = a.gaps;
    image.by_class = a.by_class;
    image.hours = a.hours;
    image.days = a.days;
    image.shapes = a.shapes;
    image.recent = a.recent;
    image.score = a.score;
    image.farm = a.farm;
    w.put(image);
    w.bytes(a.tokens.data(), a.tokens.size() * sizeof(Token));
}

bool get_account(Reader& r, Observer& observer, std::vector<std::uint32_t>& slot_of) {
    AccountImage image;
    if (!r.get(image) || !image.tag.known()) return false;
    const std::uint32_t slot = observer.accounts.get(image.tag, image.org, image.first);
    Account& a = observer.accounts[slot];
    if (image.slot >= slot_of.size()) slot_of.resize(image.slot + 1, AccountTable::kNone);
    slot_of[image.slot] = slot;
    a.first_seen_day = image.first_seen_day;
    a.connections = image.connections;
    a.exchanges = image.exchanges;
    a.linked_to = image.linked_to;
    a.last = image.last;
    a.signup = image.signup;
    a.closed = image.closed;
    a.alerted = image.alerted;
    a.tier = image.tier;
    a.trust = image.trust;
    a.flags = image.flags;
    a.gaps = image.gaps;
    a.by_class = image.by_class;
    a.hours = image.hours;
    a.days = image.days;
    a.shapes = image.shapes;
    a.recent = image.recent;
    a.score = image.score;
    a.farm = image.farm;
    observer.accounts.reserve_tokens(a, image.tokens);
    a.tokens.resize(image.tokens);
    return r.bytes(a.tokens.data(), a.tokens.size() * sizeof(Token));
}

struct FarmImage {
    std::uint64_t id, parent;
    model::FarmState state;
    model::FarmLevel level;
    bool provisional, merged, held;
    std::uint8_t groups;
    std::uint32_t reported, replaced, members;
    Nanos first_seen, last_seen, found;
    double score;
};
struct MemberImage {
    std::uint32_t slot;
    MemberRecord record;
};

struct Waits {
    std::uint32_t slot = 0, zero = 0;
    Nanos since;
};

void put_farms(Writer& w, const Registry& registry) {
    w.put(registry.next_id());
    w.put(static_cast<std::uint64_t>(registry.farms().size()));
    for (const auto& [id, farm] : registry.farms()) {
        FarmImage image;
        std::memset(static_cast<void*>(&image), 0, sizeof image);
        image = {farm.id,
                 farm.parent,
                 farm.state,
                 farm.level,
                 farm.provisional,
                 farm.merged,
                 farm.held,
                 farm.groups,
                 farm.reported,
                 farm.replaced,
                 static_cast<std::uint32_t>(farm.members.size()),
                 farm.first_seen,
                 farm.last_seen,
                 farm.found,
                 farm.score};
        w.put(image);
        w.text(farm.reason);
        for (const auto& [slot, record] : farm.members) {
            MemberImage member;
            std::memset(static_cast<void*>(&member), 0, sizeof member);
            member.slot = slot;
            member.record = record;
            w.put(member);
        }
    }
}

bool get_farms(Reader& r, Registry& registry, const std::vector<std::uint32_t>& slot_of) {
    std::uint64_t next = 0, count = 0;
    if (!r.get(next) || !r.get(count) || count > 1'000'000) return false;
    registry.set_next_id(next);
    for (std::uint64_t i = 0; i < count; ++i) {
        FarmImage image;
        FarmRecord farm;
        if (!r.get(image) || !r.text(farm.reason)) return false;
        farm.id = image.id;
        farm.parent = image.parent;
        farm.state = image.state;
        farm.level = image.level;
        farm.provisional = image.provisional;
        farm.merged = image.merged;
        farm.held = image.held;
        farm.groups = image.groups;
        farm.reported = image.reported;
        farm.replaced = image.replaced;
        farm.first_seen = image.first_seen;
        farm.last_seen = image.last_seen;
        farm.found = image.found;
        farm.score = image.score;
        for (std::uint32_t m = 0; m < image.members; ++m) {
            MemberImage member;
            if (!r.get(member)) return false;
            if (member.slot < slot_of.size() && slot_of[member.slot] != AccountTable::kNone) {
                farm.members[slot_of[member.slot]] = member.record;
            }
        }
        registry.mutable_farms()[farm.id] = std::move(farm);
    }
    return true;
}

}  // namespace

Status write_state(std::ostream& out, const StateView& view) {
    Writer w(out);
    w.bytes(kMagic, sizeof kMagic);
    w.put(static_cast<std::uint32_t>(sizeof(AccountImage)));
    const Observer& o = view.observer;
    w.put(view.last_sweep);
    w.put(view.last_match);
    w.put(o.began);
    w.put(o.latest);
    w.put(o.model_since);
    w.put(o.counters);
    w.list(o.crypto.rows());
    // Tables are mostly empty: what is used is written.
    std::vector<SessionTable::Entry> sessions;
    for (const auto& entry : o.sessions.entries()) {
        if (entry.identity != 0) sessions.push_back(entry);
    }
    w.list(sessions);
    std::vector<ExitGaps::Entry> exits;
    for (const auto& entry : o.exits.entries()) {
        if (entry.exit != 0) exits.push_back(entry);
    }
    w.list(exits);
    o.twins.for_each_list([&w](const auto& list) { w.list(list); });
    w.put(static_cast<std::uint64_t>(o.accounts.size()));
    for (std::uint32_t slot = 0; slot < o.accounts.slots(); ++slot) {
        if (o.accounts.live(slot)) put_account(w, slot, o.accounts[slot]);
    }
    put_farms(w, view.registry);
    std::vector<Waits> waiting;
    for (const auto& [slot, since] : view.registry.waiting()) waiting.push_back({slot, 0, since});
    w.list(waiting);
    w.seal();
    return w.good() ? Status{} : failed("the detection state could not be written whole");
}

Status read_state(std::istream& in, Observer& o, Registry& registry, Nanos& last_sweep,
                  Nanos& last_match) {
    const Status broken(Code::corrupt,
                        "the detection state is cut or damaged; start without it to begin anew");
    Reader r(in);
    char magic[8] = {};
    std::uint32_t layout = 0;
    if (!r.bytes(magic, sizeof magic) || std::memcmp(magic, kMagic, sizeof magic) != 0 ||
        !r.get(layout) || layout != sizeof(AccountImage)) {
        return {Code::corrupt, "not a detection state of this version; start without it"};
    }
    constexpr std::uint64_t kMost = std::uint64_t{1} << 26;
    std::vector<StackCrypto::Row> stacks;
    std::vector<SessionTable::Entry> sessions;
    std::vector<ExitGaps::Entry> exits;
    if (!r.get(last_sweep) || !r.get(last_match) || !r.get(o.began) || !r.get(o.latest) ||
        !r.get(o.model_since) || !r.get(o.counters) || !r.list(stacks, kMost) ||
        !r.list(sessions, kMost) || !r.list(exits, kMost)) {
        return broken;
    }
    bool lists = true;
    o.twins.for_each_list([&](auto& list) { lists = lists && r.list(list, kMost); });
    std::uint64_t accounts = 0;
    if (!lists || !r.get(accounts) || accounts > kMost) return broken;
    std::vector<std::uint32_t> slot_of;
    for (std::uint64_t i = 0; i < accounts; ++i) {
        if (!get_account(r, o, slot_of)) return broken;
    }
    std::vector<Waits> waiting;
    if (!get_farms(r, registry, slot_of) || !r.list(waiting, kMost) || !r.sealed()) return broken;
    const auto now_at = [&slot_of](std::uint32_t slot) {
        return slot < slot_of.size() ? slot_of[slot] : AccountTable::kNone;
    };
    for (std::uint32_t slot = 0; slot < o.accounts.slots(); ++slot) {
        o.accounts[slot].linked_to = now_at(o.accounts[slot].linked_to);
    }
    Registry::Waiting waits;
    for (const Waits& w : waiting) {
        if (now_at(w.slot) != AccountTable::kNone) waits[now_at(w.slot)] = w.since;
    }
    registry.set_waiting(std::move(waits));
    if (!o.crypto.restore(std::move(stacks))) return broken;
    o.sessions.restore(sessions, o.latest, now_at);
    o.exits.restore(exits, o.hour(o.latest));
    o.twins.renumber(now_at);
    return {};
}

}  // namespace seine::detect
