#include "tools/evaluate/workers.h"

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/evaluate/run_wire.h"

namespace seine::evaluate {
namespace {

struct Worker {
    std::size_t job = 0;
    pid_t process = -1;
    int pipe = -1;
    std::string bytes;
};

void write_all(int to, const std::string& bytes) {
    for (std::size_t done = 0; done < bytes.size();) {
        const ssize_t n = ::write(to, bytes.data() + done, bytes.size() - done);
        if (n < 0 && errno != EINTR) return;
        if (n > 0) done += static_cast<std::size_t>(n);
    }
}

// One byte whether it went well, then the grades or what is wrong.
[[noreturn]] void work(const Job& job, int to) {
    const auto runs = job.work();
    write_all(to, runs ? '+' + to_wire(*runs) : '-' + std::string(runs.error().message()));
    std::fflush(stderr);
    ::_exit(0);
}

Result<Worker> start(const std::vector<Job>& jobs, std::size_t which) {
    int ends[2] = {-1, -1};
    if (::pipe(ends) != 0) return failed("no pipe to a worker; too many files are open");
    std::fflush(stdout);
    std::fflush(stderr);
    const pid_t process = ::fork();
    if (process < 0) return failed("no process for a worker; try --jobs 1");
    if (process == 0) {
        ::close(ends[0]);
        work(jobs[which], ends[1]);
    }
    ::close(ends[1]);
    return Worker{which, process, ends[0], {}};
}

// False at the end of what it has to say.
bool hear(Worker& worker) {
    char some[65536];
    const ssize_t n = ::read(worker.pipe, some, sizeof some);
    if (n > 0) worker.bytes.append(some, static_cast<std::size_t>(n));
    return n > 0 || (n < 0 && errno == EINTR);
}

void end(Worker& worker, bool at_once) {
    if (at_once) ::kill(worker.process, SIGTERM);
    ::close(worker.pipe);
    ::waitpid(worker.process, nullptr, 0);
}

}  // namespace

Result<std::vector<Run>> run_side_by_side(
    const std::vector<Job>& jobs, std::size_t at_once,
    const std::function<void(const std::string&, const std::vector<Run>&)>& told) {
    std::vector<std::vector<Run>> grades(jobs.size());
    std::vector<Worker> workers;
    Status wrong;
    std::size_t next = 0;
    while (wrong.ok() && (next < jobs.size() || !workers.empty())) {
        while (next < jobs.size() && workers.size() < at_once) {
            auto worker = start(jobs, next++);
            if (!worker) return worker.error();
            workers.push_back(std::move(*worker));
        }
        std::vector<pollfd> waiting;
        for (const Worker& w : workers) waiting.push_back({w.pipe, POLLIN, 0});
        if (::poll(waiting.data(), waiting.size(), -1) < 0 && errno != EINTR) break;
        for (std::size_t i = waiting.size(); i-- > 0;) {
            if (waiting[i].revents == 0 || hear(workers[i])) continue;
            Worker done = std::move(workers[i]);
            workers.erase(workers.begin() + static_cast<std::ptrdiff_t>(i));
            end(done, false);
            const std::string& name = jobs[done.job].name;
            if (!wrong.ok()) continue;
            if (!wrong.ok()) continue;
            if (done.bytes.empty()) {
                wrong = failed(name +
                               ": its worker died; was there memory enough? --jobs 1 needs less");
            } else if (done.bytes.front() != '+') {
                wrong = failed(name + ": " + done.bytes.substr(1));
            } else {
                auto runs = from_wire(std::string_view(done.bytes).substr(1));
                if (!runs) return runs.error();
                grades[done.job] = std::move(*runs);
                told(name, grades[done.job]);
            }
        }
    }
    for (Worker& worker : workers) end(worker, true);
    if (!wrong.ok()) return wrong;
    std::vector<Run> all;
    for (auto& runs : grades) {
        for (Run& run : runs) all.push_back(std::move(run));
    }
    return all;
}

}  // namespace seine::evaluate
