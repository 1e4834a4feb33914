// FlowTable and TimerWheel told what to do by the input, compared with an array after every step.
#include <array>
#include <cstdint>

#include "dataplane/base/assert.h"
#include "dataplane/base/byte_reader.h"
#include "dataplane/flow/flow_table.h"
#include "dataplane/flow/timer_wheel.h"

namespace {

using seine::ByteReader;
using seine::ByteView;
using seine::kMillisecond;
using seine::Nanos;
using namespace seine::flow;

constexpr std::size_t kKeys = 256;  // more than the table has room for
constexpr std::uint32_t kFlows = 100;

struct Hot {
    std::uint32_t number = 0xffffffff;
};

FlowKey key_of(std::size_t n) {
    return {{0, n & 15}, {1, n >> 4}, static_cast<std::uint16_t>(n * 7), 443, 6};
}

struct House {
    explicit House(std::uint64_t seed)
        : table(FlowTable<Hot>::make(kFlows, seed).value()),
          wheel(TimerWheel::make({kFlows, kMillisecond, 64}).value()) {
        ids.fill(kNoFlow);
    }

    // What the wheel asks and tells.
    Nanos deadline(FlowId id) { return due[id]; }
    void prefetch(FlowId id) { table->prefetch_flow(id); }
    void expire(FlowId id) {
        SEINE_CHECK(table->live(id) && due[id] <= now);
        drop((*table)[id].number);
        table->erase(id);
    }
    void drop(std::size_t n) {
        SEINE_CHECK(n < kKeys && ids[n] != kNoFlow);
        ids[n] = kNoFlow;
        --live;
    }
    void add(std::size_t n, std::uint64_t hash);
    void step(ByteReader& in);

    std::unique_ptr<FlowTable<Hot>> table;
    std::unique_ptr<TimerWheel> wheel;
    std::array<FlowId, kKeys> ids;  // the model: key number to id
    std::array<Nanos, kFlows> due;
    std::size_t live = 0;
    Nanos now{1'000'000};
};

void House::add(std::size_t n, std::uint64_t hash) {
    const FlowId id = table->insert(key_of(n), hash, static_cast<Ticks>(now.count / kMillisecond), [&](FlowId gone) {
        wheel->cancel(gone);
        drop((*table)[gone].number);
    });
    SEINE_CHECK(id != kNoFlow);
    (*table)[id].number = static_cast<std::uint32_t>(n);
    ids[n] = id;
    ++live;
    due[id] = now + 10 * kMillisecond;
    wheel->schedule(id, due[id]);
}

void House::step(ByteReader& in) {
    const std::uint8_t what = in.u8();
    const std::size_t n = in.u8();
    const std::uint64_t hash = table->hash(key_of(n));
    const FlowId id = table->find(key_of(n), hash, what % 2 == 0 ? table->prefetch_entry(hash) : FlowId{what});
    SEINE_CHECK(id == ids[n]);
    if (what >= 240) {
        now = now + (what - 240) * (what - 240) * kMillisecond;
        while (!wheel->advance(now, 9, *this)) {}
    } else if (id == kNoFlow) {
        add(n, hash);
    } else if (what < 60) {
        wheel->cancel(id);
        drop(n);
        table->erase(id);
    } else if (what < 120) {
        table->set_half_open(id, what % 3 == 0);
    } else {
        table->touch(id, static_cast<Ticks>(now.count / kMillisecond));
        due[id] = now + what * kMillisecond;
        if (what > 200) wheel->schedule(id, due[id]);
    }
    SEINE_CHECK(table->size() == live && wheel->size() == live);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    ByteReader in(ByteView(data, size));
    House house(in.u8());
    while (!in.empty()) house.step(in);
    std::uint32_t half_open = 0;
    for (std::size_t n = 0; n < kKeys; ++n) {
        const FlowId id = house.table->find(key_of(n), house.table->hash(key_of(n)));
        SEINE_CHECK(id == house.ids[n]);
        if (id != kNoFlow) half_open += house.table->half_open(id) ? 1 : 0;
    }
    SEINE_CHECK(half_open == house.table->half_open_count());
    return 0;
}
