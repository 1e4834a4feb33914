#include "dataplane/signature/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

namespace seine::signature {

struct Regex::Code {
    pcre2_code* code = nullptr;
    pcre2_match_data* data = nullptr;
    pcre2_match_context* context = nullptr;
    pcre2_jit_stack* stack = nullptr;
    ~Code() {
        if (stack != nullptr) pcre2_jit_stack_free(stack);
        if (context != nullptr) pcre2_match_context_free(context);
        if (data != nullptr) pcre2_match_data_free(data);
        if (code != nullptr) pcre2_code_free(code);
    }
};

Regex::Regex(std::unique_ptr<Code> code) noexcept : code_(std::move(code)) {}
Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

Result<Regex> Regex::compile(std::string_view pattern, bool nocase) {
    int error = 0;
    PCRE2_SIZE at = 0;
    constexpr std::size_t kJitStackBytes = std::size_t{128} << 10;
    constexpr std::uint32_t kHeapKib = 512;
    auto code = std::make_unique<Code>();
    const std::uint32_t options = PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C | (nocase ? PCRE2_CASELESS : 0u);
    const std::string terminated(pattern);
    // The library takes its characters as unsigned ones.
    code->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(terminated.data()),  // NOLINT
                               terminated.size(), options, &error, &at, nullptr);
    if (code->code == nullptr) {
        unsigned char text[128] = {};
        pcre2_get_error_message(error, text, sizeof text);
        std::string words;
        for (const unsigned char c : text) {
            if (c == 0) break;
            words.push_back(static_cast<char>(c));
        }
        return Status(seine::Code::corrupt, words + " at byte " + std::to_string(at) + " of the pattern");
    }
    code->data = pcre2_match_data_create(1, nullptr);
    code->context = pcre2_match_context_create(nullptr);
    if (code->data == nullptr || code->context == nullptr) return failed("no memory for a pattern");
    pcre2_set_match_limit(code->context, kStepsMax);
    pcre2_set_depth_limit(code->context, kStepsMax);
    pcre2_set_heap_limit(code->context, kHeapKib);
    if (pcre2_jit_compile(code->code, PCRE2_JIT_COMPLETE) == 0) {
        code->stack = pcre2_jit_stack_create(kJitStackBytes, kJitStackBytes, nullptr);
        if (code->stack != nullptr) pcre2_jit_stack_assign(code->context, nullptr, code->stack);
    }
    return Regex(std::move(code));
}

RegexAnswer Regex::search(std::string_view text, std::size_t* from, std::size_t* to) const noexcept {
    const int found = pcre2_match(code_->code, reinterpret_cast<PCRE2_SPTR>(text.data()),  // NOLINT
                                  text.size(), 0, 0, code_->data, code_->context);
    if (found == PCRE2_ERROR_NOMATCH) return RegexAnswer::no;
    if (found < 0) return RegexAnswer::gave_up;
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(code_->data);
    if (from != nullptr) *from = ends[0];
    if (to != nullptr) *to = ends[1];
    return RegexAnswer::yes;
}

bool Regex::matches_empty() const noexcept {
    std::uint32_t empty = 0;
    pcre2_pattern_info(code_->code, PCRE2_INFO_MATCHEMPTY, &empty);
    return empty != 0;
}

}  // namespace seine::signature
