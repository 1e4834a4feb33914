// Lines are written whole with one call and pushed to the disk before the operator is answered.
#include "control/config/audit.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>

#include "control/config/digest.h"
#include "control/config/files.h"
#include "dataplane/base/bytes.h"

namespace seine::config {
namespace {

constexpr std::size_t kTextMax = 4096;
const std::string kNoHash(64, '0');
constexpr std::string_view kHashMember = ",\"hash\":\"";

void append_quoted(std::string& out, std::string_view text) {
    out.push_back('"');
    for (const char c : text.substr(0, kTextMax)) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == '"' || byte == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (byte < 0x20 || byte >= 0x7f) {
            // As records do: any byte as \u00XX, so that the line is valid whatever was typed.
            out += "\\u00";
            out.push_back(kHexDigits[byte >> 4]);
            out.push_back(kHexDigits[byte & 15]);
        } else {
            out.push_back(c);
        }
    }
    out.push_back('"');
}

// The text of a member of our own lines, unescaped; empty when it is not there.
std::string member(std::string_view line, std::string_view key) {
    const std::string start = "\"" + std::string(key) + "\":";
    std::size_t at = line.find(start);
    if (at == std::string_view::npos) return {};
    at += start.size();
    if (at < line.size() && line[at] != '"')
        return std::string(line.substr(at, line.find_first_of(",}", at) - at));
    std::string out;
    for (++at; at < line.size() && line[at] != '"'; ++at) {
        if (line[at] != '\\') {
            out.push_back(line[at]);
        } else if (line.substr(at + 1, 1) == "u") {
            unsigned byte = 0;
            std::from_chars(line.data() + at + 4, line.data() + std::min(at + 6, line.size()), byte,
                            16);
            out.push_back(static_cast<char>(byte));
            at += 5;
        } else if (++at < line.size()) {
            out.push_back(line[at]);
        }
    }
    return out;
}

std::uint64_t number(const std::string& text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

AuditLine read_line(std::string_view line) {
    AuditLine out;
    out.sequence = number(member(line, "seq"));
    out.at = {static_cast<std::int64_t>(number(member(line, "at_ns")))};
    out.author = member(line, "author");
    out.action = member(line, "action");
    out.detail = member(line, "detail");
    out.hash = member(line, "hash");
    return out;
}

struct Walk {
    AuditVerdict verdict;
    std::uint64_t sequence = 0;
    std::string hash = kNoHash;
    std::size_t good_bytes = 0;
};

Walk walk(std::string_view text) {
    Walk out;
    const auto broken = [&out](const std::string& why) {
        out.verdict.fault = "line " + std::to_string(out.verdict.lines + 1) + ": " + why;
        return out;
    };
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return broken("has no end");
        const std::string_view line = text.substr(0, end);
        const std::size_t at = line.rfind(kHashMember);
        if (at == std::string_view::npos) return broken("has no hash");
        if (line.substr(at) != std::string(kHashMember) + sha256_hex(line.substr(0, at)) + "\"}")
            return broken("was changed: its hash is not that of its content");
        if (member(line, "previous") != out.hash)
            return broken("does not follow the line before: one was removed, inserted or changed");
        const AuditLine read = read_line(line);
        if (read.sequence != out.sequence + 1) return broken("its number does not follow");
        out.sequence = read.sequence;
        out.hash = read.hash;
        ++out.verdict.lines;
        out.good_bytes += end + 1;
        text.remove_prefix(end + 1);
    }
    out.verdict.sound = true;
    return out;
}

}  // namespace

