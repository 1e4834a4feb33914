// The product's own join (control/account) behind a played world.
#pragma once
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "control/account/join.h"
#include "dataplane/base/status.h"
#include "tools/evaluate/feed.h"
#include "tools/evaluate/plain_join.h"

namespace seine::evaluate {

class ProductJoin final : public Audience, private account::JoinSink {
  public:
    static Result<std::unique_ptr<ProductJoin>> make(SightingSink& sink);
    void text(model::ValueId id, const std::string& text) override { sink_.text(id, text); }
    void opened(Nanos now, const model::Flow& flow) override;
    void closed(Nanos now, model::Flow& flow) override;
    void recorded(Nanos now, const Record& record) override;
    void finish() override { join_->finish(); }
    // Goes on from its saved state alone, as after a restart of the daemon.
    [[nodiscard]] Status restart();
    std::vector<std::pair<std::string, double>> figures() const override;

  private:
    explicit ProductJoin(SightingSink& sink) : sink_(sink) {}
    void sighting(const model::Sighting& sighting) override { sink_.sighting(now_, sighting); }
    void account_event(const model::AccountEvent& event) override { sink_.event(event); }
    void let_time_pass(Nanos now);

    SightingSink& sink_;
    std::unique_ptr<account::Join> join_;
    Nanos now_;
    Nanos ticked_;
};

}  // namespace seine::evaluate
