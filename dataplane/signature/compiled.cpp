#include "dataplane/signature/compiled.h"

#include <algorithm>

#include "dataplane/base/hash.h"

namespace seine::signature {
namespace {

//   0  u8[8] magic   8  u32 version   12  u32 zero   16  u64 bytes of the whole   24  u64 checksum[2]   40  set
constexpr char kMagic[] = "SEINERUL";
constexpr std::size_t kHeaderBytes = 40;
constexpr std::uint64_t kSeeds[2] = {0x5e1e5e1e, 0xb10bb10b};

class Writer {
  public:
    template <typename Number>
    void number(Number value) {
        const auto wide = static_cast<std::uint64_t>(value);
        for (std::size_t i = 0; i < sizeof value; ++i) out_.push_back(static_cast<std::uint8_t>(wide >> (8 * i)));
    }
    void bytes(ByteView view) {
        number(static_cast<std::uint64_t>(view.size()));
        out_.insert(out_.end(), view.begin(), view.end());
    }
    void text(std::string_view view) { bytes(as_bytes(view)); }
    template <typename Items, typename Each>
    void items(const Items& list, Each&& each) {
        number(static_cast<std::uint32_t>(list.size()));
        for (const auto& item : list) each(item);
    }
    std::vector<std::uint8_t> out_;
};

// Reads past the end give zeroes and set failed(), which sticks.
class Reader {
  public:
    explicit Reader(ByteView bytes) : rest_(bytes) {}
    template <typename Number>
    void number(Number& out) {
        std::uint64_t wide = 0;
        if (rest_.size() < sizeof out) return fail();
        for (std::size_t i = 0; i < sizeof out; ++i) wide |= std::uint64_t{rest_[i]} << (8 * i);
        rest_ = rest_.subspan(sizeof out);
        out = static_cast<Number>(wide);
    }
    // An enumerator not past `last`.
    template <typename Choice>
    void choice(Choice& out, Choice last) {
        std::uint8_t value = 0;
        number(value);
        if (value > static_cast<std::uint8_t>(last)) return fail();
        out = static_cast<Choice>(value);
    }
    ByteView bytes() {
        std::uint64_t count = 0;
        number(count);
        if (count > rest_.size()) {
            fail();
            return {};
        }
        const ByteView out = rest_.first(static_cast<std::size_t>(count));
        rest_ = rest_.subspan(static_cast<std::size_t>(count));
        return out;
    }
    void text(std::string& out) { out = std::string(as_text(bytes())); }
    // Every item takes at least a byte, so a count past what is left is a lie.
    template <typename Items, typename Each>
    void items(Items& out, std::size_t most, Each&& each) {
        std::uint32_t count = 0;
        number(count);
        if (count > most || count > rest_.size()) return fail();
        for (std::uint32_t i = 0; i < count && !failed_; ++i) each(out.emplace_back());
    }
    [[nodiscard]] bool failed() const { return failed_; }
    [[nodiscard]] bool done() const { return !failed_ && rest_.empty(); }
    void fail() {
        failed_ = true;
        rest_ = {};
    }

