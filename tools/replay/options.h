// Options of seine-replay.
#pragma once
#include <string>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::replay {

struct Options {
    std::vector<std::string> files;
    std::string output = "-";
    std::string signatures;  // folder of rules to match with; empty: none
    std::string counters;    // where the counters go as JSON; empty: nowhere
    bool events = false;     // one line per record instead of one per flow
    bool raw = false;        // also the forms that hold values in clear
    bool sorted = false;     // in the order that does not depend on workers
    bool help = false;
    bool version = false;
};

// Code::usage with one line that says what is wrong.
Result<Options> read_options(int argc, char** argv);
std::string help_text();

}  // namespace seine::replay
