// Versions of a rule set on disk: each a folder with the rules as written, the blob, and who pushed
// it why.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"

namespace seine::control_signature {

struct Version {
    std::uint64_t number = 0;  // the generation that the dataplane knows it by
    std::string author;
    std::string reason;
    std::int64_t time_ns = 0;
    std::uint64_t rules = 0;
    std::uint64_t parent =
        0;  // the version it was made from by rollback, enable ..; 0: pushed from a folder
};

//   FOLDER/versions/7/meta.tsv     one "key<TAB>value" a line
//   FOLDER/versions/7/rules/..     as pushed
//   FOLDER/versions/7/rules.blob
class VersionStore {
  public:
    explicit VersionStore(std::string folder) : folder_(std::move(folder)) {}

    // In order of their numbers; what is no version is left out.
    [[nodiscard]] std::vector<Version> list() const;
    [[nodiscard]] Result<Version> get(std::uint64_t number) const;
    [[nodiscard]] std::string rules_of(std::uint64_t number) const;
    [[nodiscard]] std::string blob_of(std::uint64_t number) const;

    // Writes all of it beside its place and moves it there in one step.
    Status add(const Version& version, const std::string& rules_folder, ByteView blob);
    // Of a version that a dataplane refused.
    void remove(std::uint64_t number);

  private:
    [[nodiscard]] std::string place(std::uint64_t number) const;
    std::string folder_;
};

// Copies *.toml files and the lists beside them (whole folders; links are not followed).
Status copy_rules(const std::string& from, const std::string& to);

}  // namespace seine::control_signature
