// Sequence numbers to offsets; what each segment means for the stream.
#include "dataplane/stream/tcp_stream.h"

#include <algorithm>
#include <cstdlib>

namespace seine::stream {

std::string_view pushed_name(Pushed pushed) noexcept {
    switch (pushed) {
#define SEINE_X(id, meaning) \
    case Pushed::id: return #id;
        SEINE_PUSHED(SEINE_X)
#undef SEINE_X
    }
    return "unknown";
}

void TcpStream::start(std::uint32_t first_seq, std::uint64_t offset) noexcept {
    started_ = true;
    anchor_ = first_seq - static_cast<std::uint32_t>(offset);
    highest_ = offset;
    buffer_ = SegmentBuffer(offset);
}

// Before the first byte: a pure ACK, or the peer's, names the next sequence number to come.
void TcpStream::hint(std::uint32_t seq) noexcept {
    hinted_ = true;
    anchor_ = seq;
}

// False when the segment ends here: it belongs to another connection.
bool TcpStream::take_syn(const Room& room, const TcpSegment& segment, Push& out) noexcept {
    const std::uint32_t first_seq = segment.seq + 1;
    out.pushed = Pushed::syn;
    if (!started_) {
        start(first_seq, 0);
    } else if (syn_seen_) {
        if (segment.seq != isn_) {
            out.pushed = Pushed::new_connection;
            return false;
        }
        out.pushed = Pushed::syn_again;
        out.retransmission = true;
        return true;
    } else {
        // The SYN comes after data: it must stand at the lowest byte seen or not far below it.
        const auto above = static_cast<std::int32_t>(first_seq - seq_of(kUnseenStart));
        const std::int64_t offset = static_cast<std::int64_t>(kUnseenStart) + above;
        const bool below_all = static_cast<std::uint64_t>(offset) <= std::min(buffer_.base(), kUnseenStart);
        if (!below_all || above < -static_cast<std::int32_t>(kRebaseBytesMax)) {
            out.pushed = Pushed::new_connection;
            return false;
        }
        out.reordering = true;
        // When bytes above were consumed already, those between are late and dropped as they come.
        static_cast<void>(buffer_.rebase(room, static_cast<std::uint64_t>(offset)));
    }
    syn_seen_ = true;
    isn_ = segment.seq;
    return true;
}

// The first segment of a stream whose SYN was not seen. False when it does not start it.
bool TcpStream::take_first(const TcpSegment& segment, Push& out) noexcept {
    if (segment.payload_bytes == 0 && !segment.fin) {
        hint(segment.seq);
        return false;
    }
    std::uint32_t first_seq = segment.seq;
    if (hinted_) {
        const auto above = static_cast<std::int32_t>(segment.seq - anchor_);
        if (above == -1 && segment.payload_bytes == 1 && !segment.fin) {
            out.pushed = Pushed::keep_alive;
            return false;
        }
        // A hint one below may have been an empty keep-alive.
        if (above >= 2 && above <= static_cast<std::int32_t>(kRebaseBytesMax)) first_seq = anchor_;
    }
    start(first_seq, kUnseenStart);
    return true;
}

void TcpStream::take_rst(const TcpSegment& segment, Push& out) noexcept {
    const bool far = started_ && std::abs(distance(segment.seq)) > kWindowBytes;
    out.pushed = far ? Pushed::out_of_window : Pushed::plain;
    if (far) return;
    rst_seen_ = true;
    out.rst = true;
}

void TcpStream::take_stray(std::uint32_t seq, const TcpSegment& segment, Push& out) noexcept {
    out.pushed = Pushed::out_of_window;
    if (segment.payload_bytes == 0) return;
    stray_count_ = stray_count_ > 0 && seq == stray_next_ ? static_cast<std::uint8_t>(stray_count_ + 1)
                                                           : std::uint8_t{1};
    stray_next_ = seq + segment.payload_bytes;
    if (stray_count_ < kStraysMax) return;
    stray_count_ = kStraysMax;
    out.pushed = Pushed::lost;
}

void TcpStream::take_fin(std::uint64_t end, Push& out) noexcept {
    // A second FIN elsewhere, or one below data already sent, is not believed.
    if (fin_seen_ || end < highest_) return;
    fin_seen_ = true;
    fin_ = end;
    out.fin = true;
}

void TcpStream::take_data(const Room& room, std::int64_t begin, const TcpSegment& segment,
                          Push& out) noexcept {
    const std::int64_t end = begin + segment.payload_bytes;
    ByteView bytes = segment.bytes;
    if (end < 0 || (segment.payload_bytes > 0 && end == 0)) {
        out.retransmission = true;
        out.delivery.added = Added::below_base;
        return;
    }
    if (begin < 0) {
        bytes = bytes.subspan(std::min(bytes.size(), static_cast<std::size_t>(-begin)));
        begin = 0;
        out.retransmission = true;
    }
    auto offset = static_cast<std::uint64_t>(begin);
    if (segment.payload_bytes > 0) {
        if (rst_seen_ || (fin_seen_ && offset >= fin_)) {
            out.pushed = Pushed::after_end;
            return;
        }
        if (fin_seen_ && offset + bytes.size() > fin_) bytes = bytes.first(fin_ - offset);
        if (offset < buffer_.base() && !syn_seen_ && offset + kRebaseBytesMax >= kUnseenStart) {
            out.reordering = buffer_.rebase(room, offset);
        }
        const bool above = offset > highest_;
        const bool below = offset < highest_;
        out.delivery = buffer_.add(room, offset, bytes);
        const Added added = out.delivery.added;
        const bool fresh = added == Added::ready || added == Added::waiting;
        if (above || (below && fresh && !out.delivery.overlap)) out.reordering = true;
        if (below && (out.delivery.overlap || added == Added::duplicate)) out.retransmission = true;
        if (added == Added::ready) doubts_ = 0;
        stray_count_ = 0;
    }
    const auto end_offset = static_cast<std::uint64_t>(end);
    if (segment.fin) take_fin(end_offset, out);
    highest_ = std::max(highest_, fin_seen_ ? std::min(end_offset, fin_) : end_offset);
}

Push TcpStream::push(const Room& room, const TcpSegment& segment) noexcept {
    Push out;
    if (segment.syn && !segment.rst) {
        if (!take_syn(room, segment, out)) return out;
    } else if (segment.rst) {
        take_rst(segment, out);
        return out;
    } else if (!started_ && !take_first(segment, out)) {
        return out;
    }
    const std::uint32_t seq = segment.syn ? segment.seq + 1 : segment.seq;
    const std::int64_t away = distance(seq);
    if (away == -1 && segment.payload_bytes <= 1 && !segment.fin && !segment.syn) {
        out.pushed = Pushed::keep_alive;
        return out;
    }
    if (away > kWindowBytes || away < -std::int64_t{kWindowBytes}) {
        take_stray(seq, segment, out);
        return out;
    }
    take_data(room, static_cast<std::int64_t>(highest_) + away, segment, out);
    retransmission_seen_ = retransmission_seen_ || out.retransmission;
    reordering_seen_ = reordering_seen_ || out.reordering;
    return out;
}

bool TcpStream::acked(const Room& room, std::uint32_t ack) noexcept {
    if (!started_) {
        hint(ack);
        return false;
    }
    const std::int64_t end = static_cast<std::int64_t>(highest_) + distance(ack);
    if (end < 0) return false;
    const auto offset = static_cast<std::uint64_t>(end);
    if (!ack_seen_ || offset > acked_) acked_ = offset;
    ack_seen_ = true;
    const std::uint64_t have = buffer_.contiguous_end(room);
    if (offset <= have) return false;
    // One past everything seen may be a FIN, seen or not.
    if (offset == have + 1 && !buffer_.gap() && have >= highest_) return false;
    if (doubts_ < kDoubtsMax) ++doubts_;
    return doubts_ >= kDoubtsMax;
}

std::uint64_t TcpStream::resync(const Room& room) noexcept {
    const std::uint64_t before = buffer_.base();
    if (stray_count_ >= kStraysMax) {
        const std::uint64_t onward = highest_ + static_cast<std::uint32_t>(stray_next_ - seq_of(highest_));
        if (onward > buffer_.base()) buffer_.consume(room, onward - buffer_.base());
        highest_ = onward;
    } else {
        buffer_.consume(room, buffer_.ready(room).size());
        if (buffer_.gap()) {
            static_cast<void>(buffer_.skip_gap(room));
        } else if (ack_seen_ && acked_ > buffer_.base()) {
            buffer_.consume(room, acked_ - buffer_.base());
        }
        highest_ = std::max(highest_, buffer_.base());
    }
    stray_count_ = 0;
    doubts_ = 0;
    return buffer_.base() - before;
}

}  // namespace seine::stream
