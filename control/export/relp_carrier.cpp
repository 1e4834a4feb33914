// Reliable Event Logging Protocol, the client's side:
//   TXNR SP COMMAND SP DATALEN [SP DATA] LF      answered by      TXNR SP "rsp" SP DATALEN SP "200
//   OK" LF
// Numbers rise from 1; `open` offers what we speak, `syslog` carries a message, `close` ends. The
// whole batch is in flight at once, and counts as arrived up to the first number without a 200.
#include <charconv>

#include "control/export/escape.h"
#include "control/export/stream.h"

namespace seine::siem {
namespace {

constexpr std::uint64_t kNumberMax = 999'999'999;

struct Answer {
    std::uint64_t number = 0;
    std::string_view command;
    std::string_view data;
};

enum class Read : std::uint8_t { answer, more, broken };

// Takes one frame off the front of `in`, starting at `at`.
Read read_answer(std::string_view in, std::size_t& at, Answer& out) {
    const std::string_view rest = in.substr(at);
    const std::size_t first = rest.find(' ');
    if (first == std::string_view::npos) return rest.size() > 16 ? Read::broken : Read::more;
    const std::size_t second = rest.find(' ', first + 1);
    if (second == std::string_view::npos) return rest.size() > 64 ? Read::broken : Read::more;
    const std::size_t end = rest.find_first_of(" \n", second + 1);
    if (end == std::string_view::npos) return rest.size() > 96 ? Read::broken : Read::more;
    std::size_t bytes = 0;
    const auto number = std::from_chars(rest.data(), rest.data() + first, out.number);
    const auto length = std::from_chars(rest.data() + second + 1, rest.data() + end, bytes);
    if (number.ec != std::errc() || number.ptr != rest.data() + first || length.ec != std::errc() ||
        length.ptr != rest.data() + end || bytes > 128 * 1024)
        return Read::broken;
    out.command = rest.substr(first + 1, second - first - 1);
    if (bytes == 0) {
        // "0 serverclose 0\n", with or without a blank before the line end.
        const std::size_t line = rest.find('\n', end);
        if (line == std::string_view::npos) return Read::more;
        out.data = {};
        at += line + 1;
        return Read::answer;
    }
    if (rest.size() < end + 1 + bytes + 1) return Read::more;
    out.data = rest.substr(end + 1, bytes);
    if (rest[end + 1 + bytes] != '\n') return Read::broken;
    at += end + 1 + bytes + 1;
    return Read::answer;
}

class Relp final : public Carrier {
  public:
    Relp(CarrierSettings settings, std::shared_ptr<TlsContext> tls)
        : settings_(std::move(settings)), tls_(std::move(tls)) {}
    ~Relp() override { close_session(); }
    Relp(const Relp&) = delete;
    Relp& operator=(const Relp&) = delete;
    [[nodiscard]] bool acknowledges() const noexcept override { return true; }
    void reopen() override {
        close_session();
        if (!settings_.tls.on) return;
        auto made = TlsContext::make(settings_.tls, settings_.name);
        if (made) tls_ = *made;
    }

    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        Delivery delivery;
        if (stream_ == nullptr || next_ + messages.size() > kNumberMax)
            delivery.status = open_session(stop);
        if (!delivery.status.ok()) return delivery;
        const std::uint64_t first = next_;
        out_.clear();
        for (const std::string_view message : messages) append_frame("syslog", message);
        acknowledged_.assign(messages.size(), false);
        delivery.status = exchange(first, stop);
        for (const bool arrived : acknowledged_) {
            if (!arrived) break;
            ++delivery.accepted;
        }
        if (!delivery.status.ok()) stream_.reset();
        return delivery;
    }

  private:
    [[nodiscard]] Status fault(const std::string& what) const {
        return {Code::unreachable,
                settings_.host + " port " + std::to_string(settings_.port) + ": RELP: " + what};
    }

