// Every parameter of a world, as read from TOML; meanings and sources stand in world.toml.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/base/status.h"

namespace seine::world {

enum class Class : std::uint8_t {
    residential,
    mobile,
    hosting,
    corporate,
    education,
    vpn,
    ci,
    satellite
};
inline constexpr std::size_t kClasses = 8;
inline constexpr std::array<const char*, kClasses> kClassNames = {
    "residential", "mobile", "hosting", "corporate", "education", "vpn", "ci", "satellite"};

struct Region {
    std::string name;
    double share = 0, lat = 0, lon = 0;
    std::int64_t tz = 0;
};
struct ClassParameters {
    std::int64_t networks_per_region = 1;
    double access_ms = 1, access_sigma = 0, jitter_ms = 0, spike_share = 0, spike_ms = 0, loss = 0,
           v6 = 0;
    std::vector<double> mss;  // value, share, value, share, ...
};
struct TlsParameters {
    std::string name;
    std::vector<std::int64_t> ciphers, extensions, signatures;
    std::int64_t generations = 1;
};
struct ClientParameters {
    std::string name;
    std::vector<std::string> tls;
    std::string alpn, resume;
    double dev = 0, srv = 0, mob = 0, tls12 = 0, h3 = 0, crypto_ms = 1, automatic = 0;
    std::int64_t builds = 1;
};
struct KernelParameters {
    std::string name, options;
    std::int64_t window = 0, scale = 0, ttl = 64;
    std::vector<std::int64_t> ports;
    double dev = 0, srv = 0, mob = 0, exit = 0, box = 0;
};
struct LevelParameters {
    std::string name, kind, client;
    std::vector<std::int64_t> addresses, exits_seen;
    std::int64_t rank = 0, processes = 1, rotate_s = 0;
    double customers = 0, tickets = 0, shared_connection = 0, limited = 0, human = 0, batched = 0,
           aged = 0;
    double gap = 0, closed = 0, moved = 0, own_headers = 0, exchanges_per_connection = 1;
};

struct Parameters {
    struct {
        std::int64_t start_epoch_s = 0, accounts = 0, reference_accounts = 1,
                     exchanges_listed_max = 60;
        double days = 1, exchanges_median = 1, exchanges_sigma = 1, exchanges_max = 1,
               exchanges_per_connection = 1;
    } world;
    struct {
        double lat = 0, lon = 0;
        std::vector<std::string> vips_v4, vips_v6;
    } edge;
    std::vector<Region> regions;
    struct {
        double floor_ms = 0, ms_per_km = 0, detour_sigma = 0, spread_deg = 0, crypto_sigma = 0,
               relay_ms = 0;
        double retry_request_share = 0;
    } round_trip;
    std::array<ClassParameters, kClasses> classes;
    struct {
        double home_accounts_per_24 = 1, listed = 1, wrong = 0, renumbered_daily = 0,
               renumbered_weekly = 0;
    } prefixes;
    std::vector<TlsParameters> tls;
    std::vector<ClientParameters> client;
    struct {
        double build_zipf = 1, second_share = 0, rollout_lag_days = 1, padding_share = 0,
               early_data_share = 0;
        std::vector<std::string> rollouts;
        std::vector<double> rollout_days;
    } clients;
    std::vector<KernelParameters> kernels;
    struct {
        std::int64_t lifetime_s = 1, wave_ms = 1;
        double presented = 0, restart_hours = 1;
    } sessions;
    struct {
        double home = 0, cgnat = 0, mobile = 0, cloud = 0, ci = 0, serverless = 0, corporate = 0,
               campus = 0, vpn = 0;
        double saas = 0, byok = 0, satellite = 0, household = 0, privacy_relay = 0, proxy_user = 0,
               hackathon = 0;
        double static_block = 0, second_network = 0, second_use = 0, failover_spikes = 0,
               failover_factor = 1;
        double closed_per_week = 0, key_rotation_per_week = 0;
    } people;
    struct {
        double accounts_per_address = 1;
        std::int64_t addresses = 1, sticky_s = 1;
    } cgnat;
    struct {
        double accounts_per_address = 1, split_carriers = 0, wifi = 0;
        std::int64_t sticky_s = 1;
    } mobile;
    struct {
        double size_median = 1, size_sigma = 1, one_organisation = 0, common_client = 0,
               common_app = 0, batch = 0;
        double relay = 0, relay_far = 0, inspection = 0, home_too = 0;
        std::int64_t size_max = 1;
    } corporate;
    struct {
        std::int64_t size = 1, addresses = 1, group_max = 1;
        double burst = 0, same_app = 0, same_client = 0, burst_in_window = 0;
    } campus;
    struct {
        double accounts_per_address = 1;
    } vpn, ci, serverless, privacy_relay;
    struct {
        std::int64_t size = 1, addresses = 1, processes = 1;
    } saas;
    struct {
        double size_median = 1, size_sigma = 1, declared = 0, shared_connection = 0, own_app = 0,
               home_too = 0;
        std::int64_t addresses = 1, processes = 1;
    } byok;
    struct {
        double geostationary = 0, orbit_ms = 0;
    } satellite;
    struct {
        std::int64_t size = 1, addresses = 1;
        double starter_app = 0, starter_client = 0, in_window = 0;
    } hackathon;
    struct {
        std::vector<double> office, evening, broad, people_shapes, server_shapes, active_day,
            active_share;
        double weekend_office = 1, session_connections = 1, session_gap_s = 1;
    } days;
    struct {
        double old_share = 0, launch_share = 0, release_factor = 1;
        std::int64_t old_days_max = 1, recent_days = 1;
        std::vector<double> launch_days_before;
    } signups;
    struct {
        std::int64_t count = 1;
        double zipf = 1, request_median = 1, request_sigma = 0, spread_min = 0, spread_max = 0,
               response_median = 1;
        double response_sigma = 0, agentic = 0, generic = 0, think_s = 1, think_server_s = 1,
               error_4xx = 0;
        double error_5xx = 0, limited = 0;
    } apps;
    struct {
        std::vector<double> shares, endpoints;
        double own = 1, release_day = 0, alias = 0, adopt_days = 1;
    } models;
    struct {
        std::vector<double> people, firms, campus;
    } tiers;
    struct {
        std::int64_t count = 1;
        double offset_s_max = 0, drift_ppm = 0, delay_ms = 1, delay_sigma = 0, lost = 0,
               doubled = 0, late = 0;
        double anonymous = 0;
    } gateway;
    struct {
        double exits = 1, homes = 0;
        std::vector<double> regions;
        std::int64_t sellers = 1;
        bool static_server = true;
    } pool;
    struct {
        std::vector<std::string> operators, campaigns;
        std::vector<std::int64_t> accounts, relay_regions, twin_ms;
        std::vector<double> exchanges;
        std::int64_t accounts_min = 0, tasks = 1, key_slack = 0, batch = 1, sticky_s = 1;
        double campaign_days = 1, spread = 0, task_response_factor = 1, twins = 0, continuity = 0,
               pivot = 0;
        double batch_hours = 1, batch_days = 1, slow_days = 1, closing_hours = 1,
               conversation_exchanges = 1;
    } farm;
    std::vector<LevelParameters> levels;

    // Accounts asked for by those of the reference.
    [[nodiscard]] double scale() const {
        return static_cast<double>(world.accounts) / static_cast<double>(world.reference_accounts);
    }
    [[nodiscard]] const LevelParameters* level(const std::string& name) const;
};

// The built-in file, and what `path` changes in it; empty: nothing. A name that is not known, a
// value of the wrong kind or out of range fails with file, line and column.
Result<Parameters> read_parameters(const std::string& path);
// `published` (the full campaign: 1,024,000 accounts over 30 days) or a number of accounts, 200 to
// 8,000,000; `k` and `M` may follow it.
[[nodiscard]] Status set_scale(Parameters& parameters, const std::string& scale);
// The built-in file, as text.
extern const char* const kWorldToml;

}  // namespace seine::world