Result<AuditVerdict> verify_audit(const std::string& path) {
    const auto text = read_file(path);
    if (!text) return text.error();
    Walk found = walk(*text);
    if (!found.verdict.sound) return found.verdict;
    const auto head = read_file(path + ".head");
    const std::string wanted = std::to_string(found.sequence) + " " + found.hash + "\n";
    if (found.verdict.lines > 0 && (!head || *head != wanted)) {
        // The head is written after the line: one line ahead of it is a kill in between.
        const std::uint64_t said = head ? number(*head) : 0;
        if (!head || said + 1 != found.sequence) {
            found.verdict.sound = false;
            found.verdict.fault = !head ? "its head " + path + ".head is missing"
                                        : "its end was cut off: the head says line " +
                                              std::to_string(said) + ", the log ends with line " +
                                              std::to_string(found.sequence);
        }
    }
    return found.verdict;
}

Result<std::unique_ptr<Audit>> Audit::open(const std::string& path) {
    std::unique_ptr<Audit> made(new Audit(path));
    made->fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (made->fd_ < 0) return failed(path + ": cannot be opened: " + std::strerror(errno));
    const auto text = read_file(path);
    if (!text) return text.error();
    Walk found = walk(*text);
    if (!found.verdict.sound && found.verdict.fault.ends_with("has no end")) {
        // A kill in the middle of the last line: it was not acknowledged to anybody.
        if (::ftruncate(made->fd_, static_cast<off_t>(found.good_bytes)) != 0)
            return failed(path + ": cannot be mended: " + std::strerror(errno));
    } else {
        const auto verdict = verify_audit(path);
        if (!verdict) return verdict.error();
        if (!verdict->sound)
            return Status(Code::corrupt, path + ": " + verdict->fault +
                                             "; move it away, keep it, and start again");
    }
    made->sequence_ = found.sequence;
    made->hash_ = found.hash;
    const Status status = made->write_head();
    if (!status.ok()) return status;
    return made;
}

Audit::~Audit() {
    if (fd_ >= 0) ::close(fd_);
}

Status Audit::write_head() {
    if (sequence_ == 0) return {};
    return replace_file(path_ + ".head", std::to_string(sequence_) + " " + hash_ + "\n");
}

Status Audit::append(Nanos at, std::string_view author, std::string_view action,
                     std::string_view detail) {
    const std::lock_guard lock(mutex_);
    std::string line = "{\"seq\":" + std::to_string(sequence_ + 1) +
                       ",\"at_ns\":" + std::to_string(at.count) + ",\"author\":";
    append_quoted(line, author);
    line += ",\"action\":";
    append_quoted(line, action);
    line += ",\"detail\":";
    append_quoted(line, detail);
    line.append(",\"previous\":\"").append(hash_).append("\"");
    const std::string hash = sha256_hex(line);
    line.append(kHashMember).append(hash).append("\"}\n");
    const auto not_written = [this](int error) {
        return failed(path_ + ": cannot be written: " + std::strerror(error) +
                      "; what is not in the audit log is not done");
    };
    struct stat before {};
    if (::fstat(fd_, &before) != 0) return not_written(errno);
    const ssize_t written = ::write(fd_, line.data(), line.size());
    if (written != static_cast<ssize_t>(line.size()) || ::fdatasync(fd_) != 0) {
        // A part of it: the disk is full, which only the next write would say.
        const int error =
            written > 0 && written < static_cast<ssize_t>(line.size()) ? ENOSPC : errno;
        static_cast<void>(::ftruncate(fd_, before.st_size));
        return not_written(error);
    }
    ++sequence_;
    hash_ = hash;
    return write_head();
}

Result<std::vector<AuditLine>> Audit::last(std::size_t count) const {
    const std::lock_guard lock(mutex_);
    const auto text = read_file(path_);
    if (!text) return text.error();
    std::vector<AuditLine> out;
    std::string_view rest = *text;
    while (!rest.empty() && out.size() < count) {
        rest.remove_suffix(1);  // the line end
        const std::size_t start = rest.rfind('\n');
        const std::size_t from = start == std::string_view::npos ? 0 : start + 1;
        out.insert(out.begin(), read_line(rest.substr(from)));
        rest = rest.substr(0, from);
    }
    return out;
}

}  // namespace seine::config
