#include "control/account/datagram.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "control/account/json_fields.h"
#include "control/account/log_line.h"
#include "control/model/value.h"
#include "dataplane/contract/account_flag_names.h"
#include "dataplane/contract/api_key.h"

namespace seine::account {
namespace {

using contract::AccountRecord;

template <typename T>
bool number(std::string_view text, T& out) noexcept {
    std::uint64_t value = 0;
    if (!read_number(text, std::numeric_limits<T>::max(), value)) return false;
    out = static_cast<T>(value);
    return true;
}

bool hex64(std::string_view text, std::uint64_t& out) noexcept {
    const char* end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, out, 16);
    return !text.empty() && text.size() <= 16 && error == std::errc{} && stop == end;
}

bool tag(std::string_view text, std::array<std::uint8_t, 16>& out) noexcept {
    model::AccountTag read;
    if (!model::from_text(text, read)) return false;
    out = read.bytes;
    return true;
}

bool flag(std::string_view text, std::uint16_t& flags) noexcept {
    const std::uint16_t bit = contract::account_flag(text);
    flags = static_cast<std::uint16_t>(flags | bit);
    return bit != 0;
}

bool type(std::string_view text, AccountRecord& record) noexcept {
    constexpr std::string_view kTypes[] = {"request", "rekey", "closed", "directory"};
    std::uint8_t value = 0;
    if (text == "signup") {
        record.flags = static_cast<std::uint16_t>(record.flags | contract::AccountFlags::signup);
        return true;
    }
    for (std::size_t i = 0; i < std::size(kTypes); ++i) {
        if (text == kTypes[i]) value = static_cast<std::uint8_t>(i);
    }
    if (value == 0 && text != kTypes[0] && (!number(text, value) || value > 3)) return false;
    record.type = static_cast<contract::AccountType>(value);
    return true;
}

bool proto(std::string_view text, std::uint8_t& out) noexcept {
    if (text == "tcp") return out = 6, true;
    if (text == "udp") return out = 17, true;
    return number(text, out) && (out == 0 || out == 6 || out == 17);
}

// Names as they were given, until they are tagged.
struct Given {
    std::array<char, 1024> bytes{};
    std::size_t size = 0;
    Given() = default;
    Given(const Given&) = delete;
    Given& operator=(const Given&) = delete;
    ~Given() { wipe(bytes.data(), size); }
    bool set(std::string_view text) noexcept {
        if (text.size() > bytes.size()) return false;
        std::copy(text.begin(), text.end(), bytes.begin());
        size = text.size();
        return true;
    }
    [[nodiscard]] std::string_view view() const noexcept { return {bytes.data(), size}; }
};

class JsonRecord {
  public:
    explicit JsonRecord(SourceRecord& out) : out_(out) {}
    void field(std::string_view path, std::string_view value) {
        sound_ = take(path, value) && sound_;
    }
    [[nodiscard]] bool sound() const noexcept { return sound_; }
    Given account;
    Given org;
    Given key;
    bool sequence_given = false;

  private:
    bool take(std::string_view path, std::string_view value) {
        AccountRecord& r = out_.record;
        if (path.starts_with("flags.")) return flag(value, r.flags);
        if (path == "flags")
            return number(value, r.flags) && r.flags <= contract::AccountFlags::all;
        if (path == "type") return type(value, r);
        if (path == "proto") return proto(value, r.proto);
        if (path == "account") return account.set(value);
        if (path == "org") return org.set(value);
        if (path == "key") return key.set(contract::bare_key(value));
        if (path == "account_tag") return tag(value, r.account_tag);
        if (path == "org_tag") return tag(value, r.org_tag);
        if (path == "key_tag") return hex64(value, r.key_tag);
        if (path == "session_hint") return hex64(value, r.session_hint);
        if (path == "header_desc") return hex64(value, r.header_desc);
        if (path == "mac") return hex64(value, r.mac);
        if (path == "client_ip") return model::from_text(value, r.client_ip);
        if (path == "server_ip") return model::from_text(value, r.server_ip);
        if (path == "unique_id") return out_.unique_id = model::value_id(value), true;
        if (path == "seq") sequence_given = true;
        return take_number(path, value);
    }
    bool take_number(std::string_view path, std::string_view value) {
        AccountRecord& r = out_.record;
        if (path == "gateway_id") return number(value, r.gateway_id);
        if (path == "seq") return number(value, r.seq);
        if (path == "t_req_us") return number(value, r.t_req_us);
        if (path == "t_conn_us") return number(value, r.t_conn_us);
        if (path == "client_port") return number(value, r.client_port);
        if (path == "server_port") return number(value, r.server_port);
        if (path == "stream_no") return number(value, r.stream_no);
        if (path == "boot_epoch") return number(value, r.boot_epoch);
        if (path == "mac_key_id") return number(value, r.mac_key_id);
        if (path == "tag_epoch") return number(value, r.tag_epoch);
        if (path == "endpoint_id") return number(value, r.endpoint_id);
        if (path == "model_id") return number(value, r.model_id);
        if (path == "status_class") return number(value, r.status_class);
        if (path == "limit_flag") return number(value, r.limit_flag) && r.limit_flag <= 1;
        if (path == "tok_in_b") return number(value, r.tok_in_b);
        if (path == "tok_out_b") return number(value, r.tok_out_b);
        if (path == "tier") return number(value, r.tier);
        if (path == "trust") return number(value, r.trust);
        if (path == "first_seen_day") return number(value, r.first_seen_day);
        if (path == "platform_id") return number(value, r.platform_id);
        return true;  // a field of a later version
    }
    SourceRecord& out_;
    bool sound_ = true;
};

}  // namespace

