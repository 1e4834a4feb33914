// Once it could be made, every call goes to the real one.
#include "control/export/late_carrier.h"

namespace seine::siem {
namespace {

class LateCarrier final : public Carrier {
  public:
    LateCarrier(CarrierMaker make, bool acknowledges)
        : make_(std::move(make)), acknowledges_(acknowledges) {}

    [[nodiscard]] bool acknowledges() const noexcept override { return acknowledges_; }
    [[nodiscard]] std::size_t batch_messages() const noexcept override {
        return made_ == nullptr ? 1 : made_->batch_messages();
    }
    [[nodiscard]] std::size_t batch_bytes() const noexcept override {
        return made_ == nullptr ? Carrier::batch_bytes() : made_->batch_bytes();
    }
    [[nodiscard]] Status ready() override {
        if (made_ != nullptr) return {};
        auto made = make_();
        if (!made) return made.error();
        made_ = std::move(*made);
        return {};
    }
    Delivery deliver(std::span<const std::string_view> messages,
                     const std::atomic<bool>& stop) override {
        Delivery delivery;
        delivery.status = ready();
        return delivery.status.ok() ? made_->deliver(messages, stop) : delivery;
    }
    void expect_findings() override {
        if (made_ != nullptr) made_->expect_findings();
    }
    void sync() override {
        if (made_ != nullptr) made_->sync();
    }
    void reopen() override {
        if (made_ != nullptr) made_->reopen();
    }

  private:
    CarrierMaker make_;
    bool acknowledges_;
    std::unique_ptr<Carrier> made_;
};

}  // namespace

std::unique_ptr<Carrier> make_late_carrier(CarrierMaker make, bool acknowledges) {
    return std::make_unique<LateCarrier>(std::move(make), acknowledges);
}

}  // namespace seine::siem
