// Plain values in the byte order and layout of this build: a state is read by the program that
// wrote it, and refused by one whose layout differs.
#include "control/detect/state.h"

#include <algorithm>
#include <cstring>
#include <istream>
#include <type_traits>

#include "dataplane/base/hash.h"

namespace seine::detect {
namespace {

constexpr char kMagic[8] = {'S', 'E', 'I', 'N', 'E', 'D', 'T', '5'};

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
    std::array<Recent, 6> recent;
    double score;
    std::uint64_t farm;
};

constexpr std::uint32_t kFrameBytesMax = std::uint32_t{1} << 28;
constexpr std::size_t kPieceBytes = 64 << 10;
constexpr unsigned kFarmsBegunMax = 8;

// The content of one frame.
class Writer {
  public:
    void bytes(const void* at, std::size_t n) { frame_.append(static_cast<const char*>(at), n); }
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
    [[nodiscard]] bool empty() const noexcept { return frame_.empty(); }
    [[nodiscard]] const std::string& content() const noexcept { return frame_; }
    // Appends the frame to `out`; its sum goes on from the one before.
    void seal(std::uint64_t& sum, std::string& out) {
        sum = hash64(as_bytes(frame_), sum + 1);
        const auto length = static_cast<std::uint32_t>(frame_.size());
        char head[sizeof length + sizeof sum];
        std::memcpy(head, &length, sizeof length);
        std::memcpy(head + sizeof length, &sum, sizeof sum);
        out.append(head, sizeof head);
        out += frame_;
        frame_.clear();
    }

  private:
    std::string frame_;
};

// Hands out the content of frames that are whole, as if there were none.
class Reader {
  public:
    explicit Reader(std::istream& in) : in_(in) {}
    bool bytes(void* at, std::size_t n) {
        auto* to = static_cast<char*>(at);
        while (good_ && n > 0) {
            if (at_ == frame_.size() && !next_frame()) return false;
            const std::size_t some = std::min(n, frame_.size() - at_);
            std::memcpy(to, frame_.data() + at_, some);
            at_ += some;
            to += some;
            n -= some;
        }
        return good_;
    }
    template <typename T>
    bool get(T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        return bytes(&value, sizeof value);
    }
    template <typename T>
    bool list(std::vector<T>& values, std::uint64_t most) {
        std::uint64_t n = 0;
        if (!get(n) || n > most) return good_ = false;
        values.resize(n);
        return n == 0 || bytes(values.data(), n * sizeof(T));
    }
    // A list in pieces, the last of which is empty.
    template <typename T>
    bool pieces(std::vector<T>& values, std::uint64_t most) {
        while (true) {
            std::uint64_t n = 0;
            if (!get(n) || values.size() + n > most) return good_ = false;
            if (n == 0) return true;
            values.resize(values.size() + n);
            if (!bytes(values.data() + values.size() - n, n * sizeof(T))) return false;
        }
    }
    bool text(std::string& value) {
        std::uint64_t n = 0;
        if (!get(n) || n > 4096) return good_ = false;
        value.resize(n);
        return n == 0 || bytes(value.data(), n);
    }
    // Nothing but the empty frame is left.
    bool sealed() { return good_ && at_ == frame_.size() && !next_frame() && ended_; }

