// Datagrams of one DTLS direction: records, fragments, and the assembler against a plain one.
//
//   repeated   u16 length, that many bytes: one datagram
#include <cstdlib>
#include <map>
#include <vector>

#include "dataplane/tls/dtls.h"

namespace {

using namespace seine;

void require(bool holds) {
    if (!holds) std::abort();
}

// A message as a map from offset to byte, first byte received kept.
struct PlainMessage {
    std::uint8_t type = 0;
    std::uint32_t message_bytes = 0;
    std::map<std::uint32_t, std::uint8_t> bytes;
};

class Checker {
  public:
    void fragment(const tls::DtlsFragment& piece) {
        tls::DtlsMessage message;
        const Parse parse = assembler_.add(piece, buffer_, message);
        PlainMessage& plain = plain_[piece.message_seq];
        if (parse == Parse::need_more || parse == Parse::ok) {
            plain.type = piece.type;
            plain.message_bytes = piece.message_bytes;
            for (std::size_t i = 0; i < piece.bytes.size(); ++i) {
                plain.bytes.emplace(piece.offset + static_cast<std::uint32_t>(i), piece.bytes[i]);
            }
        }
        if (parse == Parse::need_more) {
            require(plain.bytes.size() < plain.message_bytes || plain.message_bytes == 0);
        }
        if (parse != Parse::ok) return;
        require(message.type == plain.type && message.message_seq == piece.message_seq);
        require(message.body.size() == plain.message_bytes && plain.bytes.size() == plain.message_bytes);
        for (const auto& [offset, byte] : plain.bytes) require(message.body[offset] == byte);
        tls::HelloVerifyRequest request;
        static_cast<void>(tls::read_hello_verify_request(message.body, request));
    }

  private:
    tls::DtlsAssembler assembler_;
    std::vector<std::uint8_t> buffer_ = std::vector<std::uint8_t>(2048);
    std::map<std::uint16_t, PlainMessage> plain_;
};

void datagram(ByteView bytes, Checker& checker) {
    const Parse looks = tls::looks_like_dtls(bytes);
    require(looks == Parse::ok || looks == Parse::not_this || looks == Parse::need_more);
    ByteReader in(bytes);
    while (!in.empty()) {
        tls::DtlsRecord record;
        const std::size_t before = in.left();
        if (tls::read(in, record) != Parse::ok) return;
        require(in.left() < before);
        if (record.ciphered || record.type != tls::content::kHandshake) continue;
        ByteReader messages(record.fragment);
        while (!messages.empty()) {
            tls::DtlsFragment piece;
            if (tls::read(messages, piece) != Parse::ok) break;
            checker.fragment(piece);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Checker checker;
    ByteReader in(ByteView(data, size));
    while (in.left() >= 2) {
        const std::size_t length = std::min<std::size_t>(in.be16(), in.left());
        const ByteView view = in.take(length);
        const std::vector<std::uint8_t> exact(view.begin(), view.end());
        datagram(exact, checker);
    }
    return 0;
}
