// JSON lines: buffered writes, and the sort key that makes output independent of the workers.
#include "dataplane/export/jsonl_sink.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

namespace seine::exporting {
namespace {

constexpr std::size_t kBufferBytes = 256 * 1024;

void append_big_endian(std::string& out, std::uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8)
        out.push_back(static_cast<char>(value >> shift));
}

// Compares bytewise in the order (t_first_ns, proto, src, sport, dst, dport, ordinal). The ordinal
// is the counter of the flow id: flows of one 5-tuple are all at one worker, which counts up.
std::string sort_key(const contract::RecordView& record) {
    using contract::Field;
    std::string key;
    key.reserve(64);
    append_big_endian(key, record.get(Field::t_first_ns) ^ (std::uint64_t{1} << 63), 8);
    append_big_endian(key, record.get(Field::proto), 1);
    key.append(as_text(record.ip(Field::src)));
    append_big_endian(key, record.get(Field::sport), 2);
    key.append(as_text(record.ip(Field::dst)));
    append_big_endian(key, record.get(Field::dport), 2);
    append_big_endian(key, record.flow.epoch, 4);
    append_big_endian(key, record.flow.counter, 8);
    return key;
}

}  // namespace

Result<std::unique_ptr<JsonlSink>> JsonlSink::open(const std::string& path,
                                                   const JsonlOptions& options) {
    if (path == "-")
        return std::unique_ptr<JsonlSink>(new JsonlSink(STDOUT_FILENO, false, "stdout", options));
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    if (fd < 0) {
        return failed(path + ": cannot be written: " + std::strerror(errno) +
                      "; name a file in a folder that exists");
    }
    return std::unique_ptr<JsonlSink>(new JsonlSink(fd, true, path, options));
}

JsonlSink::JsonlSink(int fd, bool owned, std::string name, const JsonlOptions& options)
    : fd_(fd),
      owned_(owned),
      name_(std::move(name)),
      options_(options),
      fold_(options.fold,
            [this](const contract::RecordView& flow) { line(flow, contract::JsonForm::flow); }) {}

JsonlSink::~JsonlSink() {
    if (!finished_) static_cast<void>(finish());
    if (owned_) ::close(fd_);
}

void JsonlSink::take(ByteView frame, unsigned) {
    contract::RecordView record;
    if (contract::read_frame(frame, record) != Parse::ok) {
        ++unreadable_;
    } else if (options_.events) {
        line(record, contract::JsonForm::event);
    } else {
        fold_.add(record);
    }
}

void JsonlSink::line(const contract::RecordView& record, contract::JsonForm form) {
    ++lines_;
    if (options_.sorted) {
        Line held;
        held.key = sort_key(record);
        json_.append(held.text, record, form);
        lines_held_.push_back(std::move(held));
        return;
    }
    json_.append(buffer_, record, form);
    buffer_.push_back('\n');
    if (buffer_.size() >= kBufferBytes) write_out();
}

void JsonlSink::write_out() {
    std::size_t done = 0;
    while (done < buffer_.size() && error_.ok()) {
        const ssize_t wrote = ::write(fd_, buffer_.data() + done, buffer_.size() - done);
        if (wrote >= 0) {
            done += static_cast<std::size_t>(wrote);
        } else if (errno != EINTR) {
            error_ = failed(name_ + ": writing failed: " + std::strerror(errno) +
                            "; what follows is lost");
        }
    }
    buffer_.clear();
}

void JsonlSink::flush() {
    if (!buffer_.empty()) write_out();
}

Status JsonlSink::finish() {
    if (finished_) return error_;
    finished_ = true;
    fold_.finish();
    std::stable_sort(lines_held_.begin(), lines_held_.end(),
                     [](const Line& a, const Line& b) { return a.key < b.key; });
    for (const Line& held : lines_held_) {
        buffer_.append(held.text);
        buffer_.push_back('\n');
        if (buffer_.size() >= kBufferBytes) write_out();
    }
    lines_held_.clear();
    write_out();
    return error_;
}

}  // namespace seine::exporting
