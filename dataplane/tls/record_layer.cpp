// TLS records to handshake messages: recognition of the first bytes, and the walk of one direction.
#include "dataplane/tls/record_layer.h"

#include <algorithm>

#include "dataplane/base/assert.h"

namespace seine::tls {
namespace {

constexpr std::size_t kMessageHeaderBytes = 4;  // type and a 24-bit length
constexpr std::size_t kOpeningBytesMax = 64;
// Message header and the version the hello states.
constexpr std::size_t kHelloProofBytes = kMessageHeaderBytes + 2;
// Version, random, empty session id, suite, compression: the shortest of both hellos.
constexpr std::size_t kHelloBytesMin = 38;
constexpr std::size_t kHelloBytesBelievable = 2 * kHandshakeBytesMax;

struct RecordHeader {
    std::uint8_t type;
    std::uint16_t version;
    std::uint16_t bytes;
};

RecordHeader load_header(const std::uint8_t* at) noexcept {
    return {at[0], load_be16(at + 1), load_be16(at + 3)};
}

bool known_type(std::uint8_t type) noexcept {
    return type >= content::kChangeCipherSpec && type <= content::kHeartbeat;
}

bool sound(const RecordHeader& header) noexcept {
    return known_type(header.type) && header.version >> 8 == 3 && header.bytes <= kRecordBytesMax;
}

bool tls_version(std::uint8_t major, std::uint8_t minor) noexcept {
    return major == 3 && minor <= 4;
}

// Whether `bytes`, however few, may be the start of a record of this type.
bool fits_header(ByteView bytes, std::uint8_t type) noexcept {
    if (bytes.size() > 0 && bytes[0] != type) return false;
    if (bytes.size() > 1 && bytes[1] != 3) return false;
    if (bytes.size() > 2 && !tls_version(bytes[1], bytes[2])) return false;
    return bytes.size() < kRecordHeaderBytes || load_be16(bytes.data() + 3) <= kRecordBytesMax;
}

// Whether the first handshake bytes, however few, may be the start of a hello.
bool fits_hello(ByteView bytes) noexcept {
    if (bytes.size() > 0 && bytes[0] != handshake::kClientHello &&
        bytes[0] != handshake::kServerHello) {
        return false;
    }
    if (bytes.size() >= kMessageHeaderBytes) {
        const std::uint32_t length = load_be24(bytes.data() + 1);
        if (length < kHelloBytesMin || length > kHelloBytesBelievable) return false;
    }
    // 0x7f: the version a server of the TLS 1.3 drafts put there.
    if (bytes.size() > 4 && bytes[4] != 3 && bytes[4] != 0x7f) return false;
    return bytes.size() <= 5 || bytes[4] == 0x7f || tls_version(bytes[4], bytes[5]);
}

//  0        2      3        5             7             9                11
//  +--------+------+--------+-------------+-------------+----------------+
//  | 8 | len| 1    | version| cipher_specs| session_id  | challenge      |  RFC 5246 appendix E.2
//  +--------+------+--------+-------------+-------------+----------------+
Parse looks_like_ssl2(ByteView bytes) noexcept {
    if (bytes.size() > 0 && (bytes[0] & 0x80) == 0) return Parse::not_this;
    if (bytes.size() > 2 && bytes[2] != 1) return Parse::not_this;
    if (bytes.size() > 3 && bytes[3] != 0 && bytes[3] != 3) return Parse::not_this;
    if (bytes.size() < 11) return Parse::need_more;
    const std::uint8_t* at = bytes.data();
    const bool version = at[3] == 0 ? at[4] == 2 : tls_version(at[3], at[4]);
    const std::size_t total = load_be16(at) & 0x7fffu;
    const std::size_t ciphers = load_be16(at + 5);
    const std::size_t session_id = load_be16(at + 7);
    const std::size_t challenge = load_be16(at + 9);
    const bool lengths = ciphers > 0 && ciphers % 3 == 0 && (session_id == 0 || session_id == 16) &&
                         challenge >= 16 && challenge <= 32 &&
                         total == 9 + ciphers + session_id + challenge;
    return version && lengths ? Parse::ok : Parse::not_this;
}

// A fatal or warning alert in clear with a description that the registry knows (RFC 8446 section 6).
Parse looks_like_alert(ByteView bytes) noexcept {
    if (!fits_header(bytes, content::kAlert)) return Parse::not_this;
    if (bytes.size() > 3 && bytes[3] != 0) return Parse::not_this;
    if (bytes.size() > 4 && bytes[4] != 2) return Parse::not_this;
    if (bytes.size() > 5 && (bytes[5] < 1 || bytes[5] > 2)) return Parse::not_this;
    if (bytes.size() < 7) return Parse::need_more;
    return bytes[6] <= 121 ? Parse::ok : Parse::not_this;
}

}  // namespace

Parse looks_like_tls(ByteView first_bytes, Opening& out) noexcept {
    out = Opening::none;
    if (first_bytes.empty()) return Parse::need_more;
    if (first_bytes[0] >= 0x80) {
        const Parse ssl2 = looks_like_ssl2(first_bytes);
        if (ssl2 != Parse::ok) return ssl2;
        out = Opening::ssl2;
        return Parse::not_this;
    }
    if (first_bytes[0] == content::kAlert) {
        const Parse alert = looks_like_alert(first_bytes);
        if (alert == Parse::ok) out = Opening::alert;
        return alert;
    }
    // The first bytes of the message, over as many records as they are spread.
    std::uint8_t hello[kHelloProofBytes];
    std::size_t hello_bytes = 0;
    const std::size_t looked_at = std::min(first_bytes.size(), kOpeningBytesMax);
    std::size_t at = 0;
    while (hello_bytes < kHelloProofBytes) {
        const ByteView rest = first_bytes.subspan(at, looked_at - at);
        if (!fits_header(rest, content::kHandshake)) return Parse::not_this;
        if (rest.size() < kRecordHeaderBytes) break;
        const std::size_t fragment_bytes = load_be16(rest.data() + 3);
        const std::size_t here = std::min({fragment_bytes, rest.size() - kRecordHeaderBytes,
                                           kHelloProofBytes - hello_bytes});
        std::copy_n(rest.data() + kRecordHeaderBytes, here, hello + hello_bytes);
        hello_bytes += here;
        if (!fits_hello({hello, hello_bytes})) return Parse::not_this;
        if (here < fragment_bytes) break;  // proof complete, or the bytes end
        at += kRecordHeaderBytes + fragment_bytes;
    }
    if (hello_bytes < kHelloProofBytes) {
        return looked_at == kOpeningBytesMax ? Parse::not_this : Parse::need_more;
    }
    out = hello[0] == handshake::kClientHello ? Opening::client_hello : Opening::server_hello;
    return Parse::ok;
}

void RecordReader::describe(RecordEvent& event, RecordEvent::Kind kind) const noexcept {
    event = {};
    event.kind = kind;
    event.type = record_type_;
    event.record_version = record_version_;
    event.record_bytes = record_bytes_;
}

Parse RecordReader::begin_record(ByteView rest, std::size_t& used) noexcept {
    if (rest.empty()) return Parse::need_more;
    if (!known_type(rest[0]) || (rest.size() > 1 && rest[1] != 3)) return Parse::malformed;
    if (rest.size() < kRecordHeaderBytes) return Parse::need_more;
    const RecordHeader header = load_header(rest.data());
    if (!sound(header)) return Parse::malformed;
    used += kRecordHeaderBytes;
    record_type_ = header.type;
    record_version_ = header.version;
    record_bytes_ = header.bytes;
    record_left_ = header.bytes;
    return Parse::ok;
}

// True when the record is used up.
bool RecordReader::skip_record(ByteView rest, std::size_t& used) noexcept {
    const std::size_t here = std::min<std::size_t>(rest.size(), record_left_);
    used += here;
    record_left_ = static_cast<std::uint16_t>(record_left_ - here);
    if (record_left_ > 0) return false;
    skip_ = false;
    record_type_ = 0;
    return true;
}

// Whatever is not a handshake message in clear.
Parse RecordReader::in_record(ByteView rest, std::size_t& used, RecordEvent& event) noexcept {
    if (record_type_ == content::kApplicationData) {
        describe(event, RecordEvent::Kind::application_data);
    } else if (record_type_ == content::kChangeCipherSpec) {
        if (record_bytes_ != 1) return Parse::malformed;
        describe(event, RecordEvent::Kind::change_cipher_spec);
        ciphered_ = true;
    } else if (record_type_ == content::kAlert && !ciphered_ && record_bytes_ == 2) {
        if (rest.size() < 2) return Parse::need_more;
        if (rest[0] < 1 || rest[0] > 2) return Parse::malformed;
        describe(event, RecordEvent::Kind::alert);
        event.alert_level = rest[0];
        event.alert_description = rest[1];
    } else {
        describe(event, RecordEvent::Kind::opaque);
    }
    skip_ = true;
    skip_record(rest, used);
    return Parse::ok;
}

Parse RecordReader::handshake(ByteView rest, std::span<std::uint8_t> scratch, std::size_t& used,
                              RecordEvent& event) noexcept {
    if (ciphered_) {
        // After a HelloRetryRequest the second hellos come in clear behind a change_cipher_spec that
        // means nothing (RFC 8446 appendix D.4). They fill their record exactly; ciphertext does not
        // look like that but once in 2^40 records.
        if (record_left_ == record_bytes_ && record_bytes_ >= kMessageHeaderBytes + kHelloBytesMin) {
            if (rest.size() < kHelloProofBytes) return Parse::need_more;
            const bool plain = fits_hello(rest.first(kHelloProofBytes)) &&
                               load_be24(rest.data() + 1) + kMessageHeaderBytes == record_bytes_;
            if (!plain) return in_record(rest, used, event);
        } else {
            return in_record(rest, used, event);
        }
    }
    if (seen_stream_ > 0 || record_left_ < kMessageHeaderBytes) {
        return span_records(rest, scratch, used, event);
    }
    if (rest.size() < kMessageHeaderBytes) return Parse::need_more;
    const std::size_t message_bytes = kMessageHeaderBytes + load_be24(rest.data() + 1);
    if (message_bytes > kMessageHeaderBytes + kHandshakeBytesMax) return Parse::limit;
    if (message_bytes > record_left_) return span_records(rest, scratch, used, event);
    if (rest.size() < message_bytes) return Parse::need_more;
    describe(event, RecordEvent::Kind::handshake);
    event.type = rest[0];
    event.body = rest.subspan(kMessageHeaderBytes, message_bytes - kMessageHeaderBytes);
    used += message_bytes;
    record_left_ = static_cast<std::uint16_t>(record_left_ - message_bytes);
    return Parse::ok;
}

// Continues the walk over the records of one message; ok when its last byte is there.
Parse RecordReader::walk_message(ByteView rest) noexcept {
    if (seen_stream_ == 0) {
        seen_message_ = 0;
        message_header_ = 0;
        seen_left_ = record_left_;
    }
    while (true) {
        const bool header_known = seen_message_ >= kMessageHeaderBytes;
        const std::size_t goal =
            kMessageHeaderBytes + (header_known ? message_header_ & 0xffffffu : 0u);
        const std::size_t here =
            std::min({std::size_t{seen_left_}, rest.size() - seen_stream_, goal - seen_message_});
        for (std::size_t i = 0; i < here && !header_known; ++i) {
            message_header_ = (message_header_ << 8) | rest[seen_stream_ + i];
        }
        seen_stream_ += static_cast<std::uint32_t>(here);
        seen_message_ += static_cast<std::uint32_t>(here);
        seen_left_ = static_cast<std::uint16_t>(seen_left_ - here);
        if (seen_message_ == goal) {
            if (header_known || (message_header_ & 0xffffffu) == 0) return Parse::ok;
            if ((message_header_ & 0xffffffu) > kHandshakeBytesMax) return Parse::limit;
            continue;
        }
        if (seen_left_ > 0) return Parse::need_more;
        if (seen_stream_ > kStreamPerMessageMax) return Parse::limit;
        const ByteView next_record = rest.subspan(seen_stream_);
        if (!next_record.empty() && next_record[0] != content::kHandshake) return Parse::malformed;
        if (next_record.size() < kRecordHeaderBytes) return Parse::need_more;
        const RecordHeader header = load_header(next_record.data());
        if (!sound(header)) return Parse::malformed;
        seen_left_ = header.bytes;
        seen_stream_ += kRecordHeaderBytes;
    }
}

Parse RecordReader::span_records(ByteView rest, std::span<std::uint8_t> scratch, std::size_t& used,
                                 RecordEvent& event) noexcept {
    SEINE_ASSERT(rest.size() >= seen_stream_);
    if (rest.size() < seen_stream_) return Parse::malformed;  // the caller dropped bytes it had to keep
    const Parse walked = walk_message(rest);
    if (walked != Parse::ok) return walked;
    if (scratch.size() < seen_message_ - kMessageHeaderBytes) return Parse::limit;
    std::size_t joined = 0;
    std::size_t at = 0;
    std::size_t fragment_left = record_left_;
    while (true) {
        const std::size_t here = std::min(fragment_left, seen_message_ - joined);
        const std::size_t of_header =
            joined < kMessageHeaderBytes ? std::min(here, kMessageHeaderBytes - joined) : 0;
        if (here > of_header) {
            std::copy_n(rest.data() + at + of_header, here - of_header,
                        scratch.data() + joined + of_header - kMessageHeaderBytes);
        }
        joined += here;
        at += here;
        if (joined == seen_message_) break;
        const RecordHeader header = load_header(rest.data() + at);
        record_version_ = header.version;
        record_bytes_ = header.bytes;
        fragment_left = header.bytes;
        at += kRecordHeaderBytes;
    }
    SEINE_ASSERT(at == seen_stream_);
    describe(event, RecordEvent::Kind::handshake);
    event.type = static_cast<std::uint8_t>(message_header_ >> 24);
    event.joined = true;
    event.body = scratch.first(joined - kMessageHeaderBytes);
    used += seen_stream_;
    record_left_ = seen_left_;
    seen_stream_ = 0;
    return Parse::ok;
}

Parse RecordReader::next(ByteView stream, std::span<std::uint8_t> scratch, std::size_t& used,
                         RecordEvent& event) noexcept {
    used = 0;
    if (stopped_ != Parse::ok) return stopped_;
    while (true) {
        const ByteView rest = stream.subspan(used);
        Parse parse = Parse::ok;
        if (skip_) {
            if (!skip_record(rest, used)) return Parse::need_more;
        } else if (record_type_ == 0) {
            parse = begin_record(rest, used);
        } else if (record_left_ == 0) {
            if (record_type_ == content::kApplicationData) {
                parse = in_record(rest, used, event);  // an empty one still counts
                if (parse == Parse::ok) return parse;
            }
            record_type_ = 0;
        } else {
            parse = record_type_ == content::kHandshake ? handshake(rest, scratch, used, event)
                                                        : in_record(rest, used, event);
            if (parse == Parse::ok) return parse;
        }
        if (parse == Parse::ok) continue;
        if (parse != Parse::need_more) stopped_ = parse;
        return parse;
    }
}

}  // namespace seine::tls
