// A file as destination: what was written is told exactly, and others may cut it.
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "control/export/carrier.h"

namespace seine::siem {
namespace {

struct Folder {
    std::string path = (std::filesystem::temp_directory_path() /
                        ("seine-file-carrier-" + std::to_string(::getpid())))
                           .string();
    Folder() {
        std::filesystem::remove_all(path);
        std::filesystem::create_directories(path);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    [[nodiscard]] std::string out() const { return path + "/out"; }
};

std::unique_ptr<Carrier> made(const Folder& folder, std::uint64_t rotate_bytes, unsigned keep) {
    CarrierSettings settings;
    settings.name = "archive";
    settings.carrier = "file";
    settings.path = folder.out();
    settings.rotate_bytes = rotate_bytes;
    settings.rotate_keep = keep;
    auto carrier = make_file_carrier(settings);
    EXPECT_TRUE(carrier);
    return std::move(*carrier);
}

// Messages of a kilobyte that are their numbers.
std::vector<std::string> numbered(std::size_t first, std::size_t end) {
    std::vector<std::string> out;
    for (std::size_t i = first; i < end; ++i) {
        out.push_back(std::to_string(i) + " ");
        out.back().append(1000 - out.back().size(), 'x');
    }
    return out;
}

Delivery deliver(Carrier& carrier, const std::vector<std::string>& texts) {
    const std::atomic<bool> stop{false};
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    return carrier.deliver(views, stop);
}

std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream in(path);
    std::vector<std::string> lines;
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

// Writes of this process end at so many bytes of a file, as they do on a full disk.
struct FileLimit {
    rlimit before{};
    explicit FileLimit(rlim_t bytes) {
        ::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &before);
        rlimit now = before;
        now.rlim_cur = bytes;
        ::setrlimit(RLIMIT_FSIZE, &now);
    }
    FileLimit(const FileLimit&) = delete;
    FileLimit& operator=(const FileLimit&) = delete;
    ~FileLimit() { ::setrlimit(RLIMIT_FSIZE, &before); }
};

TEST(FileCarrier, TellsWhatHadRoomAndWritesNoLineTwice) {
    const Folder folder;
    const auto carrier = made(folder, 0, 1);
    const auto texts = numbered(0, 1000);
    Delivery first;
    {
        const FileLimit limit(700'000);
        first = deliver(*carrier, texts);
    }
    EXPECT_FALSE(first.status.ok());
    EXPECT_NE(first.status.message().find(folder.out() + ": cannot be written"), std::string::npos);
    EXPECT_GT(first.accepted, 0u);
    EXPECT_LT(first.accepted, 700u);
    EXPECT_EQ(std::filesystem::file_size(folder.out()), first.accepted * 1001);
    const std::vector<std::string> rest(texts.begin() + static_cast<std::ptrdiff_t>(first.accepted),
                                        texts.end());
    const Delivery second = deliver(*carrier, rest);
    EXPECT_TRUE(second.status.ok());
    EXPECT_EQ(second.accepted, rest.size());
    EXPECT_EQ(lines_of(folder.out()), texts);
}

TEST(FileCarrier, RotatesBySizeAndKeepsSoMany) {
    const Folder folder;
    const auto carrier = made(folder, 100'000, 2);
    for (std::size_t i = 0; i < 5; ++i)
        EXPECT_EQ(deliver(*carrier, numbered(100 * i, 100 * i + 100)).accepted, 100u);
    EXPECT_EQ(lines_of(folder.out() + ".1"), numbered(400, 500));
    EXPECT_EQ(lines_of(folder.out() + ".2"), numbered(300, 400));
    EXPECT_FALSE(std::filesystem::exists(folder.out() + ".3"));
}

TEST(FileCarrier, AFileThatOthersCutIsAsLongAsItIs) {
    const Folder folder;
    const auto carrier = made(folder, 100'000, 2);
    deliver(*carrier, numbered(0, 90));
    std::filesystem::resize_file(folder.out(), 0);  // logrotate's copytruncate
    deliver(*carrier, numbered(90, 180));
    EXPECT_EQ(lines_of(folder.out()), numbered(90, 180));
    EXPECT_FALSE(std::filesystem::exists(folder.out() + ".1"));
    // A write that fails takes back its own bytes, not what others cut.
    std::filesystem::resize_file(folder.out(), 0);
    {
        const FileLimit limit(500);
        EXPECT_EQ(deliver(*carrier, numbered(180, 181)).accepted, 0u);
    }
    EXPECT_EQ(std::filesystem::file_size(folder.out()), 0u);
}

TEST(FileCarrier, FindingsArePushedToTheDiskAndDeliveryGoesOn) {
    const Folder folder;
    const auto carrier = made(folder, 0, 1);
    carrier->expect_findings();
    deliver(*carrier, numbered(0, 10));
    carrier->sync();
    deliver(*carrier, numbered(10, 20));
    EXPECT_EQ(lines_of(folder.out()), numbered(0, 20));
}

// Opening a pipe that nobody reads would hold up the thread for good.
TEST(FileCarrier, RefusesWhatIsNoPlainFile) {
    const Folder folder;
    CarrierSettings settings;
    settings.name = "archive";
    settings.carrier = "file";
    const auto refused = [&settings](const std::string& path, const char* what) {
        settings.path = path;
        const auto carrier = make_file_carrier(settings);
        ASSERT_FALSE(carrier);
        EXPECT_NE(carrier.error().message().find("export archive: " + path + ": is " + what),
                  std::string::npos)
            << carrier.error().message();
    };
    ASSERT_EQ(::mkfifo((folder.path + "/pipe").c_str(), 0600), 0);
    refused(folder.path + "/pipe", "a named pipe");
    refused(folder.path, "a folder");
    refused("/dev/null", "a device");
    std::filesystem::create_symlink(folder.out(), folder.path + "/link");
    refused(folder.path + "/link", "a symbolic link");
}

TEST(FileCarrier, APipeThatTookTheFilesPlaceIsAFaultNotAWait) {
    const Folder folder;
    const auto carrier = made(folder, 0, 1);
    deliver(*carrier, numbered(0, 10));
    std::filesystem::rename(folder.out(), folder.path + "/before");
    ASSERT_EQ(::mkfifo(folder.out().c_str(), 0600), 0);
    carrier->reopen();
    const Delivery none = deliver(*carrier, numbered(10, 20));
    EXPECT_EQ(none.accepted, 0u);
    EXPECT_NE(none.status.message().find(folder.out() + ": is a named pipe"), std::string::npos)
        << none.status.message();
    std::filesystem::remove(folder.out());
    EXPECT_EQ(deliver(*carrier, numbered(10, 20)).accepted, 10u);
    EXPECT_EQ(lines_of(folder.out()), numbered(10, 20));
}

}  // namespace
}  // namespace seine::siem
