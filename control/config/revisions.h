// The configuration as on a router: a candidate that is edited, compared and checked, and revisions
// that were committed, each with author, time and reason.
//
// In the folder: NNNNNN.toml is a revision (canonical TOML below a comment that says who, when and
// why), `running` holds the number in effect, `candidate.toml` what is being edited, `pending` a
// commit that waits to be confirmed.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/config/section.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/status.h"

namespace seine::config {

struct Revision {
    std::uint64_t number = 0;
    Nanos at;
    std::string author;
    std::string reason;
    std::string digest;  // SHA-256 of its canonical text
};

// One line of a comparison: "+" or "-", a path and its value.
struct Difference {
    bool added = false;
    std::string path;
    std::string value;
};
std::vector<Difference> differences(const Node& before, const Node& after);

// All calls from any thread; one at a time.
class Revisions {
  public:
    static constexpr std::size_t kKeptMax = 200;  // revisions kept on the disk

    // Applies the running revision, if there is one. What of it no longer can be is left out and
    // told by left_out(), so that the rest runs. A revision that cannot be read is passed over for
    // the newest one before it that can. Sections live longer than this.
    static Result<std::unique_ptr<Revisions>> open(const std::string& folder,
                                                   std::vector<Section*> sections, Nanos now);

    // What of the running revision is not in effect since the start, with the reason. tick() tries
    // it again every kAgainSeconds; a commit ends it.
    static constexpr std::int64_t kAgainSeconds = 10;
    [[nodiscard]] std::vector<Fault> left_out() const;
    [[nodiscard]] std::uint64_t running() const;
    [[nodiscard]] std::string running_text() const;  // canonical
    [[nodiscard]] std::string candidate_text()
        const;  // canonical; the running one where none is edited
    [[nodiscard]] bool is_editing() const;
    // The candidate becomes what `text` says, whole. Only its syntax is looked at.
    Status load(std::string_view text, const std::string& file);
    Status discard();
    // Candidate against running, or revision against revision.
    [[nodiscard]] std::vector<Difference> compare() const;
    Result<std::vector<Difference>> compare(std::uint64_t before, std::uint64_t after) const;
    // What is wrong with the candidate; empty: it could be committed.
    [[nodiscard]] std::vector<Fault> check() const;
    [[nodiscard]] const std::string& candidate_file() const noexcept { return candidate_file_; }

    // Gives the new number. Nothing changes unless everything can.
    Result<std::uint64_t> commit(const std::string& author, const std::string& reason, Nanos now);
    // The same, taken back by itself at now + seconds unless confirm() comes before.
    Result<std::uint64_t> commit_confirmed(const std::string& author, const std::string& reason,
                                           Nanos now, std::int64_t seconds);
    Status confirm();
    // A commit that waits: its deadline.
    [[nodiscard]] std::optional<Nanos> confirm_by() const;
    // Called every second: takes back what nobody confirmed. The number it went back to. A clock
    // that is set back makes the time to confirm no longer.
    std::optional<std::uint64_t> tick(Nanos now);
    // Why what nobody confirmed is still in effect; empty: nothing is late.
    [[nodiscard]] std::string rollback_fault() const;
    // Commits again what was in effect `back` revisions ago (1: the one before). A new number.
    Result<std::uint64_t> rollback(std::uint64_t back, const std::string& author,
                                   const std::string& reason, Nanos now);
    // Newest first.
    [[nodiscard]] std::vector<Revision> history() const;
    Result<std::string> text_of(std::uint64_t number) const;

  private:
    Revisions(std::string folder, std::vector<Section*> sections)
        : folder_(std::move(folder)), sections_(std::move(sections)) {}
    Status load_folder(Nanos now);
    Result<Node> read_revision(std::uint64_t number) const;
    Result<std::uint64_t> commit_tree(const Node& wanted, const std::string& file,
                                      const std::string& author, const std::string& reason,
                                      Nanos now);
    Result<std::vector<std::unique_ptr<Change>>> prepare(const Node& wanted) const;
    [[nodiscard]] std::string path_of(std::uint64_t number) const;
    void prune();
    void read_running();
    void apply_what_can_be(Section& section);
    void try_left_out_again(Nanos now);
    std::optional<std::uint64_t> roll_back_pending(Nanos now);

    std::string folder_;
    std::vector<Section*> sections_;
    mutable std::mutex mutex_;
    std::uint64_t running_ = 0;
    Node running_tree_;
    std::optional<Node> candidate_;
    std::string candidate_file_ = "candidate";
    std::vector<Revision> revisions_;  // by number
    struct Pending {
        std::uint64_t back_to = 0;
        Nanos deadline;
    };
    [[nodiscard]] Status write_pending(const Pending& pending) const;
    std::optional<Pending> pending_;
    Nanos last_tick_;
    std::string rollback_fault_;
    std::vector<Fault> left_out_;
    Nanos again_at_;
};

}  // namespace seine::config