  private:
    ByteView rest_;
    bool failed_ = false;
};

void write_rule(Writer& out, const CompiledRule& rule) {
    for (const std::string* text : {&rule.id, &rule.pack, &rule.title, &rule.rule_class}) out.text(*text);
    out.number(rule.version);
    out.number(static_cast<std::uint8_t>(rule.severity));
    out.number(rule.confidence);
    out.number(static_cast<std::uint8_t>(rule.state));
    out.number(static_cast<std::uint8_t>(rule.runs_in));
    out.items(rule.ports, [&](PortRange range) {
        out.number(range.first);
        out.number(range.last);
    });
    out.items(rule.networks, [&](const Network& network) {
        for (const std::uint8_t byte : network.address) out.number(byte);
        out.number(network.bits);
    });
    for (const Rate* rate : {&rule.per_rule, &rule.per_source}) {
        out.number(rate->count);
        out.number(rate->seconds);
    }
    out.items(rule.steps, [&](const Step& step) {
        out.number(static_cast<std::uint8_t>(step.kind));
        out.number(step.group);
        out.number(step.operands);
        out.number(step.fact);
    });
}

void read_rule(Reader& in, CompiledRule& rule) {
    for (std::string* text : {&rule.id, &rule.pack, &rule.title, &rule.rule_class}) in.text(*text);
    in.number(rule.version);
    in.choice(rule.severity, Severity::critical);
    in.number(rule.confidence);
    in.choice(rule.state, State::disabled);
    in.choice(rule.runs_in, RunsIn::control);
    in.items(rule.ports, 65536, [&](PortRange& range) {
        in.number(range.first);
        in.number(range.last);
    });
    in.items(rule.networks, 65536, [&](Network& network) {
        for (std::uint8_t& byte : network.address) in.number(byte);
        in.number(network.bits);
        if (network.bits > 128) in.fail();
    });
    for (Rate* rate : {&rule.per_rule, &rule.per_source}) {
        in.number(rate->count);
        in.number(rate->seconds);
        if (rate->seconds == 0) in.fail();
    }
    in.items(rule.steps, kProgramStepsMax, [&](Step& step) {
        in.choice(step.kind, Step::Kind::any);
        in.number(step.group);
        in.number(step.operands);
        in.number(step.fact);
    });
}

void write_list(Writer& out, const ListFile& list) {
    out.text(list.path());
    out.number(static_cast<std::uint8_t>(list.kind()));
    for (const auto* texts : {&list.exact(), &list.below()}) out.items(*texts, [&](const std::string& text) { out.text(text); });
    out.items(list.ranges(), [&](const ListFile::Range& range) {
        for (const std::uint8_t byte : range.first) out.number(byte);
        for (const std::uint8_t byte : range.last) out.number(byte);
    });
}

std::shared_ptr<const ListFile> read_list(Reader& in) {
    std::string path;
    FieldKind kind{};
    std::vector<std::string> texts[2];
    std::vector<ListFile::Range> ranges;
    in.text(path);
    in.choice(kind, FieldKind::number);
    for (auto& each : texts) in.items(each, kListEntriesMax, [&](std::string& text) { in.text(text); });
    in.items(ranges, kListEntriesMax, [&](ListFile::Range& range) {
        for (std::uint8_t& byte : range.first) in.number(byte);
        for (std::uint8_t& byte : range.last) in.number(byte);
    });
    return std::make_shared<const ListFile>(
        ListFile::of(std::move(path), kind, std::move(texts[0]), std::move(texts[1]), std::move(ranges)));
}

void read_fact(Reader& in, Fact& fact) {
    in.choice(fact.kind, Fact::Kind::present);
    in.number(fact.slot);
    in.number(fact.list);
    in.number(fact.nocase);
    in.items(fact.confirms, 4096, [&](std::string& text) { in.text(text); });
}

// Indexes that point past what there is would be read later, on the packet path.
bool is_whole(const CompiledRules& rules) {
    const bool facts = std::all_of(rules.facts.begin(), rules.facts.end(), [&](const Fact& fact) {
        return fact.slot < rules.slots.size() && (fact.kind != Fact::Kind::list || fact.list < rules.lists.size());
    });
    return facts && std::all_of(rules.rules.begin(), rules.rules.end(), [&](const CompiledRule& rule) {
        return is_sound(rule.steps, rules.facts.size());
    });
}

}  // namespace

std::vector<std::uint8_t> encode(const CompiledRules& rules) {
    Writer out;
    out.number(rules.generation);
    out.text(rules.engine);
    out.number(rules.cpu_features);
    out.items(rules.slots, [&](const Slot& slot) {
        out.number(static_cast<std::uint8_t>(slot.field.field));
        out.text(slot.field.header);
        out.bytes(slot.database);
    });
    out.items(rules.facts, [&](const Fact& fact) {
        out.number(static_cast<std::uint8_t>(fact.kind));
        out.number(fact.slot);
        out.number(fact.list);
        out.number(static_cast<std::uint8_t>(fact.nocase));
        out.items(fact.confirms, [&](const std::string& text) { out.text(text); });
    });
    out.items(rules.lists, [&](const auto& list) { write_list(out, *list); });
    out.items(rules.rules, [&](const CompiledRule& rule) { write_rule(out, rule); });
    return seal(out.out_);
}

std::vector<std::uint8_t> seal(ByteView body) {
    Writer out;
    for (const char c : std::string_view(kMagic)) out.number(static_cast<std::uint8_t>(c));
    out.number(kBlobVersion);
    out.number(std::uint32_t{0});
    out.number(static_cast<std::uint64_t>(kHeaderBytes + body.size()));
    for (const std::uint64_t seed : kSeeds) out.number(hash64(body, seed));
    out.out_.insert(out.out_.end(), body.begin(), body.end());
    return std::move(out.out_);
}

Result<CompiledRules> decode(ByteView blob) {
    const auto refuse = [](const char* why) {
        return Status(Code::corrupt, std::string("no rule blob this release can use: ") + why +
                                         "; compile it again with seinectl signature push");
    };
    if (blob.size() < kHeaderBytes || !starts_with(blob, kMagic)) return refuse("it does not begin like one");
    if (load_le32(blob.data() + 8) != kBlobVersion) return refuse("it is of another version");
    if (blob.size() > kBlobBytesMax || load_le64(blob.data() + 16) != blob.size()) return refuse("it is cut short or too long");
    const ByteView body = blob.subspan(kHeaderBytes);
    for (std::size_t i = 0; i < 2; ++i)
        if (load_le64(blob.data() + 24 + 8 * i) != hash64(body, kSeeds[i])) return refuse("its checksum is wrong");
    Reader in(body);
    CompiledRules out;
    in.number(out.generation);
    in.text(out.engine);
    in.number(out.cpu_features);
    in.items(out.slots, kSlotsMax, [&](Slot& slot) {
        in.choice(slot.field.field, static_cast<Field>(kFieldCount - 1));
        in.text(slot.field.header);
        const ByteView database = in.bytes();
        slot.database.assign(database.begin(), database.end());
    });
    in.items(out.facts, kFactsMax, [&](Fact& fact) { read_fact(in, fact); });
    in.items(out.lists, kFactsMax, [&](std::shared_ptr<const ListFile>& list) { list = read_list(in); });
    in.items(out.rules, kRulesMax, [&](CompiledRule& rule) { read_rule(in, rule); });
    if (!in.done() || !is_whole(out)) return refuse("its parts contradict each other");
    return out;
}

}  // namespace seine::signature
