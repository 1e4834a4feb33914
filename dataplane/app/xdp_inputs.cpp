#include "dataplane/app/xdp_inputs.h"

#ifdef SEINE_EBPF
#include "ebpf/loader.h"
#endif

namespace seine::app {

#ifdef SEINE_EBPF

struct XdpInputs::File {
    ebpf::ProgramFile program;
};

Result<std::unique_ptr<XdpInputs>> XdpInputs::prepare(const std::vector<std::string>& interfaces) {
    std::vector<std::string> notices;
    for (const std::string& interface : interfaces) {
        const auto found = ebpf::attached_program(interface);
        const std::string error = found.error.empty() ? ebpf::take_off(interface) : found.error;
        if (!error.empty()) return failed("--af-xdp " + error);
        if (found.whose == ebpf::Attached::none) continue;
        notices.push_back(interface + ": took off the XDP program that an earlier run left behind");
    }
    auto file = std::make_unique<File>();
    if (!file->program.error().empty()) return failed("--af-xdp: " + file->program.error());
    std::unique_ptr<XdpInputs> out(new XdpInputs(interfaces, std::move(file)));
    out->notices_ = std::move(notices);
    return out;
}

XdpInputs::~XdpInputs() {
    // The driver takes its program off when its port closes; this is for a start that failed half way.
    for (const std::string& interface : interfaces_) static_cast<void>(ebpf::take_off(interface));
}

std::string XdpInputs::program_path() const { return file_->program.path(); }

std::vector<runtime::NamedCount> XdpInputs::counters() const {
    std::vector<runtime::NamedCount> sums;
    for (const std::string& interface : interfaces_) {
        const auto counts = ebpf::counters(interface);
        if (sums.empty()) {
            for (const auto& count : counts) sums.push_back({std::string(count.name), 0, count.meaning});
        }
        for (std::size_t i = 0; i < counts.size(); ++i) sums[i].value += counts[i].value;
    }
    return sums;
}

#else

struct XdpInputs::File {};

Result<std::unique_ptr<XdpInputs>> XdpInputs::prepare(const std::vector<std::string>& interfaces) {
    return failed("--af-xdp " + interfaces.front() +
                  ": this build has no eBPF; build again with clang and libbpf-dev installed, or use "
                  "--af-packet " + interfaces.front());
}
XdpInputs::~XdpInputs() = default;
std::string XdpInputs::program_path() const { return {}; }
std::vector<runtime::NamedCount> XdpInputs::counters() const { return {}; }

#endif

XdpInputs::XdpInputs(std::vector<std::string> interfaces, std::unique_ptr<File> file)
    : interfaces_(std::move(interfaces)), file_(std::move(file)) {}

}  // namespace seine::app
