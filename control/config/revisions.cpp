// The order of a commit: check, prepare every section, write the revision, point `running` at it,
// apply.
#include "control/config/revisions.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/config/digest.h"
#include "control/config/files.h"
#include "control/config/toml.h"

namespace seine::config {
namespace {

std::string value_text(const Node& node) {
    Node holder;
    holder.members.push_back({"x", node});
    std::string text = write_toml(holder);
    if (text.starts_with("x = ")) text.erase(0, 4);
    while (text.ends_with('\n')) text.pop_back();
    return text;
}

// Every plain value of a tree by its path; tables of a list are known by their name.
void flatten(const Node& node, const std::string& path,
             std::vector<std::pair<std::string, std::string>>& out) {
    const bool tables = node.type == Node::Type::array && !node.items.empty() &&
                        node.items[0].type == Node::Type::table;
    if (node.type == Node::Type::table) {
        for (const auto& [key, value] : node.members)
            flatten(value, path.empty() ? key : path + "." + key, out);
    } else if (tables) {
        for (std::size_t i = 0; i < node.items.size(); ++i) {
            const std::string name = node.items[i].text_of("name");
            flatten(node.items[i], path + "[" + (name.empty() ? std::to_string(i) : name) + "]",
                    out);
        }
    } else {
        out.emplace_back(path, value_text(node));
    }
}

std::string one_line(std::string_view text, std::size_t most) {
    std::string out;
    for (const char c : text.substr(0, most))
        out.push_back(static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? ' ' : c);
    return out;
}

std::uint64_t number_of(std::string_view text) {
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// The comment above a revision's text, and back.
std::string heading(const Revision& revision) {
    return "# revision " + std::to_string(revision.number) + "\n# at_ns " +
           std::to_string(revision.at.count) + "\n# author " + one_line(revision.author, 256) +
           "\n# reason " + one_line(revision.reason, 1024) + "\n# sha256 " + revision.digest +
           "\n\n";
}
std::string_view heading_line(std::string_view text, std::string_view key) {
    const std::string start = "# " + std::string(key) + " ";
    const std::size_t at = text.find(start);
    if (at == std::string_view::npos) return {};
    const std::size_t from = at + start.size();
    return text.substr(from, text.find('\n', from) - from);
}

}  // namespace

std::vector<Difference> differences(const Node& before, const Node& after) {
    std::vector<std::pair<std::string, std::string>> old_values;
    std::vector<std::pair<std::string, std::string>> new_values;
    flatten(before, "", old_values);
    flatten(after, "", new_values);
    std::sort(old_values.begin(), old_values.end());
    std::sort(new_values.begin(), new_values.end());
    std::vector<Difference> out;
    auto a = old_values.begin();
    auto b = new_values.begin();
    while (a != old_values.end() || b != new_values.end()) {
        if (a != old_values.end() && b != new_values.end() && *a == *b) {
            ++a, ++b;
        } else if (b == new_values.end() || (a != old_values.end() && *a < *b)) {
            out.push_back({false, a->first, a->second});
            ++a;
        } else {
            out.push_back({true, b->first, b->second});
            ++b;
        }
    }
    return out;
}

std::string Revisions::path_of(std::uint64_t number) const {
    std::string digits = std::to_string(number);
    digits.insert(0, digits.size() < 6 ? 6 - digits.size() : 0, '0');
    return folder_ + "/" + digits + ".toml";
}

Result<std::unique_ptr<Revisions>> Revisions::open(const std::string& folder,
                                                   std::vector<Section*> sections, Nanos now) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST)
        return failed(folder + ": cannot be made: " + std::strerror(errno));
    std::unique_ptr<Revisions> made(new Revisions(folder, std::move(sections)));
    const Status status = made->load_folder(now);
    if (!status.ok()) return status;
    return made;
}

