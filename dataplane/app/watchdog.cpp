#include "dataplane/app/watchdog.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <new>
#include <utility>

namespace seine::app {
namespace {

void say(const char* what, const char* then) {
    std::fprintf(stderr, "seine-dataplane: %s; %s\n", what, then);
}

enum class Fate { runs, ended, died };

// One process and our end of what it is told by.
class Dataplane {
  public:
    explicit Dataplane(Beat* beat) : beat_(beat) {}
    Dataplane(const Dataplane&) = delete;
    Dataplane& operator=(const Dataplane&) = delete;
    ~Dataplane() { forget(); }

    bool start(const std::function<int(const Watched&)>& child) {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0) return false;
        beat_->store(0, std::memory_order_relaxed);
        std::fflush(nullptr);
        const pid_t watcher = getpid();
        process_ = fork();
        if (process_ == 0) {
            close(ends[1]);
            // Alone it would go on forwarding beside its successor.
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            if (getppid() != watcher) std::_Exit(1);
            const int code = child({beat_, ends[0]});
            std::fflush(nullptr);
            std::_Exit(code);
        }
        close(ends[0]);
        turn_ = ends[1];
        return process_ > 0;
    }
    void give_turn() noexcept {
        const char byte = 1;
        static_cast<void>(!write(turn_, &byte, 1));  // one that is gone is found by look()
    }
    Fate look(int& code, const char*& how) noexcept {
        int status = 0;
        const pid_t got = waitpid(process_, &status, WNOHANG);
        if (got == 0 || (got < 0 && errno == EINTR)) return Fate::runs;
        process_ = -1;
        if (got > 0 && WIFEXITED(status)) {
            code = WEXITSTATUS(status);
            return Fate::ended;
        }
        code = 1;
        how = got > 0 && WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "lost";
        return Fate::died;
    }
    void tell(int signal) const noexcept {
        if (process_ > 0) kill(process_, signal);
    }
    [[nodiscard]] bool there() const noexcept { return process_ > 0; }
    [[nodiscard]] std::uint64_t beat() const noexcept { return beat_->load(std::memory_order_relaxed); }
    // Ends one whose turn never came.
    void forget() noexcept {
        if (turn_ >= 0) close(turn_);
        turn_ = -1;
        if (process_ > 0) {
            tell(SIGKILL);
            waitpid(process_, nullptr, 0);
        }
        process_ = -1;
    }
    void swap(Dataplane& other) noexcept {
        std::swap(beat_, other.beat_);
        std::swap(process_, other.process_);
        std::swap(turn_, other.turn_);
    }

  private:
    Beat* beat_;
    pid_t process_ = -1;
    int turn_ = -1;
};

// Watches one whose turn it is until it is gone; starts the next when this one runs.
Fate attend(Dataplane& first, Dataplane& next, const std::function<int(const Watched&)>& child,
            const std::atomic<bool>& stop_asked, int& code, const char*& how) {
    std::uint64_t seen = 0;
    int still_ms = 0;
    bool asked = false;
    Fate fate = Fate::runs;
    while ((fate = first.look(code, how)) == Fate::runs) {
        if (!asked && stop_asked.load(std::memory_order_relaxed)) {
            asked = true;
            first.tell(SIGTERM);
        }
        poll(nullptr, 0, kLookMs);
        const std::uint64_t now = first.beat();
        if (now > 0 && !asked && !next.there() && !next.start(child))
            say("no second dataplane can be started", std::strerror(errno));
        still_ms = now == seen && now > 0 && !asked ? still_ms + kLookMs : 0;
        seen = now;
        if (still_ms < kStillMs) continue;
        say("the dataplane stands still", "it is killed");
        first.tell(SIGKILL);
        still_ms = 0;
    }
    return fate;
}

}  // namespace

bool Watched::wait_for_turn() const noexcept {
    if (turn < 0) return true;
    char byte = 0;
    ssize_t got = 0;
    do {
        got = read(turn, &byte, 1);
    } while (got < 0 && errno == EINTR);
    return got == 1;
}

int supervise(const std::function<int(const Watched&)>& child, const std::atomic<bool>& stop_asked) {
    void* page = mmap(nullptr, 2 * sizeof(Beat), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) {
        say("no memory for the watchdog", "free some");
        return 1;
    }
    Beat* const beats = ::new (page) Beat[2]{0, 0};
    Dataplane first(&beats[0]);
    Dataplane next(&beats[1]);
    if (!first.start(child)) {
        say("the watchdog cannot start the dataplane", std::strerror(errno));
        return 1;
    }
    for (;;) {
        first.give_turn();
        int code = 0;
        const char* how = "";
        const Fate fate = attend(first, next, child, stop_asked, code, how);
        const bool ran = first.beat() != 0;
        if (fate == Fate::ended && (code == 0 || !ran)) return code;
        if (!ran || stop_asked.load(std::memory_order_relaxed)) return 1;
        say(fate == Fate::died ? how : "the dataplane failed", "the link is cut; the next one takes over");
        first.forget();
        first.swap(next);
        if (!first.there() && !first.start(child)) return 1;
    }
}

}  // namespace seine::app
