// libmaxminddb, behind a wall: its header declares names of its own.
#include "control/detect/mmdb.h"

#include <cstring>
#include <maxminddb.h>

namespace seine::detect {
namespace {

// A value at the top of the record, or below `traits`.
bool find(MMDB_entry_s entry, const char* name, MMDB_entry_data_s& out) {
    const char* const top[] = {name, nullptr};
    const char* const below[] = {"traits", name, nullptr};
    for (const char* const* path : {top, below}) {
        if (MMDB_aget_value(&entry, &out, path) == MMDB_SUCCESS && out.has_data) return true;
    }
    return false;
}

}  // namespace

struct MmdbFile::Database {
    MMDB_s handle{};
    ~Database() { MMDB_close(&handle); }
};

MmdbFile::MmdbFile(std::unique_ptr<Database> database) : database_(std::move(database)) {}
MmdbFile::~MmdbFile() = default;

Result<std::shared_ptr<const MmdbFile>> MmdbFile::open(const std::string& path) {
    MMDB_s handle{};
    const int code = MMDB_open(path.c_str(), MMDB_MODE_MMAP, &handle);
    if (code != MMDB_SUCCESS)
        return failed(path + ": " + MMDB_strerror(code) +
                      "; name a whole file of the MaxMind DB format");
    auto database = std::make_unique<Database>();
    database->handle = handle;
    return std::shared_ptr<const MmdbFile>(new MmdbFile(std::move(database)));
}

MmdbFile::Entry MmdbFile::lookup(const model::Address& address) const noexcept {
    sockaddr_storage place{};
    if (model::is_v4(address)) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        std::memcpy(&v4.sin_addr, address.data() + 12, 4);
        std::memcpy(&place, &v4, sizeof v4);
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        std::memcpy(&v6.sin6_addr, address.data(), 16);
        std::memcpy(&place, &v6, sizeof v6);
    }
    Entry out;
    if (!model::is_v4(address) && database_->handle.metadata.ip_version == 4) return out;
    int code = MMDB_SUCCESS;
    // The library takes the general form of an address and reads as much as its family has.
    const MMDB_lookup_result_s found = MMDB_lookup_sockaddr(
        &database_->handle, static_cast<const sockaddr*>(static_cast<const void*>(&place)), &code);
    if (code != MMDB_SUCCESS || !found.found_entry) return out;
    MMDB_entry_data_s data{};
    for (const char* name : {"autonomous_system_number", "asn"}) {
        if (!find(found.entry, name, data)) continue;
        if (data.type == MMDB_DATA_TYPE_UINT32) out.asn = data.uint32;
        if (data.type == MMDB_DATA_TYPE_UINT16) out.asn = data.uint16;
        if (out.asn != 0) break;
    }
    for (const char* name : {"class", "user_type", "connection_type"}) {
        if (!find(found.entry, name, data) || data.type != MMDB_DATA_TYPE_UTF8_STRING) continue;
        out.user.assign(data.utf8_string, data.data_size);
        break;
    }
    return out;
}

}  // namespace seine::detect
