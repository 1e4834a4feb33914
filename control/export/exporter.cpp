// Numbers of events are reserved in blocks on the disk, so none comes twice after a kill.
#include "control/export/exporter.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "control/export/stream.h"

namespace seine::siem {
namespace {

constexpr std::uint64_t kSequenceBlock = 1'000'000;

std::size_t index(model::EventKind kind) { return static_cast<std::size_t>(kind) - 1; }

model::Event test_event() {
    model::Event event;
    event.kind = model::EventKind::health;
    event.severity = model::Severity::info;
    event.at = event.seen = {wall_ns()};
    event.title = "export test";
    event.message = "This is a test event, sent by an operator with seinectl export test.";
    return event;
}

Status unknown(const std::string& name) {
    return {Code::not_found, "there is no destination `" + name + "`; see seinectl export list"};
}

}  // namespace

Exporter::Change::~Change() = default;

Result<std::unique_ptr<Exporter>> Exporter::open(Options options) {
    std::unique_ptr<Exporter> made(new Exporter(std::move(options)));
    if (::mkdir(made->options_.directory.c_str(), 0700) != 0 && errno != EEXIST)
        return failed(made->options_.directory + ": cannot be made: " + std::strerror(errno));
    const Status status = made->load_sequence();
    if (!status.ok()) return status;
    made->started_ns_ = wall_ns();
    made->ticks_ = std::thread([exporter = made.get()] { exporter->run_ticks(); });
    return made;
}

Exporter::~Exporter() {
    stop_.store(true);
    if (ticks_.joinable()) ticks_.join();
    // Destinations end before what they tell of their changes to.
    std::vector<std::shared_ptr<Destination>> last;
    {
        const std::lock_guard lock(mutex_);
        last.swap(destinations_);
        save_sequence(sequence_);
    }
}

Status Exporter::load_sequence() {
    const std::string path = options_.directory + "/sequence";
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        char text[32] = {};
        const ssize_t count = ::read(fd, text, sizeof text - 1);
        ::close(fd);
        if (count <= 0 || std::from_chars(text, text + count, sequence_).ec != std::errc())
            return {Code::corrupt,
                    path + ": holds no number; write one above every event's sequence into it"};
    }
    sequence_saved_ = sequence_;
    return {};
}

void Exporter::save_sequence(std::uint64_t to) {
    const std::string path = options_.directory + "/sequence";
    const std::string fresh = path + ".new";
    const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return;  // tried again with the next event
    const std::string text = std::to_string(to) + "\n";
    const bool written =
        ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(fd) == 0;
    ::close(fd);
    if (written && std::rename(fresh.c_str(), path.c_str()) == 0) sequence_saved_ = to;
}

void Exporter::submit(model::Event event) {
    if (kinds_of(event.kind) == 0) return;
    const std::int64_t now_ns = wall_ns();
    const std::lock_guard lock(mutex_);
    if (sequence_ >= sequence_saved_) save_sequence(sequence_ + kSequenceBlock);
    event.sequence = ++sequence_;
    for (const auto& destination : destinations_) destination->offer(event, now_ns);
    if (event.kind != model::EventKind::flow_summary) age_.add(now_ns - event.at.count);
    const std::size_t kind = index(event.kind);
    const std::uint64_t number = ++submitted_[kind];
    // Flows come in thousands: one of a hundred is enough to estimate from.
    if (event.kind == model::EventKind::flow_summary && number > kRememberedMax &&
        number % 100 != 0)
        return;
    if (remembered_[kind].size() == kRememberedMax) remembered_[kind].pop_front();
    remembered_[kind].push_back(std::move(event));
}

Destination::Changed Exporter::changed() {
    return
        [this](const std::string& name, bool up, const std::string& why) { told(name, up, why); };
}

Result<std::unique_ptr<Exporter::Change>> Exporter::prepare(
    const std::vector<DestinationSettings>& wanted) {
    auto change = std::make_unique<Change>();
    for (const DestinationSettings& settings : wanted) {
        DestinationSettings own = settings;
        own.render.items.sensor = options_.sensor;
        const std::shared_ptr<Destination> running = find(own.carrier.name);
        if (running == nullptr) {
            auto made = Destination::make(own, options_.directory, changed());
            if (!made) return made.error();
            change->fresh.push_back(std::move(*made));
            continue;
        }
        if (running->settings().fingerprint == own.fingerprint && !own.fingerprint.empty()) {
            change->kept.push_back(own.carrier.name);
            continue;
        }
        // Its outbox is in use and goes over at apply(); everything else is made now.
        auto made = Destination::make(own, {}, changed());
        if (!made) return made.error();
        change->successors.push_back(std::move(*made));
    }
    return change;
}

void Exporter::apply(std::unique_ptr<Change> change) {
    std::vector<std::shared_ptr<Destination>> ended;
    {
        const std::lock_guard lock(mutex_);
        ended = destinations_;
        std::erase_if(ended, [&change](const auto& running) {
            return std::find(change->kept.begin(), change->kept.end(),
                             running->settings().carrier.name) != change->kept.end();
        });
    }
    // Their threads end outside the lock: they may be telling of a change. Events that come
    // meanwhile still go into their outboxes.
    for (const auto& destination : ended) static_cast<void>(destination->release());
    const std::lock_guard lock(mutex_);
    for (auto& successor : change->successors) {
        const auto before = std::find_if(ended.begin(), ended.end(), [&successor](const auto& one) {
            return one->settings().carrier.name == successor->settings().carrier.name;
        });
        if (before != ended.end()) successor->adopt((*before)->release());
    }
    std::erase_if(destinations_, [&ended](const auto& one) {
        return std::find(ended.begin(), ended.end(), one) != ended.end();
    });
    for (auto* list : {&change->fresh, &change->successors}) {
        for (auto& made : *list) destinations_.push_back(std::move(made));
    }
    bool flows = false;
    for (const auto& destination : destinations_) {
        destination->start();
        flows = flows || (destination->settings().filter.kinds & kFlow) != 0;
    }
    takes_flows_.store(flows, std::memory_order_relaxed);
}

