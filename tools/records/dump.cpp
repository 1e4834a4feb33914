// Walking a ring and printing it.
#include "tools/records/dump.h"

#include "dataplane/contract/json.h"
#include "dataplane/export/fold.h"
#include "dataplane/export/ring_reader.h"

namespace seine::records {
namespace {

using exporting::RingCounter;
using exporting::RingEntry;
using exporting::RingReader;

// A folded flow that was cut off by the start of the ring folds what is there.
class Printer {
  public:
    Printer(const DumpOptions& options, const Write& write)
        : options_(options), write_(write), fold_({}, [this](const contract::RecordView& flow) {
              line(flow, contract::JsonForm::flow);
          }) {}

    bool take(const contract::RecordView& record) {
        if (!options_.kind.empty() && contract::name_of(record.kind) != options_.kind)
            return going_;
        if (options_.flows) {
            fold_.add(record);
        } else {
            line(record, contract::JsonForm::event);
        }
        return going_;
    }
    void finish() { fold_.finish(); }

  private:
    void line(const contract::RecordView& record, contract::JsonForm form) {
        if (!going_) return;
        line_.clear();
        json_.append(line_, record, form);
        line_.push_back('\n');
        going_ = write_(line_);
    }
    const DumpOptions& options_;
    const Write& write_;
    exporting::Fold fold_;
    contract::JsonWriter json_;
    std::string line_;
    bool going_ = true;
};

}  // namespace

Result<Dumped> dump(const DumpOptions& options, const Write& write) {
    auto reader = RingReader::open_to_look(options.path);
    if (!reader) return reader.error();
    Dumped done;
    Printer printer(options, write);
    RingEntry entry;
    Parse parse = Parse::ok;
    while (done.frames < options.frames_max && (parse = (*reader)->next(entry)) == Parse::ok) {
        ++done.frames;
        contract::RecordView record;
        if (contract::read_frame(entry.frame, record) != Parse::ok) {
            ++done.unreadable;
        } else if (!printer.take(record)) {
            break;
        }
    }
    printer.finish();
    done.broken_off = parse == Parse::malformed;
    done.lost = (*reader)->totals().lost;
    return done;
}

Result<std::string> ring_summary(const std::string& path) {
    auto reader = RingReader::open_to_look(path);
    if (!reader) return reader.error();
    std::string out = "{\"path\":";
    contract::append_json_text(out, path);
    out += ",\"dataplane\":" + std::to_string((*reader)->dataplane_id()) +
           ",\"epoch\":" + std::to_string((*reader)->epoch()) +
           ",\"closed\":" + ((*reader)->closed() ? "true" : "false") + ",\"workers\":[";
    bool first = true;
    for (unsigned worker = 0; worker < exporting::kRingWorkersMax; ++worker) {
        std::string counters;
        bool any = false;
        for (std::size_t i = 0; i < exporting::kRingCounterCount; ++i) {
            const std::uint64_t value = (*reader)->counter(worker, static_cast<RingCounter>(i));
            any = any || value != 0;
            counters += ",\"" + std::string(exporting::kRingCounterNames[i]) +
                        "\":" + std::to_string(value);
        }
        if (!any) continue;
        out += (first ? "{\"worker\":" : ",{\"worker\":") + std::to_string(worker) + counters + "}";
        first = false;
    }
    return out + "]}";
}

}  // namespace seine::records
