// Account records that wait for their flow, in order of receipt and by key.
#pragma once
#include <cstdint>

#include "control/account/pool.h"
#include "control/model/sighting.h"

namespace seine::account {

// One record, as much of it as is still needed. Times are nanoseconds; those of the gateway are as
// it sent them.
struct Claim {
    std::uint64_t tuple_key;
    std::uint64_t address_key;  // QUIC alone, else 0
    std::uint64_t id_key;       // 0: none
    std::uint64_t session_key;  // 0: none
    std::uint64_t session_hint;
    std::uint64_t header_desc;
    std::uint64_t request;  // SourceRecord::request
    std::int64_t t_req;
    std::int64_t received;
    std::uint32_t t_conn_before_ms;  // t_req - t_conn; kNoConn: t_conn not known
    std::uint32_t identity;
    std::uint32_t server;  // 0: not given; kNoServer: given, but no connection goes there
    std::uint16_t gateway;
    std::uint16_t endpoint;
    std::uint16_t model;
    std::uint16_t flags;
    std::uint8_t status_class;
    std::uint8_t limit_flag;
    std::uint8_t mode;
    std::uint8_t sampled;  // its clock sample is taken

    static constexpr std::uint32_t kNoConn = 0xffffffff;
    static constexpr std::uint32_t kNoServer = 0xffffffff;
    // Under which key it waits.
    [[nodiscard]] std::uint64_t key() const noexcept { return id_key != 0 ? id_key : tuple_key; }
};

// One thread. Numbers stay valid until removed.
class Pending {
  public:
    static Result<Pending> make(std::size_t bytes_max);

    // 0 when all places are taken (remove the oldest first).
    [[nodiscard]] std::uint32_t add(const Claim& claim) noexcept;
    void remove(std::uint32_t number) noexcept;
    Claim& operator[](std::uint32_t number) noexcept { return pool_[number].claim; }
    const Claim& operator[](std::uint32_t number) const noexcept { return pool_[number].claim; }
    // In order of receipt; 0: none.
    [[nodiscard]] std::uint32_t oldest() const noexcept { return first_; }
    [[nodiscard]] std::uint32_t after(std::uint32_t number) const noexcept {
        return pool_[number].after;
    }
    // Under one key, newest first; 0: none.
    [[nodiscard]] std::uint32_t of_key(std::uint64_t key) const noexcept;
    [[nodiscard]] std::uint32_t next_of_key(std::uint32_t number) const noexcept;
    // In two steps before of_key(): its head, then what waits there.
    void fetch_head(std::uint64_t key) const noexcept { heads_.fetch(key); }
    void fetch_first(std::uint64_t key) const noexcept { pool_.fetch(heads_.of(key)); }
    [[nodiscard]] std::uint32_t used() const noexcept { return pool_.used(); }
    [[nodiscard]] std::uint32_t capacity() const noexcept { return pool_.capacity(); }
    [[nodiscard]] std::size_t bytes() const noexcept { return pool_.bytes(); }

    // Two marks in the order of receipt, each at the first record that its walk has not come to;
    // 0: all were visited. A removed record's mark moves on.
    enum Mark : unsigned { ready = 0, settled = 1 };
    [[nodiscard]] std::uint32_t marked(Mark mark) const noexcept { return marks_[mark]; }
    void step(Mark mark) noexcept { marks_[mark] = pool_[marks_[mark]].after; }

  private:
    struct Entry {
        Claim claim;
        std::uint32_t next_of_key;
        std::uint32_t before;
        std::uint32_t after;
        std::uint32_t unused;
    };
    [[nodiscard]] std::uint32_t from(std::uint32_t number, std::uint64_t key) const noexcept;

    Pool<Entry> pool_;
    Heads heads_;
    std::uint32_t first_ = 0;
    std::uint32_t last_ = 0;
    std::uint32_t marks_[2] = {0, 0};
};

}  // namespace seine::account
