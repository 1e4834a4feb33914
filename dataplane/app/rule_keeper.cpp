#include "dataplane/app/rule_keeper.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <unistd.h>

#include "dataplane/base/clock.h"
#include "dataplane/contract/json.h"
#include "dataplane/signature/check.h"
#include "dataplane/signature/compile.h"
#include "dataplane/signature/rule_file.h"

namespace seine::app {
namespace {

namespace fs = std::filesystem;

std::string folder_beside(const Config& config) {
    std::error_code error;
    for (const RecordTarget& target : config.records)
        if (target.form == RecordForm::ring) return fs::absolute(target.path, error).string() + ".signatures";
    return {};
}

Result<std::vector<std::uint8_t>> read_blob(const std::string& path) {
    std::error_code error;
    const auto bytes = fs::file_size(path, error);
    if (error) return failed(path + ": cannot be read: " + error.message());
    if (bytes > signature::kBlobBytesMax)
        return failed(path + ": larger than any rule set; is it the right file?");
    std::vector<std::uint8_t> out(static_cast<std::size_t>(bytes));
    std::ifstream file(path, std::ios::binary);
    const auto count = static_cast<std::streamsize>(out.size());
    // Streams read into plain characters.
    file.read(reinterpret_cast<char*>(out.data()), count);  // NOLINT: bytes as they are
    if (!file) return failed(path + ": cannot be read to its end");
    return out;
}

Status write_whole(const std::string& path, const std::vector<std::uint8_t>& bytes) {
    const std::string beside = path + ".new";
    const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool good = fd >= 0;
    for (std::size_t done = 0; good && done < bytes.size();) {
        const ssize_t wrote = write(fd, bytes.data() + done, bytes.size() - done);
        good = wrote > 0 || (wrote < 0 && errno == EINTR);
        if (wrote > 0) done += static_cast<std::size_t>(wrote);
    }
    good = good && fsync(fd) == 0;
    const int error = errno;
    if (fd >= 0) close(fd);
    if (good && std::rename(beside.c_str(), path.c_str()) == 0) return {};
    return failed(path + ": cannot be written (" + std::strerror(good ? errno : error) +
                  "); check the folder and the space on it");
}

}  // namespace

RuleKeeper::RuleKeeper(const Config& config)
    : signatures_(config.signatures), folder_(folder_beside(config)), reload_(config.workers) {
    limits_.workers = config.workers;
}

Status RuleKeeper::start(std::vector<std::string>& notices) {
    std::error_code error;
    const std::string accepted = folder_ + "/accepted.blob";
    if (!folder_.empty() && fs::exists(accepted, error)) {
        auto blob = read_blob(accepted);
        Status used = blob ? use(*blob, accepted) : blob.error();
        if (used.ok()) {
            confirmed_ = std::move(*blob);
            notices.push_back(
                "signatures: generation " + std::to_string(confirmed_number_ = highest_) +
                ", as last accepted (" + accepted + ")" +
                (signatures_.empty() ? "" : "; --signatures is for a start without one"));
            confirmed_origin_ = origin_;
            return {};
        }
        notices.push_back(used.message() +
                          (signatures_.empty() ? "; no signatures run" : "; --signatures is used"));
    }
    if (signatures_.empty()) return {};
    signature::LoadedRules loaded = signature::read_rules(signatures_);
    signature::CompiledRules compiled;
    if (loaded.problems.empty()) {
        const auto evaluator = signature::Evaluator::make(loaded.set);
        if (!evaluator) return evaluator.error();
        check_examples(*evaluator, loaded.problems);
        compiled = compile(loaded.set, loaded.problems);
    }
    if (!loaded.problems.empty()) {
        const signature::Problem& first = loaded.problems.kept()[0];
        return failed("--signatures: " + text_of(first.place) + ": " + first.text +
                      "; seinectl signature test " + signatures_ + " tells all");
    }
    compiled.generation = 1;
    const Blob blob = encode(compiled);
    const Status used = use(blob, signatures_);
    if (!used.ok()) return used;
    confirmed_ = blob;
    confirmed_number_ = highest_;
    confirmed_origin_ = origin_;
    notices.push_back("signatures: " + std::to_string(compiled.rules.size()) + " rules of " +
                      signatures_);
    return {};
}

Status RuleKeeper::use(const Blob& blob, const std::string& origin) {
    auto rules = signature::decode(blob);
    if (!rules) return Status(rules.error().code(), origin + ": " + rules.error().message());
    auto made = signature::Generation::make(std::move(*rules), limits_);
    if (!made) return Status(made.error().code(), origin + ": " + made.error().message());
    highest_ = std::max(highest_, (*made)->number());
    origin_ = origin;
    ++swaps_;
    reload_.publish(std::move(*made));
    return {};
}

Status RuleKeeper::keep(const Blob& blob) {
    if (folder_.empty()) return {};
    std::error_code error;
    fs::create_directories(folder_, error);
    return write_whole(folder_ + "/accepted.blob", blob);
}

Status RuleKeeper::reload(const contract::ReloadRequest& request, std::int64_t now_ns) {
    if (!pending_.empty())
        return failed("generation " + std::to_string(highest_) +
                      " waits to be confirmed; seinectl signature confirm, or rollback, first");
    if (request.generation <= highest_)
        return failed("generation " + std::to_string(request.generation) + " is not newer than " +
                      std::to_string(highest_) + "; another push came first: try again");
    const std::string path(request.path);
    auto blob = read_blob(path);
    if (!blob) return blob.error();
    auto rules = signature::decode(*blob);
    if (!rules) return Status(rules.error().code(), path + ": " + rules.error().message());
    if (rules->generation != request.generation) {
        rules->generation = request.generation;
        *blob = encode(*rules);
    }
    const Status used = use(*blob, path);
    if (!used.ok()) return used;
    if (request.confirm_seconds != 0) {
        pending_ = std::move(*blob);
        pending_until_ns_ = now_ns + static_cast<std::int64_t>(request.confirm_seconds) * kSecond;
        return {};
    }
    confirmed_ = std::move(*blob);
    confirmed_number_ = request.generation;
    confirmed_origin_ = origin_;
    return keep(confirmed_);
}

Status RuleKeeper::confirm(std::uint64_t generation) {
    if (pending_.empty())
        return failed("nothing waits to be confirmed; generation " +
                      std::to_string(confirmed_number_) + " runs");
    if (generation != highest_)
        return failed("generation " + std::to_string(highest_) + " waits to be confirmed, not " +
                      std::to_string(generation));
    const Status kept = keep(pending_);
    if (!kept.ok()) return kept;
    confirmed_ = std::move(pending_);
    pending_.clear();
    confirmed_number_ = generation;
    confirmed_origin_ = origin_;
    return {};
}

Status RuleKeeper::rollback() {
    if (pending_.empty())
        return failed(
            "nothing waits to be confirmed, so there is nothing to take back; push an earlier "
            "version instead");
    pending_.clear();
    if (confirmed_.empty()) {
        reload_.publish(nullptr);
        origin_ = "none";
        return {};
    }
    return use(confirmed_, confirmed_origin_);
}

std::string RuleKeeper::tend(std::int64_t now_ns) {
    static_cast<void>(reload_.retire());
    if (pending_.empty() || now_ns < pending_until_ns_) return {};
    const std::string number = std::to_string(highest_);
    const Status back = rollback();
    return "signatures: generation " + number + " was not confirmed in time; " +
           (back.ok() ? "generation " + std::to_string(confirmed_number_) + " runs again"
                      : back.message());
}

std::string RuleKeeper::summary() const {
    const signature::Generation* now = reload_.in_use();
    std::string out = "{\"generation\":" + std::to_string(now == nullptr ? 0 : now->number()) +
                      ",\"highest\":" + std::to_string(highest_) +
                      ",\"confirmed\":" + std::to_string(confirmed_number_) +
                      ",\"pending\":" + (pending_.empty() ? "false" : "true") + ",\"rules\":" +
                      std::to_string(now == nullptr ? 0 : now->rules().rules.size()) +
                      ",\"swaps\":" + std::to_string(swaps_) +
                      ",\"packets_matched\":" + std::to_string(reload_.packets()) + ",\"origin\":";
    contract::append_json_text(out, origin_);
    out += ",\"folder\":";
    contract::append_json_text(out, folder_);
    return out + "}";
}

std::string RuleKeeper::rules_document() const {
    const signature::Generation* now = reload_.in_use();
    std::string out = "{\"signatures\":" + summary() + ",\"rules\":[";
    const std::size_t count = now == nullptr ? 0 : now->rules().rules.size();
    for (std::size_t i = 0; i < count; ++i) {
        const signature::CompiledRule& rule = now->rules().rules[i];
        const signature::RuleTotals totals = now->totals(i);
        out += i == 0 ? "{\"id\":" : ",{\"id\":";
        contract::append_json_text(out, rule.id);
        out += ",\"pack\":";
        contract::append_json_text(out, rule.pack);
        out += ",\"version\":" + std::to_string(rule.version) + ",\"state\":\"" +
               std::string(name_of(rule.state)) + "\",\"severity\":\"" +
               std::string(name_of(rule.severity)) + "\",\"hits\":" + std::to_string(totals.hits) +
               ",\"findings\":" + std::to_string(totals.findings) +
               ",\"swallowed\":" + std::to_string(totals.swallowed) +
               ",\"evaluated\":" + std::to_string(totals.evaluated) +
               ",\"confirms\":" + std::to_string(totals.confirms) +
               ",\"last_hit_ns\":" + std::to_string(totals.last_hit_ns) + "}";
        if (out.size() > contract::kAdminDocumentBytesMax - 4096) {
            return out + "],\"cut\":true}";
        }
    }
    return out + "]}";
}

}  // namespace seine::app
