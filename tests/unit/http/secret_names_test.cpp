// Names whose values must never reach a record.
#include "dataplane/http/secret_names.h"

#include <string>

#include <gtest/gtest.h>

namespace {

using namespace seine::http;

TEST(SecretNames, KnowsTheUsualOnesInAnyCase) {
    for (const char* name : {"Authorization", "PROXY-AUTHORIZATION", "cookie", "Set-Cookie",
                             "X-Api-Key", "x-goog-api-key", "Api-Key"})
        EXPECT_TRUE(is_secret_header(name)) << name;
    for (const char* name : {"Host", "User-Agent", "Accept", "X-Api-Keys", "", "cooki"})
        EXPECT_FALSE(is_secret_header(name)) << name;
    for (const char* name : {"key", "API_KEY", "access_token", "k", "X-Amz-Signature"})
        EXPECT_TRUE(is_secret_query_name(name)) << name;
    for (const char* name : {"q", "page", "keyword", ""})
        EXPECT_FALSE(is_secret_query_name(name)) << name;
}

TEST(SecretNames, TakesConfiguredOnesUpToItsBounds) {
    SecretNames names;
    EXPECT_FALSE(names.contains("x-tenant-secret"));
    EXPECT_TRUE(names.add("X-Tenant-Secret"));
    EXPECT_TRUE(names.contains("x-tenant-SECRET"));
    EXPECT_TRUE(names.contains("authorization"));
    EXPECT_FALSE(names.add(""));
    EXPECT_FALSE(names.add(std::string(SecretNames::kNameBytesMax + 1, 'x')));
    while (names.added_count() < SecretNames::kAddedMax)
        ASSERT_TRUE(names.add("x" + std::to_string(names.added_count())));
    EXPECT_FALSE(names.add("one-more"));
}

}  // namespace