Status Revisions::load_folder(Nanos now) {
    DIR* folder = ::opendir(folder_.c_str());
    if (folder == nullptr) return failed(folder_ + ": cannot be read: " + std::strerror(errno));
    while (const dirent* entry = ::readdir(folder)) {
        const std::string name = entry->d_name;
        const std::uint64_t number = name.ends_with(".toml") ? number_of(name) : 0;
        if (number == 0) continue;
        const auto text = read_file(folder_ + "/" + name);
        if (!text) continue;
        revisions_.push_back({number,
                              {static_cast<std::int64_t>(number_of(heading_line(*text, "at_ns")))},
                              std::string(heading_line(*text, "author")),
                              std::string(heading_line(*text, "reason")),
                              std::string(heading_line(*text, "sha256"))});
    }
    ::closedir(folder);
    std::sort(revisions_.begin(), revisions_.end(),
              [](const Revision& a, const Revision& b) { return a.number < b.number; });
    const auto running = read_file(folder_ + "/running");
    if (running) running_ = number_of(*running);
    // A revision that was written but never came into effect is not one.
    while (!revisions_.empty() && revisions_.back().number > running_) {
        ::unlink(path_of(revisions_.back().number).c_str());
        revisions_.pop_back();
    }
    read_running();
    const auto pending = read_file(folder_ + "/pending");
    if (pending) {
        const std::size_t blank = pending->find(' ');
        pending_ = Pending{number_of(*pending),
                           {static_cast<std::int64_t>(
                               blank == std::string::npos
                                   ? 0
                                   : number_of(std::string_view(*pending).substr(blank + 1)))}};
    }
    check_names(running_tree_, sections_, left_out_);
    for (Section* section : sections_) apply_what_can_be(*section);
    again_at_ = now + kAgainSeconds * kSecond;
    const auto candidate = read_file(folder_ + "/candidate.toml");
    if (candidate) {
        auto tree = read_toml(*candidate, "candidate");
        if (tree) candidate_ = std::move(*tree);
    }
    static_cast<void>(roll_back_pending(now));
    return {};
}

// The one that is in effect, or the newest before it that can be read.
void Revisions::read_running() {
    if (running_ == 0) return;
    auto tree = read_revision(running_);
    if (tree) {
        running_tree_ = std::move(*tree);
        return;
    }
    std::string instead = "nothing is in effect";
    for (auto before = revisions_.rbegin(); before != revisions_.rend(); ++before) {
        auto sound = before->number < running_ ? read_revision(before->number) : tree;
        if (!sound) continue;
        running_tree_ = std::move(*sound);
        instead = "revision " + std::to_string(before->number) + " is in effect in its place";
        break;
    }
    left_out_.push_back({"revision " + std::to_string(running_), 0, 0,
                         tree.error().message() + "; " + instead + " until a commit"});
}

// Of a list each table that can be, of one table all or nothing.
void Revisions::apply_what_can_be(Section& section) {
    Node wanted;
    if (section.is_list()) wanted.type = Node::Type::array;
    Node some = wanted;
    if (const Node* part = running_tree_.find(section.name())) wanted = *part;
    const std::string top(section.name());
    auto change = section.prepare_at_start(wanted);
    if (change) return (*change)->apply();
    if (section.is_list()) {
        for (const Node& item : wanted.items) {
            some.items.push_back(item);
            const auto with = section.prepare_at_start(some);
            if (with) continue;
            some.items.pop_back();
            left_out_.push_back({top + "[" + item.text_of("name") + "]", item.line, item.column,
                                 with.error().message()});
        }
    } else {
        left_out_.push_back({top, wanted.line, wanted.column, change.error().message()});
    }
    auto rest = section.prepare_at_start(some);
    if (rest) return (*rest)->apply();
    left_out_.push_back({top, wanted.line, wanted.column, rest.error().message()});
}

void Revisions::try_left_out_again(Nanos now) {
    // A clock that was set back makes it no longer.
    const bool is_early = now < again_at_ && again_at_ - now <= kAgainSeconds * kSecond;
    if (left_out_.empty() || is_early) return;
    again_at_ = now + kAgainSeconds * kSecond;
    for (Section* section : sections_) {
        const std::string top(section->name());
        const auto of_this = [&top](const Fault& fault) {
            // Not names that are unknown, which have a setting's name after a point.
            return fault.path == top ||
                   (fault.path.starts_with(top + "[") && fault.path.ends_with(']'));
        };
        if (std::erase_if(left_out_, of_this) > 0) apply_what_can_be(*section);
    }
}

std::vector<Fault> Revisions::left_out() const {
    const std::lock_guard lock(mutex_);
    return left_out_;
}

Result<Node> Revisions::read_revision(std::uint64_t number) const {
    if (number == 0) return Node();
    const std::string path = path_of(number);
    const auto text = read_file(path);
    if (!text) return text.error();
    auto tree = read_toml(*text, path);
    if (!tree) return tree.error();
    if (sha256_hex(write_toml(*tree)) != heading_line(*text, "sha256"))
        return Status(Code::corrupt, path +
                                         ": was changed by hand: its sha256 does not fit; load it "
                                         "as a candidate instead (seinectl config load)");
    return tree;
}

