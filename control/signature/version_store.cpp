#include "control/signature/version_store.h"

#include <algorithm>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <map>
#include <unistd.h>

namespace seine::control_signature {
namespace {

namespace fs = std::filesystem;

bool whole(std::string_view text, std::uint64_t& out) {
    const auto done = std::from_chars(text.data(), text.data() + text.size(), out);
    return done.ec == std::errc() && done.ptr == text.data() + text.size() && !text.empty();
}

// Tabs and line ends would end a value.
std::string one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return text;
}

Status sync_path(const std::string& path, int flags) {
    const int fd = open(path.c_str(), flags | O_CLOEXEC);
    const bool good = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0) close(fd);
    return good ? Status() : failed(path + ": cannot be brought to disk; check the space on it");
}

Status write_file(const std::string& path, ByteView bytes) {
    {
        std::ofstream out(path, std::ios::binary);
        const std::string_view text = as_text(bytes);
        out.write(text.data(), static_cast<std::streamsize>(text.size()));
        out.close();
        if (!out) return failed(path + ": cannot be written; check the folder and the space on it");
    }
    return sync_path(path, O_RDONLY);
}

}  // namespace

std::string VersionStore::place(std::uint64_t number) const {
    return folder_ + "/versions/" + std::to_string(number);
}
std::string VersionStore::rules_of(std::uint64_t number) const { return place(number) + "/rules"; }
std::string VersionStore::blob_of(std::uint64_t number) const {
    return place(number) + "/rules.blob";
}

std::vector<Version> VersionStore::list() const {
    std::vector<Version> out;
    std::error_code error;
    for (auto at = fs::directory_iterator(folder_ + "/versions", error);
         !error && at != fs::end(at); at.increment(error)) {
        std::uint64_t number = 0;
        if (!whole(at->path().filename().string(), number)) continue;
        auto version = get(number);
        if (version) out.push_back(*version);
    }
    std::sort(out.begin(), out.end(),
              [](const Version& a, const Version& b) { return a.number < b.number; });
    return out;
}

Result<Version> VersionStore::get(std::uint64_t number) const {
    std::ifstream file(place(number) + "/meta.tsv");
    if (!file)
        return Status(Code::not_found, "there is no version " + std::to_string(number) +
                                           "; seinectl signature versions lists them");
    std::map<std::string, std::string> values;
    for (std::string line; std::getline(file, line);) {
        const std::size_t tab = line.find('\t');
        if (tab != std::string::npos) values[line.substr(0, tab)] = line.substr(tab + 1);
    }
    Version out;
    std::uint64_t time = 0;
    if (!whole(values["number"], out.number) || out.number != number ||
        !whole(values["time_ns"], time) || !whole(values["rules"], out.rules) ||
        !whole(values["parent"], out.parent))
        return Status(Code::corrupt, place(number) + "/meta.tsv: damaged; push the rules again");
    out.time_ns = static_cast<std::int64_t>(time);
    out.author = values["author"];
    out.reason = values["reason"];
    return out;
}

Status VersionStore::add(const Version& version, const std::string& rules_folder, ByteView blob) {
    const std::string target = place(version.number);
    const std::string beside = target + ".new-" + std::to_string(::getpid());
    std::error_code error;
    fs::remove_all(beside, error);
    fs::create_directories(beside, error);
    if (error)
        return failed(beside + ": cannot be made: " + error.message() +
                      "; run as the dataplane's user or as root");
    const auto give_up = [&beside](const Status& why) {
        std::error_code ignored;
        fs::remove_all(beside, ignored);
        return why;
    };
    Status step = copy_rules(rules_folder, beside + "/rules");
    if (!step.ok()) return give_up(step);
    step = write_file(beside + "/rules.blob", blob);
    if (!step.ok()) return give_up(step);
    const std::string meta = "number\t" + std::to_string(version.number) + "\nauthor\t" +
                             one_line(version.author) + "\nreason\t" + one_line(version.reason) +
                             "\ntime_ns\t" + std::to_string(version.time_ns) + "\nrules\t" +
                             std::to_string(version.rules) + "\nparent\t" +
                             std::to_string(version.parent) + "\n";
    step = write_file(beside + "/meta.tsv", as_bytes(meta));
    if (!step.ok()) return give_up(step);
    fs::rename(beside, target, error);
    if (error)
        return give_up(failed(target + ": is there already; another push came first: try again"));
    return sync_path(folder_ + "/versions", O_RDONLY | O_DIRECTORY);
}

void VersionStore::remove(std::uint64_t number) {
    std::error_code ignored;
    fs::remove_all(place(number), ignored);
}

Status copy_rules(const std::string& from, const std::string& to) {
    std::error_code error;
    if (!fs::is_directory(from, error)) {
        fs::create_directories(to, error);
        fs::copy_file(from, fs::path(to) / fs::path(from).filename(), error);
    } else {
        fs::copy(from, to, fs::copy_options::recursive | fs::copy_options::skip_symlinks, error);
    }
    return error ? failed(from + ": cannot be copied to " + to + ": " + error.message()) : Status();
}

}  // namespace seine::control_signature
