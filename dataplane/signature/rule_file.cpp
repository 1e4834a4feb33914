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

bool read_file(const std::string& path, std::string& out, Problems& problems) {
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    if (error) {
        problems.add({path, 0, 0}, "cannot be read: " + error.message());
        return false;
    }
    if (bytes > kRuleFileBytesMax) {
        problems.add({path, 0, 0}, std::to_string(bytes) + " bytes; a rule file has " + std::to_string(kRuleFileBytesMax) +
                                       " at most: split it, and put what is long into lists");
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
