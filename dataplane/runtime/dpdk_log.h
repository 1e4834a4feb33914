// What DPDK and its drivers say, kept instead of printed, so that a refusal can quote it in one line.
#pragma once
#include <string>

namespace seine::runtime {

// From here on DPDK's log goes to a small buffer, not to the terminal. Call before DPDK starts.
void capture_dpdk_log();
// Forgets what was said so far.
void clear_dpdk_log();
// The first error said since the last clear, without its prefix; empty when there was none.
std::string first_dpdk_error();

// While it lives, standard output and error go to a file in memory: DPDK prints its usage there when
// it meets an option it does not know. Only for the start, when no other thread prints.
class TerminalSilence {
  public:
    TerminalSilence();
    ~TerminalSilence();
    TerminalSilence(const TerminalSilence&) = delete;
    TerminalSilence& operator=(const TerminalSilence&) = delete;
    // What was printed meanwhile; restores both streams.
    std::string end();

  private:
    int memory_ = -1;
    int saved_[2] = {-1, -1};
};

// The line of `text` that best says what went wrong: the first that names an error, without DPDK's
// "EAL: " and function prefixes. Empty when there is none.
std::string error_line(const std::string& text);

}  // namespace seine::runtime
