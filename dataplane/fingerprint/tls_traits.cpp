// Collects the traits of a hello as bits, then prints their letters.
#include "dataplane/fingerprint/tls_traits.h"

#include <bit>

namespace seine::fingerprint {
namespace {

enum class Trait : std::uint8_t {
#define SEINE_X(id, letter, meaning) id,
    SEINE_TLS_TRAITS(SEINE_X)
#undef SEINE_X
        count_
};
constexpr char kLetters[] = {
#define SEINE_X(id, letter, meaning) letter,
    SEINE_TLS_TRAITS(SEINE_X)
#undef SEINE_X
};
static_assert(sizeof kLetters == static_cast<std::size_t>(Trait::count_));
static_assert(8 + 2 + 4 + 1 + sizeof kLetters <= kTlsTraitsBytesMax);

constexpr std::size_t kTls13SuitesMax = 8;

class Traits {
  public:
    void set(Trait trait) noexcept { bits_ |= bit(trait); }
    void set_if(bool holds, Trait trait) noexcept {
        if (holds) set(trait);
    }
    void print(TlsTraitsText& out) const noexcept {
        if (bits_ == 0) out.push('-');
        for (std::uint64_t left = bits_; left != 0; left &= left - 1) out.push(kLetters[std::countr_zero(left)]);
    }

  private:
    static constexpr std::uint64_t bit(Trait trait) noexcept {
        return std::uint64_t{1} << static_cast<unsigned>(trait);
    }
    std::uint64_t bits_ = 0;
};

void take_ciphers(const tls::ClientHello& hello, Traits& traits, TlsTraitsText& out) noexcept {
    std::size_t suites13 = 0;
    bool before_all = false;
    bool any = false;
    for (std::size_t i = 0; i < hello.ciphers.size(); ++i) {
        const std::uint16_t suite = hello.ciphers[i];
        // Most are 0xc0xx and 0x00xx of TLS 1.2, which say nothing here.
        if ((suite & 0xff00) == 0xc000 && any) continue;
        if (tls::is_grease(suite)) {
            traits.set(Trait::grease_cipher);
            continue;
        }
        traits.set_if(suite == 0x00ff, Trait::renegotiation_suite);
        traits.set_if(suite == 0x5600, Trait::fallback_suite);
        const bool tls13 = suite > 0x1300 && suite <= 0x130f;
        if (!any) before_all = tls13;
        any = true;
        if (tls13 && suites13++ < kTls13SuitesMax) out.push(kHexDigits[suite & 15]);
    }
    out.push(suites13 == 0 ? '-' : before_all ? 'f' : 'l');
}

void take_groups(const tls::ClientHello& hello, Traits& traits, TlsTraitsText& out) noexcept {
    bool first = true;
    for (std::size_t i = 0; i < hello.groups.size(); ++i) {
        const std::uint16_t group = hello.groups[i];
        if (tls::is_grease(group)) continue;
        if (first) out.append_hex4(group);
        first = false;
        traits.set_if(group == 0x11ec, Trait::mlkem);
        traits.set_if(group == 0x6399 || group == 0x639a, Trait::kyber);
        traits.set_if(group >= 0x0100 && group <= 0x0104, Trait::ffdhe);
        traits.set_if(group == 0x001e, Trait::x448);
    }
    if (first) out.push('-');
}

Trait points_trait(ByteView formats) noexcept {
    if (formats.size() == 1 && formats[0] == 0) return Trait::points_uncompressed;
    const bool all = formats.size() == 3 && formats[0] == 0 && formats[1] == 1 && formats[2] == 2;
    return all ? Trait::points_all : Trait::points_other;
}

void take_extension(const tls::ClientHello& hello, std::uint16_t type, Traits& traits) noexcept {
    switch (type) {
        case 5: traits.set(Trait::status_request); break;
        case tls::extension::kPointFormats: traits.set(points_trait(hello.point_formats)); break;
        case 18: traits.set(Trait::sct); break;
        case 22: traits.set(Trait::encrypt_then_mac); break;
        case 23: traits.set(Trait::extended_master_secret); break;
        case 27: traits.set(Trait::compress_certificate); break;
        case 28: traits.set(Trait::record_size_limit); break;
        case 34: traits.set(Trait::delegated_credential); break;
        case tls::extension::kSessionTicket: traits.set(Trait::session_ticket); break;
        case 45: traits.set(Trait::psk_modes); break;
        case 47: traits.set(Trait::certificate_authorities); break;
        case 49: traits.set(Trait::post_handshake_auth); break;
        case 13172: traits.set(Trait::next_protocol); break;
        case 17513: traits.set(Trait::application_settings_old); break;
        case 17613: traits.set(Trait::application_settings); break;
        case 30032: traits.set(Trait::channel_id); break;
        case 0xff01: traits.set(Trait::renegotiation_info); break;
        case tls::extension::kEncryptedClientHello: traits.set(Trait::encrypted_client_hello); break;
        default: traits.set_if(tls::is_grease(type), Trait::grease_extension); break;
    }
}

void take_signature_algorithms(const tls::ClientHello& hello, Traits& traits) noexcept {
    for (std::size_t i = 0; i < hello.signature_algorithms.size(); ++i) {
        const std::uint16_t algorithm = hello.signature_algorithms[i];
        if (algorithm < 0x0700) {
            // TLS 1.2 pairs are hash, signature: 2 is SHA-1, 2 is DSA (RFC 5246 section 7.4.1.4.1).
            if ((algorithm >> 8) == 2) traits.set(Trait::sha1);
            if ((algorithm & 0xff) == 2) traits.set(Trait::dsa);
        } else if (algorithm == 0x0807) {
            traits.set(Trait::ed25519);
        } else if (algorithm == 0x0808) {
            traits.set(Trait::ed448);
        } else if (algorithm >= 0x081a && algorithm <= 0x081c) {
            traits.set(Trait::brainpool);
        }
    }
}

}  // namespace

void tls_traits(const tls::ClientHello& hello, TlsTraitsText& out) noexcept {
    Traits traits;
    out.clear();
    take_ciphers(hello, traits, out);
    out.push('/');
    take_groups(hello, traits, out);
    out.push('/');
    for (const std::uint16_t type : hello.extensions) take_extension(hello, type, traits);
    take_signature_algorithms(hello, traits);
    traits.set_if(hello.offers_tls13() && hello.session_id.size() == 32, Trait::compatibility_id);
    traits.set_if(hello.compressions.size() > 1, Trait::compression);
    traits.print(out);
    SEINE_ASSERT(!out.truncated());
}

}  // namespace seine::fingerprint
