#include "tools/world/parameters.h"

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <toml++/toml.h>

namespace seine::world {
namespace {

// One table of the file being read; remembers what was asked for, so that leftovers are told.
class Section {
  public:
    Section(const toml::table* table, std::string file, std::string path, std::string& error)
        : table_(table), file_(std::move(file)), path_(std::move(path)), error_(error) {}
    ~Section() {
        if (table_ == nullptr) return;
        for (const auto& [key, node] : *table_) {
            if (asked_.count(std::string(key.str())) == 0)
                fail(node, "there is no parameter `" + path_ + std::string(key.str()) + "`");
        }
    }
    Section(const Section&) = delete;
    Section& operator=(const Section&) = delete;

    void operator()(const char* name, double& out) {
        const toml::node* node = find(name);
        if (node == nullptr) return;
        const auto value = node->value<double>();
        if (!value || *value < -360)
            fail(*node, "`" + path_ + name + "` must be a number");
        else
            out = *value;
    }
    void operator()(const char* name, std::int64_t& out) {
        const toml::node* node = find(name);
        if (node == nullptr) return;
        if (!node->is_integer())
            fail(*node, "`" + path_ + name + "` must be a whole number");
        else
            out = **node->as_integer();
    }
    void operator()(const char* name, bool& out) {
        const toml::node* node = find(name);
        if (node == nullptr) return;
        if (!node->is_boolean())
            fail(*node, "`" + path_ + name + "` must be true or false");
        else
            out = **node->as_boolean();
    }
    void operator()(const char* name, std::string& out) {
        const toml::node* node = find(name);
        if (node == nullptr) return;
        if (!node->is_string())
            fail(*node, "`" + path_ + name + "` must be a text");
        else
            out = **node->as_string();
    }
    template <typename T>
    void operator()(const char* name, std::vector<T>& out) {
        const toml::node* node = find(name);
        if (node == nullptr) return;
        std::vector<T> read;
        if (const toml::array* items = node->as_array()) {
            for (const toml::node& item : *items) {
                const auto value = item.value<T>();
                if (value)
                    read.push_back(*value);
                else
                    fail(item, "`" + path_ + name + "` holds a value of another kind");
            }
        }
        if (read.empty())
            fail(*node, "`" + path_ + name + "` must be a list of values");
        else if (!out.empty() && out.size() != read.size() && fixed_length(name))
            fail(*node,
                 "`" + path_ + name + "` must have " + std::to_string(out.size()) + " values");
        else
            out = std::move(read);
    }
    const toml::table* child(const char* name) {
        const toml::node* node = find(name);
        if (node == nullptr) return nullptr;
        if (!node->is_table()) fail(*node, "`" + path_ + name + "` must be a table");
        return node->as_table();
    }
    const toml::array* children(const char* name) {
        const toml::node* node = find(name);
        if (node == nullptr) return nullptr;
        if (!node->is_array_of_tables())
            fail(*node, "`" + path_ + name + "` must be a list of tables: [[" + name + "]]");
        return node->is_array_of_tables() ? node->as_array() : nullptr;
    }
    std::string& error() { return error_; }
    const std::string& file() const { return file_; }

