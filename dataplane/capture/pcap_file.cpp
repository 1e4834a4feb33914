#include "dataplane/capture/pcap_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include <pcap/pcap.h>

namespace seine::capture {

struct PcapFile::Handle {
    pcap_t* pcap = nullptr;  // owns its FILE
    std::string path;
    std::string error;
    std::uint64_t frame_count = 0;
    wire::LinkType link{};

    Handle() = default;
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() {
        if (pcap != nullptr) pcap_close(pcap);
    }
};

PcapFile::PcapFile(std::unique_ptr<Handle> handle) noexcept : handle_(std::move(handle)) {}
PcapFile::PcapFile(PcapFile&&) noexcept = default;
PcapFile& PcapFile::operator=(PcapFile&&) noexcept = default;
PcapFile::~PcapFile() = default;

const std::string& PcapFile::error() const noexcept { return handle_->error; }
std::uint64_t PcapFile::frame_count() const noexcept { return handle_->frame_count; }
wire::LinkType PcapFile::link() const noexcept { return handle_->link; }
const std::string& PcapFile::path() const noexcept { return handle_->path; }
std::uint32_t PcapFile::snapshot_bytes() const noexcept {
    const int bytes = pcap_snapshot(handle_->pcap);
    return bytes > 0 ? static_cast<std::uint32_t>(bytes) : 0;
}

namespace {

// libpcap says so of any file that ends where more has to come.
bool says_truncated(std::string_view message) noexcept {
    return message.find("truncated") != std::string_view::npos;
}

std::string shown(const std::string& path) { return path == "-" ? "standard input" : path; }

Status unreadable(const std::string& name, const char* why) {
    return {Code::not_found, name + ": cannot be read: " + why};
}

}  // namespace

Result<PcapFile> PcapFile::open(const std::string& path) {
    const std::string name = shown(path);
    std::FILE* file = stdin;
    if (path != "-") {
        file = std::fopen(path.c_str(), "rb");
        if (file == nullptr) return unreadable(name, std::strerror(errno));
        struct stat about {};
        if (fstat(fileno(file), &about) == 0 && S_ISDIR(about.st_mode)) {
            std::fclose(file);
            return unreadable(name, "it is a directory");
        }
    }
    const int first = std::fgetc(file);
    if (first == EOF) {
        if (file != stdin) std::fclose(file);
        return Status{Code::corrupt, name + ": is empty"};
    }
    std::ungetc(first, file);

    char message[PCAP_ERRBUF_SIZE] = "";
    auto handle = std::make_unique<Handle>();
    handle->path = path;
    handle->pcap =
        pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, message);
    if (handle->pcap == nullptr) {
        if (file != stdin) std::fclose(file);
        if (says_truncated(message))
            return Status{Code::corrupt, name + ": is cut inside the file header"};
        if (std::string_view(message).find("unknown file format") != std::string_view::npos) {
            return Status{Code::corrupt, name + ": is no capture file (neither pcap nor pcapng)"};
        }
        return Status{Code::corrupt, name + ": " + message};
    }
    const int number = pcap_datalink(handle->pcap);
    if (number < 0 || !wire::link_type_of(static_cast<std::uint32_t>(number), handle->link)) {
        const char* known = pcap_datalink_val_to_name(number);
        return Status{Code::failed,
                      name + ": link type " + std::to_string(number) + " (" +
                          (known == nullptr ? "unknown" : known) +
                          ") is not read; Ethernet, raw IP, PPP, NFLOG, Linux cooked and "
                          "loopback are"};
    }
    return PcapFile(std::move(handle));
}

Next PcapFile::next(CapturedFrame& out) noexcept {
    Handle& handle = *handle_;
    if (!handle.error.empty()) return Next::error;
    pcap_pkthdr* header = nullptr;
    const u_char* bytes = nullptr;
    const int answer = pcap_next_ex(handle.pcap, &header, &bytes);
    if (answer == 1) {
        ++handle.frame_count;
        out.bytes = {bytes, header->caplen};
        out.wire_bytes = header->len > header->caplen ? header->len : header->caplen;
        out.link = handle.link;
        // With nanosecond precision asked for, the field named tv_usec holds nanoseconds. A file
        // may say anything: seconds and fraction are held inside what Nanos can count (year 2262).
        const std::int64_t seconds = std::clamp<std::int64_t>(header->ts.tv_sec, 0, 9'223'372'035);
        const std::int64_t fraction = std::clamp<std::int64_t>(header->ts.tv_usec, 0, kSecond - 1);
        out.time = {seconds * kSecond + fraction};
        return Next::frame;
    }
    if (answer == PCAP_ERROR_BREAK) return Next::end;
    const std::string_view message = pcap_geterr(handle.pcap);
    const std::string number = std::to_string(handle.frame_count + 1);
    handle.error = shown(handle.path) + ": ";
    if (says_truncated(message)) {
        handle.error += "cut in the middle of packet " + number;
    } else {
        handle.error += "broken at packet " + number + " (" + std::string(message) + ")";
    }
    handle.error += handle.frame_count == 1 ? "; the packet before it was read"
                                            : "; the " + std::to_string(handle.frame_count) +
                                                  " packets before it were read";
    return Next::error;
}

}  // namespace seine::capture
