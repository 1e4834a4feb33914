// seine-test-events: prints events in a format, one message a line, for schema checks and
// receivers.
//   seine-test-events FORMAT sample|hostile|load COUNT [SEED] [ENVELOPE]
//   seine-test-events --docs docs/siem.md     writes the field tables into the document
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "control/export/export_section.h"
#include "control/export/render.h"
#include "tests/siem/sample_events.h"

namespace {

// Puts `tables` between a mark and the end of tables after it; false when the mark is not there.
bool put_between(std::string& document, const std::string& mark, const std::string& tables) {
    const std::size_t begin = document.find(mark);
    if (begin == std::string::npos) return false;
    const std::size_t from = begin + mark.size();
    const std::size_t end = document.find("<!-- end of tables -->", from);
    if (end == std::string::npos) return false;
    document.replace(from, end - from, tables);
    return true;
}

int write_docs(const char* path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    std::string document = text.str();
    in.close();
    seine::siem::ExportSection section(nullptr);
    seine::config::Section* sections[] = {&section};
    if (!put_between(document, "<!-- field tables: generated, `seine-test-events --docs` -->\n",
                     seine::siem::field_tables()) ||
        !put_between(document, "<!-- setting tables: generated, `seine-test-events --docs` -->\n",
                     seine::config::setting_tables(sections))) {
        std::fprintf(stderr, "seine-test-events: %s has no marks for the tables\n", path);
        return 1;
    }
    std::ofstream out(path);
    out << document;
    return out.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    using namespace seine;
    if (argc == 3 && std::strcmp(argv[1], "--docs") == 0) return write_docs(argv[2]);
    if (argc < 4) {
        std::fputs(
            "usage: seine-test-events FORMAT sample|hostile|load COUNT [SEED] "
            "[none|syslog|hec|bulk]\n",
            stderr);
        return 2;
    }
    const siem::Format* format = siem::find_format(argv[1]);
    if (format == nullptr) {
        std::fprintf(stderr, "seine-test-events: no format %s\n", argv[1]);
        return 2;
    }
    const std::uint64_t count = std::strtoull(argv[3], nullptr, 10);
    std::mt19937_64 random(argc > 4 ? std::strtoull(argv[4], nullptr, 10) : 1);
    siem::Envelope envelope = siem::Envelope::none;
    if (argc > 5 && std::strcmp(argv[5], "syslog") == 0) envelope = siem::Envelope::syslog;
    if (argc > 5 && std::strcmp(argv[5], "hec") == 0) envelope = siem::Envelope::hec;
    if (argc > 5 && std::strcmp(argv[5], "bulk") == 0) envelope = siem::Envelope::bulk;
    siem::Renderer renderer(*format, envelope, {});
    for (std::uint64_t i = 0; i < count; ++i) {
        const model::EventKind kind = tests::kEventKinds[i % std::size(tests::kEventKinds)];
        model::Event event = std::strcmp(argv[2], "load") == 0 ? tests::load_event(i)
                             : std::strcmp(argv[2], "hostile") == 0
                                 ? tests::hostile_event(kind, random)
                             : i % 10 == 6 ? tests::sample_http_event()
                                           : tests::sample_event(kind);
        event.sequence = i + 1;
        const std::string_view message = renderer.render(event);
        std::fwrite(message.data(), 1, message.size(), stdout);
        if (!format->is_binary()) std::fputc('\n', stdout);
    }
    return 0;
}
