// One owner's part of the configuration: what may stand in it, and how a change of it takes effect.
#pragma once
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/node.h"
#include "dataplane/base/status.h"

namespace seine::config {

// One key of a section's table.
struct Setting {
    std::string_view name;
    Node::Type type{};
    std::string_view meaning;
    std::string_view otherwise = {};  // the default, as documentation says it
    double least = 0;                 // bounds of numbers, where least < most
    double most = 0;
    std::string_view choices = {};  // blank-separated, of a text or of each item of a list of texts
    bool needed = false;
    bool secret_file = false;  // names a file that only its owner may read
};

// Something wrong, and where.
struct Fault {
    std::string path;  // "export[soc].port"
    int line = 0;
    int column = 0;
    std::string message;  // with what to do
};
// "FILE:LINE:COLUMN: export[soc].port: .."
std::string to_text(const Fault& fault, const std::string& file);

// A change that is ready: apply() takes effect and cannot fail, destruction without it undoes the
// preparation.
class Change {
  public:
    virtual ~Change() = default;
    virtual void apply() noexcept = 0;
};

class Section {
  public:
    virtual ~Section() = default;
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;  // key at the top: "export"
    [[nodiscard]] virtual std::string_view meaning() const noexcept = 0;
    // Whether it is a list of tables ([[export]]), each with a `name` of its own, or one table.
    [[nodiscard]] virtual bool is_list() const noexcept { return false; }
    [[nodiscard]] virtual std::span<const Setting> settings() const noexcept = 0;
    // What types and bounds cannot say. `table` is one table of the section; `path` names it.
    virtual void check(const Node& table, const std::string& path,
                       std::vector<Fault>& faults) const {
        static_cast<void>(table), static_cast<void>(path), static_cast<void>(faults);
    }
    // `wanted` is the whole section (an empty table or list when absent), checked. A failure is
    // words for the operator and has changed nothing.
    virtual Result<std::unique_ptr<Change>> prepare(const Node& wanted) = 0;
    // The same for the revision that was in effect before a restart. What can be made good later,
    // such as a file that is not there, need not be a failure where the part itself says so and
    // tries again.
    virtual Result<std::unique_ptr<Change>> prepare_at_start(const Node& wanted) {
        return prepare(wanted);
    }
};

// Adds what is wrong with `root` by the sections' settings and checks.
void check_all(const Node& root, std::span<Section* const> sections, std::vector<Fault>& faults);

// Adds what in `root` no section knows: another version wrote it.
void check_names(const Node& root, std::span<Section* const> sections, std::vector<Fault>& faults);

// The settings of all sections as markdown, for documentation.
std::string setting_tables(std::span<Section* const> sections);

}  // namespace seine::config
