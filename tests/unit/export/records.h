// Frames with a one-line description, and a folder of the test's own.
#pragma once
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "dataplane/contract/frame.h"
#include "tests/support/temp_folder.h"

namespace seine::exporting {

using Bytes = std::vector<std::uint8_t>;

struct Flow {
    std::uint64_t counter = 1;
    std::int64_t first_ns = 1000;
    std::uint16_t sport = 40000;
    std::uint16_t worker = 0;
};

// Calls fill(writer) between the common fields and the end.
template <typename Fill>
Bytes record(contract::Kind kind, const Flow& flow, std::int64_t last_ns, Fill&& fill,
             std::size_t cap = 4096) {
    static constexpr std::uint8_t kClient[16] = {0, 0, 0,    0,    0,   0, 0, 0,
                                                 0, 0, 0xff, 0xff, 192, 0, 2, 1};
    static constexpr std::uint8_t kServer[16] = {0, 0, 0,    0,    0,   0,  0,   0,
                                                 0, 0, 0xff, 0xff, 198, 51, 100, 7};
    using contract::Field;
    Bytes buffer(cap);
    contract::FrameWriter writer(buffer);
    writer.begin(kind, {1, 5, flow.counter});
    writer.set(Field::t_first_ns, static_cast<std::uint64_t>(flow.first_ns));
    writer.set(Field::t_last_ns, static_cast<std::uint64_t>(last_ns));
    writer.set_ip(Field::src, kClient);
    writer.set(Field::sport, flow.sport);
    writer.set_ip(Field::dst, kServer);
    writer.set(Field::dport, 443);
    writer.choose(Field::proto, contract::Proto::tcp);
    writer.set(Field::worker, flow.worker);
    fill(writer);
    buffer.resize(writer.finish());
    return buffer;
}
inline Bytes record(contract::Kind kind, const Flow& flow, std::int64_t last_ns) {
    return record(kind, flow, last_ns, [](contract::FrameWriter&) {});
}

struct Folder : test::TempFolder {
    Folder() : TempFolder("export") {}
};

inline std::string text_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}
inline void write_file(const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
}

}  // namespace seine::exporting