Parse read_record_json(std::string_view line, std::string& scratch, Names& names,
                       SourceRecord& out) {
    out = {};
    JsonRecord reading(out);
    const Parse parse = walk_json(
        line, scratch,
        [&reading](std::string_view path, std::string_view value) { reading.field(path, value); });
    scratch.resize(scratch.capacity());
    wipe(scratch.data(), scratch.size());
    scratch.clear();
    if (parse != Parse::ok) return parse;
    if (!reading.sound()) return Parse::malformed;
    out.sequenced = reading.sequence_given;
    if (out.unique_id != 0) out.mode = model::SourceMode::pp2;
    if (reading.account.size != 0 || reading.key.size != 0) {
        static_cast<void>(
            names.fill(reading.account.view(), reading.org.view(), reading.key.view(), out.record));
    }
    return Parse::ok;
}

// Of either form: who wrote it may, and it says whose request it was. `signed_bytes()` is what the MAC is over.
template <typename SignedBytes>
Parse DatagramReader::judge(SourceRecord& out, SignedBytes&& signed_bytes) {
    const bool has_mac = out.record.mac != 0 || out.record.mac_key_id != 0;
    if (mac_needed_ && !has_mac) {
        ++counters_.unsigned_refused;
        return Parse::not_this;
    }
    const std::uint8_t* key = has_mac ? names_.keys().mac(out.record.mac_key_id) : nullptr;
    if (has_mac && (key == nullptr || !mac_fits(key, signed_bytes(), out.record.mac))) {
        ++counters_.forged;
        return Parse::not_this;
    }
    if (out.record.account_tag == std::array<std::uint8_t, 16>{}) {
        ++counters_.anonymous;
        return Parse::not_this;
    }
    names_.complete(out.record);
    return Parse::ok;
}

Parse DatagramReader::read_binary(ByteView bytes, SourceRecord& out) {
    out = {};
    const Parse parse = contract::decode_account(bytes, out.record);
    if (parse == Parse::limit) {
        ++counters_.other_version;
        return Parse::not_this;
    }
    if (parse != Parse::ok) return Parse::malformed;
    return judge(out, [bytes] { return bytes.first(contract::kAccountMacAt); });
}

Parse DatagramReader::read_json(std::string_view line, SourceRecord& out) {
    if (line.size() > LogLine::kLineBytesMax) return Parse::limit;
    const Parse parse = read_record_json(line, scratch_, names_, out);
    if (parse != Parse::ok) return parse == Parse::limit ? parse : Parse::malformed;
    std::array<std::uint8_t, contract::kAccountRecordBytes> binary{};
    return judge(out, [&] {
        contract::encode_account(binary, out.record);
        return contract::account_mac_bytes(binary);
    });
}

void DatagramReader::count(Parse parse) noexcept {
    switch (parse) {
        case Parse::ok:
            ++counters_.records;
            break;
        case Parse::not_this:
            break;  // counted by its reason
        case Parse::limit:
            ++counters_.oversized;
            break;
        case Parse::need_more:
        case Parse::malformed:
            ++counters_.malformed;
            break;
    }
}

}  // namespace seine::account
