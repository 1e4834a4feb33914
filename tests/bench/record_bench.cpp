// What one record costs: laid down, checked, printed, folded, through the ring file; against a copy
// of its bytes.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>
#include <x86intrin.h>

#include "dataplane/contract/json.h"
#include "dataplane/export/fold.h"
#include "dataplane/export/ring_file.h"
#include "dataplane/export/ring_reader.h"

namespace {

using namespace seine;
using namespace seine::contract;

constexpr std::uint8_t kClient[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1};
constexpr std::uint8_t kServer[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 198, 51, 100, 7};

// Facts of a TLS 1.3 flow, as the pipeline keeps them until its record.
struct Facts {
    std::uint8_t bytes[1024];
    std::size_t used = 0;
    Facts() {
        bool fits = true;
        const auto add = [&](Field field, std::string_view value) {
            fits = encode_text(bytes, used, field, value) && fits;
        };
        add(Field::sni, "api.example.com");
        add(Field::alpn, "h2");
        add(Field::alpn, "http/1.1");
        add(Field::ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
        add(Field::ja4_norm, "t13d1516h2_8daaf6152771_e5627efa2ab1");
        add(Field::ja4s, "t130200_1301_234ea6891581");
        add(Field::ja3, "ada70206e40642a3e4461f35503241d5");
        add(Field::ja3s, "eb1d94daa7e0344597e756a1fb6e7054");
        add(Field::ja4t, "65535_2-1-3-1-1-8-4-0-0_1346_6");
        add(Field::ja4ts, "65535_2-1-1-4-1-3_1346_10");
        add(Field::ja4l_c, "35_64");
        add(Field::ja4l_s, "18861_59");
        add(Field::syn, "4:64:0:1460:65535,7:mss,nop,ws,sok,ts");
        if (!fits) std::abort();
    }
};

std::size_t lay(std::span<std::uint8_t> buffer, const Facts& facts, std::uint64_t number) {
    FrameWriter writer(buffer);
    writer.begin(Kind::close, {1, 7, number});
    writer.set(Field::t_first_ns, 1700000000000000000 + number);
    writer.set(Field::t_last_ns, 1700000000100000000 + number);
    writer.set_ip(Field::src, kClient);
    writer.set(Field::sport, 40000);
    writer.set_ip(Field::dst, kServer);
    writer.set(Field::dport, 443);
    writer.choose(Field::proto, Proto::tcp);
    writer.choose(Field::app, App::tls);
    writer.choose(Field::seen, Seen::both);
    writer.set(Field::tls_version, 0x0304);
    writer.set(Field::tls_cipher, 0x1301);
    writer.set(Field::rtt_tcp_us, 20000);
    writer.set(Field::rtt_tls_us, 21000);
    writer.set(Field::rtt_valid, 1);
    writer.set(Field::packets_c, 20);
    writer.set(Field::packets_s, 30);
    writer.set(Field::payload_c, 2000);
    writer.set(Field::payload_s, 30000);
    writer.choose(Field::end_reason, EndReason::fin);
    writer.append_encoded({facts.bytes, facts.used});
    writer.hex64(Field::session_presented, 0x1234567812345678);
    for (std::uint32_t i = 0; i < 3; ++i) writer.exchange(Field::exchanges, i * 100, 700, 9000);
    return writer.finish();
}

struct Row {
    const char* name;
    std::vector<double> cycles;
};

double median(std::vector<double>& values) {
    std::nth_element(values.begin(),
                     values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

template <typename Work>
void time_into(Row& row, unsigned items, Work&& work) {
    const std::uint64_t start = __rdtsc();
    for (unsigned i = 0; i < items; ++i) work(i);
    row.cycles.push_back(static_cast<double>(__rdtsc() - start) / items);
}

// Few enough that a row ends within a time slice of a busy machine.
constexpr unsigned kItems = 256;

std::uint64_t time_rows(std::span<Row> rows, int rounds, const Facts& facts,
                        exporting::RingWriter& writer, exporting::RingReader& reader) {
    std::vector<std::uint8_t> frame(kRingFrameBytesMax);
    const std::size_t bytes = lay(frame, facts, 1);
    RecordView record;
    if (read_frame({frame.data(), bytes}, record) != Parse::ok) std::abort();
    JsonWriter json;
    std::string again;
    exporting::RingEntry entry;
    std::uint64_t sink = 0;
    exporting::Fold fold({}, [&sink](const RecordView& flow) { sink += flow.strings.size(); });
    std::vector<std::uint8_t> other(kRingFrameBytesMax);
    for (int round = 0; round < rounds; ++round) {
        time_into(rows[0], kItems, [&](unsigned i) {
            frame[100] = static_cast<std::uint8_t>(i);
            std::copy(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(bytes),
                      other.begin());
            sink += other[100];
        });
        time_into(rows[1], kItems, [&](unsigned i) { sink += lay(frame, facts, i); });
        time_into(rows[2], kItems, [&](unsigned) {
            sink += read_frame({frame.data(), bytes}, record) == Parse::ok;
        });
        time_into(rows[3], kItems, [&](unsigned) {
            again.clear();
            json.append(again, record, JsonForm::event);
        });
        time_into(rows[4], kItems, [&](unsigned i) {
            record.flow.counter = i;
            fold.add(record);
        });
        time_into(rows[5], kItems, [&](unsigned) {
            sink += writer.write({frame.data(), bytes}, 0);
        });
        time_into(rows[6], kItems, [&](unsigned) { sink += reader.next(entry) == Parse::ok; });
        reader.commit();
    }
    return sink;
}

}  // namespace

int main(int argc, char** argv) {
    const int rounds = argc > 1 ? std::atoi(argv[1]) : 201;
    if (rounds < 1) {
        std::fputs("usage: record_bench [rounds]\n", stderr);
        return 2;
    }
    const Facts facts;
    std::vector<std::uint8_t> frame(kRingFrameBytesMax);
    const std::size_t bytes = lay(frame, facts, 1);
    RecordView record;
    std::string ring_path =
        (std::filesystem::temp_directory_path() / "seine-bench-XXXXXX").string();
    const int made = ::mkstemp(ring_path.data());
    exporting::RingWriterConfig config;
    config.path = ring_path;
    auto writer = exporting::RingWriter::open(config);
    auto reader = exporting::RingReader::open(ring_path);
    if (made < 0 || !writer || !reader || read_frame({frame.data(), bytes}, record) != Parse::ok) {
        std::fputs("record_bench: the ring or the record could not be made\n", stderr);
        return 1;
    }
    // The answers first: what the ring gives back prints as what went in.
    JsonWriter json;
    std::string printed;
    std::string again;
    json.append(printed, record, JsonForm::event);
    exporting::RingEntry entry;
    if (!(*writer)->write({frame.data(), bytes}, 0) || (*reader)->next(entry) != Parse::ok ||
        read_frame(entry.frame, record) != Parse::ok) {
        return 1;
    }
    json.append(again, record, JsonForm::event);
    if (printed != again) return 1;
    (*reader)->commit();

    Row rows[] = {{"copy of the bytes (floor)", {}},
                  {"lay down", {}},
                  {"check and open", {}},
                  {"print as JSON", {}},
                  {"fold one flow", {}},
                  {"ring write", {}},
                  {"ring read", {}}};
    const std::uint64_t sink = time_rows(rows, rounds, facts, **writer, **reader);
    std::printf("a record of %zu bytes, %zu as JSON; %d rounds of %u, TSC cycles each, medians\n",
                bytes, printed.size(), rounds, kItems);
    for (Row& row : rows) std::printf("%-28s %8.1f\n", row.name, median(row.cycles));
    std::printf("checksum %llu\n", static_cast<unsigned long long>(sink));
    return std::remove(ring_path.c_str());
}
