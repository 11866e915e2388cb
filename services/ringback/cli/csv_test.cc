#include "ringback/cli/csv.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ringback::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Csv, QuotesHoldSeparatorsLineEndsAndQuotes) {
  const auto records = ReadCsv("a,b\r\n\"x, y\",\"say \"\"hi\"\"\nthere\"\r\nlast,\n").value();
  ASSERT_EQ(records.size(), 3u);
  EXPECT_THAT(records[1].cells, ElementsAre("x, y", "say \"hi\"\nthere"));
  EXPECT_EQ(records[2].line, 4);
  EXPECT_THAT(records[2].cells, ElementsAre("last", ""));
}

TEST(Csv, TheFirstLineShowsTheSeparator) {
  EXPECT_THAT(ReadCsv("a;b,c;d\n").value()[0].cells, ElementsAre("a", "b,c", "d"));
  EXPECT_THAT(ReadCsv("a\tb\n").value()[0].cells, ElementsAre("a", "b"));
  EXPECT_THAT(ReadCsv("\"a;b;c\",d\n").value()[0].cells, ElementsAre("a;b;c", "d"));
}

TEST(Csv, BrokenQuotesNameTheirLine) {
  EXPECT_THAT(std::string(ReadCsv("a,b\n1,\"two\n").status().message()), HasSubstr("line 2: a quote opens"));
  EXPECT_THAT(std::string(ReadCsv("a,b\n\"one\"x,2\n").status().message()), HasSubstr("line 2: text behind"));
}

TEST(Csv, AGermanSpreadsheetBecomesContacts) {
  const auto table = ReadContacts(
      "\xEF\xBB\xBFVorname;Nachname;Firma;Telefon;E-Mail;Sprache;Zeitzone;Umsatz\r\n"
      "Jürgen;Müller;\"Müller; Söhne GmbH\";+49 30 123456;mueller@example.com;Deutsch;Europe/Berlin;12\r\n"
      "\r\n"
      ";Groß;;030 99;;;;\r\n").value();
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.rows[0].caller.name(), "Jürgen Müller");
  EXPECT_EQ(table.rows[0].caller.company(), "Müller; Söhne GmbH");
  EXPECT_EQ(table.rows[0].caller.phone(), "+49 30 123456");
  EXPECT_EQ(table.rows[0].caller.email(), "mueller@example.com");
  EXPECT_EQ(table.rows[0].caller.language(), "de");
  EXPECT_EQ(table.rows[0].caller.time_zone(), "Europe/Berlin");
  EXPECT_EQ(table.rows[1].line, 4);
  EXPECT_EQ(table.rows[1].caller.name(), "Groß");
  EXPECT_THAT(table.unknown_columns, ElementsAre("Umsatz"));
}

TEST(Csv, EnglishHeadingsInAnyCase) {
  const auto table = ReadContacts("NAME,Company,Phone Number,E-mail,time_zone\nAnn,ACME,1,a@b.c,UTC\n").value();
  ASSERT_EQ(table.rows.size(), 1u);
  EXPECT_EQ(table.rows[0].caller.phone(), "1");
  EXPECT_EQ(table.rows[0].caller.time_zone(), "UTC");
  EXPECT_TRUE(table.unknown_columns.empty());
}

TEST(Csv, AListOfCallersKeepsItsGoodRows) {
  const auto table = ReadCallers("Name,Phone,Note,Extension,When\nAnn,030 1,urgent,21,9:00\nBob,,,,9:05\na,b,c,d,e,f\n", {}).value();
  ASSERT_EQ(table.rows.size(), 3u);
  EXPECT_EQ(table.rows[0].problem, "");
  EXPECT_EQ(table.rows[0].note, "urgent");
  EXPECT_EQ(table.rows[0].extension, "21");
  EXPECT_THAT(table.rows[0].text, HasSubstr("9:00"));
  EXPECT_THAT(table.rows[1].problem, HasSubstr("neither phone nor email"));
  EXPECT_THAT(table.rows[2].problem, HasSubstr("6 cells under 5 headings"));
  EXPECT_THAT(table.unknown_columns, ElementsAre("When"));
}

TEST(Csv, AColumnIsTakenForWhatItIsSaidToBe) {
  const auto table = ReadCallers("Telefon;Mobil;Wer\n030 1;0171 2;Ann\n", {{"phone", "mobil"}, {"name", "Wer"}}).value();
  EXPECT_EQ(table.rows[0].caller.phone(), "0171 2");
  EXPECT_EQ(table.rows[0].caller.name(), "Ann");
  EXPECT_THAT(table.unknown_columns, ElementsAre("Telefon"));
}

TEST(Csv, AnOldSpreadsheetsLatin1IsRead) {
  EXPECT_EQ(ReadContacts("name;mail\nM\xFCller \x80;m@example.com\n").value().rows[0].caller.name(), "Müller €");
}

TEST(Csv, TheFirstOfSeveralNumbersCounts) {
  EXPECT_EQ(ReadContacts("name,phone,mobile\nA,1,2\n").value().rows[0].caller.phone(), "1");
  EXPECT_EQ(ReadContacts("name,phone,mobile\nA,,2\n").value().rows[0].caller.phone(), "2");
}

TEST(Csv, AFileWithoutHeadingsIsRefused) {
  EXPECT_THAT(std::string(ReadContacts("Ann,123,a@b.c\n").status().message()), HasSubstr("must name the columns"));
  EXPECT_FALSE(ReadContacts("").ok());
  EXPECT_THAT(std::string(ReadContacts("name,phone\nA,1,2\n").status().message()), HasSubstr("line 2: 3 cells"));
}

}  // namespace
}  // namespace ringback::cli
