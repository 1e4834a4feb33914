// The one place that lists them.
#include "control/cli/nouns.h"

namespace seine::cli {
namespace {

constexpr const Noun* kNouns[] = {
    &kStatusNoun, &kFlowNoun,   &kSignatureNoun, &kFingerprintNoun, &kAccountNoun,
    &kFarmNoun,   &kAlertNoun,  &kExportNoun,    &kConfigNoun,      &kAuditNoun,
    &kDoctorNoun, &kMitigationNoun, &kCompletionNoun,
};

}  // namespace

std::span<const Noun* const> nouns() noexcept { return kNouns; }

}  // namespace seine::cli
