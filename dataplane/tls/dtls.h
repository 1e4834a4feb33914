// DTLS 1.0 to 1.3 (and OpenSSL's old 0x0100): records, handshake fragments, and putting them together.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/byte_reader.h"
#include "dataplane/base/status.h"
#include "dataplane/tls/registry.h"

namespace seine::tls {

// ok:        the datagram begins with a DTLS handshake record in clear that carries (a fragment of) a
//            ClientHello, ServerHello or HelloVerifyRequest.
// not_this:  it does not. Every length must fit the datagram, so that no other protocol is taken.
// need_more: fits so far, but the datagram ends inside the headers or the record (a cut capture).
Parse looks_like_dtls(ByteView datagram) noexcept;

//  0      1        3       5            11       13
//  +------+--------+-------+------------+--------+--------------------+
//  | type | version| epoch | sequence   | length | fragment (length)  |   RFC 6347 section 4.1
//  +------+--------+-------+------------+--------+--------------------+
struct DtlsRecord {
    static constexpr std::size_t kHeaderBytes = 13;
    std::uint8_t type = 0;
    std::uint16_t version = 0;
    std::uint16_t epoch = 0;
    std::uint64_t sequence = 0;
    // Of epoch 0: in clear. Later epochs, connection-id records (RFC 9146) and the unified header of
    // DTLS 1.3 (RFC 9147 section 4) are ciphered; the latter two run to the end of the datagram, since
    // their lengths need state that only the ends have.
    bool ciphered = false;
    ByteView fragment;
};
// The next record of a datagram; `in` must not be empty.
// ok:        `in` stands after it.
// need_more: the datagram ends inside it (a cut capture).
// not_this:  no DTLS record begins here.
// malformed: a version that no DTLS has, or a length past the bound of records.
Parse read(ByteReader& in, DtlsRecord& out) noexcept;

//  0      1        4             6                 9                  12
//  +------+--------+-------------+-----------------+------------------+-----------------+
//  | type | length | message_seq | fragment_offset | fragment_length  | fragment bytes  |
//  +------+--------+-------------+-----------------+------------------+-----------------+
struct DtlsFragment {
    static constexpr std::size_t kHeaderBytes = 12;
    std::uint8_t type = 0;
    std::uint32_t message_bytes = 0;
    std::uint16_t message_seq = 0;
    std::uint32_t offset = 0;
    ByteView bytes;
    [[nodiscard]] bool whole() const noexcept { return offset == 0 && bytes.size() == message_bytes; }
};
// The next fragment inside a record in clear; several may follow each other. `in` must not be empty.
// ok: `in` stands after it. malformed: cut, or past the message's end (RFC 6347 section 4.2.2).
// limit: the message is longer than kHandshakeBytesMax.
Parse read(ByteReader& in, DtlsFragment& out) noexcept;

// A whole message. `body` borrows from the datagram or from the caller's buffer.
struct DtlsMessage {
    std::uint8_t type = 0;
    std::uint16_t message_seq = 0;
    ByteView body;
    bool joined = false;
};

// Puts fragments of one direction together, in any order, with overlaps (first byte received wins) and
// repeats. Holds bookkeeping only; the bytes go to a buffer of the caller's that must hold the same bytes
// at every call while waiting(), in the same memory or a larger one. Whole fragments need no buffer and
// are handed out where they lie.
class DtlsAssembler {
  public:
    static constexpr std::size_t kMessagesMax = 4;  // being put together at once
    static constexpr std::size_t kRangesMax = 16;   // separate pieces of one message

    // ok:        the message is whole; `out` is good until the next call. Each message_seq comes once.
    // need_more: kept, or a repeat of what is kept.
    // not_this:  a repeat of a message already handed out.
    // malformed: disagrees with an earlier fragment about type or length.
    // limit:     more messages or pieces at once than there is room for, or the buffer is full.
    Parse add(const DtlsFragment& fragment, std::span<std::uint8_t> buffer, DtlsMessage& out) noexcept;
    // The least buffer with which add() can keep `fragment`, by the length its message claims; 0 when it
    // needs none.
    [[nodiscard]] std::size_t buffer_bytes(const DtlsFragment& fragment) const noexcept;
    void reset() noexcept { *this = {}; }
    // Whether some message waits for the rest of its bytes; the buffer is free otherwise.
    [[nodiscard]] bool waiting() const noexcept { return open_count_ > 0; }

  private:
    struct Range {
        std::uint32_t from = 0;
        std::uint32_t to = 0;
    };
    struct Slot {
        bool open = false;
        std::uint8_t type = 0;
        std::uint16_t message_seq = 0;
        std::uint32_t message_bytes = 0;
        std::uint32_t base = 0;  // where it lies in the buffer
        std::uint32_t range_count = 0;
        std::array<Range, kRangesMax> ranges{};  // sorted, apart from each other
    };
    Slot* slot_of(const DtlsFragment& fragment, std::size_t room) noexcept;
    static bool insert(Slot& slot, const DtlsFragment& fragment, std::uint8_t* target) noexcept;
    [[nodiscard]] bool handed_out(std::uint16_t message_seq) const noexcept;

    std::array<Slot, kMessagesMax> slots_{};
    std::uint32_t buffer_used_ = 0;
    std::uint8_t open_count_ = 0;
    std::uint64_t done_ = 0;  // one bit a message_seq below 64; later ones are not clear messages
};

// HelloVerifyRequest (RFC 6347 section 4.2.1): its cookie comes back in the second ClientHello.
struct HelloVerifyRequest {
    std::uint16_t version = 0;
    ByteView cookie;
};
// ok, or malformed when the lengths do not add up.
Parse read_hello_verify_request(ByteView body, HelloVerifyRequest& out) noexcept;

}  // namespace seine::tls
