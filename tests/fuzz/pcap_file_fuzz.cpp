// Any bytes as a capture file: every frame lies inside its length, every file ends or says one
// line.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/mman.h>
#include <unistd.h>

#include "dataplane/capture/pcap_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace seine::capture;
    const int memory = memfd_create("capture", 0);
    if (memory < 0) return 0;
    const bool written = write(memory, data, size) == static_cast<ssize_t>(size);
    const std::string path = "/proc/self/fd/" + std::to_string(memory);
    auto file = PcapFile::open(path);
    if (written && !file) {
        if (file.error().message().empty() ||
            file.error().message().find('\n') != std::string::npos)
            std::abort();
    }
    if (written && file) {
        CapturedFrame frame;
        Next next = Next::frame;
        unsigned sum = 0;
        for (int frames = 0; frames < 10000; ++frames) {
            next = file->next(frame);
            if (next != Next::frame) break;
            if (frame.wire_bytes < frame.bytes.size() ||
                frame.bytes.size() > (std::size_t{1} << 28))
                std::abort();
            for (const std::uint8_t byte : frame.bytes) sum += byte;
        }
        volatile unsigned kept = sum;
        static_cast<void>(kept);
        if (next == Next::error && file->error().empty()) std::abort();
        if (next == Next::error && file->next(frame) != Next::error) std::abort();
    }
    close(memory);
    return 0;
}
