// The table of keys. A key: a member of Config with its default, and a row here; reader, example
// and man page follow.
#include "control/service/config.h"

namespace seine::service {
namespace {

constexpr std::uint64_t kYear = 366;

constexpr ConfigKey kKeys[] = {
    {.name = "rings",
     .meaning = "Ring files of the dataplanes on this machine, as they were given to seine-dataplane --records "
                "ring:PATH. Beside each one its alerts ring (PATH.alerts) is read. A ring that is not there yet is "
                "waited for.",
     .texts = &Config::rings},
    {.name = "socket",
     .meaning = "Where seinectl asks. The folder must exist.",
     .text = &Config::socket},
    {.name = "reader-group",
     .meaning = "Members of this group may ask. Empty: root and the user that seine-control runs as alone.",
     .text = &Config::reader_group},
    {.name = "operator-group",
     .meaning = "Members of this group may also change things.",
     .text = &Config::operator_group},
    {.name = "log-file",
     .meaning = "Where log lines go; empty: stderr. Opened again at SIGHUP.",
     .text = &Config::log_file},
    {.name = "log-level",
     .meaning = "The least that is logged.",
     .text = &Config::log_level,
     .choices = "debug info warning error"},
    {.name = "metrics",
     .meaning = "HOST:PORT where Prometheus scrapes /metrics, such as 127.0.0.1:9464; empty: none. There is no "
                "authentication: keep it to the loopback or a management network.",
     .text = &Config::metrics},
    {.name = "dataplane-socket",
     .meaning = "Admin socket of the dataplane on this machine, whose counters /metrics serves beside control's own; empty: "
                "none.",
     .text = &Config::dataplane_socket},

    {.name = "account-sources",
     .meaning = "Where accounts are learned from, one text a source: NAME KIND PLACE [key=value ..]. Kinds: unix and "
                "udp (account records, binary or JSON lines), file (an access log), syslog-unix, syslog-udp, "
                "syslog-tcp, inline (requests in clear behind the terminator, PLACE is -). Keys: gateway=NUMBER, "
                "format=nginx|haproxy|envoy|caddy|json, pattern=.., PROPERTY=FIELD|FIELD, time=start|end, "
                "server=as-logged|any, from=start|end, mode=0660, unsigned=yes|no. As in \"edge file "
                "/var/log/nginx/seine.log format=nginx gateway=7\". What a log says is tried with: seinectl account "
                "source test FILE.",
     .texts = &Config::account_sources},
    {.name = "tag-keys",
     .meaning = "Keys of the tags that accounts are known by; made with seinectl account key new. Read again at "
                "SIGHUP.",
     .text = &Config::tag_keys},

    {.name = "signatures",
     .meaning = "Folder of rule files whose rules ask for a request and for the TLS of its flow: they are tried here, "
                "once a gateway's request has its connection. Empty: the set that was last pushed to the dataplane of "
                "the first ring (RING.signatures). Read again when it changes.",
     .text = &Config::signatures},

    {.table = "store",
     .name = "folder",
     .meaning = "Where everything is kept. Made with mode 0700 when it is not there.",
     .text = &Config::state_folder},
    {.table = "store",
     .name = "flow-hours",
     .meaning = "Single flows are kept this long, in one file an hour; 0 keeps none.",
     .number = &Config::flow_hours,
     .most = 24 * kYear},
    {.table = "store",
     .name = "flow-bytes",
     .meaning = "Single flows take at most this much; the oldest hours go first.",
     .number = &Config::flow_bytes,
     .most = std::uint64_t{1} << 50},
    {.table = "store",
     .name = "flow-rate",
     .meaning = "At most so many single flows a second are kept; of more a part is taken, and each kept flow "
                "says how many it stands for. Counts are always of all.",
     .number = &Config::flow_rate,
     .least = 1,
     .most = 1'000'000},
    {.table = "store",
     .name = "connection-days",
     .meaning = "Counts per minute are kept this long.",
     .number = &Config::connection_days,
     .least = 1,
     .most = 10 * kYear},
    {.table = "store",
     .name = "token-days",
     .meaning = "Which value was seen on which day, with whom, is kept this long; accounts that were not seen "
                "for this long are forgotten.",
     .number = &Config::token_days,
     .least = 1,
     .most = 10 * kYear},
    {.table = "store",
     .name = "finding-days",
     .meaning = "Alerts and farms are kept this long.",
     .number = &Config::finding_days,
     .least = 1,
     .most = 100 * kYear},
    {.table = "store",
     .name = "commit-ms",
     .meaning = "How often what was seen is written. A record leaves the ring only after that.",
     .number = &Config::commit_ms,
     .least = 50,
     .most = 60'000},
    {.table = "store",
     .name = "free-bytes",
     .meaning = "With less than this free on the disk single flows are no longer written, and the oldest hours "
                "are dropped; counts, findings and configuration go on.",
     .number = &Config::free_bytes,
     .most = std::uint64_t{1} << 50},

    {.table = "detect",
     .name = "enabled",
     .meaning = "Whether farms are looked for.",
     .flag = &Config::detect},
    {.table = "detect",
     .name = "prefixes",
     .meaning = "Files of networks, separated by commas: CSV (prefix,asn,class; class is one of residential, mobile, "
                "hosting, corporate, education, vpn, ci), or MaxMind DB where a name ends in .mmdb (AS number; user or "
                "connection type). A CSV line wins over a database, an earlier file over a later one. Empty: networks "
                "are judged without.",
     .text = &Config::detect_prefixes},
    {.table = "detect",
     .name = "accounts",
     .meaning = "Accounts that detection keeps in memory, about 1.5 kB each; past it the quietest go first.",
     .number = &Config::detect_accounts,
     .least = 1000,
     .most = 16'000'000},
    {.table = "detect",
     .name = "budget",
     .meaning = "False alarms that are accepted per million accounts and day; thresholds follow it.",
     .number = &Config::detect_budget,
     .least = 1,
     .most = 10'000},
    {.table = "detect",
     .name = "sweep-seconds",
     .meaning = "How often the whole population is looked at anew; newcomers to known farms are seen within seconds.",
     .number = &Config::detect_sweep_seconds,
     .least = 1,
     .most = 86'400},
    {.table = "detect",
     .name = "threads",
     .meaning = "Threads of a sweep; 0: as many as the machine has.",
     .number = &Config::detect_threads,
     .most = 256},

    {.table = "limits",
     .name = "live-flows",
     .meaning = "Connections that are known at once, until 15 s after their end; past it the one that ended "
                "longest ago is given up and counted. About 245 bytes each, when they are there. 0: an eighth of "
                "the memory that seine-control may use, from 250,000 to 4,000,000.",
     .number = &Config::live_flows,
     .least = 1000,
     .most = 100'000'000,
     .or_zero = true},
    {.table = "limits",
     .name = "answer-threads",
     .meaning = "Questions of seinectl that are answered at once.",
     .number = &Config::answer_threads,
     .least = 1,
     .most = 64},
};

}  // namespace

std::span<const ConfigKey> config_keys() noexcept { return kKeys; }

}  // namespace seine::service
