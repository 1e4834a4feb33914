#include "control/service/account_part.h"

#include <algorithm>
#include <sstream>

#include "control/service/log.h"

namespace seine::service {

Result<std::unique_ptr<AccountPart>> AccountPart::make(const Config& config, store::Store& store) {
    std::vector<account::SourceConfig> sources;
    for (const std::string& line : config.account_sources) {
        auto source = account::read_source(line);
        if (!source) return source.error();
        for (const account::SourceConfig& other : sources) {
            if (other.name == source->name) {
                return Status(Code::usage, "two account sources are called '" + source->name +
                                               "'; places in logs are kept by name");
            }
        }
        sources.push_back(*source);
    }
    const std::string beside = config.rings.empty() ? config.state_folder + "/control" : config.rings.front();
    std::unique_ptr<AccountPart> part(new AccountPart(beside + ".taken"));
    part->store_ = &store;
    part->keys_path_ = config.tag_keys;
    for (const account::SourceConfig& source : sources) part->fixed_.push_back(source.name);
    part->source_count_ = sources.size();
    if (!sources.empty()) {
        Turn turn;
        const Status loaded = part->load_first_keys(turn);
        if (!loaded.ok()) return loaded;
        part->keys_ = turn.keys;
    }
    auto opened = account::Sources::open(sources, part->keys_);
    if (!opened) return opened.error();
    part->sources_ = std::move(*opened);
    part->sources_->count_in(part->taken_);
    const Status counted = part->take_up_taken();
    if (!counted.ok()) return counted;
    const auto places = store.kept_all(kPlaceRoom);
    if (!places) return places.error();
    for (const store::Document& place : *places) part->sources_->begin_at(place.key, place.value);
    const auto directory = store.kept_all(kDirectoryRoom);
    if (!directory) return directory.error();
    for (const store::Document& document : *directory) {
        account::DirectoryEntry entry;
        if (account::from_text(document.value, entry) != Parse::ok) {
            return Status(Code::corrupt,
                          "the account directory in the store is damaged at " + document.key +
                              "; import it again after: seinectl account forget " + document.key);
        }
        static_cast<void>(part->sources_->directory().put(entry));
    }
    static_cast<void>(part->sources_->directory().take_changed());
    return part;
}

IngestPart AccountPart::part() {
    IngestPart part;
    part.name = "accounts";
    part.poll = [this](account::Join& join, Nanos now) { return poll(join, now); };
    part.record = [this](const contract::RecordView& record, ByteView, Nanos now) {
        ++ring_records_;
        if (record.kind != contract::Kind::request) return;
        sources_->record(record, now, [this, now](const account::SourceRecord& said) {
            // The first round reads the rings before anybody is polled; it is bounded.
            if (join_ == nullptr) {
                early_.push_back(kept(said));
            } else {
                join_->record(kept(said), now);
            }
        });
    };
    part.finish = [this](account::Join& join, Nanos now) {
        sources_->drain(now, [this, &join, now](const account::SourceRecord& said) { join.record(kept(said), now); });
        poll(join, now);
    };
    part.before_commit = [this](store::Batch& batch) {
        const auto held = sources_->hold();
        imports_in_batch_ = imports_put_;
        in_batch_ = first_taken_ + sources_->handed_out();
        if (in_batch_ + unstored_ != 0 && taken_.file_id() != 0) {
            batch.documents.push_back({kTakenRoom, "taken",
                                       std::to_string(taken_.file_id()) + " " + std::to_string(in_batch_) + " " +
                                           std::to_string(unstored_)});
        }
        for (auto& [name, place] : sources_->places())
            batch.documents.push_back({kPlaceRoom, name, place});
        for (const model::AccountTag& tag : sources_->directory().take_changed()) {
            const account::DirectoryEntry* entry = sources_->directory().find(tag);
            if (entry != nullptr)
                batch.documents.push_back(
                    {kDirectoryRoom, model::to_text(tag), account::to_text(*entry)});
        }
    };
    // What logs gave may wait with them; what sockets gave is nowhere else.
    part.owes = [this] {
        return imports_put_ != imports_in_batch_ || first_taken_ + sources_->handed_out() != in_batch_;
    };
    part.after_commit = [this] {
        stored_ = in_batch_;
        imports_stored_ = imports_in_batch_;
    };
    part.unstored = [this] { tell_unstored(); };
    return part;
}

// What was taken and not stored when the process before ended, however it did. A count of another file
// (the machine was started anew) says nothing.
Status AccountPart::take_up_taken() {
    const auto kept = store_->kept(kTakenRoom, "taken");
    if (!kept) return kept.error();
    std::uint64_t file = 0;
    std::uint64_t stored = 0;
    std::istringstream(*kept) >> file >> stored >> unstored_;
    first_taken_ = in_batch_ = stored_ = taken_.count();
    if (!taken_.problem().empty()) log(Level::warning, taken_.problem());
    if (file == 0 || file != taken_.file_id() || stored >= first_taken_) return {};
    const std::uint64_t lost = first_taken_ - stored;
    unstored_ += lost;
    log(Level::warning, std::to_string(lost) + " account records that sockets had brought were not stored when seine-control "
                        "ended last; those with sequence numbers count as gaps too. Logs and rings were read again");
    return {};
}

// The next start finds them by itself; whoever stops it hears of them now.
void AccountPart::tell_unstored() {
    sources_->drain(Nanos{}, [](const account::SourceRecord&) {});
    const std::uint64_t lost = taken_.count() - stored_;
    if (lost == 0) return;
    log(Level::error, std::to_string(lost) + " account records that sockets had brought are lost, because the store took "
                      "nothing; mend the store (the line before names its fault), or let gateways write logs: they are read again");
}

Status AccountPart::load_first_keys(Turn& turn) {
    if (first_keys_ != nullptr) return {};
    auto keys = account::TagKeys::load(keys_path_);
    if (!keys) return keys.error();
    turn.keys = first_keys_ = std::move(*keys);
    if (!turn.keys->locked()) {
        log(Level::warning,
            "tag keys could not be locked in memory and might reach the swap; raise the limit of "
            "locked "
            "memory (ulimit -l, LimitMEMLOCK)");
    }
    return {};
}

bool AccountPart::is_fixed(const std::string& name) const {
    return std::find(fixed_.begin(), fixed_.end(), name) != fixed_.end();
}

struct AccountPart::Ready final : config::Change {
    AccountPart* part = nullptr;
    Turn turn;
    std::vector<account::SourceConfig> wanted;
    void apply() noexcept override {
        part->committed_ = std::move(wanted);
        part->source_count_ = part->fixed_.size() + part->committed_.size();
        const std::lock_guard lock(part->mutex_);
        part->turns_.push_back(std::move(turn));
    }
};

Result<std::unique_ptr<config::Change>> AccountPart::prepare(const std::vector<account::SourceConfig>& wanted) {
    auto ready = std::make_unique<Ready>();
    ready->part = this;
    ready->wanted = wanted;
    if (!wanted.empty()) {
        const Status loaded = load_first_keys(ready->turn);
        if (!loaded.ok()) return loaded;
        // A change that was given up may have read them for nobody.
        if (committed_.empty() && fixed_.empty()) ready->turn.keys = first_keys_;
    }
    const auto stays = [&wanted](const account::SourceConfig& old) {
        return std::find(wanted.begin(), wanted.end(), old) != wanted.end();
    };
    for (const account::SourceConfig& old : committed_) {
        if (!stays(old)) ready->turn.gone.push_back(old.name);
    }
    for (const account::SourceConfig& source : wanted) {
        if (std::find(committed_.begin(), committed_.end(), source) != committed_.end()) continue;
        const bool inherits = std::any_of(committed_.begin(), committed_.end(), [&](const account::SourceConfig& old) {
            return !stays(old) && account::has_socket(old.kind) && old.place == source.place;
        });
        const auto place = store_->kept(kPlaceRoom, source.name);
        if (!place) return place.error();
        auto opened = sources_->open_apart(source, inherits, *place);
        if (!opened) return opened.error();
        ready->turn.come.push_back(std::move(*opened));
    }
    return std::unique_ptr<config::Change>(std::move(ready));
}

void AccountPart::turn_to(const Turn& turn) {
    if (turn.keys != nullptr && keys_ == nullptr) {
        keys_ = turn.keys;
        sources_->replace_keys(keys_);
    }
    sources_->replace(turn.gone, turn.come);
    if (!turn.gone.empty() || !turn.come.empty()) {
        log(Level::info, "account sources: " + std::to_string(turn.come.size()) + " begun, " +
                             std::to_string(turn.gone.size()) + " ended");
    }
}

// What is said of the request is kept by number from here on.
account::SourceRecord AccountPart::kept(const account::SourceRecord& said) const {
    account::SourceRecord out = said;
    out.said = nullptr;
    if (said.said != nullptr && keep_request_) out.request = keep_request_(*said.said);
    return out;
}

bool AccountPart::poll(account::Join& join, Nanos now) {
    join_ = &join;
    sources_->tell_requests(requests_wanted_ && requests_wanted_());
    for (const account::SourceRecord& said : std::exchange(early_, {})) join.record(said, now);
    std::vector<Turn> turns;
    {
        const std::lock_guard lock(mutex_);
        turns.swap(turns_);
    }
    for (const Turn& turn : turns) turn_to(turn);
    if (reload_.exchange(false) && keys_ != nullptr) load_keys();
    put_imported(join, now);
    const bool behind = std::exchange(ring_records_, 0) >= kRingsBehind;
    const auto may_read = [&join, most = read_ahead_max()](std::uint32_t gateway) { return join.waiting_of(gateway) < most; };
    const auto take = [this, &join, now](const account::SourceRecord& said) {
        together_.push_back(said.said == nullptr ? said : kept(said));
        if (together_.size() == kTogether) hand_over(join, now);
    };
    const bool any = sources_->poll(now, take, behind ? account::Sources::MayRead(may_read) : nullptr);
    hand_over(join, now);
    if (!std::exchange(begun_, true)) sources_->read_sockets_apart();
    publish(now);
    return any;
}

// One gateway that waits for a ring does not take the room of those whose flows are here.
std::uint32_t AccountPart::read_ahead_max() const {
    return std::max(kReadAheadMax / std::max<std::uint32_t>(1, sources_->log_count()), kReadAheadLeast);
}

// What came one after another: the join is told of all of it before the first.
void AccountPart::hand_over(account::Join& join, Nanos now) {
    join.expect(together_);
    for (const account::SourceRecord& said : together_) join.record(said, now);
    together_.clear();
}

void AccountPart::load_keys() {
    auto keys = account::TagKeys::load(keys_path_);
    keys_problem_ = keys ? "" : keys.error().message();
    if (!keys) {
        log(Level::error, keys_problem_ + "; the keys before stay in use");
        return;
    }
    keys_ = std::move(*keys);
    sources_->replace_keys(keys_);
    log(Level::info, "tag keys read again");
}

// What the directory says of an account is told like what a gateway says.
void AccountPart::put_imported(account::Join& join, Nanos now) {
    std::vector<account::DirectoryEntry> entries;
    {
        const std::lock_guard lock(mutex_);
        entries.swap(imported_);
    }
    imports_put_ += entries.size();
    for (const account::DirectoryEntry& entry : entries) {
        {
            const auto held = sources_->hold();
            if (!sources_->directory().put(entry)) continue;
        }
        account::SourceRecord said;
        said.mode = model::SourceMode::import;
        said.sequenced = false;
        said.time_known = false;
        contract::AccountRecord& record = said.record;
        record.t_req_us = static_cast<std::uint64_t>(now.micros());
        record.account_tag = entry.account.bytes;
        record.org_tag = entry.org.bytes;
        record.first_seen_day = entry.first_seen_day;
        record.tier = entry.tier;
        if (entry.declared_intermediary)
            record.flags |= contract::AccountFlags::declared_intermediary;
        record.type = contract::AccountType::directory;
        join.record(said, now);
        if (entry.closed_at.count == 0) continue;
        record.type = contract::AccountType::closed;
        record.t_req_us = static_cast<std::uint64_t>(entry.closed_at.micros());
        join.record(said, now);
    }
}

Result<std::uint64_t> AccountPart::import(const std::vector<std::string>& lines) {
    std::vector<account::DirectoryEntry> entries;
    for (const std::string& line : lines) {
        account::DirectoryEntry entry;
        if (account::from_text(line, entry) != Parse::ok) {
            return Status(Code::usage, "a line of the import is no entry of the directory; seinectl and seine-control are of "
                                       "different versions");
        }
        entries.push_back(std::move(entry));
    }
    constexpr std::size_t kWaitingMax = 1'000'000;
    const std::lock_guard lock(mutex_);
    if (imported_.size() + entries.size() > kWaitingMax) {
        return Status(Code::full, "imports come faster than they are taken in; send the rest again in a moment");
    }
    for (account::DirectoryEntry& entry : entries) imported_.push_back(std::move(entry));
    imports_ += entries.size();
    return std::uint64_t{imports_};
}

void AccountPart::publish(Nanos now) {
    if (now - published_ < kSecond / 2) return;
    published_ = now;
    AccountStatus status;
    status.sources = sources_->status();
    const auto held = sources_->hold();
    status.directory_accounts = sources_->directory().size();
    status.directory_keys = sources_->directory().keys();
    status.directory_refused = sources_->directory().refused();
    if (keys_ != nullptr) {
        status.tag_epoch = keys_->at(now.count / kSecond).number;
        status.keys_locked = keys_->locked();
    }
    status.keys_problem = keys_problem_;
    status.unstored = unstored_;
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
}

AccountStatus AccountPart::status() const {
    const std::lock_guard lock(mutex_);
    return status_;
}

}  // namespace seine::service
