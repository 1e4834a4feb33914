#include "dataplane/signature/place.h"

namespace seine::signature {

std::string text_of(const Place& place) {
    std::string out = place.file;
    if (place.line != 0) out += ":" + std::to_string(place.line);
    if (place.line != 0 && place.column != 0) out += ":" + std::to_string(place.column);
    return out;
}

void Problems::add(Place place, std::string text) {
    if (kept_.size() == kKeptMax) {
        ++left_out_;
        return;
    }
    kept_.push_back({std::move(place), std::move(text)});
}

std::string Problems::lines() const {
    std::string out;
    for (const Problem& problem : kept_) {
        const std::string place = text_of(problem.place);
        out += place + (place.empty() ? "" : ": ") + problem.text + "\n";
    }
    if (left_out_ > 0) out += "and " + std::to_string(left_out_) + " more; mend these first\n";
    return out;
}

}  // namespace seine::signature
