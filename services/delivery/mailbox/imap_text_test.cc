#include "delivery/mailbox/imap_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace ringback::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Every response in `bytes`, which come in pieces of `piece`.
std::vector<ImapResponse> ReadAll(const std::string& bytes, size_t piece) {
  ImapReader reader;
  std::vector<ImapResponse> all;
  for (size_t at = 0; at < bytes.size(); at += piece) {
    reader.Add(bytes.substr(at, piece));
    for (auto next = reader.Next(); next.value().has_value(); next = reader.Next()) all.push_back(**std::move(next));
  }
  return all;
}

ImapResponse One(const std::string& bytes) {
  auto all = ReadAll(bytes, bytes.size());
  EXPECT_EQ(all.size(), 1u) << bytes;
  return all.empty() ? ImapResponse() : all[0];
}

TEST(ImapReaderTest, ResponsesAreTheSameHoweverTheBytesAreCut) {
  const std::string bytes =
      "* OK hello\r\n* 3 FETCH (UID 7 BODY[]<0> {15}\r\nA: b\r\n\r\nr1 OK\r\n FLAGS (\\Seen))\r\nr1 OK done {not a literal\r\n* SEARCH\n";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto all = ReadAll(bytes, piece);
    ASSERT_EQ(all.size(), 4u) << piece;
    EXPECT_EQ(all[0].line, "* OK hello");
    EXPECT_EQ(all[1].line, "* 3 FETCH (UID 7 BODY[]<0> {15} FLAGS (\\Seen))");
    EXPECT_THAT(all[1].literals, ElementsAre("A: b\r\n\r\nr1 OK\r\n"));
    EXPECT_EQ(all[2].line, "r1 OK done {not a literal");
    EXPECT_EQ(all[3].line, "* SEARCH");
  }
}

TEST(ImapReaderTest, ALiteralMayHoldAnyByteAndNothing) {
  std::string body = "\r\n";
  for (int c = 0; c < 256; ++c) body += static_cast<char>(c);
  const auto fetch = ParseFetch(One(absl::StrCat("* 1 FETCH (BODY[] {", body.size(), "}\r\n", body, " UID 5 X {0}\r\n)\r\n")));
  ASSERT_TRUE(fetch.has_value());
  EXPECT_EQ(fetch->body, body);
  EXPECT_EQ(fetch->uid, 5u);
}

TEST(ImapReaderTest, AnAbsurdLiteralIsRefusedBeforeItIsWaitedFor) {
  ImapReader reader;
  reader.Add("* 1 FETCH (BODY[] {99999999999}\r\n");
  EXPECT_FALSE(reader.Next().ok());
  ImapReader many;
  for (int i = 0; i < 2000; ++i) many.Add("{0}\r\n");
  EXPECT_FALSE(many.Next().ok());
}

TEST(ImapFetchTest, AttributesComeInAnyOrderAndMayBeQuotedOrMissing) {
  auto fetch = ParseFetch(One("* 12 fetch (FLAGS (\\Seen $X (deep (er))) rfc822.size 42 body[]<0> \"a \\\"b\\\" (c\" uid 9)\r\n"));
  ASSERT_TRUE(fetch.has_value());
  EXPECT_EQ(fetch->uid, 9u);
  EXPECT_EQ(fetch->size, 42);
  EXPECT_EQ(fetch->body, "a \"b\" (c");

  fetch = ParseFetch(One("* 12 FETCH (UID 9 BODY[]<1048576> NIL)\r\n"));
  EXPECT_TRUE(fetch->has_body);
  EXPECT_EQ(fetch->body, "") << "behind the end of the message";
  fetch = ParseFetch(One("* 12 FETCH (FLAGS (\\Recent) UID 9)\r\n"));
  EXPECT_FALSE(fetch->has_body);
  EXPECT_EQ(fetch->size, -1);
}

TEST(ImapFetchTest, WhatIsNoFetchIsNone) {
  for (const char* const line : {"* 12 EXISTS\r\n", "* SEARCH 1 2\r\n", "* 1 FETCH\r\n", "* x FETCH (UID 1)\r\n", "r1 OK FETCH (UID 1)\r\n", "\r\n"}) {
    EXPECT_FALSE(ParseFetch(One(line)).has_value()) << line;
  }
  for (const char* const broken : {"* 1 FETCH (\r\n", "* 1 FETCH (UID\r\n", "* 1 FETCH (UID {3}\r\nabc BODY[] \"\r\n", "* 1 FETCH (FLAGS ((((\r\n",
                                   "* 1 FETCH (UID 99999999999 BODY[] \"\\\r\n"}) {
    const auto fetch = ParseFetch(One(broken));
    EXPECT_EQ(fetch.has_value() ? fetch->uid : 0u, 0u) << broken;
  }
}

TEST(ImapSearchTest, NumbersAreCollectedOverSeveralLines) {
  std::vector<uint32_t> uids;
  AppendSearch(One("* SEARCH 2 84  4294967295\r\n"), &uids);
  AppendSearch(One("* search 0 -1 x 99999999999 3 \r\n"), &uids);
  AppendSearch(One("* SEARCH\r\n"), &uids);
  AppendSearch(One("* SEARCHED 7\r\n"), &uids);
  EXPECT_THAT(uids, ElementsAre(2, 84, 4294967295u, 3));
}

TEST(ImapCodeTest, UidValidityStandsInAnOk) {
  EXPECT_EQ(ResponseCode(One("* OK [UIDVALIDITY 3857529045] UIDs valid\r\n"), "UIDVALIDITY"), 3857529045u);
  EXPECT_EQ(ResponseCode(One("* ok [uidvalidity 1]\r\n"), "UIDVALIDITY"), 1u);
  for (const char* const line : {"* OK [UIDNEXT 4]\r\n", "* OK UIDVALIDITY 4\r\n", "* NO [UIDVALIDITY 4]\r\n", "* OK [UIDVALIDITY x]\r\n",
                                 "* OK [UIDVALIDITY 4294967296]\r\n"}) {
    EXPECT_FALSE(ResponseCode(One(line), "UIDVALIDITY").has_value()) << line;
  }
}

TEST(ImapFolderNameTest, ModifiedUtf7AsInTheRfc) {
  EXPECT_EQ(ImapFolderName("INBOX/Done & gone").value(), "INBOX/Done &- gone");
  EXPECT_EQ(ImapFolderName("Gelöscht").value(), "Gel&APY-scht");
  EXPECT_EQ(ImapFolderName("~peter/mail/台北/日本語").value(), "~peter/mail/&U,BTFw-/&ZeVnLIqe-");
  EXPECT_EQ(ImapFolderName("☎😀").value(), "&Jg7YPd4A-");
  EXPECT_EQ(ImapFolderName("").value(), "");
  for (const char* const broken : {"\xFF", "a\xC3", "\xED\xA0\x80", "\xC0\xAF", "\xF4\x90\x80\x80", "\xE0\x80\x80"}) {
    EXPECT_FALSE(ImapFolderName(broken).ok());
  }
}

TEST(ImapQuotedTest, QuotesAndBackslashesAreEscaped) { EXPECT_EQ(ImapQuoted("a\"b\\c"), "\"a\\\"b\\\\c\""); }

}  // namespace
}  // namespace ringback::delivery
