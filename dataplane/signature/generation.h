// A rule set loaded and ready: databases, lists and indexes that all workers read, and a room for each worker.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dataplane/signature/compiled.h"

namespace seine::signature {

struct GenerationIndex;
struct WorkerRoom;

struct RuleTotals {
    std::uint64_t hits = 0;
    std::uint64_t findings = 0;
    std::uint64_t swallowed = 0;
    std::uint64_t confirms = 0;
    std::uint64_t evaluated = 0;
    std::int64_t last_hit_ns = 0;
};

// Immutable once made but for the workers' rooms, of which each is its worker's alone. Made and destroyed
// away from the packet path.
class Generation {
  public:
    struct Limits {
        unsigned workers = 1;
        std::uint16_t parked_max = 1024;   // HTTP/2 requests whose bodies are awaited or read, a worker
        bool remember = true;              // values that came before are not scanned again
        std::uint32_t bodies_max = 256;    // request bodies read at once, a worker
        std::uint32_t sources_max = 4096;  // sources whose alerts are counted at once, a worker
    };

    // corrupt: compiled for another Hyperscan or other processors, or a database that does not open.
    static Result<std::unique_ptr<Generation>> make(CompiledRules rules, const Limits& limits);
    // A file that holds a blob.
    static Result<std::unique_ptr<Generation>> load(const std::string& path, const Limits& limits);
    ~Generation();
    Generation(const Generation&) = delete;
    Generation& operator=(const Generation&) = delete;

    [[nodiscard]] std::uint64_t number() const noexcept { return rules_.generation; }
    void set_number(std::uint64_t number) noexcept { rules_.generation = number; }
    [[nodiscard]] const CompiledRules& rules() const noexcept { return rules_; }
    [[nodiscard]] RuleTotals totals(std::size_t rule) const noexcept;
    // Packets inspected while this set was the one in use, over all workers.
    [[nodiscard]] std::uint64_t packets() const noexcept;

    // For the matcher.
    [[nodiscard]] const GenerationIndex& index() const noexcept { return *index_; }
    [[nodiscard]] WorkerRoom& room(unsigned worker) const noexcept { return *rooms_[worker]; }
    [[nodiscard]] bool uses(Field field) const noexcept { return (uses_ >> static_cast<unsigned>(field) & 1) != 0; }

  private:
    Generation();
    CompiledRules rules_;
    std::uint64_t uses_ = 0;
    std::unique_ptr<GenerationIndex> index_;
    std::vector<std::unique_ptr<WorkerRoom>> rooms_;
};
static_assert(kFieldCount <= 64);

}  // namespace seine::signature
