// Which flows there are, in what shares, and how they are interleaved.
#include "tools/generate/mix.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "dataplane/crypto/quic_keys.h"
#include "tools/generate/mix_flows.h"
#include "tools/generate/mix_quic.h"
#include "tools/synth/hello_builder.h"

namespace seine::generate {
namespace {

using synth::Bytes;
using synth::operator+;

constexpr std::uint16_t kPortsClient[2] = {32768, 61000};
constexpr std::int64_t kStartNs = 1'700'000'000'000'000'000;
constexpr std::size_t kRandomAt = 6;  // in a hello with its handshake header

Bytes of_text(const std::string& text) { return {text.begin(), text.end()}; }

struct QuicHello {
    std::string name;
    std::vector<Bytes> initials;
    Bytes answer;
};

class Mixer {
  public:
    Mixer(const MixOptions& options, crypto::QuicCrypto& crypto)
        : options_(options), random_(options.seed), crypto_(crypto), filler_(random_) {
        const auto profiles = client_profiles();
        for (const ClientProfile& profile : profiles) {
            tcp_weights_.push_back(profile.tcp_weight);
            quic_weights_.push_back(profile.quic_weight);
            hellos_.emplace_back();
            for (unsigned i = 0; i < options.variants && profile.tcp_weight > 0; ++i)
                hellos_.back().push_back(mix_client_hello(random_, profile, host(), false));
        }
        for (unsigned i = 0; i < 32; ++i) {
            flights_[0].push_back(mix_server_flight(random_, false));
            flights_[1].push_back(mix_server_flight(random_, true));
        }
        const bool quic = options.quic && (options.kind == MixKind::edge || options.kind == MixKind::quic);
        for (unsigned i = 0; quic && i < options.variants * 4; ++i) add_quic_hello();
    }

    MixCounts run(const MixFrame& out) {
        std::vector<std::unique_ptr<Conversation>> live;
        std::vector<std::uint8_t> frame;
        double at_ns = 0;
        while (counts_["packets"] < options_.packets || (options_.drain && !live.empty())) {
            if (live.size() < options_.concurrent && counts_["packets"] < options_.packets) live.push_back(flow());
            const std::size_t chosen = random_.below(live.size());
            constexpr std::array<unsigned, 5> kTrains = {1, 1, 2, 4, 8};  // short trains, as a NIC sees them
            for (unsigned left = kTrains[random_.below(kTrains.size())]; left > 0; --left) {
                const ByteView bytes = live[chosen]->next(random_, frame);
                if (bytes.empty()) {
                    std::swap(live[chosen], live.back());
                    live.pop_back();
                    break;
                }
                at_ns += static_cast<double>(bytes.size()) * 8 / options_.gigabits;
                ++counts_["packets"];
                counts_["bytes"] += bytes.size();
                if (!out(bytes, {kStartNs + static_cast<std::int64_t>(at_ns)})) return counts_;
            }
        }
        return counts_;
    }

  private:
    std::string_view host() { return random_.pick(mix_hosts()); }
    FrameBuilder frames(std::uint8_t protocol, std::uint16_t target_port) {
        const bool ipv6 = random_.chance(options_.ipv6_share);
        const bool vlan = random_.chance(options_.vlan_share);
        ++counts_["flows"];
        ++counts_[ipv6 ? "ipv6_flows" : "ipv4_flows"];
        return {random_, ipv6, vlan, protocol,
                static_cast<std::uint16_t>(random_.between(kPortsClient[0], kPortsClient[1])), target_port};
    }
    void add_quic_hello() {
        const std::size_t chosen = options_.kind == MixKind::quic ? kSmallClient : random_.weighted(quic_weights_);
        const ClientProfile& profile = client_profiles()[chosen];
        const Bytes hello = mix_client_hello(random_, profile, host(), true);
        QuicHello made;
        Bytes client_id;
        made.name = profile.name;
        made.initials = client_initials(random_, crypto_, hello, profile.greases, client_id);
        if (options_.kind == MixKind::quic)
            made.answer = server_initial(random_, crypto_, mix_server_hello(random_, false), client_id);
        quic_hellos_.push_back(std::move(made));
    }
    std::unique_ptr<Conversation> tcp(std::uint16_t port, TcpPlan plan) {
        FrameBuilder built = frames(6, port);
        return tcp_conversation(random_, filler_, std::move(built), std::move(plan));
    }

