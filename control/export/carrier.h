// A carrier: how messages reach one destination, and what counts as arrived.
#pragma once
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "control/export/render.h"
#include "dataplane/base/status.h"

namespace seine::siem {

// Files of a TLS client. Empty: not given.
struct TlsSettings {
    bool on = false;
    std::string ca_file;    // empty: the system's authorities
    std::string cert_file;  // our certificate, for mutual authentication
    std::string key_file;
    std::string server_name;  // to be in the receiver's certificate; empty: the host
};

struct CarrierSettings {
    std::string name;     // of the destination, for messages
    std::string carrier;  // file, syslog-udp, syslog-tcp, syslog-tls, relp, relp-tls, hec, bulk,
                          // kafka, webhook, ipfix-udp or ipfix-tcp
    std::string host;
    std::uint16_t port = 0;
    std::string url;      // hec, bulk, webhook
    std::string path;     // file
    std::string topic;    // kafka
    std::string brokers;  // kafka: host:port, comma-separated
    std::string index;    // bulk
    std::string secret;   // token or password, read from its file; never printed
    std::string user;     // kafka SASL, bulk basic authentication
    TlsSettings tls;
    bool acknowledged = true;  // hec: wait for the indexer's acknowledgement
    int timeout_ms = 10'000;   // without any progress
    std::uint64_t rotate_bytes = std::uint64_t{256} << 20;  // file
    unsigned rotate_keep = 8;                               // file
    unsigned template_seconds = 60;                         // ipfix-udp
    std::uint32_t pen = kDocumentationPen;                  // ipfix
};

// What became of the messages that deliver() was given.
struct Delivery {
    std::size_t accepted =
        0;  // so many of the first ones have arrived, as far as the carrier can know
    std::size_t refused = 0;  // of them, were refused for good by the receiver (and would be again)
    Status status;            // why not all
    int pause_ms = 0;         // the receiver asks for so much rest before the next try
};

// One thread. A failed carrier connects again at the next deliver().
class Carrier {
  public:
    virtual ~Carrier() = default;
    // Whether `accepted` is the receiver's word, or only that bytes left this machine.
    [[nodiscard]] virtual bool acknowledges() const noexcept = 0;
    [[nodiscard]] virtual std::size_t batch_messages() const noexcept { return 1000; }
    [[nodiscard]] virtual std::size_t batch_bytes() const noexcept { return std::size_t{1} << 20; }
    // What is still missing on this side before anything can be sent.
    [[nodiscard]] virtual Status ready() { return {}; }
    // Returns within about twice the timeout, and soon after `stop` is set.
    virtual Delivery deliver(std::span<const std::string_view> messages,
                             const std::atomic<bool>& stop) = 0;
    // Before a batch of findings, and every second: where they stay on this machine, they are on
    // the disk after sync().
    virtual void expect_findings() {}
    virtual void sync() {}
    // New keys or certificates, or a file that was moved away: connect or open again.
    virtual void reopen() = 0;
};

struct CarrierInfo {
    std::string_view name;
    Envelope envelope;
    std::size_t bytes_max;  // default of one message
    bool acknowledges;
    std::string_view loss;  // what may be lost, for documentation and `export show`
};
std::span<const CarrierInfo> carriers() noexcept;
const CarrierInfo* find_carrier(std::string_view name) noexcept;

// Checks what can be checked without connecting: files and names. A receiver that is away is no
// error.
Result<std::unique_ptr<Carrier>> make_carrier(const CarrierSettings& settings);

// By the carriers' own files.
Result<std::unique_ptr<Carrier>> make_file_carrier(const CarrierSettings& settings);
Result<std::unique_ptr<Carrier>> make_syslog_carrier(const CarrierSettings& settings);
Result<std::unique_ptr<Carrier>> make_relp_carrier(const CarrierSettings& settings);
Result<std::unique_ptr<Carrier>> make_hec_carrier(const CarrierSettings& settings);
Result<std::unique_ptr<Carrier>> make_bulk_carrier(const CarrierSettings& settings);
Result<std::unique_ptr<Carrier>> make_webhook_carrier(const CarrierSettings& settings);
Result<std::unique_ptr<Carrier>> make_kafka_carrier(const CarrierSettings& settings);
Result<std::unique_ptr<Carrier>> make_ipfix_carrier(const CarrierSettings& settings);

}  // namespace seine::siem
