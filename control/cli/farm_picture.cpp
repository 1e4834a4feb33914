#include "control/cli/farm_picture.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <map>
#include <vector>

#include "control/cli/table.h"

namespace seine::cli {
namespace {

using command::JsonValue;

constexpr std::size_t kNetworks = 9, kClients = 6;  // of each side; the rest is one box
constexpr double kWidth = 1000, kTop = 70, kBody = 460, kGap = 10, kBox = 14;
constexpr double kLeft = 260, kRight = 740;
// Told apart by people who see colours unlike most, too.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7",
                                    "#e69f00", "#56b4e9", "#7f7f7f"};

std::string form(const char* pattern, ...) __attribute__((format(printf, 1, 2)));
std::string form(const char* pattern, ...) {
    char text[512];
    va_list arguments;
    va_start(arguments, pattern);
    std::vsnprintf(text, sizeof text, pattern, arguments);
    va_end(arguments);
    return text;
}

std::string brief(const std::string& text, std::size_t most) {
    const std::string clean = shown(text);
    return clean.size() <= most ? clean : clean.substr(0, most - 2) + "..";
}

std::string xml(const std::string& text) {
    std::string out;
    for (const char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '>')
            out += "&gt;";
        else if (c == '&')
            out += "&amp;";
        else if (c == '"')
            out += "&quot;";
        else
            out += c;
    }
    return out;
}

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

struct Side {
    std::vector<std::string> names;  // most accounts first; the last may stand for the rest
    std::vector<double> accounts;
    std::map<std::string, std::size_t> place;
};

Side side_of(const JsonValue& farm, const char* which, std::size_t most, const char* rest) {
    std::map<std::string, double> count;
    for (const JsonValue& tie : farm["ties"].items())
        count[tie[which].text()] += tie["accounts"].real();
    std::vector<std::pair<std::string, double>> order(count.begin(), count.end());
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    Side side;
    for (std::size_t i = 0; i < order.size(); ++i) {
        const bool own = i < most || order.size() == most + 1;
        if (own || i == most) {
            side.names.push_back(own ? (order[i].first.empty() ? "not known" : order[i].first)
                                     : std::to_string(order.size() - most) + rest);
            side.accounts.push_back(0);
        }
        side.place[order[i].first] = side.names.size() - 1;
        side.accounts.back() += order[i].second;
    }
    return side;
}

struct Picture {
    explicit Picture(const JsonValue& farm)
        : networks(side_of(farm, "network", kNetworks, " more networks")),
          clients(side_of(farm, "client", kClients, " more clients")) {
        for (const JsonValue& tie : farm["ties"].items())
            ties[{networks.place[tie["network"].text()], clients.place[tie["client"].text()]}] +=
                tie["accounts"].real();
        for (const double n : networks.accounts) accounts += n;
    }
    Side networks, clients;
    std::map<std::pair<std::size_t, std::size_t>, double> ties;
    double accounts = 0;
};

const char* colour(std::size_t client) {
    return kColours[std::min<std::size_t>(client, std::size(kColours) - 1)];
}

// Tops of the boxes of a side; heights are `scale` an account.
std::vector<double> tops_of(const Side& side, double scale) {
    std::vector<double> tops;
    double height = 0;
    for (const double n : side.accounts) height += n * scale + kGap;
    double at = kTop + (kBody - height + kGap) / 2;
    for (const double n : side.accounts) {
        tops.push_back(at);
        at += n * scale + kGap;
    }
    return tops;
}

double scale_of(const Picture& picture) {
    const std::size_t most = std::max(picture.networks.names.size(), picture.clients.names.size());
    return (kBody - kGap * static_cast<double>(most)) / std::max(1.0, picture.accounts);
}

std::string boxes(const Side& side, const std::vector<double>& tops, double scale, bool left) {
    std::string out;
    for (std::size_t i = 0; i < side.names.size(); ++i) {
        const double height = std::max(1.0, side.accounts[i] * scale);
        out += form(R"(<rect x="%.0f" y="%.1f" width="%.0f" height="%.1f" fill="%s"/>)",
                    left ? kLeft - kBox : kRight, tops[i], kBox, height, left ? "#444" : colour(i));
        out += form(R"(<text x="%.0f" y="%.1f" text-anchor="%s">)",
                    left ? kLeft - kBox - 8 : kRight + kBox + 8, tops[i] + height / 2 + 4,
                    left ? "end" : "start");
        out += xml(brief(side.names[i], 34)) + form(" (%.0f)</text>\n", side.accounts[i]);
    }
    return out;
}

// A band for each pair of network and client, as wide as its accounts.
std::string bands(const Picture& picture, std::vector<double> from, std::vector<double> to,
                  double scale) {
    std::string out;
    for (const auto& [ends, n] : picture.ties) {
        const double width = n * scale, y1 = from[ends.first] + width / 2,
                     y2 = to[ends.second] + width / 2;
        from[ends.first] += width;
        to[ends.second] += width;
        out +=
            form(
                R"(<path d="M%.0f %.1f C500 %.1f 500 %.1f %.0f %.1f" stroke="%s" stroke-width="%.2f"/>)",
                kLeft, y1, y1, y2, kRight, y2, colour(ends.second), std::max(0.4, width)) +
            "\n";
    }
    return out;
}