    void append_frame(std::string_view command, std::string_view data) {
        append_number(out_, next_++);
        out_.append(" ").append(command).append(" ");
        append_number(out_, data.size());
        if (!data.empty()) out_.append(" ").append(data);
        out_.push_back('\n');
    }

    Status open_session(const std::atomic<bool>& stop) {
        close_session();
        auto made = Stream::connect(
            {settings_.host, settings_.port, settings_.tls.server_name, settings_.timeout_ms}, tls_,
            stop);
        if (!made) return made.error();
        stream_ = std::move(*made);
        next_ = 1;
        in_.clear();
        out_.clear();
        append_frame("open", "relp_version=0\nrelp_software=seine\ncommands=syslog");
        acknowledged_.assign(1, false);
        const Status status = exchange(1, stop);
        if (!status.ok()) stream_.reset();
        return status;
    }

    void close_session() {
        if (stream_ == nullptr) return;
        out_.clear();
        append_frame("close", "");
        static_cast<void>(stream_->send_some(out_));
        stream_.reset();
    }

    // Sends out_ and reads until every number from `first` on is answered.
    Status exchange(std::uint64_t first, const std::atomic<bool>& stop) {
        std::size_t sent = 0;
        std::size_t answered = 0;
        std::int64_t until = steady_ms() + settings_.timeout_ms;
        while (sent < out_.size() || answered < acknowledged_.size()) {
            bool moved = false;
            if (sent < out_.size()) {
                const auto count = stream_->send_some(std::string_view(out_).substr(sent));
                if (!count) return count.error();
                sent += *count;
                moved = *count > 0;
            }
            const auto got = stream_->receive_some(in_);
            // The end of the stream may come behind answers that are good.
            const Status read = take_answers(first, answered);
            if (!read.ok()) return read;
            if (!got) return got.error();
            if (moved || *got > 0) {
                until = steady_ms() + settings_.timeout_ms;
                continue;
            }
            if (stop.load()) return fault("stopped");
            if (steady_ms() >= until)
                return fault("no acknowledgement within " +
                             std::to_string(settings_.timeout_ms / 1000) + " s");
            static_cast<void>(stream_->wait(sent < out_.size(), 100));
        }
        return {};
    }

    Status take_answers(std::uint64_t first, std::size_t& answered) {
        std::size_t at = 0;
        Answer answer;
        while (at < in_.size()) {
            const Read read = read_answer(in_, at, answer);
            if (read == Read::broken)
                return fault("an answer that is no RELP; is this a RELP port?");
            if (read == Read::more) break;
            if (answer.command == "serverclose") return fault("the receiver closes");
            if (answer.command != "rsp") return fault("an answer that is no rsp");
            if (!answer.data.starts_with("200")) return fault("refused: " + printable(answer.data));
            if (answer.number < first || answer.number - first >= acknowledged_.size())
                return fault("an answer to what was not asked");
            const std::size_t place = answer.number - first;
            if (!acknowledged_[place]) ++answered;
            acknowledged_[place] = true;
        }
        in_.erase(0, at);
        return {};
    }

    static std::string printable(std::string_view text) { return plain_text(text.substr(0, 200)); }

    CarrierSettings settings_;
    std::shared_ptr<TlsContext> tls_;
    std::unique_ptr<Stream> stream_;
    std::uint64_t next_ = 1;
    std::string out_;
    std::string in_;
    std::vector<bool> acknowledged_;
};

}  // namespace

Result<std::unique_ptr<Carrier>> make_relp_carrier(const CarrierSettings& settings) {
    CarrierSettings own = settings;
    if (own.host.empty())
        return failed("export " + own.name + ": " + own.carrier + " needs `host`");
    own.tls.on = own.carrier == "relp-tls";
    if (own.port == 0) own.port = 2514;
    auto tls = TlsContext::make_if_on(own.tls, own.name);
    if (!tls) return tls.error();
    return std::unique_ptr<Carrier>(std::make_unique<Relp>(std::move(own), std::move(*tls)));
}

}  // namespace seine::siem