  private:
    static bool fixed_length(const std::string& name) {
        return name != "ciphers" && name != "extensions" && name != "signatures" && name != "mss" &&
               name != "tls" && name != "vips_v4" && name != "vips_v6" && name != "shares";
    }
    const toml::node* find(const char* name) {
        asked_.insert(name);
        return table_ == nullptr ? nullptr : table_->get(name);
    }
    void fail(const toml::node& node, const std::string& what) {
        if (!error_.empty()) return;
        const toml::source_position at = node.source().begin;
        error_ =
            file_ + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) + ": " + what;
    }
    const toml::table* table_;
    std::string file_, path_;
    std::string& error_;
    std::set<std::string> asked_;
};

// Lists of tables: an entry with a name that is there already changes it, another is added.
template <typename T, typename Bind>
void named_list(Section& top, const char* name, std::vector<T>& out, Bind bind) {
    const toml::array* items = top.children(name);
    if (items == nullptr) return;
    for (const toml::node& item : *items) {
        const std::string key =
            item.as_table()->operator[]("name").template value_or<std::string>("");
        T* entry = nullptr;
        for (T& there : out) {
            if (there.name == key) entry = &there;
        }
        if (entry == nullptr) entry = &out.emplace_back();
        Section section(item.as_table(), top.file(), std::string(name) + ".", top.error());
        section("name", entry->name);
        bind(section, *entry);
    }
}

template <typename Bind>
void table(Section& top, const char* name, Bind bind) {
    Section section(top.child(name), top.file(), std::string(name) + ".", top.error());
    bind(section);
}

#define F(field) s(#field, at.field)

void bind_lists(Section& top, Parameters& p) {
    named_list(top, "region", p.regions,
               [](Section& s, Region& at) { F(share), F(lat), F(lon), F(tz); });
    named_list(top, "tls", p.tls, [](Section& s, TlsParameters& at) {
        F(ciphers), F(extensions), F(signatures), F(generations);
    });
    named_list(top, "client", p.client, [](Section& s, ClientParameters& at) {
        F(tls), F(alpn), F(resume), F(dev), F(srv), F(mob), F(tls12), F(h3), F(crypto_ms),
            F(builds);
        s("auto", at.automatic);
    });
    named_list(top, "kernel", p.kernels, [](Section& s, KernelParameters& at) {
        F(options), F(window), F(scale), F(ttl), F(ports), F(dev), F(srv), F(mob), F(exit), F(box);
    });
    Section classes(top.child("class"), top.file(), "class.", top.error());
    for (std::size_t c = 0; c < kClasses; ++c) {
        Section s(classes.child(kClassNames[c]), top.file(),
                  "class." + std::string(kClassNames[c]) + ".", top.error());
        ClassParameters& at = p.classes[c];
        F(networks_per_region), F(access_ms), F(access_sigma), F(jitter_ms), F(spike_share),
            F(spike_ms), F(loss), F(v6), F(mss);
    }
    Section levels(top.child("level"), top.file(), "level.", top.error());
    for (const char* name : {"L1", "L2", "L3", "L4", "L5a", "L5b", "L5c"}) {
        LevelParameters* entry = nullptr;
        for (LevelParameters& there : p.levels) {
            if (there.name == name) entry = &there;
        }
        if (entry == nullptr) entry = &p.levels.emplace_back();
        LevelParameters& at = *entry;
        at.name = name;
        Section s(levels.child(name), top.file(), "level." + std::string(name) + ".", top.error());
        F(kind), F(client), F(addresses), F(exits_seen), F(rank), F(processes), F(rotate_s),
            F(customers), F(tickets);
        F(shared_connection), F(limited), F(human), F(batched), F(aged), F(gap), F(closed),
            F(moved), F(own_headers);
        F(exchanges_per_connection);
    }
}

void bind_people(Section& top, Parameters& p) {
    table(top, "people", [&](Section& s) {
        auto& at = p.people;
        F(home), F(cgnat), F(mobile), F(cloud), F(ci), F(serverless), F(corporate), F(campus),
            F(vpn), F(saas), F(byok);
        F(satellite), F(household), F(privacy_relay), F(proxy_user), F(hackathon), F(static_block),
            F(second_network);
        F(second_use), F(failover_spikes), F(failover_factor), F(closed_per_week),
            F(key_rotation_per_week);
    });
    table(top, "cgnat", [&](Section& s) {
        auto& at = p.cgnat;
        F(accounts_per_address), F(addresses), F(sticky_s);
    });
    table(top, "mobile", [&](Section& s) {
        auto& at = p.mobile;
        F(accounts_per_address), F(split_carriers), F(wifi), F(sticky_s);
    });
    table(top, "corporate", [&](Section& s) {
        auto& at = p.corporate;
        F(size_median), F(size_sigma), F(one_organisation), F(common_client), F(common_app),
            F(batch), F(relay), F(relay_far);
        F(inspection), F(home_too), F(size_max);
    });
    table(top, "campus", [&](Section& s) {
        auto& at = p.campus;
        F(size), F(addresses), F(group_max), F(burst), F(same_app), F(same_client),
            F(burst_in_window);
    });
    table(top, "vpn", [&](Section& s) {
        auto& at = p.vpn;
        F(accounts_per_address);
    });
    table(top, "ci", [&](Section& s) {
        auto& at = p.ci;
        F(accounts_per_address);
    });
    table(top, "serverless", [&](Section& s) {
        auto& at = p.serverless;
        F(accounts_per_address);
    });
    table(top, "privacy_relay", [&](Section& s) {
        auto& at = p.privacy_relay;
        F(accounts_per_address);
    });
    table(top, "saas", [&](Section& s) {
        auto& at = p.saas;
        F(size), F(addresses), F(processes);
    });
    table(top, "byok", [&](Section& s) {
        auto& at = p.byok;
        F(size_median), F(size_sigma), F(declared), F(shared_connection), F(own_app), F(home_too),
            F(addresses), F(processes);
    });
    table(top, "satellite", [&](Section& s) {
        auto& at = p.satellite;
        F(geostationary), F(orbit_ms);
    });
    table(top, "hackathon", [&](Section& s) {
        auto& at = p.hackathon;
        F(size), F(addresses), F(starter_app), F(starter_client), F(in_window);
    });
}

void bind_use(Section& top, Parameters& p) {
    table(top, "days", [&](Section& s) {
        auto& at = p.days;
        F(office), F(evening), F(broad), F(people_shapes), F(server_shapes), F(active_day),
            F(active_share);
        F(weekend_office), F(session_connections), F(session_gap_s);
    });
    table(top, "signups", [&](Section& s) {
        auto& at = p.signups;
        F(old_share), F(launch_share), F(release_factor), F(old_days_max), F(recent_days),
            F(launch_days_before);
    });
    table(top, "apps", [&](Section& s) {
        auto& at = p.apps;
        F(count), F(zipf), F(request_median), F(request_sigma), F(spread_min), F(spread_max),
            F(response_median);
        F(response_sigma), F(agentic), F(generic), F(think_s), F(think_server_s), F(error_4xx),
            F(error_5xx), F(limited);
    });
    table(top, "models", [&](Section& s) {
        auto& at = p.models;
        F(shares), F(endpoints), F(own), F(release_day), F(alias), F(adopt_days);
    });
    table(top, "tiers", [&](Section& s) {
        auto& at = p.tiers;
        F(people), F(firms), F(campus);
    });
    table(top, "gateway", [&](Section& s) {
        auto& at = p.gateway;
        F(count), F(offset_s_max), F(drift_ppm), F(delay_ms), F(delay_sigma), F(lost), F(doubled),
            F(late), F(anonymous);
    });
    table(top, "pool", [&](Section& s) {
        auto& at = p.pool;
        F(exits), F(homes), F(regions), F(sellers), F(static_server);
    });
    table(top, "farm", [&](Section& s) {
        auto& at = p.farm;
        F(operators), F(campaigns), F(accounts), F(relay_regions), F(twin_ms), F(exchanges),
            F(accounts_min), F(tasks);
        F(key_slack), F(batch), F(sticky_s), F(campaign_days), F(spread), F(task_response_factor),
            F(twins), F(continuity);
        F(pivot), F(batch_hours), F(batch_days), F(slow_days), F(closing_hours),
            F(conversation_exchanges);
    });
}

void bind(Section& top, Parameters& p) {
    table(top, "world", [&](Section& s) {
        auto& at = p.world;
        F(start_epoch_s), F(days), F(accounts), F(reference_accounts), F(exchanges_median),
            F(exchanges_sigma);
        F(exchanges_max), F(exchanges_per_connection), F(exchanges_listed_max);
    });
    table(top, "edge", [&](Section& s) {
        auto& at = p.edge;
        F(lat), F(lon), F(vips_v4), F(vips_v6);
    });
    table(top, "round_trip", [&](Section& s) {
        auto& at = p.round_trip;
        F(floor_ms), F(ms_per_km), F(detour_sigma), F(spread_deg), F(crypto_sigma), F(relay_ms),
            F(retry_request_share);
    });
    table(top, "prefixes", [&](Section& s) {
        auto& at = p.prefixes;
        F(home_accounts_per_24), F(listed), F(wrong), F(renumbered_daily), F(renumbered_weekly);
    });
    table(top, "clients", [&](Section& s) {
        auto& at = p.clients;
        F(build_zipf), F(second_share), F(rollout_lag_days), F(padding_share), F(early_data_share),
            F(rollouts), F(rollout_days);
    });
    table(top, "sessions", [&](Section& s) {
        auto& at = p.sessions;
        F(lifetime_s), F(wave_ms), F(presented), F(restart_hours);
    });
    bind_lists(top, p);
    bind_people(top, p);
    bind_use(top, p);
}
#undef F

Status read_into(std::string_view text, const std::string& file, Parameters& out) {
    const toml::parse_result parsed = toml::parse(text, file);
    if (!parsed) {
        const auto at = parsed.error().source().begin;
        return failed(file + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
                      ": " + std::string(parsed.error().description()));
    }
    std::string error;
    {
        Section top(&parsed.table(), file, "", error);
        bind(top, out);
    }
    return error.empty() ? Status() : failed(error);
}

Status check(const Parameters& p, const std::string& file) {
    const auto need = [&](bool good, const char* what) {
        return good ? Status() : failed(file + ": " + what);
    };
    const std::size_t farms = p.farm.operators.size();
    for (const Status& s :
         {need(p.world.days > 0 && p.world.days <= 90,
               "`world.days` must be above 0 and at most 90"),
          need(p.world.accounts >= 200 && p.world.accounts <= 8'000'000,
               "`world.accounts` must be 200 to 8,000,000"),
          need(!p.regions.empty() && p.pool.regions.size() == p.regions.size(),
               "`pool.regions` must have a share for each [[region]]"),
          need(farms > 0 && p.farm.campaigns.size() == farms && p.farm.accounts.size() == farms &&
                   p.farm.exchanges.size() == farms && p.farm.relay_regions.size() == farms,
               "the lists of `farm` must be of one length"),
          need(p.days.office.size() == 24 && p.days.evening.size() == 24 &&
                   p.days.broad.size() == 24,
               "the shapes of `days` have 24 hours"),
          need(p.apps.count >= 64 && p.apps.count <= 60000, "`apps.count` must be 64 to 60,000"),
          need(p.gateway.count >= 1 && p.gateway.count <= 64, "`gateway.count` must be 1 to 64")}) {
        if (!s.ok()) return s;
    }
    for (const std::int64_t region : p.farm.relay_regions) {
        if (region < 0 || region >= static_cast<std::int64_t>(p.regions.size()))
            return failed(file + ": `farm.relay_regions` names a region that is not there");
    }
    return {};
}

}  // namespace

