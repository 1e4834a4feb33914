// What a worker's inspector is told at start: bounds, forms, keys, and who it is.
#pragma once
#include <cstddef>
#include <cstdint>

#include "dataplane/http/secret_names.h"
#include "dataplane/pipeline/limits.h"

namespace seine::pipeline {

struct InspectorConfig {
    Limits limits;
    bool raw = false;          // also the forms that hold values in clear (replay only)
    bool records_all = false;  // half-open flows write a record too
    bool ja3 = true;           // JA3 and JA3S
    bool wire_order = true;    // ja4_o
    std::uint8_t ech_config_ids[16] = {};  // of our own ECH configurations
    std::size_t ech_config_count = 0;
    std::uint16_t dataplane_id = 0;
    std::uint32_t epoch = 0;
    std::uint16_t worker = 0;
    std::uint8_t hash_key[16] = {};      // session evidence; SipHash-2-4
    http::SecretNames key_headers;       // headers that carry API keys, beside the built-in ones
    // A settled flow that no meter counts may be passed by cards when a direction has carried 2 to the power of this in
    // bytes; kNoBypass: never.
    static constexpr std::uint8_t kNoBypass = 63;
    std::uint8_t bypass_shift = kNoBypass;
    std::uint32_t texts_known = 512;     // whose SHA-256 is remembered (crypto/digest.h)
    std::uint64_t table_seed = 0;        // flow table hashing; random in live use, fixed in replay
};

}  // namespace seine::pipeline
