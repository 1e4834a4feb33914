// HTTP/1 connections: pipelining, bodies in pieces, continue, upgrade, CONNECT, and finding heads
// again.
#include "dataplane/http/http1_connection.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace {

using namespace seine;
using namespace seine::http;
using Event = Http1Connection::Event;

// One direction's bytes with the reader's own loop; notes what came out.
struct Talk {
    Http1Connection connection;
    std::string client;
    std::string server;
    std::vector<std::string> seen;
    Parse client_last = Parse::need_more;
    Parse server_last = Parse::need_more;

    void say(std::string_view text) {
        client += text;
        while (true) {
            Request out;
            const auto step = connection.feed_client(as_bytes(client), out);
            client_last = step.parse;
            ASSERT_LE(step.consume, client.size());
            if (step.event == Event::request)
                seen.push_back("> " + std::string(out.method) + " " + std::to_string(out.ordinal));
            if (step.event == Event::tunnel) seen.push_back("> tunnel");
            if (step.event == Event::h2_starts) seen.push_back("> h2");
            client.erase(0, step.consume);
            if (step.parse != Parse::ok) return;
            if (step.event == Event::tunnel || step.event == Event::h2_starts) return;
        }
    }
    void answer(std::string_view text) {
        server += text;
        while (true) {
            Response out;
            const auto step = connection.feed_server(as_bytes(server), out);
            server_last = step.parse;
            ASSERT_LE(step.consume, server.size());
            if (step.event == Event::response) {
                seen.push_back(
                    "< " + std::to_string(out.status) + " " +
                    (out.ordinal == Response::kNoOrdinal ? "?" : std::to_string(out.ordinal)));
            }
            if (step.event == Event::tunnel) seen.push_back("< tunnel");
            if (step.event == Event::h2_starts) seen.push_back("< h2");
            server.erase(0, step.consume);
            if (step.parse != Parse::ok) return;
            if (step.event == Event::tunnel || step.event == Event::h2_starts) return;
        }
    }
};

using Lines = std::vector<std::string>;

TEST(Http1Connection, FollowsPipelinedRequestsAndTheirAnswers) {
    Talk talk;
    talk.say(
        "GET /1 HTTP/1.1\r\n\r\nHEAD /2 HTTP/1.1\r\n\r\nPOST /3 HTTP/1.1\r\nContent-Length: "
        "3\r\n\r\nabc"
        "GET /4 HTTP/1.1\r\n\r\n");
    talk.answer(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        "HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"
        "HTTP/1.1 201 Made\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"
        "HTTP/1.0 200 OK\r\n\r\nHTTP/1.1 500 this is body\r\n\r\n");
    EXPECT_EQ(talk.seen, (Lines{"> GET 0", "> HEAD 1", "> POST 2", "> GET 3", "< 200 0", "< 200 1",
                                "< 201 2", "< 200 3"}));
    EXPECT_EQ(talk.connection.request_count(), 4u);
    EXPECT_EQ(talk.connection.response_count(), 4u);
}

TEST(Http1Connection, GivesTheSameWhenFedByteByByte) {
    constexpr std::string_view kRequests =
        "\r\nPOST /1 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n"
        "POST /2 HTTP/1.1\nContent-Length: 4\n\nwxyzGET /3 HTTP/1.1\r\nA: b\r\n\r\n";
    Talk whole;
    whole.say(kRequests);
    Talk pieces;
    for (const char c : kRequests) pieces.say({&c, 1});
    EXPECT_EQ(whole.seen, (Lines{"> POST 0", "> POST 1", "> GET 2"}));
    EXPECT_EQ(pieces.seen, whole.seen);
    EXPECT_TRUE(pieces.client.empty());
}

TEST(Http1Connection, BodiesNeedNotBeShown) {
    Talk talk;
    talk.say("PUT /big HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nab");
    EXPECT_EQ(talk.connection.client_skippable(), 999998u);
    talk.connection.client_skipped(999990);
    talk.say("12345678GET /next HTTP/1.1\r\n\r\n");
    EXPECT_EQ(talk.seen, (Lines{"> PUT 0", "> GET 1"}));
    talk.answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n12345");
    EXPECT_EQ(talk.connection.server_skippable(), 250u);
    talk.connection.server_skipped(250);
    talk.answer("\r\n0\r\n\r\nHTTP/1.1 204 Empty\r\n\r\n");
    EXPECT_EQ(talk.seen.back(), "< 204 1");
}