    std::unique_ptr<Conversation> flow() {
        switch (options_.kind) {
            case MixKind::handshakes: return tls(false);
            case MixKind::quic: return quic();
            case MixKind::http: return heads();
            case MixKind::settled: return open_tls();
            case MixKind::edge: break;
        }
        const double at = random_.unit();
        if (at < 0.58) return tls(true);
        if (at < 0.74) return http();
        if (at < 0.84 && !quic_hellos_.empty()) return quic();
        if (at < 0.88) return bulk();
        return datagrams();
    }

    std::unique_ptr<Conversation> tls(bool whole) {
        const std::size_t chosen = random_.weighted(tcp_weights_);
        const ClientProfile& profile = client_profiles()[chosen];
        Bytes hello = hellos_[chosen][random_.below(hellos_[chosen].size())];
        random_.fill(std::span(hello).subspan(kRandomAt, 32));
        ++counts_["tls_client_hello"];
        ++counts_["tls_" + std::string(profile.name)];
        TcpPlan plan;
        plan.speeches.push_back({From::client, synth::tls_record(22, hello, 0x0301), 0, false});
        if (!whole) return tcp(443, std::move(plan));
        constexpr std::array<std::uint64_t, 4> kRequests = {180, 600, 1900, 6000};
        constexpr std::array<unsigned, 4> kTurns = {1, 1, 2, 4};
        const auto answer_bytes = static_cast<std::uint64_t>(std::min(random_.pareto(1.1) * 2500, 400'000.0));
        const auto& flights = flights_[profile.tls12 ? 1 : 0];
        plan.speeches.push_back({From::server, flights[random_.below(flights.size())], 0, false});
        plan.speeches.push_back({From::client, synth::tls_record(20, {1}, 0x0303), 53, true});
        for (unsigned turns = kTurns[random_.below(kTurns.size())]; turns > 0; --turns) {
            plan.speeches.push_back({From::client, {}, kRequests[random_.below(kRequests.size())], true});
            plan.speeches.push_back({From::server, {}, answer_bytes, true});
        }
        return tcp(random_.chance(0.97) ? 443 : 8443, std::move(plan));
    }

    Bytes request(std::string_view agent, std::string_view at_host, bool post, std::size_t body_bytes) {
        std::vector<std::string> lines = {
            "Host: " + std::string(at_host), "User-Agent: " + std::string(agent), "Accept: */*",
            "Accept-Encoding: gzip, deflate, br", "Accept-Language: en-US,en;q=0.9",
            "Cookie: sid=" + hex(16) + "; theme=dark", "Referer: http://" + std::string(at_host) + "/",
            "X-Request-Id: " + hex(32)};
        const std::size_t more = agent.size() * 7 % 5;
        lines.resize(more > 0 ? 3 + more : 4);
        if (agent.size() % 2 == 1) std::swap(lines[1], lines[2]);
        if (post) {
            lines.emplace_back("Content-Type: application/json");
            lines.push_back("Content-Length: " + std::to_string(body_bytes));
        }
        constexpr std::array<const char*, 4> kPaths = {"messages", "models", "complete", "files"};
        std::string text = std::string(post ? "POST" : "GET") + " /v1/" + kPaths[random_.below(kPaths.size())] +
                           "?k=" + std::to_string(random_.below(1u << 20)) + " HTTP/1.1\r\n";
        for (const std::string& line : lines) text += line + "\r\n";
        return of_text(text + "\r\n");
    }
    std::string hex(std::size_t digits) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        std::string out;
        for (std::size_t i = 0; i < digits; ++i) out += kDigits[random_.below(16)];
        return out;
    }
    static Bytes answer(std::uint64_t body_bytes) {
        return of_text("HTTP/1.1 200 OK\r\nServer: edge\r\nContent-Type: application/json\r\nContent-Length: " +
                       std::to_string(body_bytes) + "\r\n\r\n");
    }
    std::unique_ptr<Conversation> http() {
        constexpr std::array<std::string_view, 7> kAgents = {
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
            "python-requests/2.32.3", "curl/8.5.0", "Go-http-client/1.1", "okhttp/4.12.0", "node",
            "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"};
        constexpr std::array<unsigned, 5> kRequests = {1, 1, 1, 3, 6};
        const std::string_view agent = kAgents[random_.below(kAgents.size())];
        const std::string_view at_host = host();
        TcpPlan plan;
        for (unsigned left = kRequests[random_.below(kRequests.size())]; left > 0; --left) {
            const bool post = random_.chance(0.4);
            const std::size_t body = post ? 2 * random_.between(40, 900) : 0;
            const auto bytes = static_cast<std::uint64_t>(std::min(random_.pareto(1.2) * 1500, 200'000.0));
            plan.speeches.push_back({From::client, request(agent, at_host, post, body), body, false});
            plan.speeches.push_back({From::server, answer(bytes), bytes, false});
            ++counts_["http1_requests"];
        }
        ++counts_["http1_flows"];
        return tcp(random_.chance(0.8) ? 80 : 8080, std::move(plan));
    }
    // Heads of 500 bytes, 100 on a connection, each with a short answer.
    std::unique_ptr<Conversation> heads() {
        constexpr std::size_t kHeadBytes = 500;
        TcpPlan plan;
        for (unsigned left = 100; left > 0; --left) {
            std::string text = "GET /v1/models?k=" + std::to_string(random_.below(1u << 20)) +
                               " HTTP/1.1\r\nHost: api.frontier.example\r\nUser-Agent: python-requests/2.32.3\r\n"
                               "Accept-Encoding: gzip, deflate, br\r\nAccept: */*\r\nConnection: keep-alive\r\n"
                               "Accept-Language: en-US,en;q=0.9\r\nCookie: sid=" + hex(16) + "; theme=dark\r\n"
                               "X-Request-Id: " + hex(32) + "\r\nX-Trace: ";
            text += hex(kHeadBytes - 4 - text.size()) + "\r\n\r\n";
            plan.speeches.push_back({From::client, of_text(text), 0, false});
            plan.speeches.push_back({From::server, answer(60), 60, false});
            ++counts_["http1_requests"];
        }
        ++counts_["http1_flows"];
        return tcp(80, std::move(plan));
    }
    // A small TLS 1.2 handshake up to its first ciphertext, left open.
    std::unique_ptr<Conversation> open_tls() {
        Bytes hello = hellos_.back()[random_.below(hellos_.back().size())];
        random_.fill(std::span(hello).subspan(kRandomAt, 32));
        TcpPlan plan;
        plan.fin = false;
        const Bytes finished = synth::tls_record(20, {1}, 0x0303);
        plan.speeches.push_back({From::client, synth::tls_record(22, hello, 0x0301), 0, false});
        const Bytes answer = synth::tls_record(22, mix_server_hello(random_, true), 0x0303) + finished;
        plan.speeches.push_back({From::server, answer, 40, true});
        plan.speeches.push_back({From::client, finished, 40, true});
        plan.speeches.push_back({From::server, {}, 120, true});
        plan.speeches.push_back({From::client, {}, 120, true});
        ++counts_["tls_client_hello"];
        return tcp(443, std::move(plan));
    }
    std::unique_ptr<Conversation> quic() {
        const QuicHello& hello = quic_hellos_[random_.below(quic_hellos_.size())];
        ++counts_["quic_flows"];
        ++counts_["quic_" + hello.name];
        counts_["quic_initial_datagrams"] += hello.initials.size();
        std::vector<Datagram> out;
        for (const Bytes& initial : hello.initials) out.push_back({From::client, initial, 0});
        if (options_.kind == MixKind::quic) {
            out.push_back({From::server, hello.answer, 0});
            FrameBuilder built = frames(17, 443);
            return udp_conversation(filler_, std::move(built), std::move(out));
        }
        // Handshake packets that nobody can open, then short headers.
        for (int i = 0; i < 2; ++i)
            out.push_back({From::server, Bytes{0xe1, 0, 0, 0, 1, 0, 8} + random_.bytes(8) + Bytes{0x44, 0xc4}, 1220});
        constexpr std::array<std::size_t, 3> kSizes = {40, 300, 1230};
        const auto count = static_cast<unsigned>(std::min(random_.pareto(1.1) * 8, 400.0));
        for (unsigned i = 0; i < count; ++i)
            out.push_back({random_.chance(0.75) ? From::server : From::client, {0x43}, kSizes[random_.below(3)]});
        FrameBuilder built = frames(17, 443);
        return udp_conversation(filler_, std::move(built), std::move(out));
    }
    std::unique_ptr<Conversation> bulk() {
        constexpr std::array<std::uint16_t, 5> kPorts = {22, 3306, 9092, 5001, 50051};
        ++counts_["bulk_tcp_flows"];
        TcpPlan plan;
        const auto bytes = static_cast<std::uint64_t>(std::min(random_.pareto(1.0) * 40'000, 3e6));
        plan.speeches.push_back({From::server, {}, bytes, false});
        return tcp(kPorts[random_.below(kPorts.size())], std::move(plan));
    }
    std::unique_ptr<Conversation> datagrams() {
        std::vector<Datagram> out;
        if (random_.chance(0.5)) {
            ++counts_["dns_flows"];
            Bytes question;
            const std::string_view name = host();
            for (std::size_t at = 0; at <= name.size();) {
                const std::size_t dot = std::min(name.find('.', at), name.size());
                question.push_back(static_cast<std::uint8_t>(dot - at));
                question.insert(question.end(), name.begin() + static_cast<std::ptrdiff_t>(at),
                                name.begin() + static_cast<std::ptrdiff_t>(dot));
                at = dot + 1;
            }
            question = question + Bytes{0, 0, 1, 0, 1};
            const Bytes id = random_.bytes(2);
            out.push_back({From::client, id + Bytes{1, 0, 0, 1, 0, 0, 0, 0, 0, 0} + question, 0});
            out.push_back({From::server, id + Bytes{0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0} + question +
                           Bytes{0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4, 198, 18, 0, 1}, 0});
            FrameBuilder built = frames(17, 53);
            return udp_conversation(filler_, std::move(built), std::move(out));
        }
        ++counts_["udp_other_flows"];
        constexpr std::array<std::uint16_t, 4> kPorts = {4500, 5004, 51820, 8125};
        constexpr std::array<unsigned, 3> kCounts = {4, 40, 200};
        constexpr std::array<std::size_t, 3> kSizes = {60, 172, 1100};
        for (unsigned left = kCounts[random_.below(3)]; left > 0; --left)
            out.push_back({From::client, {}, kSizes[random_.below(3)]});
        FrameBuilder built = frames(17, kPorts[random_.below(kPorts.size())]);
        return udp_conversation(filler_, std::move(built), std::move(out));
    }

    static constexpr std::size_t kSmallClient = 5;  // whose QUIC hello fits one datagram
    const MixOptions& options_;
    MixRandom random_;
    crypto::QuicCrypto& crypto_;
    Filler filler_;
    MixCounts counts_;
    std::vector<double> tcp_weights_, quic_weights_;
    std::vector<std::vector<Bytes>> hellos_;  // by profile
    std::vector<Bytes> flights_[2];           // TLS 1.3 and 1.2
    std::vector<QuicHello> quic_hellos_;
};

}  // namespace

Result<MixCounts> make_mix(const MixOptions& options, const MixFrame& out) {
    if (options.packets == 0 || options.concurrent == 0 || options.variants == 0 || !(options.gigabits > 0))
        return Status(Code::usage, "packets, concurrent flows, variants and rate must be above zero");
    auto crypto = crypto::QuicCrypto::make();
    if (!crypto) return crypto.error();
    return Mixer(options, **crypto).run(out);
}

}  // namespace seine::generate
