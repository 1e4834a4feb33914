// Cycles per flow lookup: FlowTable in bursts and alone, against two other layouts, rounds interleaved.
//
// Build and run (not part of the tests):
//   cmake --build build/release --target flow_table_bench && build/release/bin/flow_table_bench [flows] [rounds]
//
// Layouts compared, all with the same keys, hash and two cache lines of state a flow:
//   table     FlowTable: index of {tag, id} buckets, entries by stable id; find and write `seen`
//   one_array open addressing straight over 128-byte entries, linear probing; ids are positions and move on erase
//   wide_slot index of 32-byte slots {hash, copy of the ports, id}: one more word to compare, twice the index
#include <x86intrin.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "dataplane/flow/flow_table.h"

namespace {

using seine::MappedMemory;
using namespace seine::flow;

struct Hot {
    std::uint64_t packets;
    std::uint64_t bytes;
    std::uint64_t rest[8];
};

constexpr std::uint64_t kSeed = 0x5eed;

FlowKey key_of(std::uint64_t n) {
    const std::uint64_t scrambled = n * 0x9e3779b97f4a7c15u;
    return {{0, 0xffff0000u | scrambled << 32},
            {0, 0xffff0000u | 0x01020304ull << 32},
            static_cast<std::uint16_t>(scrambled >> 40),
            443,
            6};
}

// Entries in the table itself, found by linear probing.
class OneArray {
  public:
    explicit OneArray(std::uint32_t flows) {
        std::uint64_t count = 1;
        while (count * 3 < std::uint64_t{flows} * 5) count <<= 1;
        memory_ = MappedMemory::make(count * sizeof(Entry), "bench").value();
        entries_ = static_cast<Entry*>(static_cast<void*>(memory_.data()));
        mask_ = count - 1;
    }
    void insert(const FlowKey& key, std::uint64_t hash) {
        std::uint64_t at = hash & mask_;
        while (entries_[at].live != 0) at = (at + 1) & mask_;
        entries_[at].key = key;
        entries_[at].live = 1;
    }
    void prefetch(std::uint64_t hash) const { __builtin_prefetch(&entries_[hash & mask_]); }
    Hot* find(const FlowKey& key, std::uint64_t hash, Ticks now) {
        for (std::uint64_t at = hash & mask_; entries_[at].live != 0; at = (at + 1) & mask_) {
            if (!(entries_[at].key == key)) continue;
            entries_[at].seen = now;
            return &entries_[at].hot;
        }
        return nullptr;
    }
    [[nodiscard]] std::size_t bytes() const { return memory_.bytes(); }

  private:
    struct alignas(64) Entry {
        FlowKey key;
        Ticks seen;
        std::uint32_t live;
        Hot hot;
    };
    MappedMemory memory_;
    Entry* entries_ = nullptr;
    std::uint64_t mask_ = 0;
};

// An index of wide slots over the same dense entries.
class WideSlot {
  public:
    explicit WideSlot(std::uint32_t flows) {
        std::uint64_t count = 1;
        while (count * 3 < std::uint64_t{flows} * 5) count <<= 1;
        slot_memory_ = MappedMemory::make(count * sizeof(Slot), "bench").value();
        slots_ = static_cast<Slot*>(static_cast<void*>(slot_memory_.data()));
        mask_ = count - 1;
        memory_ = MappedMemory::make(flows * sizeof(Entry), "bench").value();
        entries_ = static_cast<Entry*>(static_cast<void*>(memory_.data()));
    }
    void insert(const FlowKey& key, std::uint64_t hash) {
        std::uint64_t at = hash & mask_;
        while (slots_[at].id_plus_1 != 0) at = (at + 1) & mask_;
        slots_[at] = {hash, small_word(key), next_ + 1, 0};
        entries_[next_++].key = key;
    }
    void prefetch(std::uint64_t hash) const { __builtin_prefetch(&slots_[hash & mask_]); }
    void prefetch_entry(std::uint64_t hash) const {
        for (std::uint64_t at = hash & mask_; slots_[at].id_plus_1 != 0; at = (at + 1) & mask_) {
            if (slots_[at].hash != hash) continue;
            __builtin_prefetch(&entries_[slots_[at].id_plus_1 - 1]);
            return;
        }
    }
    Hot* find(const FlowKey& key, std::uint64_t hash, Ticks now) {
        for (std::uint64_t at = hash & mask_; slots_[at].id_plus_1 != 0; at = (at + 1) & mask_) {
            const Slot& slot = slots_[at];
            if (slot.hash != hash || slot.small != small_word(key)) continue;
            Entry& entry = entries_[slot.id_plus_1 - 1];
            if (!(entry.key == key)) continue;
            entry.seen = now;
            return &entry.hot;
        }
        return nullptr;
    }
    [[nodiscard]] std::size_t bytes() const { return slot_memory_.bytes() + memory_.bytes(); }

