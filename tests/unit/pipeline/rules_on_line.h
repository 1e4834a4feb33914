// A rule set on the line of line.h, and what it found.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "dataplane/signature/compile.h"
#include "dataplane/signature/rule_file.h"
#include "tests/unit/pipeline/line.h"

namespace seine::pipeline {

inline std::string rule(const std::string& id, const std::string& condition) {
    return "[[rule]]\nid = \"" + id +
           "\"\ntitle = \"t\"\nclass = \"policy\"\nlimit = { per_rule = \"off\", per_source = "
           "\"off\" }\n" +
           condition +
           "\n[[rule.match]]\nhttp.method = \"x\"\n[[rule.no_match]]\nhttp.method = \"y\"\n";
}

inline std::unique_ptr<signature::Generation> rules(const std::string& text, std::uint64_t number = 5,
                                                    const signature::Generation::Limits& limits = {}) {
    auto loaded = signature::read_rules_text("f.toml", text, "");
    auto compiled = compile(loaded.set, loaded.problems);
    EXPECT_TRUE(loaded.problems.empty()) << loaded.problems.lines();
    compiled.generation = number;
    auto made = signature::Generation::make(std::move(compiled), limits);
    EXPECT_TRUE(bool(made));
    return std::move(*made);
}

class Match : public testing::Test {
  protected:
    void use(const std::string& text, const signature::Generation::Limits& limits = {}) {
        set = rules(text, 5, limits);
        line.inspector().adopt(set.get());
        talk.open();
    }
    std::vector<std::string> found() {
        line.finish();
        return found_so_far();
    }
    [[nodiscard]] std::vector<std::string> found_so_far() const {
        std::vector<std::string> out;
        for (const Record& record : line.of(contract::Kind::finding))
            out.push_back(record.text(contract::Field::rules));
        return out;
    }
    [[nodiscard]] std::uint64_t lost(signature::Loss loss) { return line.inspector().matcher().lost(loss); }
    std::unique_ptr<signature::Generation> set;
    Line line;
    Talk talk{line};
};
using Ids = std::vector<std::string>;

}  // namespace seine::pipeline
