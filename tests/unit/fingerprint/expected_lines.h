// The expected values of recorded captures, as far as a test that needs no capture can use them.
#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

namespace seine::fingerprint {

// Lines of every file in the shared folder of vectors; empty where that folder is not beside the sources.
inline std::vector<std::string> expected_lines() {
    const std::filesystem::path folder =
        std::filesystem::path(SEINE_SOURCE_DIR) / ".." / "shared" / "vectors" / "expected";
    std::vector<std::string> lines;
    if (!std::filesystem::is_directory(folder)) return lines;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) {
        std::ifstream in(file);
        for (std::string line; std::getline(in, line);) lines.push_back(line);
    }
    return lines;
}

// The text of a plain key of the line's object; empty when it has none. Disputed values follow the plain
// ones in every line and are cut off first.
inline std::string value_of(std::string_view line, std::string_view key) {
    line = line.substr(0, std::min({line.find("\"disputed\": {"), line.find("\"info\": {"),
                                    line.find("\"with_keys\": {"), line.size()}));
    const std::string start = "\"" + std::string(key) + "\": \"";
    const std::size_t at = line.find(start);
    if (at == std::string_view::npos) return {};
    const std::size_t from = at + start.size();
    return std::string(line.substr(from, line.find('"', from) - from));
}

inline std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

inline std::vector<std::uint16_t> hex_numbers(std::string_view list) {
    std::vector<std::uint16_t> out;
    if (list.empty()) return out;
    for (const std::string& part : split(list, ',')) {
        out.push_back(static_cast<std::uint16_t>(std::stoul(part, nullptr, 16)));
    }
    return out;
}

}  // namespace seine::fingerprint
