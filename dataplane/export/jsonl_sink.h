// Frames to JSON lines in a file or on stdout: one a flow, or one a frame.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "dataplane/contract/json.h"
#include "dataplane/export/fold.h"
#include "dataplane/export/frame_sink.h"

namespace seine::exporting {

struct JsonlOptions {
    bool events = false;  // one line per frame instead of one per flow
    // Lines are held until finish() and written in the order (t_first_ns, proto, src, sport, dst,
    // dport, ordinal): the same for any number of workers.
    bool sorted = false;
    FoldLimits fold;
};

class JsonlSink final : public FrameSink {
  public:
    // `path` `-` is stdout. A file is created or emptied.
    static Result<std::unique_ptr<JsonlSink>> open(const std::string& path,
                                                   const JsonlOptions& options);
    ~JsonlSink() override;

    void take(ByteView frame, unsigned worker) override;
    void flush() override;
    Status finish() override;

    [[nodiscard]] std::uint64_t lines() const noexcept { return lines_; }
    // Frames that did not read as one: our own mistake or a newer kind; counted, not written.
    [[nodiscard]] std::uint64_t unreadable() const noexcept { return unreadable_; }
    [[nodiscard]] std::uint64_t folded_early() const noexcept { return fold_.early(); }

  private:
    struct Line {
        std::string key;
        std::string text;
    };
    JsonlSink(int fd, bool owned, std::string name, const JsonlOptions& options);
    void line(const contract::RecordView& record, contract::JsonForm form);
    void write_out();

    int fd_;
    bool owned_;
    bool finished_ = false;
    std::string name_;
    JsonlOptions options_;
    Fold fold_;
    contract::JsonWriter json_;
    std::string buffer_;
    std::vector<Line> lines_held_;
    std::uint64_t lines_ = 0;
    std::uint64_t unreadable_ = 0;
    Status error_;
};

}  // namespace seine::exporting
