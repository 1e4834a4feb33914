#include "dataplane/signature/generation.h"

#include <algorithm>
#include <bit>
#include <filesystem>
#include <fstream>

#include <hs.h>

#include "dataplane/signature/compile.h"
#include "dataplane/signature/generation_parts.h"

namespace seine::signature {
namespace {

constexpr std::uint64_t kTableSeed = 0x7ab1e;

Status refuse(const std::string& why) {
    return {Code::corrupt, "the rule set cannot be used here: " + why};
}

Status open_database(const Slot& slot, SlotIndex& out) {
    if (slot.database.empty()) return {};
    const auto text = as_text(slot.database);
    const hs_error_t opened = hs_deserialize_database(text.data(), text.size(), &out.database);
    if (opened == HS_SUCCESS) return {};
    return refuse("the patterns of " + name_of(slot.field) +
                  (opened == HS_DB_PLATFORM_ERROR ? " are for other processors; compile with --portable"
                   : opened == HS_DB_VERSION_ERROR ? " are for another Hyperscan; compile them here"
                                                   : " are damaged; compile them again"));
}

// A fact that some rule over more than this one's event needs.
void index_rules(const CompiledRules& rules, GenerationIndex& index) {
    std::vector<std::vector<std::uint32_t>> of_fact(rules.facts.size());
    index.kept.assign(rules.facts.size(), false);
    for (std::uint32_t i = 0; i < rules.rules.size(); ++i) {
        Groups groups = 0;
        for (const Step& step : rules.rules[i].steps) {
            if (step.kind != Step::Kind::fact) continue;
            groups |= 1u << step.group;
            auto& list = of_fact[step.fact];
            if (list.empty() || list.back() != i) list.push_back(i);
        }
        index.groups_of_rule.push_back(groups);
        if (std::popcount(groups) > 1)
            for (const Step& step : rules.rules[i].steps)
                if (step.kind == Step::Kind::fact) index.kept[step.fact] = true;
        // Yes with nothing found: only what was seen can make it so.
        const Tri without = run(rules.rules[i].steps, ~Groups{0}, [](std::uint32_t) { return false; });
        if (without != Tri::yes) continue;
        for (unsigned group = 0; group < static_cast<unsigned>(Group::count_); ++group)
            if ((groups >> group & 1) != 0) index.rules_of_group[group].push_back(i);
        index.groups_with_rules |= groups;
    }
    for (const auto& list : of_fact) {
        index.rules_of_fact_start.push_back(static_cast<std::uint32_t>(index.rules_of_fact.size()));
        index.rules_of_fact.insert(index.rules_of_fact.end(), list.begin(), list.end());
    }
    index.rules_of_fact_start.push_back(static_cast<std::uint32_t>(index.rules_of_fact.size()));
}

void index_slots(const CompiledRules& rules, GenerationIndex& index, std::uint64_t& uses) {
    index.slot_of_field.fill(0xffff);
    for (std::size_t i = 0; i < rules.slots.size(); ++i) {
        const FieldRef& field = rules.slots[i].field;
        uses |= std::uint64_t{1} << static_cast<unsigned>(field.field);
        if (field.field != Field::http_header) {
            index.slot_of_field[static_cast<std::size_t>(field.field)] = static_cast<std::uint16_t>(i);
        } else if (field.header.size() <= kHeaderNameBytesMax) {
            index.headers[field.header.size()].push_back({field.header, static_cast<std::uint16_t>(i)});
            index.any_headers = true;
        }
    }
    for (const auto& list : rules.lists) index.tables.push_back(std::make_unique<ListTable>(list));
    for (std::uint32_t i = 0; i < rules.facts.size(); ++i) {
        const Fact& fact = rules.facts[i];
        SlotIndex& slot = index.slots[fact.slot];
        if (fact.kind == Fact::Kind::present) slot.present = i;
        if (fact.kind == Fact::Kind::list) slot.lists.push_back({i, index.tables[fact.list].get()});
    }
}

Status fill_bodies(const SlotIndex* slot, std::uint32_t count, BodyPool& pool) {
    if (slot == nullptr) return {};
    pool.count = count;
    pool.scans = std::make_unique<BodyScan[]>(count);
    if (slot->database == nullptr) return {};
    for (std::uint32_t i = 0; i < count; ++i)
        if (hs_open_stream(slot->database, 0, &pool.scans[i].stream) != HS_SUCCESS)
            return failed("no memory for the streams of request bodies");
    return {};
}

}  // namespace

TextTable::TextTable(const std::vector<std::string>& texts) {
    mask_ = std::bit_ceil(texts.size() * 2 + 1) - 1;
    cells_.assign(mask_ + 1, 0);
    for (const std::string& text : texts) {
        starts_.push_back(static_cast<std::uint32_t>(bytes_.size()));
        bytes_ += text;
        std::uint64_t at = hash64(as_bytes(text), kTableSeed) & mask_;
        while (cells_[at] != 0) at = (at + 1) & mask_;
        cells_[at] = static_cast<std::uint32_t>(starts_.size());
    }
    starts_.push_back(static_cast<std::uint32_t>(bytes_.size()));
}

bool TextTable::contains(std::string_view text) const noexcept {
    if (starts_.size() == 1) return false;
    const std::string_view all = bytes_;
    for (std::uint64_t at = hash64(as_bytes(text), kTableSeed) & mask_; cells_[at] != 0; at = (at + 1) & mask_) {
        const std::uint32_t i = cells_[at] - 1;
        if (all.substr(starts_[i], starts_[i + 1] - starts_[i]) == text) return true;
    }
    return false;
}

ListTable::ListTable(std::shared_ptr<const ListFile> from)
    : list(std::move(from)), exact(list->exact()), below(list->below()) {}

bool ListTable::contains(std::string_view value) const noexcept {
    if (list->kind() != FieldKind::name) return exact.contains(value);
    char lower[256];
    if (value.size() > sizeof lower) return false;
    for (std::size_t i = 0; i < value.size(); ++i)
        lower[i] = value[i] >= 'A' && value[i] <= 'Z' ? static_cast<char>(value[i] + 32) : value[i];
    const std::string_view name(lower, value.size());
    if (exact.contains(name)) return true;
    if (list->below().empty()) return false;
    for (std::size_t dot = name.find('.'); dot != std::string_view::npos; dot = name.find('.', dot + 1))
        if (below.contains(name.substr(dot + 1))) return true;
    return false;
}

GenerationIndex::~GenerationIndex() {
    for (const SlotIndex& slot : slots) hs_free_database(slot.database);
}

WorkerRoom::~WorkerRoom() {
    for (BodyPool& pool : bodies)
        for (std::uint32_t i = 0; i < pool.count; ++i)
            if (pool.scans[i].stream != nullptr) hs_close_stream(pool.scans[i].stream, nullptr, nullptr, nullptr);
    hs_free_scratch(scratch);
}

Generation::Generation() = default;
Generation::~Generation() {
    rooms_.clear();  // their streams are of the index's databases
}

Result<std::unique_ptr<Generation>> Generation::make(CompiledRules rules, const Limits& limits) {
    if (rules.engine != engine_version())
        return refuse("it was compiled for Hyperscan " + rules.engine + ", here is " + engine_version() + "; compile it here");
    if ((rules.cpu_features & ~engine_cpu_features()) != 0)
        return refuse("it was compiled for processors with more instructions than this one; compile it here, or with --portable");
    std::unique_ptr<Generation> out(new Generation);
    out->rules_ = std::move(rules);
    const CompiledRules& set = out->rules_;
    out->index_ = std::make_unique<GenerationIndex>();
    GenerationIndex& index = *out->index_;
    index.slots.resize(set.slots.size());
    for (std::size_t i = 0; i < set.slots.size(); ++i) {
        const Status opened = open_database(set.slots[i], index.slots[i]);
        if (!opened.ok()) return opened;
    }
    index_slots(set, index, out->uses_);
    index_rules(set, index);
    for (unsigned worker = 0; worker < limits.workers; ++worker) {
        auto room = std::make_unique<WorkerRoom>();
        for (const SlotIndex& slot : index.slots)
            if (slot.database != nullptr && hs_alloc_scratch(slot.database, &room->scratch) != HS_SUCCESS)
                return refuse("no scratch memory for its patterns, or a database that is not sound");
        for (const Fact& fact : set.facts) {
            auto& patterns = room->confirms.emplace_back();
            for (const std::string& pattern : fact.confirms) {
                auto regex = Regex::compile(pattern, fact.nocase);
                if (!regex) return refuse("a pattern to confirm with does not compile: " + regex.error().message());
                patterns.push_back(std::move(*regex));
            }
        }
        room->fact_marks.assign(set.facts.size(), 0);
        room->rule_marks.assign(set.rules.size(), 0);
        room->rule_windows.resize(set.rules.size());
        room->counters = std::make_unique<RuleCounters[]>(set.rules.size());
        room->sources = std::make_unique<SourceRates>(limits.sources_max);
        room->memory = std::make_unique<ValueMemory>(set.slots.size(), kTableSeed);
        if (!limits.remember) room->memory->rest_for_good();
        const Field bodies[2] = {Field::http_body, Field::http_response_body};
        for (unsigned i = 0; i < 2; ++i) {
            const std::uint16_t slot = index.slot_of_field[static_cast<std::size_t>(bodies[i])];
            const Status filled = fill_bodies(slot == 0xffff ? nullptr : &index.slots[slot], limits.bodies_max, room->bodies[i]);
            if (!filled.ok()) return filled;
        }
        if (room->bodies[0].count + room->bodies[1].count > 0)
            room->parked = std::make_unique<ParkedRequests>(limits.parked_max);
        out->rooms_.push_back(std::move(room));
    }
    return out;
}

Result<std::unique_ptr<Generation>> Generation::load(const std::string& path, const Limits& limits) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    if (error) return failed(path + ": cannot be read: " + error.message());
    if (bytes > kBlobBytesMax) return Status(Code::corrupt, path + ": larger than any rule set; is it the right file?");
    std::vector<std::uint8_t> blob(static_cast<std::size_t>(bytes));
    std::ifstream file(path, std::ios::binary);
    file.read(reinterpret_cast<char*>(blob.data()), static_cast<std::streamsize>(blob.size()));  // NOLINT
    if (!file) return failed(path + ": cannot be read to its end; try again");
    auto rules = decode(blob);
    if (!rules) return Status(rules.error().code(), path + ": " + rules.error().message());
    auto made = make(std::move(*rules), limits);
    if (!made) return Status(made.error().code(), path + ": " + made.error().message());
    return made;
}

RuleTotals Generation::totals(std::size_t rule) const noexcept {
    RuleTotals out;
    for (const auto& room : rooms_) {
        const RuleCounters& one = room->counters[rule];
        out.hits += one.hits.load(std::memory_order_relaxed);
        out.findings += one.findings.load(std::memory_order_relaxed);
        out.swallowed += one.swallowed.load(std::memory_order_relaxed);
        out.confirms += one.confirms.load(std::memory_order_relaxed);
        out.evaluated += one.evaluated.load(std::memory_order_relaxed);
        out.last_hit_ns = std::max(out.last_hit_ns, one.last_hit_ns.load(std::memory_order_relaxed));
    }
    return out;
}

std::uint64_t Generation::packets() const noexcept {
    std::uint64_t out = 0;
    for (const auto& room : rooms_) out += room->packets.load(std::memory_order_relaxed);
    return out;
}

}  // namespace seine::signature
