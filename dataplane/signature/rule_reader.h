// Reads parsed rule files into one set; where the grammar of signatures/README.md is written down as code.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/signature/loaded_rules.h"

namespace seine::signature {

class RuleReader {
  public:
    // `root`: the folder that lists may not leave; empty refuses lists.
    RuleReader(LoadedRules& out, std::string root);
    ~RuleReader();
    // One file's text; a mistake of TOML itself is told at once.
    void parse(const std::string& path, std::string_view text);
    // Then all of them: stacks first, since a rule may name a stack of another pack.
    void read_all();

  private:
    struct Rooms;
    std::unique_ptr<Rooms> rooms_;
};

}  // namespace seine::signature
