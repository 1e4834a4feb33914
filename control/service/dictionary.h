// Which client a fingerprint belongs to: what ships with Seine, and what this installation learned.
#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "control/store/store.h"
#include "dataplane/contract/frame.h"

namespace seine::service {

struct KnownClient {
    std::string name;     // "curl 7.88.1"
    std::string remark;   // "first hello", "resumed"; empty: any
    std::string source;   // where it was seen
};

// Lines of the shipped file (packaging/fingerprints.tsv) and of the store: field, value, name,
// remark, source, separated by tabs. Any thread.
class Dictionary {
  public:
    static constexpr char kRoom[] = "dictionary";
    static constexpr std::size_t kNamesShown = 3;

    // Reads lines; gives the number of the first that is none, 0 when all are.
    std::size_t add_lines(std::string_view lines);
    Status load(const store::Store& store);
    // Keeps what was learned, here and in the store. False in `added` when it was known.
    Status learn(store::Store& store, const std::string& field, const std::string& value, const KnownClient& client,
                 bool& added);

    [[nodiscard]] std::vector<KnownClient> known(std::uint16_t field, std::string_view value) const;
    // Names of a value, the first few; empty: not known.
    [[nodiscard]] std::string name_of(std::uint16_t field, std::string_view value) const;
    // Of a flow: by the field that tells the most.
    [[nodiscard]] std::string name_of(const contract::RecordView& flow) const;
    [[nodiscard]] std::size_t values() const;

  private:
    bool add(const std::string& field, const std::string& value, const KnownClient& client);
    mutable std::mutex mutex_;
    std::map<std::pair<std::uint16_t, std::string>, std::vector<KnownClient>, std::less<>> clients_;
};

// The shipped lines.
std::string_view shipped_dictionary() noexcept;

}  // namespace seine::service
