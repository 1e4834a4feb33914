// TLS records (SSL 3.0 to TLS 1.3) to handshake messages, over one direction of a stream that grows.
#pragma once
#include <cstdint>
#include <span>

#include "dataplane/base/bytes.h"
#include "dataplane/base/status.h"
#include "dataplane/tls/registry.h"

namespace seine::tls {

//  0        1        3        5
//  +--------+--------+--------+----------------------+
//  | type   | version| length | fragment (length)    |   RFC 8446 section 5.1
//  +--------+--------+--------+----------------------+
inline constexpr std::size_t kRecordHeaderBytes = 5;
// TLSCiphertext may be 2,048 bytes longer than its plaintext (RFC 5246 section 6.2.3).
inline constexpr std::size_t kRecordBytesMax = (1u << 14) + 2048;

// What the first bytes of a direction are.
enum class Opening : std::uint8_t {
    none,
    client_hello,  // a TLS record that begins with a ClientHello
    server_hello,  // a TLS record that begins with a ServerHello
    alert,         // a TLS alert in clear: how a server may answer a hello
    ssl2,          // an SSLv2 CLIENT-HELLO (RFC 5246 appendix E.2): not fingerprinted, a reason to give
};

// Looks at the first bytes a direction sent, as few as one and no more than the first 64.
// ok:        TLS; `out` says which message comes first. Feed the stream to a RecordReader.
// need_more: fits so far; eleven bytes decide unless the records are shorter than six bytes each.
// not_this:  no TLS; `out` is `ssl2` for an SSLv2 CLIENT-HELLO and `none` otherwise.
// An opening is believed only when content type, version, record length, message type, message length
// and the hello's own version all make sense, so that no other protocol is taken.
Parse looks_like_tls(ByteView first_bytes, Opening& out) noexcept;

// One thing a direction sent. Views borrow from the stream or, if `joined`, from the scratch.
struct RecordEvent {
    enum class Kind : std::uint8_t {
        handshake,           // a whole message in clear: `type` and `body`
        change_cipher_spec,  // handshake records after it are opaque
        alert,               // in clear: `alert_level` and `alert_description`
        application_data,    // its header; the bytes themselves are skipped
        opaque,              // an encrypted handshake or alert record, or a heartbeat; skipped likewise
    };
    Kind kind{};
    std::uint8_t type = 0;              // handshake message type, or content type of an opaque record
    std::uint8_t alert_level = 0;       // 1 warning, 2 fatal
    std::uint8_t alert_description = 0;
    std::uint16_t record_version = 0;   // of the record the thing ends in
    std::uint16_t record_bytes = 0;     // fragment length of that record
    bool joined = false;                // the message spans records and was put together
    ByteView body;                      // of a handshake message, without its four-byte header
};

// Walks one direction. 24 bytes of state and no buffer: the caller keeps the stream.
//
//   while (true) {
//       std::size_t used = 0;
//       const Parse parse = reader.next(stream, scratch, used, event);
//       ... use event if parse is ok; its views are good until the bytes are dropped ...
//       stream = stream.subspan(used);      // on every status
//       if (parse != Parse::ok) break;
//   }
//
// `stream` always starts at the first byte not yet used. A message that lies in one record is handed
// out where it lies; one that spans records is copied to `scratch` (kHandshakeBytesMax, one per worker:
// nothing is kept in it between calls). A message that is not whole yet uses no bytes: the caller keeps
// them, and the reader remembers how far it has looked, so that no byte is walked twice.
class RecordReader {
  public:
    // ok:        `event` is set; ask again.
    // need_more: the stream ends inside a record or message. `used` may still be more than zero.
    // malformed: no record where one must begin, a message torn by another content type, a bad alert.
    // limit:     a message longer than kHandshakeBytesMax, or spread over more than
    //            kStreamPerMessageMax bytes of records. Both ends are final: the reader stays there.
    // not_this:  never.
    Parse next(ByteView stream, std::span<std::uint8_t> scratch, std::size_t& used,
               RecordEvent& event) noexcept;

    // A CCS was seen: this direction is encrypted, or is a TLS 1.3 one in disguise.
    [[nodiscard]] bool ciphered() const noexcept { return ciphered_; }

    static constexpr std::size_t kStreamPerMessageMax = 256 * 1024;

  private:
    Parse begin_record(ByteView rest, std::size_t& used) noexcept;
    Parse in_record(ByteView rest, std::size_t& used, RecordEvent& event) noexcept;
    Parse handshake(ByteView rest, std::span<std::uint8_t> scratch, std::size_t& used,
                    RecordEvent& event) noexcept;
    Parse span_records(ByteView rest, std::span<std::uint8_t> scratch, std::size_t& used,
                       RecordEvent& event) noexcept;
    Parse walk_message(ByteView rest) noexcept;
    bool skip_record(ByteView rest, std::size_t& used) noexcept;
    void describe(RecordEvent& event, RecordEvent::Kind kind) const noexcept;

    // Of a message that spans records: stream bytes walked since its first, and what was in them.
    std::uint32_t seen_stream_ = 0;
    std::uint32_t seen_message_ = 0;
    std::uint32_t message_header_ = 0;  // type and length, once four message bytes were seen
    std::uint16_t seen_left_ = 0;       // fragment bytes still to come where the walk stands
    // Of the record that the first unused byte lies in.
    std::uint16_t record_left_ = 0;
    std::uint16_t record_bytes_ = 0;
    std::uint16_t record_version_ = 0;
    std::uint8_t record_type_ = 0;  // 0: between records
    bool skip_ = false;             // the rest of it is of no use
    bool ciphered_ = false;
    Parse stopped_ = Parse::ok;
};

}  // namespace seine::tls
