// A card that remembers what it was asked, and refuses what it is told to.
#pragma once
#include <cerrno>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/runtime/offload.h"

namespace seine::runtime {

class RecordingCard final : public CardRules {
  public:
    struct Counted {
        std::uint64_t packets = 0;
        std::uint64_t bytes = 0;
    };
    int validate(const CardRule& rule, std::string& why) override {
        asked.push_back("validate " + testpmd_line(rule, 0, 2));
        return answer(validated++, refuse_validation, why);
    }
    int create(const CardRule& rule, Handle& handle, std::string& why) override {
        asked.push_back("create " + testpmd_line(rule, 0, 2));
        const int done = answer(created++, refuse_creation, why);
        if (done == 0) {
            numbers.push_back(std::make_unique<int>(created));
            handle = numbers.back().get();
            held.emplace(handle, Counted{});
            order.push_back(handle);
        }
        return done;
    }
    void destroy(Handle handle) override {
        asked.emplace_back("destroy");
        held.erase(handle);
    }
    bool counted(Handle handle, std::uint64_t& packets, std::uint64_t& bytes) override {
        const auto found = held.find(handle);
        if (found == held.end() || !counts) return false;
        packets = found->second.packets;
        bytes = found->second.bytes;
        return true;
    }
    // Of the n-th rule that was made.
    Counted& of(std::size_t n) { return held.at(order.at(n)); }

    std::vector<std::string> asked;
    std::map<Handle, Counted> held;
    std::vector<Handle> order;
    int refuse_validation = -1;  // the n-th
    int refuse_creation = -1;
    bool counts = true;
    std::string words;

  private:
    int answer(int number, int refused, std::string& why) const {
        if (number != refused) return 0;
        why = words;
        return -ENOTSUP;
    }
    std::vector<std::unique_ptr<int>> numbers;
    int validated = 0;
    int created = 0;
};

}  // namespace seine::runtime
