// What every backend of the store has to do, as tests over the interface alone. A backend gives a
// factory that opens the same store again and again: INSTANTIATE_TEST_SUITE_P(Name, StoreConformance, ..).
#pragma once
#include <functional>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "control/store/store.h"

namespace seine::store {

// A place where a store of its own lives, empty at first.
class StorePlace {
  public:
    virtual ~StorePlace() = default;
    // The store of this place, opened; the one before it is gone by then.
    virtual std::unique_ptr<Store> open() = 0;
};
using MakePlace = std::function<std::unique_ptr<StorePlace>()>;

class StoreConformance : public testing::TestWithParam<MakePlace> {
  protected:
    void SetUp() override {
        place = GetParam()();
        store = place->open();
        ASSERT_NE(store, nullptr);
    }
    void again() {
        store.reset();
        store = place->open();
        ASSERT_NE(store, nullptr);
    }
    std::unique_ptr<StorePlace> place;
    std::unique_ptr<Store> store;
};

}  // namespace seine::store
