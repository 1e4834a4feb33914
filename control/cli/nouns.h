// The table of nouns, in the order that help lists them.
#pragma once
#include <span>

#include "control/cli/noun.h"

namespace seine::cli {

std::span<const Noun* const> nouns() noexcept;

// Each in a file of its own, noun_NAME.cpp.
extern const Noun kStatusNoun;
extern const Noun kFlowNoun;
extern const Noun kSignatureNoun;
extern const Noun kFingerprintNoun;
extern const Noun kAccountNoun;
extern const Noun kFarmNoun;
extern const Noun kAlertNoun;
extern const Noun kExportNoun;
extern const Noun kConfigNoun;
extern const Noun kAuditNoun;
extern const Noun kDoctorNoun;
extern const Noun kMitigationNoun;
extern const Noun kCompletionNoun;

}  // namespace seine::cli