// A dot for each account, tied to its network and its client.
std::string dots(const JsonValue& farm, const Picture& picture, std::vector<double> from,
                 std::vector<double> to, double scale) {
    std::string lines, marks;
    const auto& members = farm["members"].items();
    const double step = kBody / static_cast<double>(members.size());
    for (std::size_t i = 0; i < members.size(); ++i) {
        const std::size_t network = picture.networks.place.at(members[i]["network"].text());
        const std::size_t client = picture.clients.place.at(members[i]["client"].text());
        const double y = kTop + step * (static_cast<double>(i) + 0.5);
        const double y1 = from[network] + scale / 2, y2 = to[client] + scale / 2;
        from[network] += scale;
        to[client] += scale;
        lines +=
            form(
                R"(<path d="M%.0f %.1f C380 %.1f 380 %.1f 500 %.1f C620 %.1f 620 %.1f %.0f %.1f" stroke="%s" stroke-width="1.5"/>)",
                kLeft, y1, y1, y, y, y, y2, kRight, y2, colour(client)) +
            "\n";
        marks += form(R"(<circle cx="500" cy="%.1f" r="4" fill="%s" stroke="#222"/>)", y,
                      members[i]["closed"].boolean() ? "#fff" : colour(client));
        marks += form(R"(<text x="508" y="%.1f" class="s">)", y + 3) +
                 xml(brief(members[i]["account"].text().substr(0, 8), 8)) + "</text>\n";
    }
    return R"(<g fill="none" stroke-opacity="0.45">)"
           "\n" +
           lines + "</g>\n" + marks;
}

}  // namespace

std::string farm_svg(const JsonValue& farm) {
    const Picture picture(farm);
    const double scale = scale_of(picture);
    const auto from = tops_of(picture.networks, scale), to = tops_of(picture.clients, scale);
    const auto& evidence = farm["evidence"].items();
    const std::size_t told = std::min<std::size_t>(4, evidence.size());
    const double height = kTop + kBody + 40 + 18 * static_cast<double>(told);
    std::string out =
        form(
            R"(<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" font-size="12">)",
            kWidth, height) +
        "\n<style>.s{font-size:9px;fill:#333}</style>\n"
        R"(<rect width="100%" height="100%" fill="#fff"/>)"
        "\n";
    out += R"(<text x="20" y="28" font-size="18">Farm )" + xml(brief(farm["farm"].text(), 24)) +
           ": " + grouped(farm["accounts"].number()) + " accounts of " +
           grouped(farm["organisations"].number()) + " organisations</text>\n";
    out += form(R"(<text x="%.0f" y="54" text-anchor="end" fill="#555">networks (accounts)</text>)",
                kLeft) +
           form(R"(<text x="%.0f" y="54" fill="#555">clients (accounts)</text>)", kRight) + "\n";
    if (farm["members"].items().empty())
        out += R"(<g fill="none" stroke-opacity="0.45">)"
               "\n" +
               bands(picture, from, to, scale) + "</g>\n";
    else
        out += dots(farm, picture, from, to, scale);
    out += boxes(picture.networks, from, scale, true) + boxes(picture.clients, to, scale, false);
    for (std::size_t i = 0; i < told; ++i)
        out += form(R"(<text x="20" y="%.0f" fill="#333">)",
                    kTop + kBody + 34 + 18 * static_cast<double>(i)) +
               xml(brief(evidence[i].text(), 150)) + "</text>\n";
    return out + "</svg>\n";
}

std::string farm_dot(const JsonValue& farm) {
    const Picture picture(farm);
    std::string out = "graph " + quoted(brief(farm["farm"].text(), 24)) +
                      " {\n  rankdir=LR;\n  node [fontname=\"sans-serif\"];\n";
    const auto nodes = [&out](const Side& side, char letter, const char* shape) {
        for (std::size_t i = 0; i < side.names.size(); ++i)
            out += form("  %c%zu [shape=%s,label=", letter, i, shape) +
                   quoted(brief(side.names[i], 60) + form(" (%.0f)", side.accounts[i])) + "];\n";
    };
    nodes(picture.networks, 'n', "box");
    nodes(picture.clients, 'c', "ellipse");
    const auto& members = farm["members"].items();
    for (std::size_t i = 0; i < members.size(); ++i) {
        out += form("  a%zu [shape=point,xlabel=", i) +
               quoted(brief(members[i]["account"].text().substr(0, 8), 8)) + "];\n";
        out += form("  n%zu -- a%zu -- c%zu;\n",
                    picture.networks.place.at(members[i]["network"].text()), i,
                    picture.clients.place.at(members[i]["client"].text()));
    }
    for (const auto& [ends, n] : picture.ties) {
        if (!members.empty()) break;
        out += form("  n%zu -- c%zu [label=\"%.0f\",penwidth=%.1f];\n", ends.first, ends.second, n,
                    0.5 + 8 * n / std::max(1.0, picture.accounts));
    }
    return out + "}\n";
}

}  // namespace seine::cli
