#include "tools/world/catalog.h"

#include <algorithm>

#include "control/model/value.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/fingerprint/tls_client.h"
#include "dataplane/tls/client_hello.h"
#include "tools/synth/hello_builder.h"

namespace seine::world {
namespace {

// Forms of a hello: http/1.1, h2 or h3; with TLS 1.3 or without; resumed; padded.
constexpr std::size_t kAlpns = 3, kForms = kAlpns * 2 * 2 * 2;

std::vector<std::uint16_t> narrow(const std::vector<std::int64_t>& wide) {
    std::vector<std::uint16_t> out;
    for (const std::int64_t value : wide) out.push_back(static_cast<std::uint16_t>(value));
    return out;
}

// A generation differs from the one before by a cipher less or a pair swapped, and now and then by
// an extension more: so its JA4 is another one.
synth::HelloOptions shape_of(const TlsParameters& library, std::int64_t generation,
                             std::size_t alpn, bool tls12) {
    synth::HelloOptions hello;
    Draw draw(key_of(model::value_id(library.name), static_cast<std::uint64_t>(generation)));
    hello.ciphers = narrow(library.ciphers);
    std::vector<std::uint16_t> types = narrow(library.extensions);
    constexpr std::uint16_t kMore[] = {28, 5, 18, 50, 34, 49, 65281, 22, 27};
    for (std::int64_t g = 0; g < std::min<std::int64_t>(generation, 6); ++g) {
        if (hello.ciphers.size() > 6)
            hello.ciphers.erase(hello.ciphers.end() - 1 -
                                static_cast<std::ptrdiff_t>(draw.below(3)));
        const std::uint16_t more = kMore[draw.below(std::size(kMore))];
        if (draw.chance(0.4) && std::find(types.begin(), types.end(), more) == types.end())
            types.push_back(more);
    }
    if (generation > 6)
        hello.ciphers.push_back(static_cast<std::uint16_t>(0xc000 + 0x60 + draw.below(90)));
    const bool quic = alpn == 2;
    const auto modern = [](std::uint16_t cipher) { return cipher >> 8 == 0x13; };
    if (tls12)
        hello.ciphers.erase(std::remove_if(hello.ciphers.begin(), hello.ciphers.end(), modern),
                            hello.ciphers.end());
    if (quic)
        hello.ciphers.erase(std::remove_if(hello.ciphers.begin(), hello.ciphers.end(),
                                           [&](std::uint16_t c) { return !modern(c); }),
                            hello.ciphers.end());
    if (hello.ciphers.empty()) hello.ciphers = {0x1301};
    if (quic) types.push_back(57);
    for (const std::uint16_t type : types) {
        if (tls12 && (type == 43 || type == 45 || type == 51 || type == 17613)) continue;
        if (quic && (type == 35 || type == 11 || type == 22 || type == 23)) continue;
        if (type == 0)
            hello.extensions.push_back(synth::server_name("api.example.com"));
        else if (type == 16)
            hello.extensions.push_back(synth::alpn({quic ? "h3" : alpn == 1 ? "h2" : "http/1.1"}));
        else if (type == 10)
            hello.extensions.push_back(synth::u16_list(10, {0x001d, 0x0017, 0x0018}));
        else if (type == 11)
            hello.extensions.push_back(synth::point_formats({0}));
        else if (type == 13)
            hello.extensions.push_back(synth::u16_list(13, narrow(library.signatures)));
        else if (type == 43)
            hello.extensions.push_back(synth::supported_versions({0x0304, 0x0303}));
        else if (type == 51)
            hello.extensions.push_back(synth::key_shares({0x001d}));
        else
            hello.extensions.push_back(synth::bare(type));
    }
    return hello;
}

}  // namespace

TextId Texts::id(const std::string& text) {
    if (text.empty()) return 0;
    const auto [it, fresh] = ids_.emplace(text, static_cast<TextId>(texts_.size()));
    if (fresh) texts_.push_back(text);
    return it->second;
}

std::size_t Catalog::slot(const Build& build, Carrier carrier, bool resumed, bool padded) const {
    const std::string& alpn = parameters_->client[build.client].alpn;
    const std::size_t which = carrier == Carrier::quic ? 2 : alpn == "h2" ? 1 : 0;
    const bool psk = resumed && !build.tls12;
    return tls_first_[build.tls] + std::size_t{build.generation} * kForms + which * 8 +
           (build.tls12 ? 4u : 0u) + (psk ? 2u : 0u) + (padded ? 1u : 0u);
}

HelloTexts Catalog::hello(const Build& build, Carrier carrier, bool resumed, bool padded) const {
    return hellos_[slot(build, carrier, resumed, padded)];
}

Status Catalog::make_hellos() {
    crypto::Digester digester;
    for (const TlsParameters& library : parameters_->tls) {
        tls_first_.push_back(hellos_.size());
        // One generation more than the parameters say: what a roll-out brings.
        for (std::int64_t generation = 0; generation <= library.generations; ++generation) {
            for (std::size_t form = 0; form < kForms; ++form) {
                const std::size_t alpn = form / 8;
                synth::HelloOptions shape = shape_of(library, generation, alpn, (form & 4) != 0);
                if ((form & 1) != 0) shape.extensions.push_back(synth::bare(21, synth::Bytes(64)));
                if ((form & 2) != 0)
                    shape.extensions.push_back(synth::pre_shared_key(synth::counting(32), 1));
                const synth::Bytes message = synth::client_hello(shape);
                tls::ClientHello hello;
                fingerprint::TlsClientPrint print;
                if (tls::read_client_hello(message, tls::HelloForm::tls, hello) != Parse::ok)
                    return failed("world.toml: the lists of [[tls]] " + library.name +
                                  " make no hello that can be read");
                fingerprint::tls_client(
                    hello, alpn == 2 ? fingerprint::Transport::quic : fingerprint::Transport::tcp,
                    digester, print);
                hellos_.push_back({texts_.id(std::string(print.ja4.view())),
                                   texts_.id(std::string(print.ja4_norm.view()))});
            }
        }
    }
    return {};
}

void Catalog::make_syns() {
    for (std::size_t k = 0; k < parameters_->kernels.size(); ++k) {
        const KernelParameters& kernel = parameters_->kernels[k];
        for (const ClassParameters& of : parameters_->classes) {
            for (std::size_t i = 0; i + 1 < of.mss.size(); i += 2) {
                for (const std::int64_t less : {0, 20}) {  // IPv6 headers are 20 bytes longer
                    const auto mss = static_cast<std::int64_t>(of.mss[i]) - less;
                    const std::int64_t window =
                        kernel.window != 0 ? kernel.window : 65535 / mss * mss;
                    syns_[std::uint64_t{k} << 32 | static_cast<std::uint64_t>(mss)] =
                        texts_.id(std::to_string(window) + "_" + kernel.options + "_" +
                                  std::to_string(mss) + "_" + std::to_string(kernel.scale));
                }
            }
        }
    }
}

Result<Catalog> Catalog::make(const Parameters& parameters, std::uint64_t seed) {
    Catalog out(parameters, key_of(seed, 0xca7a));
    const auto weights = [](const auto& list, auto share) {
        std::vector<double> w;
        for (const auto& item : list) w.push_back(share(item));
        return Weights(w);
    };
    using C = ClientParameters;
    using K = KernelParameters;
    out.client_weights_ = {weights(parameters.client, [](const C& c) { return c.dev; }),
                           weights(parameters.client, [](const C& c) { return c.srv; }),
                           weights(parameters.client, [](const C& c) { return c.mob; })};
    out.kernel_weights_ = {weights(parameters.kernels, [](const K& k) { return k.dev; }),
                           weights(parameters.kernels, [](const K& k) { return k.srv; }),
                           weights(parameters.kernels, [](const K& k) { return k.mob; }),
                           weights(parameters.kernels, [](const K& k) { return k.exit; }),
                           weights(parameters.kernels, [](const K& k) { return k.box; })};
    for (const ClientParameters& client : parameters.client) {
        out.build_weights_.push_back(
            zipf(static_cast<std::size_t>(std::max<std::int64_t>(1, client.builds)),
                 parameters.clients.build_zipf));
        out.resume_.push_back(client.resume == "reuse"    ? Resume::reuse
                              : client.resume == "single" ? Resume::single
                                                          : Resume::none);
        double day = -1;
        for (std::size_t i = 0;
             i < parameters.clients.rollouts.size() && i < parameters.clients.rollout_days.size();
             ++i) {
            if (parameters.clients.rollouts[i] == client.name)
                day = parameters.clients.rollout_days[i];
        }
        out.rollout_day_.push_back(day);
        for (const std::string& library : client.tls) {
            if (std::none_of(parameters.tls.begin(), parameters.tls.end(),
                             [&](const TlsParameters& t) { return t.name == library; }))
                return failed("world.toml: [[client]] " + client.name + " names the TLS library " +
                              library + ", which no [[tls]] describes");
        }
    }
    if (Status s = out.make_hellos(); !s.ok()) return s;
    out.make_syns();
    return out;
}

std::uint16_t Catalog::client_of(Role role, double unit) const {
    return static_cast<std::uint16_t>(
        client_weights_[std::min<std::size_t>(2, static_cast<std::size_t>(role))].pick(unit));
}
std::uint16_t Catalog::build_of(std::uint16_t client, double unit) const {
    return static_cast<std::uint16_t>(build_weights_[client].pick(unit));
}
std::uint16_t Catalog::kernel_of(Role role, double unit) const {
    return static_cast<std::uint16_t>(kernel_weights_[static_cast<std::size_t>(role)].pick(unit));
}

Build Catalog::build(std::uint16_t client, std::uint16_t number, std::uint64_t key,
                     double days) const {
    const ClientParameters& of = parameters_->client[client];
    Draw draw(key_of(seed_, client, number, 0xb01d));
    Build out;
    out.client = client;
    out.number = number;
    const std::string& library = of.tls[draw.below(of.tls.size())];
    while (parameters_->tls[out.tls].name != library) ++out.tls;
    const auto generations = static_cast<std::uint64_t>(parameters_->tls[out.tls].generations);
    // New libraries are the common ones; a rare build may stand on any of them.
    const double skew = generations > 20 ? draw.unit() : draw.unit() * draw.unit();
    out.generation = static_cast<std::uint16_t>(std::min<double>(
        static_cast<double>(generations) - 1, skew * static_cast<double>(generations)));
    out.tls12 = draw.chance(of.tls12) && number > 0;
    out.padding = draw.chance(parameters_->clients.padding_share);
    out.retry_request = draw.chance(parameters_->round_trip.retry_request_share) && number > 0;
    out.header_desc = key_of(seed_, client, number, 0x4ead);
    if (rollout_day_[client] >= 0) {
        Draw own(key_of(key, client, 0x7011));
        const bool follows = own.chance(of.automatic);
        const double at =
            rollout_day_[client] + own.exponential(parameters_->clients.rollout_lag_days);
        if (follows && days >= at) {
            out.generation = static_cast<std::uint16_t>(generations);
            out.header_desc = key_of(seed_, client, number, 0x4eae);
        }
    }
    return out;
}

TextId Catalog::syn(std::uint16_t kernel, std::uint32_t mss) const {
    const auto found = syns_.find(std::uint64_t{kernel} << 32 | mss);
    return found == syns_.end() ? 0 : found->second;
}

std::uint16_t Catalog::client_named(const std::string& name) const {
    for (std::size_t i = 0; i < parameters_->client.size(); ++i) {
        if (parameters_->client[i].name == name) return static_cast<std::uint16_t>(i);
    }
    return static_cast<std::uint16_t>(parameters_->client.size() - 1);
}

}  // namespace seine::world