const LevelParameters* Parameters::level(const std::string& name) const {
    for (const LevelParameters& l : levels) {
        if (l.name == name) return &l;
    }
    return nullptr;
}

Status set_scale(Parameters& parameters, const std::string& scale) {
    if (scale == "published") {
        parameters.world.accounts = parameters.world.reference_accounts;
        parameters.world.days = 30;
        return {};
    }
    char* end = nullptr;
    double accounts = std::strtod(scale.c_str(), &end);
    if (*end == 'k')
        accounts *= 1e3, ++end;
    else if (*end == 'M')
        accounts *= 1e6, ++end;
    if (scale.empty() || *end != '\0' || !(accounts >= 200) || !(accounts <= 8e6))
        return {Code::usage,
                "--scale " + scale + ": a number of accounts from 200 to 8M, or `published`"};
    parameters.world.accounts = static_cast<std::int64_t>(accounts);
    return {};
}

Result<Parameters> read_parameters(const std::string& path) {
    Parameters out;
    if (Status s = read_into(kWorldToml, "world.toml (built in)", out); !s.ok()) return s;
    if (!path.empty()) {
        std::ifstream in(path);
        std::stringstream text;
        if (!in || !(text << in.rdbuf())) return failed(path + ": cannot be read, or is empty");
        if (Status s = read_into(text.str(), path, out); !s.ok()) return s;
    }
    if (Status s = check(out, path.empty() ? "world.toml (built in)" : path); !s.ok()) return s;
    return out;
}

}  // namespace seine::world
