#include "delivery/mail_in/declines.h"

#include <gtest/gtest.h>

namespace ringback::delivery {
namespace {

TEST(DeclinesTest, ASentenceThatNamesATimeAndSaysNo) {
  for (const char* words : {"13 Uhr geht nicht", "13 Uhr geht leider nicht, lieber 15 Uhr.", "Um 13:00 Uhr kann ich leider nicht.", "Guten Morgen,\n\num 13:00 passt es mir\nleider nicht.",
                            "Der Termin passt mir nicht.", "Zu dieser Zeit bin ich nicht erreichbar!", "Da muss ich zum Arzt. Der Zeitpunkt ist ungünstig.", "Um 13 Uhr habe ich einen anderen Termin.",
                            "1 pm doesn't work for me.", "Sorry, I can't make 13:00.", "At 1 p.m. I will be in a meeting.", "That time does not suit me", "1 o’clock won’t work"}) {
    EXPECT_TRUE(DeclinesTheTime(words)) << words;
  }
}

TEST(DeclinesTest, EverythingElseStaysQuiet) {
  for (const char* words : {"", "Einverstanden, 13 Uhr passt.", "Der Drucker geht nicht.", "Das Netzteil geht nicht. Um 13 Uhr bin ich da.", "Es geht um 13 Stühle, die nicht geliefert wurden.",
                            "13:00 is fine. The adapter does not work.", "Die Rechnung passt nicht zum Angebot.", "Yes please."}) {
    EXPECT_FALSE(DeclinesTheTime(words)) << words;
  }
}

}  // namespace
}  // namespace ringback::delivery
