#include "tools/evaluate/packed_source.h"

#include "tools/world/pack.h"

namespace seine::evaluate {
namespace {

class PackedFlows final : public BatchSource {
  public:
    explicit PackedFlows(std::unique_ptr<world::PackReader> reader) : reader_(std::move(reader)) {}
    Status next(Batch& out) override {
        if (!told_) {
            for (const std::string& text : reader_->tables().texts) {
                if (!text.empty()) out.texts.emplace_back(model::value_id(text), text);
            }
            told_ = true;
        }
        return reader_->next(out.flows);
    }

  private:
    std::unique_ptr<world::PackReader> reader_;
    bool told_ = false;
};

class PackedRecords final : public BatchSource {
  public:
    explicit PackedRecords(std::unique_ptr<world::PackReader> reader)
        : reader_(std::move(reader)) {}
    Status next(Batch& out) override {
        rows_.clear();
        if (Status s = reader_->next(rows_); !s.ok()) return s;
        out.records.reserve(rows_.size());
        for (const world::PackedRecord& row : rows_)
            out.records.push_back({row.record, row.signup});
        return {};
    }

  private:
    std::unique_ptr<world::PackReader> reader_;
    std::vector<world::PackedRecord> rows_;
};

}  // namespace

Result<std::unique_ptr<BatchSource>> open_packed_flows(const std::string& path) {
    auto reader = world::PackReader::open_flows(path);
    if (!reader) return reader.error();
    return std::unique_ptr<BatchSource>(std::make_unique<PackedFlows>(std::move(*reader)));
}

Result<std::unique_ptr<BatchSource>> open_packed_records(const std::string& path) {
    auto reader = world::PackReader::open_records(path);
    if (!reader) return reader.error();
    return std::unique_ptr<BatchSource>(std::make_unique<PackedRecords>(std::move(*reader)));
}

}  // namespace seine::evaluate
