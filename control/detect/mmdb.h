// Networks from MaxMind DB files: AS numbers, and classes where the file has them.
#pragma once
#include <memory>
#include <string>

#include "control/model/address.h"
#include "dataplane/base/status.h"

namespace seine::detect {

class MmdbFile {
  public:
    // Names the file and what is wrong with it. The file is mapped, and read at every look-up; a
    // newer one is put in its place by renaming, and taken at the next start.
    static Result<std::shared_ptr<const MmdbFile>> open(const std::string& path);
    ~MmdbFile();
    MmdbFile(const MmdbFile&) = delete;
    MmdbFile& operator=(const MmdbFile&) = delete;

    struct Entry {
        std::uint32_t asn = 0;  // 0: not known
        std::string user;       // what the file says of who is there; empty: nothing
    };
    // Fields read: autonomous_system_number or asn; class, user_type or connection_type, at the top
    // of the record or below `traits`.
    [[nodiscard]] Entry lookup(const model::Address& address) const noexcept;

  private:
    struct Database;
    explicit MmdbFile(std::unique_ptr<Database> database);
    std::unique_ptr<Database> database_;
};

}  // namespace seine::detect
