#include "control/cli/signature_set.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <pwd.h>
#include <unistd.h>

#include "control/cli/signature_offline.h"
#include "control/cli/signature_place.h"
#include "control/command/dataplane.h"
#include "control/signature/prepare.h"
#include "dataplane/signature/rule_file.h"

namespace seine::cli {
namespace {

namespace fs = std::filesystem;
using control_signature::Version;
using control_signature::VersionStore;

constexpr std::uint32_t kConfirmSeconds = 600;
constexpr char kOverrides[] = "overrides.toml";

std::string author_of(const Invocation& invocation) {
    if (invocation.arguments.has("author")) return invocation.arguments.text("author");
    const char* name = std::getenv("SUDO_USER");
    if (name != nullptr) return name;
    const passwd* user = getpwuid(getuid());
    return user != nullptr ? user->pw_name : std::to_string(getuid());
}

Status printed(const Write& write, const std::string& text) {
    return write(text) ? Status() : failed("the output cannot be written");
}

// "90s", "10m", "1h", "off".
Result<std::uint32_t> confirm_seconds_of(const Invocation& invocation) {
    if (!invocation.arguments.has("confirm-within")) return kConfirmSeconds;
    const std::string& word = invocation.arguments.text("confirm-within");
    if (word == "off") return std::uint32_t{0};
    char* end = nullptr;
    const unsigned long count = std::strtoul(word.c_str(), &end, 10);
    const std::string unit = end;
    const unsigned long seconds = unit == "s"   ? count
                                  : unit == "m" ? count * 60
                                  : unit == "h" ? count * 3600
                                                : 0;
    if (seconds == 0 || seconds > 7 * 86400 || word.empty() || word[0] == '-')
        return Status(Code::usage, "--confirm-within takes 30s, 10m, 1h or off");
    return static_cast<std::uint32_t>(seconds);
}

struct Shipment {
    std::string rules;  // folder
    std::string reason;
    std::uint64_t parent = 0;
    CostLimit cost{};
};

// Checks, compiles, keeps and sends one set.
Status ship(const Invocation& invocation, const Write& write, const RunningRules& running,
            const Shipment& what) {
    const auto confirm = confirm_seconds_of(invocation);
    if (!confirm) return confirm.error();
    if (running.folder.empty())
        return failed(
            "this dataplane writes no ring, so it keeps no rules; start it with --records "
            "ring:PATH, or name a folder with --store");
    if (running.pending)
        return failed("generation " + std::to_string(running.highest) +
                      " waits to be confirmed; seinectl signature confirm, or rollback, first");
    auto prepared =
        control_signature::prepare(what.rules, {.portable = invocation.arguments.has("portable")});
    signature::LoadedRules& loaded = prepared.loaded;
    if (loaded.problems.empty() && what.cost.refused)
        name_dear_rules(loaded.set, measured_costs(loaded.set), what.cost.times, loaded.problems);
    if (!prepared.loaded.problems.empty()) {
        static_cast<void>(write(prepared.loaded.problems.lines()));
        return failed(what.rules +
                      ": not pushed; the mistakes are named above, and what runs is untouched");
    }
    VersionStore store(running.folder);
    const auto versions = store.list();
    Version version;
    version.number = std::max(running.highest, versions.empty() ? 0 : versions.back().number) + 1;
    version.author = author_of(invocation);
    version.reason = what.reason;
    version.time_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
    version.rules = prepared.loaded.set.rules.size();
    version.parent = what.parent;
    prepared.compiled.generation = version.number;
    const Status kept = store.add(version, what.rules, signature::encode(prepared.compiled));
    if (!kept.ok()) return kept;
    std::vector<std::uint8_t> body(contract::kAdminPathBytesMax + 64);
    const std::string path = fs::absolute(store.blob_of(version.number)).string();
    body.resize(contract::encode_reload(body, {version.number, path, *confirm}));
    const auto answer =
        command::ask_dataplane(running.socket, invocation.timeout_ms, contract::AdminKind::reload, body);
    if (!answer) {
        store.remove(version.number);
        return answer.error();
    }
    if (invocation.json)
        return printed(write, "{\"version\":" + std::to_string(version.number) +
                                  ",\"rules\":" + std::to_string(version.rules) +
                                  ",\"author\":" + json_text(version.author) +
                                  ",\"reason\":" + json_text(version.reason) +
                                  ",\"confirm_seconds\":" + std::to_string(*confirm) + "}\n");
    return printed(write,
                   "version " + std::to_string(version.number) +
                       " runs: " + std::to_string(version.rules) + " rules" +
                       (*confirm == 0 ? "\n"
                                      : "; it is taken back in " + std::to_string(*confirm) +
                                            " s unless you say: seinectl signature confirm\n"));
}

// The set that runs, with the state of one rule changed, as the next version.
Status change_state(const Invocation& invocation, const Write& write, const char* state) {
    const std::string& id = invocation.arguments.text("rule");
    auto running = running_rules(invocation);
    if (!running) return running.error();
    const auto from = rules_named(invocation, "");
    if (!from) return from.error();
    const signature::LoadedRules loaded = signature::read_rules(*from);
    const auto found = std::find_if(loaded.set.rules.begin(), loaded.set.rules.end(),
                                    [&](const auto& rule) { return rule.id == id; });
    if (found == loaded.set.rules.end())
        return Status(
            Code::not_found,
            "no rule `" + id + "` in the set that runs; seinectl signature list shows them");
    char beside[] = "/tmp/seine-rules-XXXXXX";
    if (mkdtemp(beside) == nullptr) return failed("/tmp: no folder can be made there");
    const std::string folder = std::string(beside) + "/rules";
    Status step = control_signature::copy_rules(*from, folder);
    if (step.ok()) {
        std::ofstream out(folder + "/" + kOverrides, std::ios::app);
        out << "\n[[override]]\nrule = \"" << id << "\"\nstate = \"" << state << "\"\n";
        out.close();
        if (!out) step = failed(folder + ": cannot be written");
    }
    if (step.ok()) {
        const std::string& given = invocation.arguments.text("reason");
        step = ship(
            invocation, write, *running,
            {folder, given.empty() ? std::string(state) + " " + id : given, running->generation});
    }
    std::error_code ignored;
    fs::remove_all(beside, ignored);
    return step;
}

}  // namespace

Status push_rules(const Invocation& invocation, const Write& write) {
    const std::string& reason = invocation.arguments.text("reason");
    if (reason.empty())
        return Status(Code::usage,
                      "why? Say it with --reason \"..\": whoever reads the history will ask");
    const auto limit = cost_limit_of(invocation.arguments.text("cost-limit"));
    if (!limit) return limit.error();
    auto running = running_rules(invocation);
    if (!running) return running.error();
    return ship(invocation, write, *running, {invocation.arguments.text("dir"), reason, 0, *limit});
}

Status confirm_rules(const Invocation& invocation, const Write& write) {
    auto running = running_rules(invocation);
    if (!running) return running.error();
    std::uint8_t body[8];
    std::memcpy(body, &running->highest, sizeof body);
    const auto answer = command::ask_dataplane(running->socket, invocation.timeout_ms,
                                      contract::AdminKind::confirm, ByteView(body));
    if (!answer) return answer.error();
    const std::string number = std::to_string(running->highest);
    return printed(write, invocation.json ? "{\"confirmed\":" + number + "}\n"
                                          : "version " + number + " stays\n");
}

Status roll_back_rules(const Invocation& invocation, const Write& write) {
    auto running = running_rules(invocation);
    if (!running) return running.error();
    const std::string& typed = invocation.arguments.text("version");
    if (running->pending && typed.empty()) {
        const auto answer =
            command::ask_dataplane(running->socket, invocation.timeout_ms, contract::AdminKind::rollback);
        if (!answer) return answer.error();
        const std::string number = std::to_string(running->confirmed);
        return printed(write, invocation.json ? "{\"generation\":" + number + "}\n"
                                              : "taken back; version " + number + " runs again\n");
    }
    const VersionStore store(running->folder);
    std::uint64_t wanted = std::strtoull(typed.c_str(), nullptr, 10);
    if (typed.empty()) {
        for (const Version& version : store.list())
            if (version.number < running->generation) wanted = version.number;
        if (wanted == 0)
            return failed("there is no version before " + std::to_string(running->generation));
    }
    const auto version = store.get(wanted);
    if (!version) return version.error();
    const std::string& reason = invocation.arguments.text("reason");
    return ship(invocation, write, *running,
                {store.rules_of(wanted),
                 reason.empty() ? "rollback to " + std::to_string(wanted) : reason, wanted});
}

Status enable_rule(const Invocation& invocation, const Write& write) {
    return change_state(invocation, write, "enabled");
}
Status disable_rule(const Invocation& invocation, const Write& write) {
    return change_state(invocation, write, "disabled");
}
Status shadow_rule(const Invocation& invocation, const Write& write) {
    return change_state(invocation, write, "shadow");
}

}  // namespace seine::cli