TEST(Http1Connection, WaitsForContinueOrGoesOnWhenRefused) {
    constexpr std::string_view kAsk =
        "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    Talk granted;
    granted.say(kAsk);
    granted.answer("HTTP/1.1 100 Continue\r\n\r\n");
    granted.say("GET /GET / HTTP/1.1\r\n\r\n");  // the first five bytes are the body
    granted.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(granted.seen, (Lines{"> POST 0", "< 100 0", "> GET 1", "< 200 0"}));
    Talk refused;
    refused.say(kAsk);
    refused.answer("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    refused.say("GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(refused.seen, (Lines{"> POST 0", "< 417 0", "> GET 1"}));
    Talk sent_anyway;
    sent_anyway.say(kAsk);
    sent_anyway.answer("HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n");
    sent_anyway.say("hello");
    sent_anyway.say("GET / HTTP/1.1\r\n\r\n");
    EXPECT_EQ(sent_anyway.seen, refused.seen);
}

TEST(Http1Connection, ConnectOpensATunnelWhenTheServerAgrees) {
    Talk talk;
    talk.say("CONNECT h:443 HTTP/1.1\r\n\r\n");
    talk.answer("HTTP/1.1 200 Established\r\nContent-Length: 4\r\n\r\n\x16\x03\x01");
    talk.say("\x16\x03\x01");
    EXPECT_EQ(talk.seen, (Lines{"> CONNECT 0", "< 200 0", "< tunnel", "> tunnel"}));
    EXPECT_EQ(talk.server, "\x16\x03\x01");
    EXPECT_EQ(talk.client, "\x16\x03\x01");
}

TEST(Http1Connection, ConnectRefusedGoesOnInHttp) {
    Talk talk;
    talk.say("CONNECT h:443 HTTP/1.1\r\n\r\n");
    talk.answer("HTTP/1.1 407 Auth\r\nContent-Length: 2\r\n\r\nno");
    talk.say("CONNECT h:443 HTTP/1.1\r\nProxy-Authorization: x\r\n\r\n");
    talk.answer("HTTP/1.1 200 OK\r\n\r\n");
    talk.say("GET /inside HTTP/1.1\r\n\r\n");
    EXPECT_EQ(talk.seen,
              (Lines{"> CONNECT 0", "< 407 0", "> CONNECT 1", "< 200 1", "< tunnel", "> tunnel"}));
    // The caller found HTTP/1 inside and goes on.
    talk.say("");
    EXPECT_EQ(talk.seen.back(), "> GET 2");
    talk.answer("HTTP/1.1 204 x\r\n\r\n");
    EXPECT_EQ(talk.seen.back(), "< 204 2");
}

TEST(Http1Connection, ClientAloneShowsItsTunnel) {
    Talk talk;
    talk.say("CONNECT h:443 HTTP/1.1\r\n\r\n");
    talk.say("\x16\x03\x01");
    EXPECT_EQ(talk.seen, (Lines{"> CONNECT 0", "> tunnel"}));
}

TEST(Http1Connection, UpgradesToWebsocketAndHttp2) {
    Talk socket;
    socket.say("GET /ws HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
    socket.answer("HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\n\r\n\x81");
    socket.say("\x81");
    EXPECT_EQ(socket.seen, (Lines{"> GET 0", "< 101 0", "< tunnel", "> tunnel"}));
    Talk h2;
    h2.say("GET /first HTTP/1.1\r\n\r\n");
    h2.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    h2.say("GET / HTTP/1.1\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n");
    h2.answer("HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\n\r\n");
    h2.say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    EXPECT_EQ(h2.seen, (Lines{"> GET 0", "< 200 0", "> GET 1", "< 101 1", "< h2", "> h2"}));
    EXPECT_EQ(h2.connection.upgrade_ordinal(), 1u);
    Talk ignored;
    ignored.say("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
    ignored.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    ignored.say("GET /again HTTP/1.1\r\n\r\n");
    EXPECT_EQ(ignored.seen, (Lines{"> GET 0", "< 200 0", "> GET 1"}));
}

// Both found by fuzzing: what follows an upgrade is told at its first wrong byte, in any pieces.
TEST(Http1Connection, WhatIsNoHttpBehindAnUpgradeIsATunnelInAnyPieces) {
    for (const std::string_view rest : {"PRI * 0HTTP/3.0\xff)\n", "\r\n\r\n1\r upgrade"}) {
        Talk pieces;
        pieces.say("GET / HTTP/1.1\r\nUpgrade: x\r\n\r\n");
        for (const char c : rest) {
            pieces.say({&c, 1});
            if (pieces.seen.back() == "> tunnel") break;
        }
        EXPECT_EQ(pieces.seen, (Lines{"> GET 0", "> tunnel"})) << rest;
    }
    Talk preface;
    preface.say("GET / HTTP/1.1\r\nUpgrade: h2c\r\n\r\n");
    for (const char c : std::string_view("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) preface.say({&c, 1});
    EXPECT_EQ(preface.seen, (Lines{"> GET 0", "> h2"}));
}

TEST(Http1Connection, FindsHeadsAgainAfterAHole) {
    Talk talk;
    talk.say("GET /1 HTTP/1.1\r\n\r\n");
    talk.connection.client_lost();
    talk.connection.server_lost();
    talk.say("middle of a body");
    EXPECT_TRUE(talk.client.empty());
    talk.say("GET /2 HTTP/1.1\r\n\r\n");
    talk.answer("more body");
    talk.answer("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(talk.seen, (Lines{"> GET 0", "> GET 1", "< 200 ?"}));
}

TEST(Http1Connection, AnswersWithoutRequestsHaveNoOrdinal) {
    Talk talk;
    talk.answer(
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 404 No\r\nContent-Length: "
        "0\r\n\r\n");
    EXPECT_EQ(talk.seen, (Lines{"< 200 ?", "< 404 ?"}));
}

TEST(Http1Connection, MorePendingRequestsThanTrackedLoseTheirOrdinals) {
    Talk talk;
    for (int i = 0; i < 33; ++i) talk.say("GET / HTTP/1.1\r\n\r\n");
    talk.answer("HTTP/1.1 204 x\r\n\r\n");
    EXPECT_EQ(talk.seen.back(), "< 204 ?");
    EXPECT_EQ(talk.connection.request_count(), 33u);
}

TEST(Http1Connection, IsSmallEnoughForEveryFlow) { EXPECT_LE(sizeof(Http1Connection), 160u); }

}  // namespace
