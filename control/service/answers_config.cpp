// `config` and `audit`: the candidate, revisions, and the log of what was done.
#include <mutex>
#include <pwd.h>

#include "control/command/json_builder.h"
#include "control/service/answers.h"
#include "control/service/author.h"
#include "control/service/log.h"
#include "control/service/parts.h"
#include "control/service/tunables.h"

namespace seine::service {
namespace {

using command::JsonBuilder;
using command::Request;
using command::Role;

constexpr std::size_t kConfigBytesMax = std::size_t{4} << 20;

// A file comes in parts, since a request is one packet: all but the last say `more`.
class Uploads {
  public:
    Result<std::string> take(const Request& request, bool& whole) {
        const std::lock_guard lock(mutex_);
        std::string& text = parts_[request.peer.user];
        if (request.arguments.text("part") == "0") text.clear();
        text += request.arguments.text("text");
        whole = !request.arguments.has("more");
        if (text.size() > kConfigBytesMax) {
            parts_.erase(request.peer.user);
            return failed("a configuration of more than 4 MiB");
        }
        std::string out;
        if (whole) {
            out.swap(text);
            parts_.erase(request.peer.user);
        }
        return out;
    }

  private:
    std::mutex mutex_;
    std::map<std::uint32_t, std::string> parts_;
};

std::string text_document(std::string_view key, const std::string& text) {
    JsonBuilder json;
    json.object().field(key, text).end();
    return json.take();
}

std::string number_document(std::string_view key, std::uint64_t number) {
    JsonBuilder json;
    json.object().field(key, number).end();
    return json.take();
}

Result<std::string> compare(config::Revisions& revisions, const Request& request) {
    std::vector<config::Difference> lines;
    if (request.arguments.has("before")) {
        const auto before = request.arguments.number("before", 0, 0, ~std::uint64_t{0});
        if (!before) return before.error();
        const auto after =
            request.arguments.number("after", revisions.running(), 0, ~std::uint64_t{0});
        if (!after) return after.error();
        auto found = revisions.compare(*before, *after);
        if (!found) return found.error();
        lines = std::move(*found);
    } else {
        lines = revisions.compare();
    }
    JsonBuilder json;
    json.array();
    for (const config::Difference& line : lines)
        json.object()
            .field("change", line.added ? "+" : "-")
            .field("path", line.path)
            .field("value", line.value)
            .end();
    json.end();
    return json.take();
}

std::string faults_document(const config::Revisions& revisions) {
    JsonBuilder json;
    json.object().key("faults").array();
    const auto faults = revisions.check();
    for (const config::Fault& fault : faults) {
        json.object()
            .field("path", fault.path)
            .field("line", static_cast<std::uint64_t>(fault.line))
            .field("column", static_cast<std::uint64_t>(fault.column))
            .field("message", fault.message)
            .field("text", to_text(fault, revisions.candidate_file()))
            .end();
    }
    json.end().field("sound", faults.empty()).end();
    return json.take();
}

std::string history_document(const config::Revisions& revisions) {
    JsonBuilder json;
    json.array();
    for (const config::Revision& revision : revisions.history()) {
        json.object()
            .field("revision", revision.number)
            .field("at_ns", revision.at.count)
            .field("author", revision.author)
            .field("reason", revision.reason)
            .field("sha256", revision.digest)
            .end();
    }
    json.end();
    return json.take();
}

void add_editing(Answers& answers, Parts& parts) {
    config::Revisions& revisions = parts.tunables->revisions();
    const auto uploads = std::make_shared<Uploads>();
    answers.add("config", "load", Role::operating,
                [&revisions, uploads](const Request& request) -> Result<std::string> {
                    bool whole = false;
                    const auto text = uploads->take(request, whole);
                    if (!text) return text.error();
                    if (whole) {
                        const Status status = revisions.load(*text, request.arguments.text("file"));
                        if (!status.ok()) return status;
                    }
                    return faults_document(revisions);
                });
    answers.add("config", "discard", Role::operating,
                [&revisions](const Request&) -> Result<std::string> {
                    const Status status = revisions.discard();
                    if (!status.ok()) return status;
                    return text_document("done", "the candidate is gone");
                });
    answers.add("config", "commit", Role::operating,
                [&parts, &revisions](const Request& request) -> Result<std::string> {
                    const auto number = revisions.commit(
                        author_of(request.peer), request.arguments.text("reason"), parts.now());
                    if (!number) return number.error();
                    log(Level::info, "configuration revision " + std::to_string(*number) + " by " +
                                         author_of(request.peer));
                    return number_document("revision", *number);
                });
    answers.add("config", "commit confirmed", Role::operating,
                [&parts, &revisions](const Request& request) -> Result<std::string> {
                    const auto minutes = request.arguments.number("minutes", 10, 1, 1440);
                    if (!minutes) return minutes.error();
                    const auto number = revisions.commit_confirmed(
                        author_of(request.peer), request.arguments.text("reason"), parts.now(),
                        static_cast<std::int64_t>(*minutes) * 60);
                    if (!number) return number.error();
                    JsonBuilder json;
                    json.object()
                        .field("revision", *number)
                        .field("confirm_by_ns",
                               revisions.confirm_by() ? revisions.confirm_by()->count : 0)
                        .end();
                    return json.take();
                });
    answers.add("config", "confirm", Role::operating,
                [&revisions](const Request&) -> Result<std::string> {
                    const Status status = revisions.confirm();
                    if (!status.ok()) return status;
                    return text_document("done", "confirmed");
                });
    answers.add("config", "rollback", Role::operating,
                [&parts, &revisions](const Request& request) -> Result<std::string> {
                    const auto back = request.arguments.number("back", 1, 1, 1'000'000);
                    if (!back) return back.error();
                    const auto number =
                        revisions.rollback(*back, author_of(request.peer),
                                           request.arguments.text("reason"), parts.now());
                    if (!number) return number.error();
                    return number_document("revision", *number);
                });
}

void add_looking(Answers& answers, Parts& parts) {
    config::Revisions& revisions = parts.tunables->revisions();
    answers.add("config", "show", Role::reader,
                [&revisions](const Request&) -> Result<std::string> {
                    JsonBuilder json;
                    json.object()
                        .field("revision", revisions.running())
                        .field("editing", revisions.is_editing());
                    if (revisions.confirm_by())
                        json.field("confirm_by_ns", revisions.confirm_by()->count);
                    json.key("not_in_effect").array();
                    for (const config::Fault& fault : revisions.left_out())
                        json.text(not_in_effect(fault));
                    json.end().field("text", revisions.running_text()).end();
                    return json.take();
                });
    answers.add("config", "candidate", Role::reader,
                [&revisions](const Request&) -> Result<std::string> {
                    return text_document("text", revisions.candidate_text());
                });
    answers.add("config", "export", Role::reader,
                [&revisions](const Request& request) -> Result<std::string> {
                    const auto number = request.arguments.number("revision", revisions.running(), 0,
                                                                 ~std::uint64_t{0});
                    if (!number) return number.error();
                    const auto text = revisions.text_of(*number);
                    if (!text) return text.error();
                    return text_document("text", *text);
                });
    answers.add("config", "diff", Role::reader,
                [&revisions](const Request& request) { return compare(revisions, request); });
    answers.add(
        "config", "check", Role::reader,
        [&revisions](const Request&) -> Result<std::string> { return faults_document(revisions); });
    answers.add("config", "history", Role::reader,
                [&revisions](const Request&) -> Result<std::string> {
                    return history_document(revisions);
                });
    answers.add("config", "keys", Role::reader, [&parts](const Request&) -> Result<std::string> {
        return text_document("text", config::setting_tables(parts.tunables->sections()));
    });
}

}  // namespace

std::string author_of(const command::Peer& peer) {
    char buffer[4096];
    passwd entry{};
    passwd* found = nullptr;
    if (::getpwuid_r(peer.user, &entry, buffer, sizeof buffer, &found) == 0 && found != nullptr)
        return found->pw_name;
    return "uid " + std::to_string(peer.user);
}

void add_config_answers(Answers& answers, Parts& parts) {
    add_editing(answers, parts);
    add_looking(answers, parts);
}

void add_audit_answers(Answers& answers, Parts& parts) {
    config::Audit& audit = parts.tunables->audit();
    answers.add("audit", "list", Role::reader,
                [&audit](const Request& request) -> Result<std::string> {
                    const auto limit = request.arguments.number("limit", 50, 1, 10'000);
                    if (!limit) return limit.error();
                    const auto lines = audit.last(*limit);
                    if (!lines) return lines.error();
                    JsonBuilder json;
                    json.array();
                    for (const config::AuditLine& line : *lines) {
                        json.object()
                            .field("seq", line.sequence)
                            .field("at_ns", line.at.count)
                            .field("author", line.author)
                            .field("action", line.action)
                            .field("detail", line.detail)
                            .field("hash", line.hash)
                            .end();
                    }
                    json.end();
                    return json.take();
                });
    answers.add("audit", "verify", Role::reader, [&audit](const Request&) -> Result<std::string> {
        const auto verdict = config::verify_audit(audit.path());
        if (!verdict) return verdict.error();
        if (!verdict->sound)
            return Status(Code::corrupt,
                          audit.path() + ": " + verdict->fault +
                              "; keep the file, compare it with a copy sent elsewhere");
        JsonBuilder json;
        json.object()
            .field("sound", true)
            .field("lines", verdict->lines)
            .field("path", audit.path())
            .end();
        return json.take();
    });
}

}  // namespace seine::service
