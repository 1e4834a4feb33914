// Names of positionals, as help and complaints print them.
#pragma once
#include <string>
#include <string_view>

namespace seine::cli {

inline std::string capitals(std::string_view name) {
    std::string out(name);
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    return out;
}

}  // namespace seine::cli
