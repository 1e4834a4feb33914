// Findings of a ring are in the store once, whatever the store does meanwhile.
#include "control/service/findings.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>

#include "dataplane/contract/frame.h"
#include "dataplane/export/ring_file.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/service/slow_store.h"

namespace seine::service {
namespace {

using contract::Field;

class IngestFindings : public testing::Test {
  protected:
    IngestFindings() {
        config.rings = {folder.file("ring")};
        config.state_folder = folder.path();
        config.commit_ms = 50;
    }
    void write(std::uint64_t from, std::uint64_t to) {
        exporting::RingWriterConfig ring;
        ring.path = config.rings.front() + ".alerts";
        ring.data_bytes = exporting::kRingDataBytesMin;
        ring.dataplane_id = 3;
        if (alerts == nullptr) {
            auto made = exporting::RingWriter::open(ring);
            ASSERT_TRUE(made.has_value());
            alerts = std::move(*made);
        }
        std::vector<std::uint8_t> buffer(4096);
        for (std::uint64_t i = from; i < to; ++i) {
            contract::FrameWriter frame(buffer);
            frame.begin(contract::Kind::finding, {3, 1, i});
            frame.set(Field::t_last_ns, i + 1);
            ASSERT_TRUE(alerts->write({buffer.data(), frame.finish()}, 0));
        }
    }
    // A control's life, up to `enough` or five seconds.
    template <typename Enough>
    void live(Enough&& enough) {
        Findings findings(store);
        findings.publish_to([this](const model::Event&) { ++published; });
        Ingest ingest(config, store, [] {
            return Nanos{std::chrono::duration_cast<std::chrono::nanoseconds>(
                             std::chrono::system_clock::now().time_since_epoch()).count()};
        });
        ingest.add(findings.part(ingest));
        ASSERT_TRUE(ingest.start().ok());
        for (int i = 0; i < 500 && !enough(findings); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        EXPECT_TRUE(enough(findings));
        store.release();
        ingest.stop();
    }
    // Numbers of the findings in the store, in their order.
    std::vector<std::int64_t> stored() const {
        std::vector<std::int64_t> out;
        for (const store::Finding& finding : store.all_findings()) out.push_back(finding.at.count);
        return out;
    }
    static std::vector<std::int64_t> numbers(std::int64_t to) {
        std::vector<std::int64_t> out;
        for (std::int64_t i = 1; i <= to; ++i) out.push_back(i);
        return out;
    }
    SlowStore store;
    test::TempFolder folder{"ingest"};
    Config config;
    std::unique_ptr<exporting::RingWriter> alerts;
    std::atomic<unsigned> published{0};
};

TEST_F(IngestFindings, AreReadOnWhileTheStoreIsBusy) {
    store.hold();
    write(0, 1);
    live([this, more = false](const Findings& findings) mutable {
        if (published < 1) return false;
        if (!more) {
            store.has_begun();
            write(1, 40);
            more = true;
        }
        return published == 40 && findings.counters().waiting == 40;
    });
    EXPECT_EQ(stored(), numbers(40));
}

TEST_F(IngestFindings, ThatTheStoreNeverTookComeAgainAndAreThereOnce) {
    write(0, 40);
    store.fail(1000);
    live([this](const Findings&) { return published == 40; });
    EXPECT_TRUE(stored().empty());  // nothing of them without their place in the ring
    store.fail(0);
    live([](const Findings& findings) { return findings.counters().kept == 40; });
    EXPECT_EQ(stored(), numbers(40));
    write(40, 41);
    live([](const Findings& findings) { return findings.counters().kept == 1; });
    EXPECT_EQ(stored(), numbers(41));
}

TEST_F(IngestFindings, OutliveAStoreThatIsFullForAWhile) {
    write(0, 40);
    store.fail(3);
    live([](const Findings& findings) { return findings.counters().kept == 40; });
    EXPECT_EQ(stored(), numbers(40));
    EXPECT_EQ(published, 40u);
}

}  // namespace
}  // namespace seine::service