std::shared_ptr<Destination> Exporter::find(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    for (const auto& destination : destinations_) {
        if (destination->settings().carrier.name == name) return destination;
    }
    return nullptr;
}

std::vector<DestinationStatus> Exporter::status() const {
    std::vector<std::shared_ptr<Destination>> all;
    {
        const std::lock_guard lock(mutex_);
        all = destinations_;
    }
    std::vector<DestinationStatus> out;
    for (const auto& destination : all) out.push_back(destination->status());
    return out;
}

Status Exporter::pause(const std::string& name, bool paused) {
    const auto destination = find(name);
    if (destination == nullptr) return unknown(name);
    destination->pause(paused);
    return {};
}

Result<std::uint64_t> Exporter::replay(const std::string& name, std::int64_t since_ns) {
    const auto destination = find(name);
    if (destination == nullptr) return unknown(name);
    return destination->replay(since_ns);
}

Status Exporter::test(const std::string& name) {
    const auto destination = find(name);
    if (destination == nullptr) return unknown(name);
    model::Event event = test_event();
    const std::lock_guard lock(mutex_);
    if (sequence_ >= sequence_saved_) save_sequence(sequence_ + kSequenceBlock);
    event.sequence = ++sequence_;
    destination->offer(event, event.at.count);
    return {};
}

Status Exporter::probe(const std::string& name) {
    const auto destination = find(name);
    if (destination == nullptr) return unknown(name);
    const DestinationSettings& settings = destination->settings();
    auto carrier = destination->another_carrier();
    if (!carrier) return carrier.error();
    model::Event event = test_event();
    {
        const std::lock_guard lock(mutex_);
        event.sequence = ++sequence_;
    }
    Renderer renderer(*find_format(settings.format),
                      find_carrier(settings.carrier.carrier)->envelope, settings.render);
    const std::string message(renderer.render(event));
    const std::string_view one[] = {message};
    const Delivery delivery = (*carrier)->deliver(one, stop_);
    if (!delivery.status.ok()) return delivery.status;
    if (delivery.refused > 0)
        return failed(target_text(settings.carrier) + ": the receiver refuses the event");
    return {};
}

Result<Estimate> Exporter::estimate(const DestinationSettings& settings) const {
    const Format* format = find_format(settings.format);
    const CarrierInfo* carrier = find_carrier(settings.carrier.carrier);
    if (format == nullptr || carrier == nullptr)
        return Status(Code::usage, "export estimate needs a format and a carrier that exist");
    RenderOptions render = settings.render;
    render.items.sensor = options_.sensor;
    if (render.bytes_max == 0) render.bytes_max = carrier->bytes_max;
    Renderer renderer(*format, carrier->envelope, render);
    const std::lock_guard lock(mutex_);
    Estimate out;
    out.observed_seconds = std::max(1.0, static_cast<double>(wall_ns() - started_ns_) / 1e9);
    for (std::size_t kind = 0; kind < remembered_.size(); ++kind) {
        const auto& events = remembered_[kind];
        if (events.empty()) continue;
        double passed = 0;
        double bytes = 0;
        std::unordered_map<model::AccountTag, int> accounts;
        for (const model::Event& event : events) {
            if (!settings.filter.passes(event)) continue;
            passed += 1;
            bytes += static_cast<double>(renderer.render(event).size());
            if (event.account.known()) ++accounts[event.account];
        }
        const double per_day = static_cast<double>(submitted_[kind]) / out.observed_seconds * 86400;
        double share = passed / static_cast<double>(events.size());
        if (kind == index(model::EventKind::flow_summary) && settings.filter.sum_up_flows &&
            passed > 0)
            share *= static_cast<double>(accounts.size()) /
                     passed;  // at most: accounts seen in the sample
        out.events_per_day_by_kind[kind] = per_day * share;
        out.events_per_day += per_day * share;
        if (passed > 0) out.bytes_per_day += per_day * share * bytes / passed;
    }
    return out;
}

void Exporter::reopen() {
    const std::lock_guard lock(mutex_);
    for (const auto& destination : destinations_) destination->reopen();
}

bool Exporter::drain(int timeout_ms) {
    const std::int64_t until = steady_ms() + timeout_ms;
    while (true) {
        bool empty = true;
        {
            const std::lock_guard lock(mutex_);
            for (const auto& destination : destinations_) empty = empty && destination->drained();
        }
        if (empty) return true;
        if (steady_ms() >= until) return false;
        nap_ms(10);
    }
}

std::array<std::uint64_t, 5> Exporter::submitted() const {
    const std::lock_guard lock(mutex_);
    return submitted_;
}

void Exporter::told(const std::string& name, bool up, const std::string& why) {
    model::Event event;
    event.kind = model::EventKind::health;
    event.severity = up ? model::Severity::info : model::Severity::medium;
    event.at = event.seen = {wall_ns()};
    event.title = "export";
    event.message = up ? "destination " + name + " takes events again"
                       : "destination " + name + " takes no events: " + why;
    submit(std::move(event));
}

void Exporter::run_ticks() {
    while (!stop_.load()) {
        nap_ms(200);
        const std::int64_t now_ns = wall_ns();
        const std::lock_guard lock(mutex_);
        for (const auto& destination : destinations_) destination->tick(now_ns);
    }
}

}  // namespace seine::siem
