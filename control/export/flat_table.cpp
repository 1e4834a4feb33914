// Keys, labels and separators become one text before each value.
#include "control/export/flat_table.h"

#include <bit>
#include <string>

#include "control/export/escape.h"

namespace seine::siem {

FlatTable::FlatTable(std::span<const Row> rows, const Syntax& syntax) : syntax_(syntax) {
    for (std::size_t kind = 0; kind < steps_.size(); ++kind) {
        std::string before;
        for (const Row& row : rows) {
            if ((row.kinds >> kind & 1) == 0) continue;
            before.append(syntax.before_key).append(row.key).append(syntax.before_value);
            if (!row.from_item && row.make == nullptr) {
                before.append(row.constant).append(syntax.after_value);
                continue;
            }
            steps_[kind].push_back({row.item, row.form, row.make, keys_.add(before)});
            before.clear();
        }
    }
}

void FlatTable::append(TextBuffer& out, const EventItems& items) const {
    const auto kind =
        static_cast<std::size_t>(std::countr_zero(static_cast<unsigned>(items.kind())));
    if (kind >= steps_.size()) return;
    auto skip = static_cast<std::uint32_t>(syntax_.before_key.size());
    for (const Step& step : steps_[kind]) {
        if (!items.has(step.item)) continue;
        keys_.append(out, step.key, skip);
        skip = 0;
        if (step.make != nullptr) {
            step.make(out, items);
        } else {
            append_flat_value(out, items, step.item, step.form, syntax_.escaped);
        }
        out += syntax_.after_value;
    }
}

}  // namespace seine::siem
