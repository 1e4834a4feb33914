// Any bytes as a record frame: what reads prints, and what is written from it reads back the same.
#include <cstdlib>
#include <string>
#include <vector>

#include "dataplane/contract/account_record.h"
#include "dataplane/contract/json.h"

namespace {

using namespace seine;
using namespace seine::contract;

std::string printed(const RecordView& record) {
    JsonWriter json;
    std::string out;
    json.append(out, record, JsonForm::event);
    json.append(out, record, JsonForm::flow);
    return out;
}

// The known part of a record, written by our writer.
std::vector<std::uint8_t> rewritten(const RecordView& record) {
    std::vector<std::uint8_t> buffer(kFrameBytesMin + record.strings.size());
    FrameWriter writer(buffer);
    writer.begin(record.kind, record.flow);
    for (const FieldInfo& each : kFields) {
        const auto field = static_cast<Field>(each.number);
        if (!is_fixed(each.type) || !record.has(field)) continue;
        if (each.type == FieldType::ip) {
            std::uint8_t address[16];
            std::memcpy(address, record.ip(field).data(), sizeof address);
            writer.set_ip(field, address);
        } else {
            writer.set(field, record.get(field));
        }
    }
    writer.append_encoded(record.strings);
    if (writer.truncated()) std::abort();
    buffer.resize(writer.finish());
    return buffer;
}

void record_frame(ByteView bytes) {
    RecordView record;
    if (read_frame(bytes, record) != Parse::ok) return;
    const auto again = rewritten(record);
    RecordView back;
    if (read_frame(again, back) != Parse::ok) std::abort();
    back.truncated = record.truncated;
    if (printed(record) != printed(back)) std::abort();
}

void account(ByteView bytes) {
    AccountRecord record;
    if (decode_account(bytes, record) != Parse::ok) return;
    std::uint8_t again[kAccountRecordBytes];
    encode_account(again, record);
    set_account_mac(again, record.mac);
    if (std::memcmp(again, bytes.data(), sizeof again) != 0) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    record_frame({data, size});
    account({data, size});
    std::size_t count = 0;
    static_cast<void>(count_accounts({data, size}, count));
    return 0;
}
