// What operators tune of detection: [detection], its policy, and [[feedback]], what they know of
// values. Both are sections of the committed configuration.
#pragma once
#include <functional>
#include <vector>

#include "control/config/section.h"
#include "control/detect/feedback.h"

namespace seine::service {

// What the sections take effect on.
class DetectionTuned {
  public:
    virtual ~DetectionTuned() = default;
    virtual void set_policy(double budget, std::uint32_t orgs_min) = 0;
    [[nodiscard]] virtual Status set_rules(std::vector<detect::FeedbackRule> rules) = 0;
};

// Made before detection is, since revisions apply when they are opened; takes effect on it from
// bind() on.
class PolicySection final : public config::Section {
  public:
    PolicySection(double budget, std::uint32_t orgs_min) : budget_(budget), orgs_min_(orgs_min) {}
    void bind(DetectionTuned* tuned);
    [[nodiscard]] std::string_view name() const noexcept override { return "detection"; }
    [[nodiscard]] std::string_view meaning() const noexcept override {
        return "When a group of accounts is alerted as a farm.";
    }
    [[nodiscard]] std::span<const config::Setting> settings() const noexcept override;
    Result<std::unique_ptr<config::Change>> prepare(const config::Node& wanted) override;

  private:
    friend class PolicyChange;
    double budget_;  // of the bootstrap file: where the revision says nothing
    std::uint32_t orgs_min_;
    DetectionTuned* tuned_ = nullptr;
    double wanted_budget_ = 0;
    std::uint32_t wanted_orgs_ = 0;
};

class FeedbackSection final : public config::Section {
  public:
    explicit FeedbackSection(std::function<Nanos()> clock) : clock_(std::move(clock)) {}
    void bind(DetectionTuned* tuned);
    [[nodiscard]] std::string_view name() const noexcept override { return "feedback"; }
    [[nodiscard]] std::string_view meaning() const noexcept override {
        return "What is known of a value: that it is innocent and counts nothing, or less, in the search for farms.";
    }
    [[nodiscard]] bool is_list() const noexcept override { return true; }
    [[nodiscard]] std::span<const config::Setting> settings() const noexcept override;
    void check(const config::Node& table, const std::string& path,
               std::vector<config::Fault>& faults) const override;
    Result<std::unique_ptr<config::Change>> prepare(const config::Node& wanted) override;

  private:
    friend class FeedbackChange;
    std::function<Nanos()> clock_;
    DetectionTuned* tuned_ = nullptr;
    std::vector<detect::FeedbackRule> rules_;
};

// Both, as the daemon has them.
struct DetectionSections {
    DetectionSections(double budget, std::uint32_t orgs_min, std::function<Nanos()> clock)
        : policy(budget, orgs_min), feedback(std::move(clock)) {}
    void bind(DetectionTuned* tuned) {
        policy.bind(tuned);
        feedback.bind(tuned);
    }
    [[nodiscard]] std::vector<config::Section*> all() { return {&policy, &feedback}; }
    PolicySection policy;
    FeedbackSection feedback;
};

}  // namespace seine::service
