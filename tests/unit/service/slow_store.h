// A store that a test can hold up and let fail. Nothing but batches and findings goes into it.
#pragma once
#include <condition_variable>
#include <mutex>
#include <string>
#include <vector>

#include "control/store/store.h"

namespace seine::service {

class SlowStore final : public store::Store {
  public:
    // Writes wait until release(); has_begun() waits for the first that does.
    void hold() { set(held_, true); }
    void release() { set(held_, false); }
    void has_begun() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return writing_; });
    }
    // The next `count` writes find the disk full.
    void fail(unsigned count) { set(failures_, count); }

    std::vector<std::string> told() const {  // in order: "batch N" by its time, "full N", "sweep"
        const std::lock_guard lock(mutex_);
        return told_;
    }
    std::vector<store::Document> documents() const {
        const std::lock_guard lock(mutex_);
        return documents_;
    }
    std::vector<store::Finding> all_findings() const {
        const std::lock_guard lock(mutex_);
        return findings_;
    }

    Status write(const store::Batch& batch) override {
        std::unique_lock lock(mutex_);
        writing_ = true;
        changed_.notify_all();
        changed_.wait(lock, [this] { return !held_; });
        writing_ = false;
        if (failures_ > 0) {
            --failures_;
            told_.push_back("full " + std::to_string(batch.at.count));
            return {Code::full, "no room"};
        }
        told_.push_back("batch " + std::to_string(batch.at.count));
        findings_.insert(findings_.end(), batch.findings.begin(), batch.findings.end());
        for (const store::Document& document : batch.documents) put(document);
        return {};
    }
    Result<std::uint64_t> add_finding(const store::Finding& finding) override {
        const std::lock_guard lock(mutex_);
        findings_.push_back(finding);
        return findings_.size();
    }
    Status keep(const store::Document& document) override {
        const std::lock_guard lock(mutex_);
        put(document);
        return {};
    }
    Result<std::string> kept(std::string_view room, std::string_view key) const override {
        const std::lock_guard lock(mutex_);
        for (const store::Document& document : documents_) {
            if (document.room == room && document.key == key) return document.value;
        }
        return std::string();
    }
    Result<std::vector<store::Document>> kept_all(std::string_view) const override { return std::vector<store::Document>(); }
    Status sweep(Nanos) override {
        const std::lock_guard lock(mutex_);
        told_.emplace_back("sweep");
        return {};
    }

    Result<std::vector<store::FlowRow>> flows(const store::FlowQuery&) const override { return none(); }
    Result<std::vector<store::AccountRow>> accounts(const store::AccountQuery&) const override { return none(); }
    Result<store::AccountRow> account(const model::AccountTag&) const override { return none(); }
    Result<std::vector<store::AccountValueRow>> account_values(const model::AccountTag&) const override { return none(); }
    Result<store::ValueRow> value(std::uint16_t, model::ValueId, std::uint32_t, std::uint32_t) const override { return none(); }
    Result<std::vector<store::ValueRow>> values(const store::ValueQuery&) const override { return none(); }
    Status each_value(std::uint16_t, std::uint32_t, std::uint32_t,
                      const std::function<bool(const store::ValueRow&)>&) const override {
        return none();
    }
    Result<store::DayTotals> totals(std::uint32_t, std::uint32_t) const override { return none(); }
    Result<std::vector<store::MinuteRow>> minutes(Nanos, Nanos) const override { return none(); }
    Result<std::string> text(model::ValueId) const override { return none(); }
    Result<std::vector<store::Text>> texts(std::uint16_t, std::string_view, std::size_t) const override { return none(); }
    Result<std::vector<store::Finding>> findings(const store::FindingQuery&) const override { return none(); }
    Result<store::Finding> finding(std::uint64_t) const override { return none(); }
    Result<std::uint64_t> add_revision(const store::Revision&) override { return none(); }
    Result<std::vector<store::Revision>> revisions(std::size_t) const override { return none(); }
    Result<store::Revision> revision(std::uint64_t) const override { return none(); }
    Result<std::uint64_t> forget(const model::AccountTag&) override { return none(); }
    store::Health health() const override { return {}; }

  private:
    static Status none() { return {Code::not_found, "not of this test"}; }
    template <typename Value>
    void set(Value& of, Value to) {
        const std::lock_guard lock(mutex_);
        of = to;
        changed_.notify_all();
    }
    void put(const store::Document& document) {
        std::erase_if(documents_, [&](const auto& had) { return had.room == document.room && had.key == document.key; });
        if (!document.value.empty()) documents_.push_back(document);
    }

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool held_ = false;
    bool writing_ = false;
    unsigned failures_ = 0;
    std::vector<std::string> told_;
    std::vector<store::Document> documents_;
    std::vector<store::Finding> findings_;
};

}  // namespace seine::service