  private:
    struct Slot {
        std::uint64_t hash;
        std::uint64_t small;
        std::uint32_t id_plus_1;
        std::uint32_t unused[3];
    };
    struct alignas(64) Entry {
        FlowKey key;
        Ticks seen;
        Hot hot;
    };
    MappedMemory slot_memory_;
    MappedMemory memory_;
    Slot* slots_ = nullptr;
    Entry* entries_ = nullptr;
    std::uint64_t mask_ = 0;
    std::uint32_t next_ = 0;
};

constexpr unsigned kBurstMax = 64;

struct Burst {
    FlowKey keys[kBurstMax];
    std::uint64_t hashes[kBurstMax];
    FlowId guesses[kBurstMax];
};

// Keys come from memory, as from headers, hashing counts.
std::uint64_t table_burst(FlowTable<Hot>& table, Burst& burst, unsigned count, Ticks now) {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < count; ++i) {
        burst.hashes[i] = table.hash(burst.keys[i]);
        table.prefetch_index(burst.hashes[i]);
    }
    for (unsigned i = 0; i < count; ++i) burst.guesses[i] = table.prefetch_entry(burst.hashes[i]);
    for (unsigned i = 0; i < count; ++i) {
        const FlowId id = table.find(burst.keys[i], burst.hashes[i], burst.guesses[i]);
        table.touch(id, now);
        sum += ++table[id].packets;
    }
    return sum;
}

std::uint64_t table_single(FlowTable<Hot>& table, Burst& burst, unsigned count, Ticks now) {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < count; ++i) {
        const FlowId id = table.find(burst.keys[i], table.hash(burst.keys[i]));
        table.touch(id, now);
        sum += ++table[id].packets;
    }
    return sum;
}

template <typename Other>
std::uint64_t other_burst(Other& other, Burst& burst, unsigned count, Ticks now) {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < count; ++i) {
        burst.hashes[i] = hash_key(burst.keys[i], kSeed);
        other.prefetch(burst.hashes[i]);
    }
    if constexpr (requires { other.prefetch_entry(std::uint64_t{}); }) {
        for (unsigned i = 0; i < count; ++i) other.prefetch_entry(burst.hashes[i]);
    }
    for (unsigned i = 0; i < count; ++i) sum += ++other.find(burst.keys[i], burst.hashes[i], now)->packets;
    return sum;
}

// The same keys read and hashed, nothing looked up.
std::uint64_t hash_only(Burst& burst, unsigned count) {
    std::uint64_t sum = 0;
    for (unsigned i = 0; i < count; ++i) sum += hash_key(burst.keys[i], kSeed);
    return sum;
}

struct Row {
    const char* name;
    unsigned burst;
    std::vector<double> cycles;
};

