// One worker's matcher: fields in, rules that hit out. Allocates nothing, waits for nobody.
#pragma once
#include <atomic>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/signature/generation.h"
#include "dataplane/signature/match_state.h"
#include "dataplane/signature/value_memory.h"

namespace seine::signature {

// A rule that hit, with the values of this event that made it so; views die with the event.
struct Hit {
    static constexpr std::size_t kEvidenceMax = 4;
    struct Evidence {
        const FieldRef* field = nullptr;
        std::string_view value;
        std::uint32_t offset = 0;  // of a body: where the bytes that were scanned begin in it
    };
    const CompiledRule* rule = nullptr;
    std::uint32_t number = 0;  // index in CompiledRules::rules
    FixedVector<Evidence, kEvidenceMax> evidence;
};

struct BodyScan;
struct ParkedRequest;

// What could not be matched, each with a counter of this name.
enum class Loss : std::uint8_t { facts, hits, bodies, flows, gave_up, streams, count_ };
inline constexpr std::size_t kLossCount = static_cast<std::size_t>(Loss::count_);
std::string_view name_of(Loss loss) noexcept;
std::string_view meaning_of(Loss loss) noexcept;

// An event is what becomes known at once: a ClientHello, a request head, a piece of a body.
//
//   begin(state) -> feed(field, value) ... -> end(groups)  gives the rules that hit by it
class Matcher {
  public:
    static constexpr std::size_t kHitsMax = 32;     // of one event; more are counted, not told
    static constexpr std::size_t kFoundMax = 1024;  // facts of one event
    static constexpr std::size_t kValuesMax = 320;

    explicit Matcher(unsigned worker) noexcept : worker_(worker) {}

    // At a burst boundary: from here on this set is used; nullptr: none. It outlives its use.
    void adopt(const Generation* generation) noexcept {
        generation_ = generation;
        index_ = generation == nullptr ? nullptr : &generation->index();
        room_ = generation == nullptr ? nullptr : &generation->room(worker_);
    }
    void count_packets(std::uint64_t count) noexcept;
    [[nodiscard]] const Generation* generation() const noexcept { return generation_; }
    [[nodiscard]] bool active() const noexcept { return generation_ != nullptr; }
    [[nodiscard]] bool uses(Field field) const noexcept { return active() && generation_->uses(field); }

    void begin(MatchState& state) noexcept;
    // A new request: what was known of the last one is forgotten.
    void begin_request(MatchState& state) noexcept;
    void feed(Field field, std::string_view value) noexcept;
    void feed_header(std::string_view name, std::string_view value) noexcept;
    void feed_address(Field field, const std::uint8_t (&address)[16]) noexcept;
    // `groups` are seen from here on. Hits not told before in this flow or request.
    std::span<const Hit> end(Groups groups) noexcept;

    // Bodies. `field` is http_body or http_response_body. False: no scan is free, or none is wanted.
    bool begin_body(MatchState& state, Field field) noexcept;
    // Between begin() and end(): the next bytes. True when no more are wanted.
    bool feed_body(MatchState& state, Field field, ByteView bytes) noexcept;
    // Within an event: the body ends here; what matches at its end is found. Gives the scan back.
    void finish_body(MatchState& state, Field field) noexcept;
    // Gives the scan back. Also without an event.
    void end_body(MatchState& state) noexcept;
    // Gives all back that the flow holds: it ends, or bytes of it are missing.
    void end_flow(MatchState& state) noexcept;

    // Requests side by side (HTTP/2). After the event of its head, and begin_body() if it has one, a request is put
    // aside under its stream with what was found of it. Events of its bodies stand between resume() and suspend().
    void park(MatchState& state, std::uint32_t stream) noexcept;
    // Whether the body of this stream's request (or response) is being read.
    [[nodiscard]] bool reads(const MatchState& state, std::uint32_t stream, Field field) const noexcept;
    // The stream's response has a body: from here on it is read, if a rule wants it.
    void begin_answer(MatchState& state, std::uint32_t stream) noexcept;
    // Its response is over, or its stream is.
    void end_answer(MatchState& state, std::uint32_t stream) noexcept;
    void drop(MatchState& state, std::uint32_t stream) noexcept;
    // False: that body is not being read: never put aside, given up, or by a set that is no longer used.
    bool resume(MatchState& state, std::uint32_t stream, Field field) noexcept;
    void suspend(MatchState& state) noexcept;

    // Whether scope and limits let a hit be told; counts it either way. `swallowed` then says how many of the
    // rule, and of this source, were not told since the last one was.
    bool admit(const Hit& hit, const std::uint8_t (&source)[16], std::uint16_t server_port, Nanos now,
               std::uint64_t (&swallowed)[2]) noexcept;

    [[nodiscard]] std::uint64_t lost(Loss loss) const noexcept {
        return lost_[static_cast<std::size_t>(loss)].load(std::memory_order_relaxed);
    }

  private:
    void found(std::uint32_t fact) noexcept;
    void matched(std::uint32_t fact) noexcept;
    void forget() noexcept;
    ParkedRequest* parked(const MatchState& state, std::uint32_t stream) const noexcept;
    void unpark(MatchState& state, ParkedRequest& request) noexcept;
    void confirm_body(BodyScan& body) noexcept;
    void confirm(std::uint32_t fact, std::string_view value) noexcept;
    void scan(std::uint16_t slot, std::string_view value) noexcept;
    void mark(const FixedVector<std::uint16_t, SeenState::kFactsMax>& facts) noexcept;
    void keep() noexcept;
    void look_at(std::uint32_t rule) noexcept;
    void look_at_rules_of(std::uint32_t fact) noexcept;
    static int on_match(unsigned id, unsigned long long from, unsigned long long to, unsigned flags,
                        void* self) noexcept;
    void count(Loss loss) noexcept;

    unsigned worker_;
    const Generation* generation_ = nullptr;
    const GenerationIndex* index_ = nullptr;  // its
    WorkerRoom* room_ = nullptr;
    MatchState* state_ = nullptr;
    Groups seen_ = 0;

    struct Value {
        std::uint16_t slot;
        std::uint32_t offset;
        std::string_view text;
    };
    struct Found {
        std::uint16_t fact;
        std::uint16_t value;
    };
    FixedVector<Value, kValuesMax> values_;
    FixedVector<Found, kFoundMax> found_;
    FixedVector<std::uint16_t, 128> suspects_;
    FixedVector<Hit, kHitsMax> hits_;
    ValueMemory::Entry* learning_ = nullptr;  // of the value that is being scanned
    ParkedRequest* resumed_ = nullptr;
    unsigned resumed_body_ = 0;  // which of its bodies
    BodyScan* body_ = nullptr;  // while one is scanned: what is suspected is kept with it
    std::atomic<std::uint64_t> lost_[kLossCount] = {};
};

}  // namespace seine::signature
