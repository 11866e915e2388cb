#include "ringback/cli/text.h"

#include <gtest/gtest.h>

#include <sstream>

namespace ringback::cli {
namespace {

std::string Show(const Table& table, bool colours = false) {
  std::ostringstream out;
  table.Print(out, colours);
  return out.str();
}

TEST(Text, WidthCountsCharactersNotBytes) {
  EXPECT_EQ(DisplayWidth("Müller"), 6);
  EXPECT_EQ(DisplayWidth("Mu\xCC\x88ller"), 6);  // u and a combining diaeresis
  EXPECT_EQ(DisplayWidth("山田"), 4);
  EXPECT_EQ(DisplayWidth("📞"), 2);
  EXPECT_EQ(DisplayWidth("\xFF\xFE"), 2);
}

TEST(Text, ATextFromOutsideCannotSteerTheTerminal) {
  EXPECT_EQ(Printable("a\x1b[31mb"), "a\xEF\xBF\xBD[31mb");
  EXPECT_EQ(Printable("one\ntwo"), "one two");
  EXPECT_EQ(Printable("one\r\ntwo", true), "one\ntwo");
  EXPECT_EQ(Printable("\xE2\x80\xAEgpj.exe"), "\xEF\xBF\xBDgpj.exe");  // right-to-left override
  EXPECT_EQ(Printable("\xC3"), "\xEF\xBF\xBD");
  EXPECT_EQ(Printable("\xC0\xAF"), "\xEF\xBF\xBD\xEF\xBF\xBD");  // an overlong "/"
}

TEST(Text, CuttingNeverCutsACharacterApart) {
  EXPECT_EQ(Cut("Müller", 6), "Müller");
  EXPECT_EQ(Cut("Müller", 3), "Mü…");
  EXPECT_EQ(Cut("山田太郎", 4), "山…");
}

TEST(Text, TablesAlignUmlauts) {
  Table table({"NAME", "FIRM", "STATE"});
  table.Row({"Jürgen Groß", "Ä", "open"});
  table.Row({"Ann", "Bäckerei", "late"});
  EXPECT_EQ(Show(table),
            "NAME         FIRM      STATE\n"
            "Jürgen Groß  Ä         open\n"
            "Ann          Bäckerei  late\n");
}

TEST(Text, TablesLeaveOutEmptyColumnsAndTrailingSpaces) {
  Table table({"A", "B", "C"});
  table.Row({"x", "", "long"});
  table.Row({"yy", "", ""});
  EXPECT_EQ(Show(table), "A   C\nx   long\nyy\n");
}

TEST(Text, ColoursAppearOnlyWhereTheyAreWanted) {
  Table table({"A"});
  table.Row({"x"}, Colour::kRed);
  EXPECT_EQ(Show(table), "A\nx\n");
  EXPECT_EQ(Show(table, true), "\x1b[1mA\x1b[0m\n\x1b[31mx\x1b[0m\n");
}

TEST(Text, FieldsIndentFurtherLines) {
  Fields fields;
  fields.Add("brief", "Guten Tag,\nes geht um Öl.");
  fields.Add("note", "");
  fields.Add("id", "x");
  std::ostringstream out;
  fields.Print(out, false);
  EXPECT_EQ(out.str(), "brief  Guten Tag,\n       es geht um Öl.\nid     x\n");
}

}  // namespace
}  // namespace ringback::cli
