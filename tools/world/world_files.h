// The files of a world folder while it is being made.
#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/base/status.h"
#include "tools/world/connection.h"
#include "tools/world/pack.h"
#include "tools/world/request.h"

namespace seine::world {

// One file; the first failure stays and is told at close().
class OutputFile {
  public:
    OutputFile() = default;
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;
    Status open(const std::string& path);
    void write(const std::string& bytes);
    Status close();

  private:
    std::string path_;
    std::FILE* file_ = nullptr;
    int error_ = 0;
};

// Accounts in the order of their tags.
struct Roster {
    std::vector<RosterRow> rows;
    std::vector<std::uint32_t> row_of;   // account number to row
    std::vector<std::uint32_t> account;  // row to account number
};
Roster roster_of(const People& people, const Connector& connector);

Status write_prefixes(const std::string& path, const Parameters& parameters, const Places& places,
                      std::uint64_t seed, std::uint64_t& count);
Status write_truth(const std::string& path, const People& people, const Operators& operators,
                   const Connector& connector, const Roster& roster,
                   const std::vector<std::uint8_t>& active, const Parameters& parameters);
Status write_summary(const std::string& path, const Parameters& parameters,
                     const MakeOptions& options, const MakeCounts& counts, const People& people,
                     const Operators& operators, const std::vector<std::uint8_t>& active);

}  // namespace seine::world