std::uint64_t Revisions::running() const {
    const std::lock_guard lock(mutex_);
    return running_;
}
std::string Revisions::running_text() const {
    const std::lock_guard lock(mutex_);
    return write_toml(running_tree_);
}
std::string Revisions::candidate_text() const {
    const std::lock_guard lock(mutex_);
    return write_toml(candidate_ ? *candidate_ : running_tree_);
}
bool Revisions::is_editing() const {
    const std::lock_guard lock(mutex_);
    return candidate_.has_value();
}

Status Revisions::load(std::string_view text, const std::string& file) {
    auto tree = read_toml(text, file);
    if (!tree) return tree.error();
    const std::lock_guard lock(mutex_);
    const Status status = replace_file(folder_ + "/candidate.toml", write_toml(*tree));
    if (!status.ok()) return status;
    candidate_ = std::move(*tree);
    candidate_file_ = file;
    return {};
}

Status Revisions::discard() {
    const std::lock_guard lock(mutex_);
    candidate_.reset();
    ::unlink((folder_ + "/candidate.toml").c_str());
    return {};
}

std::vector<Difference> Revisions::compare() const {
    const std::lock_guard lock(mutex_);
    return candidate_ ? differences(running_tree_, *candidate_) : std::vector<Difference>{};
}

Result<std::vector<Difference>> Revisions::compare(std::uint64_t before,
                                                   std::uint64_t after) const {
    const std::lock_guard lock(mutex_);
    const auto a = read_revision(before);
    if (!a) return a.error();
    const auto b = read_revision(after);
    if (!b) return b.error();
    return differences(*a, *b);
}

std::vector<Fault> Revisions::check() const {
    const std::lock_guard lock(mutex_);
    std::vector<Fault> faults;
    check_all(candidate_ ? *candidate_ : running_tree_, sections_, faults);
    return faults;
}

Result<std::vector<std::unique_ptr<Change>>> Revisions::prepare(const Node& wanted) const {
    std::vector<std::unique_ptr<Change>> changes;
    for (Section* section : sections_) {
        const Node* part = wanted.find(section->name());
        Node nothing;
        if (section->is_list()) nothing.type = Node::Type::array;
        auto change = section->prepare(part != nullptr ? *part : nothing);
        if (!change) return change.error();
        changes.push_back(std::move(*change));
    }
    return changes;
}

Result<std::uint64_t> Revisions::commit_tree(const Node& wanted, const std::string& file,
                                             const std::string& author, const std::string& reason,
                                             Nanos now) {
    std::vector<Fault> faults;
    check_all(wanted, sections_, faults);
    if (!faults.empty()) {
        std::string words = to_text(faults.front(), file);
        if (faults.size() > 1)
            words += " (and " + std::to_string(faults.size() - 1) + " more: seinectl config check)";
        return failed(words);
    }
    auto changes = prepare(wanted);
    if (!changes) return changes.error();
    const std::string text = write_toml(wanted);
    Revision revision{running_ + 1, now, author, reason, sha256_hex(text)};
    Status status = replace_file(path_of(revision.number), heading(revision) + text);
    if (status.ok()) {
        status = replace_file(folder_ + "/running", std::to_string(revision.number) + "\n");
        if (!status.ok()) ::unlink(path_of(revision.number).c_str());
    }
    if (!status.ok()) return status;  // the changes are undone by their destruction
    for (auto& change : *changes) change->apply();
    left_out_.clear();
    running_ = revision.number;
    running_tree_ = wanted;
    revisions_.push_back(std::move(revision));
    prune();
    return running_;
}

void Revisions::prune() {
    while (revisions_.size() > kKeptMax) {
        const std::uint64_t oldest = revisions_.front().number;
        if (pending_ && pending_->back_to == oldest) return;
        ::unlink(path_of(oldest).c_str());
        revisions_.erase(revisions_.begin());
    }
}

Result<std::uint64_t> Revisions::commit(const std::string& author, const std::string& reason,
                                        Nanos now) {
    const std::lock_guard lock(mutex_);
    if (!candidate_)
        return failed("there is no candidate to commit; seinectl config load FILE makes one");
    auto number = commit_tree(*candidate_, candidate_file_, author, reason, now);
    if (!number) return number;
    // A commit over one that waits to be confirmed confirms it, as on a router.
    pending_.reset();
    ::unlink((folder_ + "/pending").c_str());
    candidate_.reset();
    ::unlink((folder_ + "/candidate.toml").c_str());
    return number;
}

