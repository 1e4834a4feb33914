// A day of a world as a list of connections to come: who, when, how much.
#pragma once
#include <cstdint>
#include <vector>

#include "tools/world/operators.h"
#include "tools/world/people.h"

namespace seine::world {

struct Event {
    std::int64_t t_ns = 0;  // since the start of the window
    std::uint32_t account = 0;
    std::uint32_t conversation = 0;  // seed of what it talks about
    std::uint16_t steps = 0;         // exchanges of the conversation before this connection
    std::uint16_t exchanges = 1;
    std::uint16_t app = 0;
    bool second_site = false;
    bool limited = false;  // its first request meets a limit
};

class Schedule {
  public:
    Schedule(const Parameters& parameters, const People& people, const Operators& operators,
             std::uint64_t seed);
    // Connections of accounts first .. last - 1 on a day, unordered. Some may start after midnight.
    void people_day(std::size_t day, std::size_t first, std::size_t last,
                    std::vector<Event>& out) const;
    void operator_day(std::size_t day, std::size_t which, std::vector<Event>& out) const;

  private:
    struct Talk {
        double t_s;
        std::uint32_t conversation;
        std::uint16_t app;
    };
    void sessions(std::uint32_t number, std::size_t day, double exchanges, Draw& draw,
                  std::vector<Event>& out) const;
    void conversation(std::size_t which, std::uint64_t key, const Talk& talk,
                      std::vector<Event>& out) const;
    [[nodiscard]] std::uint32_t member_at(const Operator& op, double t_s, Draw& draw) const;
    [[nodiscard]] double hour_of(Shape shape, Draw& draw) const;

    const Parameters& p_;
    const People& people_;
    const Operators& operators_;
    std::uint64_t seed_;
    double window_s_;
    std::vector<Weights> shapes_;
    Weights apps_;
    Weights regions_;
};

}  // namespace seine::world