  private:
    bool next_frame() {
        std::uint32_t length = 0;
        std::uint64_t sum = 0;
        good_ = false;
        if (ended_ || !read(&length, sizeof length) || !read(&sum, sizeof sum)) return false;
        if (length > kFrameBytesMax) return false;
        frame_.resize(length);
        at_ = 0;
        if (!read(frame_.data(), length)) return false;
        sum_ = hash64(as_bytes(frame_), sum_ + 1);
        if (sum_ != sum) return false;
        ended_ = length == 0;
        return good_ = length > 0;
    }
    bool read(void* at, std::size_t n) {
        in_.read(static_cast<char*>(at), static_cast<std::streamsize>(n));
        return static_cast<std::size_t>(in_.gcount()) == n;
    }
    std::istream& in_;
    std::string frame_;
    std::size_t at_ = 0;
    std::uint64_t sum_ = 0;
    bool good_ = true, ended_ = false;
};

void put_account(Writer& w, std::uint32_t slot, std::uint32_t linked_to, const Account& a) {
    AccountImage image;
    std::memset(static_cast<void*>(&image), 0, sizeof image);
    image.tag = a.tag;
    image.org = a.org;
    image.first_seen_day = a.first_seen_day;
    image.connections = a.connections;
    image.exchanges = a.exchanges;
    image.linked_to = linked_to;
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
    if (image.slot != AccountTable::kNone) {
        if (image.slot >= slot_of.size()) slot_of.resize(image.slot + 1, AccountTable::kNone);
        slot_of[image.slot] = slot;
    }
    a.first_seen_day = image.first_seen_day;
    a.connections = image.connections;
    a.exchanges = image.exchanges;
    a.linked_slot = image.linked_to;
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

void put_farm(Writer& w, const FarmRecord& farm) {
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
}

void put_member(Writer& w, std::uint32_t slot, const MemberRecord& record) {
    MemberImage member;
    std::memset(static_cast<void*>(&member), 0, sizeof member);
    member.slot = slot;
    member.record = record;
    w.put(member);
}

// Members under the slots that they had when this was written.
bool get_farms(Reader& r, Registry& registry) {
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
            farm.members[member.slot] = member.record;
        }
        registry.mutable_farms()[farm.id] = std::move(farm);
    }
    return true;
}

// Members and accounts to one another: farms were written first, so an account may since have been
// alerted, or lost its slot to another one.
template <typename NowAt>
void put_right(Observer& o, Registry& registry, NowAt now_at) {
    std::vector<char> member(o.accounts.slots(), 0);
    for (auto& [id, farm] : registry.mutable_farms()) {
        std::map<std::uint32_t, MemberRecord> members;
        for (const auto& [slot, record] : farm.members) {
            if (now_at(slot) != AccountTable::kNone) members[now_at(slot)] = record;
        }
        farm.members = std::move(members);
        if (farm.level != model::FarmLevel::campaign) continue;
        for (const auto& [slot, record] : farm.members) {
            member[slot] = 1;
            Account& a = o.accounts[slot];
            if (a.farm == id || farm.state == model::FarmState::dismissed) continue;
            a.farm = id;
            a.flags |= Account::kAlerted;
            a.alerted = record.since;
            a.score = record.score;
        }
    }
    for (std::uint32_t slot = 0; slot < o.accounts.slots(); ++slot) {
        Account& a = o.accounts[slot];
        a.linked_slot = now_at(a.linked_slot);
        if (a.linked_slot != AccountTable::kNone)
            a.linked_serial = o.accounts[a.linked_slot].serial;
        if (member[slot] != 0 || !a.has(Account::kAlerted)) continue;
        a.flags &= static_cast<std::uint8_t>(~Account::kAlerted);
        a.farm = 0;
        a.alerted = {};
    }
}

void put_head(Writer& w, const StateView& view) {
    const Observer& o = view.observer;
    w.put(static_cast<std::uint32_t>(sizeof(AccountImage)));
    w.put(view.last_sweep);
    w.put(view.last_match);
    w.put(o.began);
    w.put(o.latest);
    w.put(o.model_since);
    w.put(o.counters);
    w.put(o.twins.tallies());
    w.list(o.crypto.rows());
}

void put_waiting(Writer& w, const Registry& registry) {
    std::vector<Waits> waiting;
    for (const auto& [slot, since] : registry.waiting()) waiting.push_back({slot, 0, since});
    w.list(waiting);
}

