#include "tools/generate/mix_flows.h"

#include <algorithm>
#include <array>

namespace seine::generate {
namespace {

using synth::Bytes;

constexpr std::size_t kSegmentBytesMax = 1448;
constexpr std::size_t kRecordBytesMax = 16000;
constexpr std::uint8_t kFin = 1, kSyn = 2, kPsh = 8, kAck = 16;

// How operating systems begin: TTL, window and options of the SYN.
struct System {
    double weight;
    std::uint8_t ttl;
    std::uint16_t window;
    Bytes options;
};
const std::array<System, 4>& systems() {
    static const std::array<System, 4> kSystems = {{
        {40, 64, 64240, {2, 4, 5, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7}},
        {30, 128, 64240, {2, 4, 5, 0xb4, 1, 3, 3, 8, 1, 1, 4, 2}},
        {20, 64, 65535, {2, 4, 5, 0xb4, 1, 3, 3, 6, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 4, 2, 0, 0}},
        {10, 64, 65535, {2, 4, 5, 0x78, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 9}},
    }};
    return kSystems;
}

class TcpTalk final : public Conversation {
  public:
    TcpTalk(MixRandom& random, const Filler& filler, FrameBuilder frames, TcpPlan plan)
        : filler_(filler), frames_(std::move(frames)), plan_(std::move(plan)) {
        std::array<double, 4> weights{};
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] = systems()[i].weight;
        system_ = &systems()[random.weighted(weights)];
        frames_.set_ttl(From::client, static_cast<std::uint8_t>(system_->ttl - random.between(3, 24)));
        for (std::uint32_t& seq : seq_) seq = static_cast<std::uint32_t>(random.word());
        clock_ = static_cast<std::uint32_t>(random.below(1u << 30));
    }

    ByteView next(MixRandom& random, std::vector<std::uint8_t>& out) override {
        switch (step_) {
            case 0: ++step_; return opening(From::client, kSyn, system_->window, system_->options, out);
            case 1: ++step_; return opening(From::server, kSyn | kAck, 65160, systems()[0].options, out);
            case 2: ++step_; return segment(From::client, kAck, {}, out);
            case 3: break;
            case 4: ++step_; return plan_.fin ? ending(From::client, out) : ByteView{};
            case 5: ++step_; return plan_.fin ? ending(From::server, out) : ByteView{};
            case 6: ++step_; return plan_.fin ? segment(From::client, kAck, {}, out) : ByteView{};
            default: return {};
        }
        return talk(random, out);
    }

