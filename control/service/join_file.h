// The join's state where it is too large for the store: two files in turn beside the ring, of which
// the store names the one that belongs to what it holds.
#pragma once
#include <string>
#include <string_view>

#include "dataplane/base/status.h"

namespace seine::service {

// For a process that is killed, not for a machine that loses its power: nothing is waited for. What
// the store names and is no longer there, or is not whole, reads as nothing. One thread.
class JoinFile {
  public:
    // `stem` is a path; the files are STEM.a and STEM.b, mode 0600.
    explicit JoinFile(std::string stem) : stem_(std::move(stem)) {}

    // Into the file that `mark()` does not name. Gives the mark for the transaction that `state`
    // belongs to.
    Result<std::string> write(std::string_view state);
    // What a mark that the store kept names; empty when it is not there whole.
    std::string read(const std::string& mark);

  private:
    [[nodiscard]] std::string path(char letter) const { return stem_ + "." + letter; }

    std::string stem_;
    char newest_ = 'b';
};

}  // namespace seine::service
