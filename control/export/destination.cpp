// The delivery loop: take a batch, hand it to the carrier, acknowledge what arrived, rest when
// nothing did.
#include "control/export/destination.h"

#include <algorithm>
#include <chrono>

#include "control/export/late_carrier.h"
#include "control/export/stream.h"

namespace seine::siem {
namespace {

constexpr int kRestFirstMs = 250;
constexpr int kRestMaxMs = 30'000;
constexpr std::int64_t kBackfillAgeNs = 10 * kSecond;
constexpr std::int64_t kLookAgainMs = 2000;

Lane lane_of(model::EventKind kind) {
    return kind == model::EventKind::flow_summary ? Lane::flows : Lane::findings;
}

Result<std::unique_ptr<Carrier>> carrier_by_files(const DestinationSettings& settings) {
    if (!settings.again) return make_carrier(settings.carrier);
    const auto own = settings.again();
    if (!own) return own.error();
    return make_carrier(*own);
}

}  // namespace

std::string target_text(const CarrierSettings& settings) {
    if (!settings.path.empty()) return settings.path;
    if (!settings.url.empty()) {
        // A user in a URL would bring a password with it.
        const std::size_t scheme = settings.url.find("://");
        const std::size_t at = settings.url.find('@');
        const std::size_t slash =
            scheme == std::string::npos ? std::string::npos : settings.url.find('/', scheme + 3);
        if (at != std::string::npos && scheme != std::string::npos && at < slash)
            return settings.url.substr(0, scheme + 3) + settings.url.substr(at + 1);
        return settings.url;
    }
    if (!settings.brokers.empty()) return settings.brokers + " " + settings.topic;
    return settings.host + ":" + std::to_string(settings.port);
}

Status check_destination(const DestinationSettings& settings) {
    const auto made = Destination::make(settings, {}, nullptr);
    return made ? Status() : made.error();
}

Result<std::unique_ptr<Destination>> Destination::make(const DestinationSettings& settings,
                                                       const std::string& directory,
                                                       Changed changed) {
    const std::string who = "export " + settings.carrier.name + ": ";
    const Format* format = find_format(settings.format);
    if (format == nullptr) {
        std::string known;
        for (const Format* one : formats()) known.append(" ").append(one->name());
        return failed(who + "there is no format `" + settings.format + "`; there are:" + known);
    }
    const CarrierInfo* info = find_carrier(settings.carrier.carrier);
    if (info == nullptr)
        return failed(who + "there is no carrier `" + settings.carrier.carrier + "`");
    auto carrier = settings.missing.ok() ? make_carrier(settings.carrier)
                                         : Result<std::unique_ptr<Carrier>>(settings.missing);
    if (!carrier && !settings.again) return carrier.error();
    const bool is_ipfix = settings.carrier.carrier.starts_with("ipfix-");
    if (is_ipfix != format->is_binary())
        return failed(
            who +
            "format ipfix goes with the carriers ipfix-udp and ipfix-tcp, and they with it alone");
    if (info->envelope == Envelope::bulk && !format->is_json())
        return failed(who + "bulk wants a JSON format: ecs, eve or ocsf");
    DestinationSettings own = settings;
    if (own.render.bytes_max == 0) own.render.bytes_max = info->bytes_max;
    std::unique_ptr<Destination> made(new Destination(own, *format, info->envelope));
    if (!directory.empty()) {
        auto outbox = Outbox::open(directory + "/" + settings.carrier.name, settings.outbox);
        if (!outbox) return outbox.error();
        made->outbox_ = std::move(*outbox);
    }
    if (carrier) {
        made->carrier_ = std::move(*carrier);
    } else {
        made->carrier_missing_ = true;
        made->up_ = false;
        made->error_ = carrier.error().message();
        made->carrier_ =
            make_late_carrier([settings] { return carrier_by_files(settings); }, info->acknowledges);
    }
    made->changed_ = std::move(changed);
    made->paused_ = settings.paused;
    made->since_ns_ = wall_ns();
    return made;
}

Destination::~Destination() { end(); }

void Destination::end() {
    stop_.store(true);
    if (outbox_ != nullptr) outbox_->wake();
    {
        const std::lock_guard lock(mutex_);
        resting_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void Destination::start() {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
}

std::shared_ptr<Outbox> Destination::release() {
    end();
    return outbox_;
}

void Destination::adopt(std::shared_ptr<Outbox> outbox) {
    outbox->set_limits(settings_.outbox);
    outbox_ = std::move(outbox);
}

void Destination::put(const model::Event& event, std::int64_t now_ns) {
    const std::string_view message = renderer_.render(event);
    if (message.empty()) {
        ++unrenderable_;
        return;
    }
    static_cast<void>(outbox_->append(lane_of(event.kind), message, now_ns));  // counted there
}

void Destination::offer(const model::Event& event, std::int64_t now_ns) {
    if (!settings_.filter.passes(event)) {
        ++filtered_;
        return;
    }
    const std::uint32_t stands_for = settings_.filter.flows_per_kept();
    const bool is_flow = event.kind == model::EventKind::flow_summary;
    if (is_flow && (stands_for > 1 || settings_.filter.sum_up_flows)) {
        model::Event kept = event;
        kept.count = static_cast<std::uint32_t>(
            std::min<std::uint64_t>(std::uint64_t{kept.count} * stands_for, ~std::uint32_t{0}));
        if (!settings_.filter.sum_up_flows || !minutes_.add(kept)) put(kept, now_ns);
        return;
    }
    put(event, now_ns);
}

void Destination::tick(std::int64_t now_ns) {
    if (minutes_.due({now_ns}))
        minutes_.flush({now_ns}, [&](const model::Event& event) { put(event, now_ns); });
}

void Destination::pause(bool paused) {
    {
        const std::lock_guard lock(mutex_);
        paused_ = paused;
        resting_.notify_all();
    }
    outbox_->wake();
}

void Destination::reopen() { reopen_.store(true); }

bool Destination::drained() const {
    const OutboxCounts counts = outbox_->counts();
    return counts.waiting[0] + counts.waiting[1] == 0;
}

// How many events may go now: a bucket that holds a second's worth.
std::size_t Destination::allowed(std::int64_t first_ns) {
    std::uint32_t rate = settings_.events_per_second;
    const bool is_late = wall_ns() - first_ns > kBackfillAgeNs;
    if (is_late && settings_.backfill_per_second > 0)
        rate = rate == 0 ? settings_.backfill_per_second
                         : std::min(rate, settings_.backfill_per_second);
    if (rate == 0) return ~std::size_t{0};
    const std::int64_t now_ms = steady_ms();
    tokens_ = std::min<double>(
        rate, tokens_ + static_cast<double>(now_ms - tokens_at_ms_) * rate / 1000.0);
    tokens_at_ms_ = now_ms;
    return static_cast<std::size_t>(std::max(0.0, tokens_));
}

void Destination::rest(int ms) {
    std::unique_lock lock(mutex_);
    resting_.wait_for(lock, std::chrono::milliseconds(ms), [this] { return stop_.load(); });
}

void Destination::run() {
    Outbox::Batch batch;
    int rest_ms = kRestFirstMs;
    if (carrier_missing_) tell(failed(error_));
    std::int64_t sync_at = steady_ms() + 1000;
    while (!stop_.load()) {
        if (steady_ms() >= sync_at) {
            outbox_->sync();
            carrier_->sync();
            sync_at = steady_ms() + 1000;
        }
        bool paused = false;
        {
            const std::lock_guard lock(mutex_);
            paused = paused_;
        }
        if (paused) {
            rest(200);
            continue;
        }
        if (reopen_.exchange(false)) carrier_->reopen();
        if (carrier_missing_) {
            look_for_carrier();
            if (carrier_missing_) {
                rest(200);
                continue;
            }
        }
        if (!outbox_->take(batch, carrier_->batch_messages(), carrier_->batch_bytes())) {
            outbox_->wait(500);
            continue;
        }
        const std::size_t most = std::min(allowed(batch.first_ns), batch.messages.size());
        if (most == 0) {
            outbox_->acknowledge(batch, 0);
            rest(20);
            continue;
        }
        const std::span<const std::string_view> messages(batch.messages.data(), most);
        std::size_t bytes = 0;
        for (const std::string_view message : messages) bytes += message.size();
        if (batch.lane == Lane::findings) carrier_->expect_findings();
        const Delivery delivery = carrier_->deliver(messages, stop_);
        outbox_->acknowledge(batch, delivery.accepted);
        tokens_ -= static_cast<double>(delivery.accepted);
        // All of a batch as late as its oldest: no event waited longer than this says.
        if (batch.lane == Lane::findings && delivery.accepted > 0)
            delay_.add(wall_ns() - batch.first_ns, delivery.accepted);
        settle(delivery, messages.size(), bytes);
        if (delivery.status.ok()) {
            rest_ms = kRestFirstMs;
            continue;
        }
        rest(delivery.pause_ms > 0 ? std::min(delivery.pause_ms, 600'000) : rest_ms);
        rest_ms = delivery.accepted > 0 ? kRestFirstMs : std::min(rest_ms * 2, kRestMaxMs);
    }
}

void Destination::settle(const Delivery& delivery, std::size_t count, std::size_t bytes) {
    bool changed = false;
    {
        const std::lock_guard lock(mutex_);
        refused_ += delivery.refused;
        if (delivery.accepted == count) delivered_bytes_ += bytes;
        const bool up = delivery.status.ok();
        if (!up) {
            ++deliveries_failed_;
            error_ = delivery.status.message();
        }
        changed = up != up_ && !stop_.load();
        if (changed) {
            up_ = up;
            since_ns_ = wall_ns();
        }
    }
    if (changed) tell(delivery.status);
}

void Destination::tell(const Status& status) {
    if (changed_) changed_(settings_.carrier.name, status.ok(), status.message());
}

// Also where nothing waits: a destination is up again as soon as what it lacked is there.
void Destination::look_for_carrier() {
    if (steady_ms() < look_at_ms_) return;
    look_at_ms_ = steady_ms() + kLookAgainMs;
    Delivery none;
    none.status = carrier_->ready();
    carrier_missing_ = !none.status.ok();
    settle(none, 0, 0);
}

Result<std::unique_ptr<Carrier>> Destination::another_carrier() const {
    return carrier_by_files(settings_);
}

DestinationStatus Destination::status() const {
    DestinationStatus out;
    out.name = settings_.carrier.name;
    out.carrier = settings_.carrier.carrier;
    out.format = settings_.format;
    out.target = target_text(settings_.carrier);
    out.acknowledges = carrier_->acknowledges();
    out.filtered = filtered_.load();
    out.unrenderable = unrenderable_.load();
    out.outbox = outbox_->counts();
    for (std::size_t i = 0; i < out.delay_counts.size(); ++i) out.delay_counts[i] = delay_.count(i);
    out.delay_sum_seconds = delay_.sum_seconds();
    const std::lock_guard lock(mutex_);
    out.paused = paused_;
    out.up = up_;
    out.since_ns = since_ns_;
    if (!up_) out.error = error_;
    out.deliveries_failed = deliveries_failed_;
    out.refused = refused_;
    out.delivered_bytes = delivered_bytes_;
    return out;
}

}  // namespace seine::siem
