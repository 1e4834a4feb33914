// A world in compact binary: flows.bin and accounts.bin, about a fifth of the size of their JSON
// lines.
//
//   file    "SEINEWF1" or "SEINEWR1", then the header's bytes (u32) and the header
//   header  flows: texts, then server addresses. records: server addresses, then the roster
//   block   rows (u32), bytes (u32), the rows as varints (LEB128) and raw bytes, each block on its
//   own
//
// All integers are little endian. A row holds differences to the row before it in its block.
#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "control/model/flow.h"
#include "dataplane/base/status.h"
#include "dataplane/contract/account_record.h"
#include "tools/world/connection.h"
#include "tools/world/roster.h"

namespace seine::world {

inline constexpr std::size_t kPackRowsMax = 1 << 16;
inline constexpr std::size_t kPackBlockBytesMax = std::size_t{64} << 20;
inline constexpr std::size_t kPackHeaderBytesMax = std::size_t{1} << 30;

// What blocks refer to.
struct PackTables {
    std::vector<std::string> texts;  // index 0 is none
    std::vector<model::Address> servers;
    std::vector<RosterRow> roster;
};

std::string pack_flow_header(const PackTables& tables);
std::string pack_record_header(const PackTables& tables);
// Whole blocks of rows, appended to `out`. `rows` maps account numbers to roster rows.
void pack_flows(const Piece& piece, std::uint64_t first_id, const PackTables& tables,
                std::string& out);
void pack_records(std::span<const Draft> drafts, const std::vector<std::uint32_t>& rows,
                  const PackTables& tables, std::string& out);

struct PackedRecord {
    contract::AccountRecord record;
    bool signup = false;
};

// Reads what the above wrote. Every count and offset is checked: a damaged file fails with its name
// and the offset of the block.
class PackReader {
  public:
    ~PackReader();
    PackReader(const PackReader&) = delete;
    PackReader& operator=(const PackReader&) = delete;
    static Result<std::unique_ptr<PackReader>> open_flows(const std::string& path);
    static Result<std::unique_ptr<PackReader>> open_records(const std::string& path);
    // The next block; nothing appended at the end of the file.
    Status next(std::vector<model::Flow>& out);
    Status next(std::vector<PackedRecord>& out);
    [[nodiscard]] const PackTables& tables() const { return tables_; }

  private:
    PackReader() = default;
    static Result<std::unique_ptr<PackReader>> open(const std::string& path, const char* magic);
    Status block(std::uint32_t& rows);
    Status damaged(const std::string& what) const;
    Status read_texts(class PackCursor& in);
    Status read_servers(class PackCursor& in);
    Status read_roster(class PackCursor& in);

    std::string path_;
    std::FILE* file_ = nullptr;
    std::uint64_t at_ = 0;
    std::vector<std::uint8_t> bytes_;
    PackTables tables_;
    std::vector<model::ValueId> ids_;  // of texts
};

}  // namespace seine::world
