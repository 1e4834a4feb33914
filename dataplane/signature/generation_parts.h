// The insides of a generation: what is read by all workers, and what each writes for itself.
#pragma once
#include <array>
#include <atomic>
#include <memory>
#include <vector>

#include "dataplane/base/hash.h"
#include "dataplane/signature/compiled.h"
#include "dataplane/signature/parked_request.h"
#include "dataplane/signature/rate_table.h"
#include "dataplane/signature/regex.h"
#include "dataplane/signature/value_memory.h"

struct hs_database;
struct hs_scratch;
struct hs_stream;

namespace seine::signature {

// Of one rule at one worker; one writer, read by others at any time.
struct RuleCounters {
    std::atomic<std::uint64_t> hits{0};
    std::atomic<std::uint64_t> findings{0};   // told; hits are told, swallowed or in shadow
    std::atomic<std::uint64_t> swallowed{0};
    std::atomic<std::uint64_t> confirms{0};   // times PCRE2 was asked
    std::atomic<std::uint64_t> evaluated{0};  // times its condition was run
    std::atomic<std::int64_t> last_hit_ns{0};
};

// Whole texts of a list behind one hash: a look-up costs the same for ten and for a million.
class TextTable {
  public:
    explicit TextTable(const std::vector<std::string>& texts);
    [[nodiscard]] bool contains(std::string_view text) const noexcept;

  private:
    std::string bytes_;                 // one after another
    std::vector<std::uint32_t> starts_;  // of each text; one more at the end
    std::vector<std::uint32_t> cells_;   // text + 1; 0: empty
    std::uint64_t mask_ = 0;
};

// A list as the packet path asks it.
struct ListTable {
    explicit ListTable(std::shared_ptr<const ListFile> from);
    [[nodiscard]] bool contains(std::string_view value) const noexcept;
    std::shared_ptr<const ListFile> list;
    TextTable exact;
    TextTable below;
};

inline constexpr std::uint32_t kNone = 0xffffffff;

struct SlotIndex {
    hs_database* database = nullptr;
    std::uint32_t present = kNone;  // the fact that the field is there
    struct List {
        std::uint32_t fact;
        const ListTable* table;
    };
    std::vector<List> lists;
};

struct GenerationIndex {
    GenerationIndex() = default;
    ~GenerationIndex();
    GenerationIndex(const GenerationIndex&) = delete;
    GenerationIndex& operator=(const GenerationIndex&) = delete;
    std::array<std::uint16_t, kFieldCount> slot_of_field{};  // 0xffff: no rule looks at it
    struct Header {
        std::string name;
        std::uint16_t slot;
    };
    std::array<std::vector<Header>, kHeaderNameBytesMax + 1> headers;  // by length of the name
    std::vector<SlotIndex> slots;
    std::vector<std::unique_ptr<ListTable>> tables;
    // Rules by what may make them true: a fact, or (those that need none) a group that was seen.
    std::vector<std::uint32_t> rules_of_fact;
    std::vector<std::uint32_t> rules_of_fact_start;  // one more than facts
    std::array<std::vector<std::uint32_t>, static_cast<std::size_t>(Group::count_)> rules_of_group;
    Groups groups_with_rules = 0;  // those whose list above is not empty
    std::vector<Groups> groups_of_rule;
    std::vector<bool> kept;  // facts that a later event may need
    bool any_headers = false;
};

// One body being read: its stream, and its bytes so far where a pattern wants confirmation.
struct BodyScan {
    hs_stream* stream = nullptr;
    std::uint32_t bytes = 0;
    bool taken = false;
    std::uint16_t suspect_count = 0;
    std::array<std::uint16_t, 32> suspects{};
    std::array<char, kBodyBytesMax> text{};
};

struct BodyPool {
    std::unique_ptr<BodyScan[]> scans;
    std::uint32_t count = 0;
    std::uint32_t next = 0;
};

struct WorkerRoom {
    WorkerRoom() = default;
    ~WorkerRoom();
    WorkerRoom(const WorkerRoom&) = delete;
    WorkerRoom& operator=(const WorkerRoom&) = delete;
    hs_scratch* scratch = nullptr;
    std::vector<std::vector<Regex>> confirms;  // by fact
    std::vector<std::uint32_t> fact_marks;     // the event that found the fact
    std::vector<std::uint32_t> rule_marks;     // the event that looked at the rule
    std::uint32_t event = 0;
    std::unique_ptr<RuleCounters[]> counters;  // by rule
    std::vector<RateWindow> rule_windows;      // by rule
    std::unique_ptr<SourceRates> sources;
    std::unique_ptr<ValueMemory> memory;
    BodyPool bodies[2];  // of requests, of responses
    std::unique_ptr<ParkedRequests> parked;  // nullptr: no rule looks at bodies
    std::atomic<std::uint64_t> packets{0};
};

}  // namespace seine::signature
