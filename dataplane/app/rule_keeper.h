// Which rule set runs: at start, after a push, and when a push was not confirmed.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/app/config.h"
#include "dataplane/contract/admin.h"
#include "dataplane/runtime/reload.h"

namespace seine::app {

// From the main thread alone. Sets are kept in a folder beside the ring: `accepted.blob` is the
// last that was confirmed, and what a restart begins with; `versions/` is seinectl's.
class RuleKeeper {
  public:
    explicit RuleKeeper(const Config& config);

    // The set to begin with: the accepted one; where there is none, --signatures DIR, compiled
    // here. Lines for the operator go to `notices`.
    Status start(std::vector<std::string>& notices);

    Status reload(const contract::ReloadRequest& request, std::int64_t now_ns);
    Status confirm(std::uint64_t generation);
    Status rollback();
    // Now and then: frees sets that were replaced, and takes back one that nobody confirmed in
    // time. A line for the operator, or nothing.
    std::string tend(std::int64_t now_ns);

    [[nodiscard]] runtime::Reload& reload_point() noexcept { return reload_; }
    // JSON objects: of the whole for the stats document, and with every rule.
    [[nodiscard]] std::string summary() const;
    [[nodiscard]] std::string rules_document() const;

  private:
    using Blob = std::vector<std::uint8_t>;
    Status use(const Blob& blob, const std::string& origin);
    Status keep(const Blob& blob);

    std::string signatures_;
    std::string folder_;  // empty: no ring to be beside
    signature::Generation::Limits limits_;
    runtime::Reload reload_;
    Blob confirmed_;  // what a rollback goes back to; empty: no rules at all
    std::uint64_t confirmed_number_ = 0;
    std::string confirmed_origin_;
    Blob pending_;  // in use, not confirmed
    std::int64_t pending_until_ns_ = 0;
    std::string origin_ = "none";
    std::uint64_t highest_ = 0;
    std::uint64_t swaps_ = 0;
};

}  // namespace seine::app