// Places of a table that are used, from `at` on. A table that has grown since it was begun is begun
// again: who reads it takes each entry once.
template <typename Entry>
bool put_table(Writer& w, const std::vector<Entry>& entries, std::uint32_t most, std::size_t& at,
               std::size_t& size) {
    if (entries.size() != size) {
        at = 0;
        size = entries.size();
    }
    std::vector<Entry> some;
    const std::size_t end = std::min(entries.size(), at + most);
    for (; at < end; ++at) {
        if (entries[at].key() != 0) some.push_back(entries[at]);
    }
    if (!some.empty()) w.list(some);
    if (at < entries.size()) return false;
    w.list(std::vector<Entry>());
    return true;
}

// True when the empty piece that ends a list was written.
bool put_marks(Writer& w, const std::vector<Twins::Mark>& marks, std::uint32_t most,
               std::size_t& at) {
    const std::size_t n = std::min<std::size_t>(most, marks.size() - at);
    const auto first = marks.begin() + static_cast<std::ptrdiff_t>(at);
    w.list(std::vector<Twins::Mark>(first, first + static_cast<std::ptrdiff_t>(n)));
    at += n;
    return n == 0;
}

// Some of a text that is written as it is; true when that was the last of it.
bool put_piece(Writer& w, const std::string& text, std::size_t& at) {
    const std::size_t n = std::min(kPieceBytes, text.size() - at);
    w.bytes(text.data() + at, n);
    at += n;
    return at == text.size();
}

bool put_edges(Writer& w, const Twins::Edges& edges, std::uint32_t most,
               Twins::Edges::const_iterator& at) {
    std::vector<Twins::EdgeImage> some;
    for (; at != edges.end() && most > 0; ++at, --most) some.push_back({at->first, at->second});
    if (!some.empty()) w.list(some);
    if (at != edges.end()) return false;
    w.list(std::vector<Twins::EdgeImage>());
    return true;
}

}  // namespace

void StateWriter::next(Stage stage) {
    stage_ = stage;
    at_ = size_ = 0;
    edges_begun_ = false;
}

bool StateWriter::gather_farms(const Registry& registry, std::uint32_t most) {
    Writer w;
    if (farms_begun_ == 0 || farms_version_ != registry.changes()) {
        farms_.clear();
        farm_ = 0;
        inside_ = false;
        farms_version_ = registry.changes();
        // Who is changed at every step is written in one at last.
        if (++farms_begun_ > kFarmsBegunMax) most = 0xffffffffu;
        w.put(registry.next_id());
        w.put(static_cast<std::uint64_t>(registry.farms().size()));
    }
    auto at = inside_ ? registry.farms().find(farm_) : registry.farms().upper_bound(farm_);
    for (; at != registry.farms().end() && most > 0; ++at) {
        const FarmRecord& farm = at->second;
        if (!inside_) put_farm(w, farm);
        auto m = farm.members.lower_bound(inside_ ? slot_ : 0);
        for (; m != farm.members.end() && most > 0; ++m, --most) put_member(w, m->first, m->second);
        farm_ = at->first;
        inside_ = m != farm.members.end();
        if (inside_) slot_ = m->first;
        if (inside_) break;
    }
    farms_ += w.content();
    return !inside_ && at == registry.farms().end();
}

