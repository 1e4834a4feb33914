// What a gateway says of a request beside whose it was: for rules that meet it with the flow.
#pragma once
#include <string>

namespace seine::account {

// Bounded by its reader; empty: not told. Never a key: the path ends before `?`.
struct Request {
    static constexpr std::size_t kTextBytesMax = 512;
    std::string method;
    std::string host;
    std::string path;
    std::string user_agent;
    std::string version;  // "1.0", "1.1" or "2"
};

}  // namespace seine::account
