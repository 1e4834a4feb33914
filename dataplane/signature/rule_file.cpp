// Folders and files of rules, one set.
#include "dataplane/signature/rule_file.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "dataplane/signature/rule_reader.h"

namespace seine::signature {
namespace {

namespace fs = std::filesystem;

// Where a file that is too large has a line that no pattern could fill: line 0 if it has none in its first part.
Place overlong_line(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::string text(kRuleFileBytesMax, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(file.gcount()));
    std::uint32_t line = 1;
    for (std::size_t at = 0; at < text.size(); ++line) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        if (end - at > 2 * kPatternBytesMax) return {path, line, 1};
        at = end + 1;
    }
    return {path, 0, 0};
}

bool read_file(const std::string& path, std::string& out, Problems& problems) {
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    if (error) {
        problems.add({path, 0, 0}, "cannot be read: " + error.message());
        return false;
    }
    if (bytes > kRuleFileBytesMax) {
        const Place place = overlong_line(path);
        const std::string what = std::to_string(bytes) + " bytes; a rule file has " + std::to_string(kRuleFileBytesMax);
        problems.add(place, place.line == 0 ? what + " at most: split it, and put what is long into lists"
                                            : "the file has " + what + " at most, a pattern " + std::to_string(kPatternBytesMax) +
                                                  ": shorten this line, or put what it says into a list");
        return false;
    }
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    out = text.str();
    if (!file) problems.add({path, 0, 0}, "cannot be read; check its permissions");
    return bool(file);
}

}  // namespace

LoadedRules read_rules(const std::string& path) {
    LoadedRules out;
    std::error_code error;
    const bool folder = fs::is_directory(path, error);
    std::vector<std::string> files;
    if (folder) {
        for (auto at = fs::recursive_directory_iterator(path, error); !error && at != fs::end(at); at.increment(error))
            if (at->path().extension() == ".toml" && at->is_regular_file(error)) files.push_back(at->path().string());
        std::sort(files.begin(), files.end());
    } else if (fs::is_regular_file(path, error)) {
        files.push_back(path);
    }
    if (files.empty()) {
        out.problems.add({path, 0, 0}, folder ? "no *.toml file below this folder; signatures/README.md shows how to write one"
                                              : "no such folder or file; name one that holds *.toml rule files");
        return out;
    }
    RuleReader reader(out, folder ? path : fs::path(path).parent_path().string());
    for (const std::string& file : files) {
        std::string text;
        if (read_file(file, text, out.problems)) reader.parse(file, text);
    }
    reader.read_all();
    return out;
}

LoadedRules read_rules_text(const std::string& name, std::string_view text, const std::string& folder) {
    LoadedRules out;
    if (text.size() > kRuleFileBytesMax) {
        out.problems.add({name, 0, 0}, std::to_string(text.size()) + " bytes; a rule file has " +
                                           std::to_string(kRuleFileBytesMax) + " at most");
        return out;
    }
    RuleReader reader(out, folder);
    reader.parse(name, text);
    reader.read_all();
    return out;
}

}  // namespace seine::signature
