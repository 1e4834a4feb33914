#include "tools/generate/mix_command.h"

#include <time.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include <boost/program_options.hpp>

#include "dataplane/capture/pcap_writer.h"
#include "tools/generate/mix.h"

namespace seine::generate {
namespace {

namespace po = boost::program_options;

struct Arguments {
    MixOptions mix;
    std::string out;
    std::string kind;
    bool help = false;
    bool no_quic = false;
    bool no_drain = false;
};

po::options_description described(Arguments& out) {
    po::options_description options("options");
    options.add_options()
        ("out,o", po::value(&out.out)->value_name("FILE"), "the capture; its truth goes to FILE.json")
        ("kind", po::value(&out.kind)->value_name("KIND")->default_value("edge"),
         "edge (the mix), handshakes, quic, http, settled")
        ("packets", po::value(&out.mix.packets)->value_name("N")->default_value(out.mix.packets),
         "flows begun until then are played to their end")
        ("concurrent", po::value(&out.mix.concurrent)->value_name("N")->default_value(out.mix.concurrent),
         "flows alive at a time")
        ("seed", po::value(&out.mix.seed)->value_name("N")->default_value(out.mix.seed), "the same seed gives the same bytes")
        ("variants", po::value(&out.mix.variants)->value_name("N")->default_value(out.mix.variants),
         "hellos made of each client")
        ("gbps", po::value(&out.mix.gigabits)->value_name("RATE")->default_value(out.mix.gigabits),
         "rate that the timestamps pretend")
        ("v6", po::value(&out.mix.ipv6_share)->value_name("SHARE")->default_value(out.mix.ipv6_share, "0.2"),
         "of flows over IPv6")
        ("vlan", po::value(&out.mix.vlan_share)->value_name("SHARE")->default_value(out.mix.vlan_share, "0.05"),
         "of flows with a VLAN tag")
        ("no-quic", po::bool_switch(&out.no_quic), "no QUIC flows")
        ("no-drain", po::bool_switch(&out.no_drain), "stop dead at the packet count")
        ("help,h", po::bool_switch(&out.help), "print this");
    return options;
}

bool kind_of(const std::string& name, MixKind& out) {
    const std::pair<const char*, MixKind> kKinds[] = {{"edge", MixKind::edge}, {"handshakes", MixKind::handshakes},
                                                      {"quic", MixKind::quic}, {"http", MixKind::http},
                                                      {"settled", MixKind::settled}};
    for (const auto& [known, kind] : kKinds) {
        if (name != known) continue;
        out = kind;
        return true;
    }
    return false;
}

void complain(const std::string& line) { std::fprintf(stderr, "seine-generate: %s\n", line.c_str()); }

bool write_truth(const Arguments& arguments, const MixCounts& counts) {
    std::ofstream file(arguments.out + ".json");
    file << "{\n";
    for (const auto& [name, count] : counts) file << " \"" << name << "\": " << count << ",\n";
    file << " \"seed\": " << arguments.mix.seed << ",\n \"concurrent\": " << arguments.mix.concurrent << "\n}\n";
    file.close();
    return bool(file);
}

int generate(const Arguments& arguments) {
    auto writer = capture::PcapWriter::create(arguments.out);
    if (!writer) {
        complain(writer.error().message());
        return 1;
    }
    std::uint64_t written = 0;
    time_t told = time(nullptr) + 1;
    Status status;
    const auto counts = make_mix(arguments.mix, [&](ByteView bytes, Nanos time_of_frame) {
        status = writer->write(bytes, time_of_frame);
        if (++written % 65536 == 0 && time(nullptr) > told) {
            told = time(nullptr) + 1;
            std::fprintf(stderr, "  %llu packets\n", static_cast<unsigned long long>(written));
        }
        return status.ok();
    });
    if (!counts) {
        complain(counts.error().message());
        return counts.error().code() == Code::usage ? 2 : 1;
    }
    if (status.ok()) status = writer->close();
    if (!status.ok() || !write_truth(arguments, *counts)) {
        complain(status.ok() ? arguments.out + ".json: cannot be written" : status.message());
        return 1;
    }
    return 0;
}

}  // namespace

int mix_command(int argc, char** argv) {
    Arguments arguments;
    const auto options = described(arguments);
    try {
        po::variables_map seen;
        po::store(po::command_line_parser(argc, argv).options(options).positional({}).run(), seen);
        po::notify(seen);
    } catch (const po::error& error) {
        complain(std::string(error.what()) + "; see seine-generate mix --help");
        return 2;
    }
    if (arguments.help) {
        std::ostringstream text;
        text << "usage: seine-generate mix --out FILE [options]\nA capture of API edge traffic with known truth.\n\n" << options;
        std::fputs(text.str().c_str(), stdout);
        return 0;
    }
    if (arguments.out.empty()) {
        complain("mix: --out FILE is missing; see seine-generate mix --help");
        return 2;
    }
    if (!kind_of(arguments.kind, arguments.mix.kind)) {
        complain("--kind: no mix '" + arguments.kind + "'; edge, handshakes, quic, http or settled");
        return 2;
    }
    arguments.mix.quic = !arguments.no_quic;
    arguments.mix.drain = !arguments.no_drain;
    return generate(arguments);
}

}  // namespace seine::generate