double percentile(std::vector<double> values, double part) {
    std::sort(values.begin(), values.end());
    return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

// xorshift64: cheap enough to draw between two stamps.
std::uint64_t draw() {
    static std::uint64_t state = 88172645463325252u;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

// Short chunks, and the median of all: on a shared machine most of them run undisturbed.
constexpr unsigned kLookups = 2048;
constexpr int kChunks = 40;  // a round

struct Layouts {
    explicit Layouts(std::uint32_t count)
        : flows(count), table(FlowTable<Hot>::make(count, kSeed).value()), one_array(count), wide_slot(count) {
        for (std::uint64_t n = 0; n < flows; ++n) {
            const FlowKey key = key_of(n);
            const std::uint64_t hash = table->hash(key);
            if (table->insert(key, hash, 0, [](FlowId) {}) == kNoFlow) std::abort();
            one_array.insert(key, hash);
            wide_slot.insert(key, hash);
        }
    }
    std::uint64_t look_up(unsigned which, Burst& burst, unsigned count, Ticks now) {
        switch (which) {
            case 0: return hash_only(burst, count);
            case 1: return table_single(*table, burst, count, now);
            case 2:
            case 3: return table_burst(*table, burst, count, now);
            case 4:
            case 5: return other_burst(one_array, burst, count, now);
            default: return other_burst(wide_slot, burst, count, now);
        }
    }
    std::uint32_t flows;
    std::unique_ptr<FlowTable<Hot>> table;
    OneArray one_array;
    WideSlot wide_slot;
    std::uint64_t sink = 0;  // keeps the work from being optimised away
};

void time_chunk(Layouts& layouts, Row& row, unsigned which) {
    Burst burst;
    std::uint64_t cycles = 0;
    for (unsigned done = 0; done < kLookups; done += row.burst) {
        for (unsigned i = 0; i < row.burst; ++i) burst.keys[i] = key_of(draw() % layouts.flows);
        const std::uint64_t start = __rdtsc();
        layouts.sink += layouts.look_up(which, burst, row.burst, done);
        cycles += __rdtsc() - start;
    }
    row.cycles.push_back(static_cast<double>(cycles) / kLookups);
}

// The answers of all three before any clock starts: each finds every flow and counts its packets alike.
bool same_answers(Layouts& layouts) {
    for (int round = 0; round < 1000; ++round) {
        Burst burst;
        for (FlowKey& key : burst.keys) key = key_of(draw() % layouts.flows);
        const std::uint64_t sum = layouts.look_up(3, burst, kBurstMax, 0);
        if (layouts.look_up(5, burst, kBurstMax, 0) != sum || layouts.look_up(7, burst, kBurstMax, 0) != sum) {
            return false;
        }
    }
    return true;
}

// Flows that end and begin, in bursts as packets bring them: the ids that go are random.
void time_churn(Layouts& layouts) {
    FlowTable<Hot>& table = *layouts.table;
    std::vector<double> erase_cycles;
    std::vector<double> insert_cycles;
    std::uint64_t next = layouts.flows;
    for (int round = 0; round < 8192; ++round) {
        FlowId ids[32];
        FlowKey keys[32];
        std::uint64_t hashes[32];
        for (unsigned i = 0; i < 32; ++i) {
            ids[i] = static_cast<FlowId>(draw() % layouts.flows);
            keys[i] = key_of(next++);
        }
        const std::uint64_t start = __rdtsc();
        for (const FlowId id : ids) table.prefetch_flow(id);
        unsigned erased = 0;
        for (const FlowId id : ids) {
            if (!table.live(id)) continue;
            table.erase(id);
            ++erased;
        }
        const std::uint64_t middle = __rdtsc();
        for (unsigned i = 0; i < erased; ++i) table.prefetch_index(hashes[i] = table.hash(keys[i]));
        for (unsigned i = 0; i < erased; ++i) {
            layouts.sink += table.find(keys[i], hashes[i], table.prefetch_entry(hashes[i]));
            layouts.sink += table.insert(keys[i], hashes[i], 0, [](FlowId) {});
        }
        erase_cycles.push_back(static_cast<double>(middle - start) / erased);
        insert_cycles.push_back(static_cast<double>(__rdtsc() - middle) / erased);
    }
    std::printf("erase %.1f, miss and insert %.1f cycles, bursts of 32, medians\n", percentile(erase_cycles, 0.5),
                percentile(insert_cycles, 0.5));
}

}  // namespace

int main(int argc, char** argv) {
    const int flows = argc > 1 ? std::atoi(argv[1]) : 1'000'000;
    const int rounds = argc > 2 ? std::atoi(argv[2]) : 11;
    if (flows < 1 || rounds < 1) {
        std::fprintf(stderr, "usage: flow_table_bench [flows] [rounds]\n");
        return 2;
    }
    Layouts layouts(static_cast<std::uint32_t>(flows));
    if (!same_answers(layouts)) {
        std::fprintf(stderr, "the layouts disagree\n");
        return 1;
    }
    Row rows[] = {{"hash only", 32, {}},
                  {"table, one at a time", 32, {}},
                  {"table, bursts of 32", 32, {}},
                  {"table, bursts of 64", 64, {}},
                  {"one_array, bursts of 32", 32, {}},
                  {"one_array, bursts of 64", 64, {}},
                  {"wide_slot, bursts of 32", 32, {}},
                  {"wide_slot, bursts of 64", 64, {}}};
    for (int round = 0; round < rounds; ++round) {
        for (unsigned which = 0; which < std::size(rows); ++which) {
            for (int i = 0; i < kChunks; ++i) time_chunk(layouts, rows[which], which);
        }
    }
    std::printf("%d flows, %d rounds of %d chunks of %u lookups, TSC cycles a lookup\n", flows, rounds, kChunks, kLookups);
    std::printf("memory: table %zu MB, one_array %zu MB, wide_slot %zu MB\n", layouts.table->bytes() / 1000000,
                layouts.one_array.bytes() / 1000000, layouts.wide_slot.bytes() / 1000000);
    for (const Row& row : rows) {
        std::printf("%-26s median %6.1f   p5 %6.1f   p95 %6.1f\n", row.name, percentile(row.cycles, 0.5),
                    percentile(row.cycles, 0.05), percentile(row.cycles, 0.95));
    }
    time_churn(layouts);
    std::printf("checksum %llx\n", static_cast<unsigned long long>(layouts.sink));
    return 0;
}
