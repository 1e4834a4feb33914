// What goes into a store and comes back: plain values.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/model/address.h"
#include "control/model/flow.h"
#include "control/model/tag.h"
#include "control/model/value.h"
#include "control/store/distinct.h"
#include "dataplane/base/clock.h"
#include "dataplane/contract/frame.h"

namespace seine::store {

// Fields of values are those of the record (contract::Field); these stand for what is no field of
// its own there.
inline constexpr std::uint16_t kFieldAddress = 0x8001;  // client address
inline constexpr std::uint16_t kFieldPrefix = 0x8002;   // its /24, or /48 of IPv6
inline constexpr std::uint16_t kFieldSession = 0x8003;  // a presented session, in hex

struct Text {
    std::uint16_t field = 0;
    model::ValueId id = 0;
    std::string text;
};

// One flow, whole: what `flow list` and `flow show` read.
struct FlowRow {
    std::uint64_t row = 0;  // place in the store: rises with time of writing
    contract::FlowId id;
    Nanos t_open;
    Nanos t_close;
    model::Tuple tuple;
    model::ValueId ja4 = 0;
    std::vector<model::AccountTag> accounts;
    std::uint32_t stands_for = 1;       // flows, where only a part is kept
    std::vector<std::uint8_t> frame;    // its folded record (contract/frame.h)
};

struct FlowQuery {
    Nanos from;                  // of t_close
    Nanos to{INT64_MAX};
    std::optional<model::Address> client;
    unsigned client_bits = 128;  // of a prefix
    std::optional<model::Address> server;
    std::uint16_t server_port = 0;  // 0: any
    model::ValueId ja4 = 0;
    std::optional<model::AccountTag> account;
    std::optional<contract::FlowId> id;
    std::uint64_t after_row = 0;  // rows past this one, oldest first (following); 0: newest first
    std::size_t limit = 100;
};

// What was added to an account since the last batch, and what is known of it now.
struct AccountRow {
    model::AccountTag account;
    model::OrgTag org;
    Nanos first_seen;
    Nanos last_seen;
    std::uint64_t flows = 0;
    std::uint64_t requests = 0;
    std::uint64_t limited = 0;
    std::uint64_t errors = 0;
    std::uint32_t modes = 0;  // bit of each model::SourceMode that told of it
    std::uint16_t flags = 0;  // contract::AccountFlags, together
    std::uint32_t first_seen_day = 0;
    std::uint8_t tier = 0;
    std::uint8_t trust = 0;
    bool closed = false;
    Nanos closed_at;
};

struct AccountQuery {
    std::string beginning;  // of the tag in hex
    std::optional<model::OrgTag> org;
    model::AccountTag after;  // in order of tags, past this one
    bool newest = false;      // instead: last seen first
    std::size_t limit = 100;
};

struct AccountValueRow {
    std::uint16_t field = 0;
    model::ValueId value = 0;
    Nanos first_seen;
    Nanos last_seen;
    std::uint64_t flows = 0;
};

inline constexpr std::size_t kAccountsPerValueMax = 32;

// A value of a field on a day, or summed over days.
struct ValueRow {
    std::uint16_t field = 0;
    model::ValueId value = 0;
    std::uint32_t day = 0;  // since 1970; of a sum the last
    Nanos first_seen;
    Nanos last_seen;
    std::uint64_t flows = 0;
    // Different ones: exact up to kAccountsPerValueMax, past it a sketch (distinct.h).
    std::uint64_t accounts = 0;
    std::uint64_t organisations = 0;
    std::uint64_t networks = 0;  // prefixes of clients
    std::vector<model::AccountTag> some_accounts;  // at most kAccountsPerValueMax
};

struct ValueQuery {
    std::uint16_t field = 0;
    std::uint32_t first_day = 0;
    std::uint32_t last_day = 0;
    bool by_accounts = true;  // most accounts first; else most flows
    std::size_t limit = 100;
};

struct DayTotals {
    std::uint64_t flows = 0;
    std::uint64_t accounts = 0;  // different ones, a sketch
    std::uint64_t organisations = 0;
};

// Sums of one minute and dataplane.
struct MinuteRow {
    Nanos minute;
    std::uint16_t dataplane = 0;
    std::uint64_t opened = 0;
    std::uint64_t closed = 0;
    std::uint64_t requests = 0;
    std::uint64_t records_lost = 0;
    std::uint64_t joined = 0;
    std::uint64_t payload_bytes = 0;
};

// Uses of a value since the last batch; the store adds them up.
struct ValueUse {
    std::uint16_t field = 0;
    model::ValueId value = 0;
    Nanos first_seen;
    Nanos last_seen;
    std::uint64_t flows = 0;
    Distinct accounts;  // of their tags' hashes
    Distinct organisations;
    Distinct networks;  // of hashes of prefixes
    std::vector<model::AccountTag> some_accounts;  // different ones, at most kAccountsPerValueMax
};

struct AccountUse {
    AccountRow row;  // counts are what is new; the rest as it is now
    std::vector<AccountValueRow> values;
};

// An account's tag under the keys before, and now. Both are one account from here on.
struct Rename {
    model::AccountTag from;
    model::AccountTag to;
};

struct Document {
    std::string room;
    std::string key;
    std::string value;
};

// Accounts that a flow was found to have after it was handed in, all of them.
struct FlowAccounts {
    contract::FlowId id;
    std::vector<model::AccountTag> accounts;
};

struct Finding {
    std::uint64_t number = 0;
    Nanos at;
    std::uint8_t kind = 0;      // model::EventKind
    std::uint8_t severity = 0;  // model::Severity
    std::string rule;           // signature id, "farm", ..
    std::string title;
    model::AccountTag account;
    std::uint64_t farm = 0;
    std::string document;  // JSON, whole
};

// What was taken in since the last one. `at` is the time of taking in: days, minutes and keeping
// times go by it, also for captures of long ago.
struct Batch {
    Nanos at;
    std::vector<Text> texts;  // new ones; ones that are there already do no harm
    std::vector<FlowRow> flows;
    std::vector<FlowAccounts> flow_accounts;  // after `flows`; of this hour's or the last one's
    std::vector<ValueUse> values;
    std::vector<Rename> renames;  // before `accounts`
    std::vector<AccountUse> accounts;
    Distinct all_accounts;  // of the whole batch: what shares are of
    Distinct all_organisations;
    std::uint64_t all_flows = 0;
    std::vector<MinuteRow> minutes;  // what is new
    std::vector<Document> documents;
    std::vector<Finding> findings;  // without numbers: they are given here, in this order
};

struct FindingQuery {
    Nanos from;
    Nanos to{INT64_MAX};
    std::uint8_t kind = 0;
    std::uint8_t severity_least = 0;
    std::string rule;
    std::optional<model::AccountTag> account;
    std::uint64_t farm = 0;
    std::uint64_t after = 0;  // numbers past this one, oldest first; 0: newest first
    std::size_t limit = 100;
};

struct Revision {
    std::uint64_t number = 0;
    Nanos at;
    std::string author;
    std::string comment;
    std::string document;
};

// What the store counts, and how it is.
struct Health {
    std::string state = "ok";  // or what is wrong and what to do
    bool full = false;         // flows are shed
    std::uint64_t bytes = 0;
    std::uint64_t flow_bytes = 0;
    std::uint64_t flow_files = 0;
    std::uint64_t batches = 0;
    std::uint64_t batches_failed = 0;
    std::uint64_t flows_kept = 0;
    std::uint64_t flows_shed = 0;         // for want of room
    std::uint64_t flow_files_dropped = 0;  // by age or size
    std::uint64_t values_shed = 0;  // past the bound of different values of a field and day
    std::uint64_t accounts = 0;
    Nanos last_write;
};

}  // namespace seine::store