  private:
    ByteView opening(From from, std::uint8_t flags, std::uint16_t window, const Bytes& options,
                     std::vector<std::uint8_t>& out) {
        const unsigned side = static_cast<unsigned>(from);
        const std::uint32_t ack = from == From::server ? seq_[0] : 0;
        const ByteView frame = frames_.tcp(from, {seq_[side], ack, flags, window, options}, {}, out);
        ++seq_[side];
        return frame;
    }
    ByteView segment(From from, std::uint8_t flags, ByteView payload, std::vector<std::uint8_t>& out) {
        const unsigned side = static_cast<unsigned>(from);
        const std::uint32_t now = clock_ + ticks_;
        const std::uint8_t options[12] = {1, 1, 8, 10,
                                          static_cast<std::uint8_t>(now >> 24), static_cast<std::uint8_t>(now >> 16),
                                          static_cast<std::uint8_t>(now >> 8), static_cast<std::uint8_t>(now),
                                          static_cast<std::uint8_t>(clock_ >> 24), static_cast<std::uint8_t>(clock_ >> 16),
                                          static_cast<std::uint8_t>(clock_ >> 8), static_cast<std::uint8_t>(clock_)};
        const ByteView frame = frames_.tcp(from, {seq_[side], seq_[1 - side], flags, 502, options}, payload, out);
        seq_[side] += static_cast<std::uint32_t>(payload.size());
        return frame;
    }
    ByteView ending(From from, std::vector<std::uint8_t>& out) {
        const ByteView frame = segment(from, kFin | kAck, {}, out);
        ++seq_[static_cast<unsigned>(from)];
        return frame;
    }
    // The next piece of the speech at hand; every second one is acknowledged.
    ByteView talk(MixRandom& random, std::vector<std::uint8_t>& out) {
        if (acknowledge_) {
            acknowledge_ = false;
            return segment(acknowledger_, kAck, {}, out);
        }
        while (speech_ < plan_.speeches.size()) {
            const Speech& speech = plan_.speeches[speech_];
            piece_.clear();
            fill_piece(random, speech);
            if (piece_.empty()) {
                ++speech_;
                said_ = 0;
                filled_ = 0;
                record_left_ = 0;
                continue;
            }
            const bool last = said_ == speech.literal.size() && filled_ == speech.filler_bytes;
            ++ticks_;
            if (++segments_ % 2 == 0) {
                acknowledge_ = true;
                acknowledger_ = speech.from == From::client ? From::server : From::client;
            }
            return segment(speech.from, last ? kPsh | kAck : kAck, piece_, out);
        }
        ++step_;
        return next(random, out);
    }
    void fill_piece(MixRandom& random, const Speech& speech) {
        const std::size_t literal = std::min(speech.literal.size() - said_, kSegmentBytesMax);
        piece_.insert(piece_.end(), speech.literal.begin() + static_cast<std::ptrdiff_t>(said_),
                      speech.literal.begin() + static_cast<std::ptrdiff_t>(said_ + literal));
        said_ += literal;
        while (filled_ < speech.filler_bytes && piece_.size() < kSegmentBytesMax) {
            const std::uint64_t left = speech.filler_bytes - filled_;
            if (speech.records && record_left_ == 0) {
                // A header that would be cut by the segment's end begins the next one.
                if (kSegmentBytesMax - piece_.size() < 5) return;
                record_left_ = std::min<std::uint64_t>(left, kRecordBytesMax);
                const std::uint8_t header[5] = {23, 3, 3, static_cast<std::uint8_t>(record_left_ >> 8),
                                                static_cast<std::uint8_t>(record_left_)};
                piece_.insert(piece_.end(), header, header + 5);
            }
            std::uint64_t take = std::min<std::uint64_t>(left, kSegmentBytesMax - piece_.size());
            if (speech.records) take = std::min(take, record_left_);
            const ByteView bytes = filler_.some(random, take);
            piece_.insert(piece_.end(), bytes.begin(), bytes.end());
            filled_ += take;
            if (speech.records) record_left_ -= take;
        }
    }

    const Filler& filler_;
    FrameBuilder frames_;
    TcpPlan plan_;
    const System* system_ = nullptr;
    std::uint32_t seq_[2];
    std::uint32_t clock_ = 0;
    std::uint32_t ticks_ = 1;
    unsigned step_ = 0;
    unsigned segments_ = 0;
    bool acknowledge_ = false;
    From acknowledger_{};
    std::size_t speech_ = 0;
    std::size_t said_ = 0;
    std::uint64_t filled_ = 0;
    std::uint64_t record_left_ = 0;
    Bytes piece_;
};

class UdpTalk final : public Conversation {
  public:
    UdpTalk(const Filler& filler, FrameBuilder frames, std::vector<Datagram> datagrams)
        : filler_(filler), frames_(std::move(frames)), datagrams_(std::move(datagrams)) {}
    ByteView next(MixRandom& random, std::vector<std::uint8_t>& out) override {
        if (at_ == datagrams_.size()) return {};
        const Datagram& datagram = datagrams_[at_++];
        piece_ = datagram.literal;
        const ByteView filler = filler_.some(random, datagram.filler_bytes);
        piece_.insert(piece_.end(), filler.begin(), filler.end());
        return frames_.udp(datagram.from, piece_, out);
    }

  private:
    const Filler& filler_;
    FrameBuilder frames_;
    std::vector<Datagram> datagrams_;
    std::size_t at_ = 0;
    Bytes piece_;
};

}  // namespace

std::unique_ptr<Conversation> tcp_conversation(MixRandom& random, const Filler& filler, FrameBuilder frames, TcpPlan plan) {
    return std::make_unique<TcpTalk>(random, filler, std::move(frames), std::move(plan));
}

std::unique_ptr<Conversation> udp_conversation(const Filler& filler, FrameBuilder frames, std::vector<Datagram> datagrams) {
    return std::make_unique<UdpTalk>(filler, std::move(frames), std::move(datagrams));
}

}  // namespace seine::generate