Result<std::uint64_t> Revisions::commit_confirmed(const std::string& author,
                                                  const std::string& reason, Nanos now,
                                                  std::int64_t seconds) {
    const std::lock_guard lock(mutex_);
    if (!candidate_)
        return failed("there is no candidate to commit; seinectl config load FILE makes one");
    // What is gone back to: before the first commit of a row that waits.
    const Pending pending{pending_ ? pending_->back_to : running_, now + seconds * kSecond};
    // Written first: a kill right after the commit still goes back.
    const Status status = write_pending(pending);
    if (!status.ok()) return status;
    auto number = commit_tree(*candidate_, candidate_file_, author, reason, now);
    if (!number) {
        if (pending_) {
            static_cast<void>(write_pending(*pending_));
        } else {
            ::unlink((folder_ + "/pending").c_str());
        }
        return number;
    }
    pending_ = pending;
    last_tick_ = now;
    candidate_.reset();
    ::unlink((folder_ + "/candidate.toml").c_str());
    return number;
}

Status Revisions::confirm() {
    const std::lock_guard lock(mutex_);
    if (!pending_) return failed("nothing waits to be confirmed");
    pending_.reset();
    ::unlink((folder_ + "/pending").c_str());
    return {};
}

std::optional<Nanos> Revisions::confirm_by() const {
    const std::lock_guard lock(mutex_);
    return pending_ ? std::optional(pending_->deadline) : std::nullopt;
}

std::optional<std::uint64_t> Revisions::tick(Nanos now) {
    const std::lock_guard lock(mutex_);
    // A clock that was set back must not keep a commit that locked everybody out: what was left of
    // the time stays what is left.
    if (pending_ && last_tick_.count != 0 && now < last_tick_) {
        pending_->deadline.count -= last_tick_.count - now.count;
        static_cast<void>(write_pending(*pending_));
    }
    last_tick_ = now;
    try_left_out_again(now);
    return roll_back_pending(now);
}

Status Revisions::write_pending(const Pending& pending) const {
    return replace_file(folder_ + "/pending", std::to_string(pending.back_to) + " " +
                                                  std::to_string(pending.deadline.count) + "\n");
}

std::string Revisions::rollback_fault() const {
    const std::lock_guard lock(mutex_);
    return rollback_fault_;
}

std::optional<std::uint64_t> Revisions::roll_back_pending(Nanos now) {
    if (!pending_ || now < pending_->deadline) return std::nullopt;
    if (pending_->back_to == running_) {  // the commit itself never happened
        pending_.reset();
        ::unlink((folder_ + "/pending").c_str());
        return std::nullopt;
    }
    // Tried again at the next tick, and told.
    const auto not_yet = [this](const Status& why) {
        rollback_fault_ = "revision " + std::to_string(running_) +
                          " was not confirmed in time and cannot be taken back: " + why.message();
        return std::nullopt;
    };
    const auto tree = read_revision(pending_->back_to);
    if (!tree) return not_yet(tree.error());
    const auto number =
        commit_tree(*tree, path_of(pending_->back_to), "seine",
                    "revision " + std::to_string(running_) + " was not confirmed in time", now);
    if (!number) return not_yet(number.error());
    rollback_fault_.clear();
    pending_.reset();
    ::unlink((folder_ + "/pending").c_str());
    return *number;
}

Result<std::uint64_t> Revisions::rollback(std::uint64_t back, const std::string& author,
                                          const std::string& reason, Nanos now) {
    const std::lock_guard lock(mutex_);
    if (back == 0 || back > running_)
        return failed("there are " + std::to_string(running_) +
                      " revisions to go back over; see seinectl config history");
    const auto tree = read_revision(running_ - back);
    if (!tree) return tree.error();
    const std::string why =
        reason.empty() ? "back to revision " + std::to_string(running_ - back) : reason;
    auto number = commit_tree(*tree, path_of(running_ - back), author, why, now);
    if (!number) return number;
    pending_.reset();
    ::unlink((folder_ + "/pending").c_str());
    return number;
}

std::vector<Revision> Revisions::history() const {
    const std::lock_guard lock(mutex_);
    return {revisions_.rbegin(), revisions_.rend()};
}

Result<std::string> Revisions::text_of(std::uint64_t number) const {
    const std::lock_guard lock(mutex_);
    const auto tree = read_revision(number);
    if (!tree) return tree.error();
    return write_toml(*tree);
}

}  // namespace seine::config
