// Transport parameters in wire order, their bounds and truncations.
#include "dataplane/quic/transport_params.h"

#include <gtest/gtest.h>

#include "tests/unit/quic/initial_builder.h"

namespace seine::quic {
namespace {

// The extension body of the ClientHello in RFC 9001 appendix A.2.
constexpr std::string_view kRfcBody =
    "0408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f088394c8f03e515708060480"
    "00ffff";

TEST(TransportParams, KeepsWireOrder) {
    const Bytes body = unhex(kRfcBody);
    TransportParams params;
    ASSERT_EQ(read_transport_params(body, params), Parse::ok);
    std::vector<std::uint64_t> ids;
    for (const auto& param : params.list) ids.push_back(param.id);
    EXPECT_EQ(ids, (std::vector<std::uint64_t>{4, 5, 7, 8, 1, 9, 15, 6}));
    std::uint64_t value = 0;
    EXPECT_TRUE(params.number(ParamId::max_idle_timeout, value));
    EXPECT_EQ(value, 30000u);
    EXPECT_TRUE(params.number(ParamId::initial_max_data, value));
    EXPECT_EQ(value, (std::uint64_t{1} << 62) - 1);
    ASSERT_NE(params.find(ParamId::initial_source_connection_id), nullptr);
    EXPECT_EQ(hex(params.find(ParamId::initial_source_connection_id)->value), kClientIdHex);
    EXPECT_EQ(params.find(ParamId::version_information), nullptr);
    EXPECT_FALSE(params.number(ParamId::max_udp_payload_size, value));
    // Eight bytes, but not one integer.
    EXPECT_FALSE(params.number(ParamId::initial_source_connection_id, value));
}

TEST(TransportParams, RefusesEveryCutInsideAParameter) {
    const Bytes body = unhex(kRfcBody);
    std::size_t whole_count = 0;
    for (std::size_t size = 0; size <= body.size(); ++size) {
        const Bytes cut(body.begin(), body.begin() + static_cast<std::ptrdiff_t>(size));
        TransportParams params;
        const Parse status = read_transport_params(cut, params);
        if (status == Parse::ok)
            ++whole_count;
        else
            EXPECT_EQ(status, Parse::malformed);
    }
    EXPECT_EQ(whole_count, 9u);  // between the eight parameters and at both ends
}

TEST(TransportParams, StopsAtItsBound) {
    Bytes body;
    for (std::size_t i = 0; i < kTransportParamsMax; ++i) append(body, Bytes{27, 0});
    TransportParams params;
    EXPECT_EQ(read_transport_params(body, params), Parse::ok);
    append(body, Bytes{27, 0});
    EXPECT_EQ(read_transport_params(body, params), Parse::limit);
    EXPECT_EQ(params.list.size(), kTransportParamsMax);
    EXPECT_TRUE(is_grease_param(27) && is_grease_param(58) && !is_grease_param(28) &&
                !is_grease_param(0));
}

}  // namespace
}  // namespace seine::quic
