// Rules whose fields meet only after the join: a gateway's request against the flow that carried
// it.
#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/contract/frame.h"
#include "dataplane/signature/evaluate.h"

namespace seine::control_signature {

// What a gateway's log line, or an account record, knows of a request.
struct JoinedRequest {
    std::string method;
    std::string host;
    std::string path;  // what follows `?` is cut here
    std::string user_agent;
    std::string version;
};

// The fields of one flow as rules name them; records of the flow are added as they come.
class JoinedFlow {
  public:
    // With `requests` also what its records say of requests in clear, which JoinedRules leaves to the
    // dataplane.
    explicit JoinedFlow(bool requests = false) : requests_(requests) {}
    void add(const contract::RecordView& record);
    // One value by the record's key ("ja4"); keys that are no field of rules are left alone.
    void add(std::string_view key, std::string_view value);
    [[nodiscard]] const signature::Subject& subject() const noexcept { return subject_; }

  private:
    signature::Subject subject_;
    bool requests_;
};

struct JoinedHit {
    std::size_t rule = 0;  // index in the set
    std::vector<signature::ExampleValue>
        evidence;  // fields the condition asks about, with their values
};

// Holds the set; evaluates the rules that run in control. One thread.
class JoinedRules {
  public:
    static Result<std::unique_ptr<JoinedRules>> make(signature::RuleSet set);

    // The rules that this request on this flow makes true, those that are off left out.
    [[nodiscard]] std::vector<JoinedHit> match(const JoinedFlow& flow,
                                               const JoinedRequest& request) const;
    [[nodiscard]] const signature::RuleSet& set() const noexcept { return set_; }
    [[nodiscard]] std::size_t rule_count() const noexcept { return joined_.size(); }

  private:
    explicit JoinedRules(signature::RuleSet set) : set_(std::move(set)) {}
    signature::RuleSet set_;
    std::unique_ptr<signature::Evaluator> evaluator_;
    std::vector<std::size_t> joined_;
};

}  // namespace seine::control_signature
