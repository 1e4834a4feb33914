#include "control/cli/signature_import.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include "control/cli/signature_place.h"
#include "control/cli/table.h"
#include "control/signature/import_suricata.h"

namespace seine::cli {
namespace {

constexpr std::uintmax_t kBytesMax = std::uintmax_t{256} << 20;

Result<std::string> read_whole(const std::string& path) {
    std::error_code error;
    const auto bytes = std::filesystem::file_size(path, error);
    if (error) return failed(path + ": cannot be read: " + error.message());
    if (bytes > kBytesMax) return failed(path + ": more than 256 MB; split it");
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) return failed(path + ": cannot be read");
    return text.str();
}

}  // namespace

Status import_rules(const Invocation& invocation, const Write& write) {
    const std::string& path = invocation.arguments.text("file");
    const std::string& target = invocation.arguments.text("output");
    control_signature::ImportOptions options;
    if (invocation.arguments.has("pack")) options.pack = invocation.arguments.text("pack");
    for (const std::string& given : invocation.arguments.texts("define")) {
        const std::size_t equals = given.find('=');
        if (equals == std::string::npos || equals == 0)
            return Status(Code::usage,
                          "--define " + given + ": write NAME=any or NAME=10.0.0.0/8,..");
        options.variables[given.substr(0, equals)] = given.substr(equals + 1);
    }
    std::error_code error;
    if (!target.empty() && std::filesystem::exists(target, error))
        return failed(target + ": is there already; name a file that is not");
    const auto text = read_whole(path);
    if (!text) return text.error();
    const auto imported =
        import_suricata(std::filesystem::path(path).filename().string(), *text, options);
    if (!target.empty() && imported.converted > 0) {
        std::ofstream out(target, std::ios::binary);
        out << imported.toml;
        out.close();
        if (!out)
            return failed(target + ": cannot be written; check the folder and the space on it");
    }
    std::string out;
    if (invocation.json) {
        out = "{\"converted\":" + std::to_string(imported.converted) +
              ",\"refused\":" + std::to_string(imported.lines.size() - imported.converted) +
              ",\"lines\":[";
        for (const auto& line : imported.lines)
            out += (out.back() == '[' ? "" : ",") + std::string("{\"line\":") +
                   std::to_string(line.line) + ",\"id\":" + json_text(line.id) +
                   ",\"converted\":" + (line.converted ? "true" : "false") +
                   ",\"reason\":" + json_text(line.reason) + "}";
        out += "]}\n";
    } else {
        for (const auto& line : imported.lines)
            out += path + ":" + std::to_string(line.line) + ": " +
                   (line.id.empty() ? "" : shown(line.id) + ": ") +
                   (line.converted ? "converted" : "refused") +
                   (line.reason.empty() ? "" : ": " + shown(line.reason)) + "\n";
        out += std::to_string(imported.converted) + " converted, " +
               std::to_string(imported.lines.size() - imported.converted) + " refused" +
               (target.empty() ? "; --output FILE writes the rules" : "") + "\n";
    }
    return write(out) ? Status() : failed("the output cannot be written");
}

}  // namespace seine::cli