bool StateWriter::step(const StateView& view, std::uint32_t most, std::string& out) {
    const Observer& o = view.observer;
    Writer w;
    switch (stage_) {
        case Stage::head:
            out.append(kMagic, sizeof kMagic);
            put_head(w, view);
            next(Stage::farms);
            break;
        case Stage::farms:
            if (gather_farms(view.registry, most)) next(Stage::farms_out);
            break;
        case Stage::farms_out: {
            if (!put_piece(w, farms_, at_)) break;
            put_waiting(w, view.registry);
            farms_ = {};
            next(Stage::sessions);
            break;
        }
        case Stage::sessions:
            if (put_table(w, o.sessions.entries(), most, at_, size_)) next(Stage::exits);
            break;
        case Stage::exits:
            if (put_table(w, o.exits.entries(), most, at_, size_)) next(Stage::marks);
            break;
        case Stage::marks: {
            if (!put_marks(w, o.twins.marks(list_), most, at_)) break;
            at_ = 0;
            if (++list_ == Twins::kLists) next(Stage::twins);
            break;
        }
        case Stage::twins:
        case Stage::chance: {
            const bool first = stage_ == Stage::twins;
            const Twins::Edges& edges = first ? o.twins.edges() : o.twins.chance();
            if (!edges_begun_) edge_ = edges.begin();
            edges_begun_ = true;
            if (put_edges(w, edges, most, edge_)) next(first ? Stage::chance : Stage::accounts);
            break;
        }
        case Stage::accounts: {
            const std::size_t end = std::min<std::size_t>(o.accounts.slots(), at_ + most);
            for (; at_ < end; ++at_) {
                const auto slot = static_cast<std::uint32_t>(at_);
                if (!o.accounts.live(slot)) continue;
                w.put(std::uint8_t{1});
                // What was written before of a slot that went to another account since is not its own.
                const bool stays = !o.twins.forgotten(slot);
                put_account(w, stays ? slot : AccountTable::kNone,
                            o.accounts.linked_to(o.accounts[slot]), o.accounts[slot]);
            }
            if (at_ < o.accounts.slots()) break;
            w.put(std::uint8_t{0});
            next(Stage::done);
            break;
        }
        case Stage::done:
            w.seal(sum_, out);
            return true;
    }
    // An empty frame is the end.
    if (!w.empty()) w.seal(sum_, out);
    return false;
}

Status read_state(std::istream& in, Observer& o, Registry& registry, Nanos& last_sweep,
                  Nanos& last_match) {
    const Status broken(Code::corrupt,
                        "the detection state is cut or damaged; start without it to begin anew");
    const Status other(Code::corrupt, "not a detection state of this version; start without it");
    char magic[8] = {};
    in.read(magic, sizeof magic);
    if (in.gcount() != sizeof magic || std::memcmp(magic, kMagic, sizeof magic) != 0) return other;
    Reader r(in);
    constexpr std::uint64_t kMost = std::uint64_t{1} << 26;
    std::uint32_t layout = 0;
    if (!r.get(layout)) return broken;
    if (layout != sizeof(AccountImage)) return other;
    std::vector<StackCrypto::Row> stacks;
    std::vector<Waits> waiting;
    std::vector<SessionTable::Entry> sessions;
    std::vector<ExitGaps::Entry> exits;
    std::array<std::vector<Twins::Mark>, Twins::kLists> marks;
    std::vector<Twins::EdgeImage> edges, chance;
    Twins::Tallies tallies{};
    bool whole = r.get(last_sweep) && r.get(last_match) && r.get(o.began) && r.get(o.latest) &&
                 r.get(o.model_since) && r.get(o.counters) && r.get(tallies) &&
                 r.list(stacks, kMost) &&
                 get_farms(r, registry) && r.list(waiting, kMost) && r.pieces(sessions, kMost) &&
                 r.pieces(exits, kMost);
    for (auto& list : marks) whole = whole && r.pieces(list, kMost);
    whole = whole && r.pieces(edges, kMost) && r.pieces(chance, kMost);
    std::vector<std::uint32_t> slot_of;
    std::uint8_t more = 0;
    while (whole && (whole = r.get(more)) && more == 1) whole = get_account(r, o, slot_of);
    if (!whole || !r.sealed() || !o.crypto.restore(std::move(stacks))) return broken;
    const auto now_at = [&slot_of](std::uint32_t slot) {
        return slot < slot_of.size() ? slot_of[slot] : AccountTable::kNone;
    };
    put_right(o, registry, now_at);
    Registry::Waiting waits;
    for (const Waits& w : waiting) {
        if (now_at(w.slot) != AccountTable::kNone) waits[now_at(w.slot)] = w.since;
    }
    registry.set_waiting(std::move(waits));
    o.sessions.restore(sessions, o.latest, now_at);
    o.exits.restore(exits, o.hour(o.latest));
    o.twins.restore(std::move(marks), edges, chance, now_at);
    o.twins.set_tallies(tallies);
    return {};
}

}  // namespace seine::detect
