// Inline: a second process that lets the next one forward when the first dies or stands still.
#pragma once
#include <atomic>
#include <cstdint>
#include <functional>

namespace seine::app {

// Shared by the two. The dataplane counts up while every worker moves; zero until it runs.
using Beat = std::atomic<std::uint64_t>;

// How the watchdog and one dataplane talk.
struct Watched {
    Beat* beat = nullptr;
    int turn = -1;  // a pipe that bears one byte when it is this one's turn
    // Waits for the turn. False: it will not come, the watchdog has ended.
    [[nodiscard]] bool wait_for_turn() const noexcept;
};

// Runs `child` in a process of its own and returns its exit code once it ended by itself or was asked to. While one
// runs, the next has been started as far as its wait_for_turn(), and takes over at once when the first is killed,
// crashes or stands still for kStillMs. One that fails before it runs is not replaced: it would fail again.
// `stop_asked` is handed on as SIGTERM. Children end when this process does.
inline constexpr int kStillMs = 700;
inline constexpr int kLookMs = 10;
int supervise(const std::function<int(const Watched&)>& child, const std::atomic<bool>& stop_asked);

}  // namespace seine::app
