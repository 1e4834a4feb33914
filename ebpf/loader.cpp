#include "ebpf/loader.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <net/if.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "ebpf/seine_abi.h"
#include "ebpf/steer_object.h"

namespace seine::ebpf {
namespace {

struct Descriptor {
    int fd;
    explicit Descriptor(int value) noexcept : fd(value) {}
    ~Descriptor() {
        if (fd >= 0) close(fd);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
};

constexpr std::size_t kMapsMax = 16;
struct Maps {
    std::array<std::uint32_t, kMapsMax> ids{};
    std::uint32_t count = 0;
};

bool program_info(std::uint32_t id, bpf_prog_info& info, Maps& maps) {
    const Descriptor program(bpf_prog_get_fd_by_id(id));
    if (program.fd < 0) return false;
    info = {};
    info.nr_map_ids = kMapsMax;
    info.map_ids = reinterpret_cast<std::uintptr_t>(maps.ids.data());  // NOLINT: the kernel's form
    __u32 bytes = sizeof info;
    if (bpf_obj_get_info_by_fd(program.fd, &info, &bytes) != 0) return false;
    maps.count = info.nr_map_ids < kMapsMax ? info.nr_map_ids : kMapsMax;
    return true;
}

int counter_map(const Maps& maps) {
    for (std::uint32_t i = 0; i < maps.count; ++i) {
        const int fd = bpf_map_get_fd_by_id(maps.ids[i]);
        if (fd < 0) continue;
        bpf_map_info info{};
        __u32 bytes = sizeof info;
        // The kernel keeps 15 characters of a name.
        if (bpf_obj_get_info_by_fd(fd, &info, &bytes) == 0 && info.max_entries == seine_xdp_counter_count &&
            std::string_view(SEINE_XDP_COUNTERS_MAP).starts_with(info.name)) {
            return fd;
        }
        close(fd);
    }
    return -1;
}

constexpr XdpCount kCounts[] = {
#define SEINE_X(name, meaning) {#name, meaning, 0},
    SEINE_XDP_COUNTERS(SEINE_X)
#undef SEINE_X
};

}  // namespace

ProgramFile::ProgramFile() : fd_(memfd_create("seine-xdp", MFD_CLOEXEC)) {
    const auto bytes = steer_object();
    if (fd_ < 0 || write(fd_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size())) {
        error_ = std::string("no memory for the XDP program: ") + std::strerror(errno);
    }
}

ProgramFile::~ProgramFile() {
    if (fd_ >= 0) close(fd_);
}

std::string ProgramFile::path() const { return "/proc/self/fd/" + std::to_string(fd_); }

AttachedProgram attached_program(const std::string& interface) {
    AttachedProgram out;
    const unsigned index = if_nametoindex(interface.c_str());
    if (index == 0) {
        out.error = interface + ": no such interface; `ip link` lists those there are";
        return out;
    }
    const int asked = bpf_xdp_query_id(static_cast<int>(index), 0, &out.id);
    if (asked != 0) {
        out.error = interface + ": the kernel does not say what XDP program it has: " + std::strerror(-asked);
        return out;
    }
    if (out.id == 0) return out;
    out.whose = Attached::foreign;
    bpf_prog_info info{};
    Maps maps;
    if (!program_info(out.id, info, maps)) return out;
    out.name = info.name;
    if (out.name == SEINE_XDP_PROGRAM_NAME) out.whose = Attached::ours;
    return out;
}

std::string take_off(const std::string& interface) {
    const AttachedProgram found = attached_program(interface);
    if (!found.error.empty() || found.whose == Attached::none) return found.error;
    if (found.whose == Attached::foreign) {
        return interface + ": has the XDP program " + (found.name.empty() ? "of another" : found.name) + " (id " +
               std::to_string(found.id) + "), which is not ours; end its owner, or: ip link set " + interface + " xdp off";
    }
    const int off = bpf_xdp_detach(static_cast<int>(if_nametoindex(interface.c_str())), 0, nullptr);
    if (off == 0) return {};
    return interface + ": its XDP program cannot be taken off: " + std::strerror(-off);
}

std::vector<XdpCount> counters(const std::string& interface) {
    const AttachedProgram found = attached_program(interface);
    if (found.whose != Attached::ours) return {};
    bpf_prog_info info{};
    Maps maps;
    if (!program_info(found.id, info, maps)) return {};
    const Descriptor map(counter_map(maps));
    const int processors = libbpf_num_possible_cpus();
    if (map.fd < 0 || processors <= 0) return {};
    std::vector<XdpCount> out(std::begin(kCounts), std::end(kCounts));
    std::vector<std::uint64_t> cells(static_cast<std::size_t>(processors));
    for (std::uint32_t i = 0; i < out.size(); ++i) {
        if (bpf_map_lookup_elem(map.fd, &i, cells.data()) != 0) continue;
        for (const std::uint64_t cell : cells) out[i].value += cell;
    }
    return out;
}

}  // namespace seine::ebpf
