#include "core/domain/input.h"

#include <gtest/gtest.h>

namespace ringback::domain {
namespace record = ::ringback::store::v1;
namespace {

using namespace std::string_literals;

struct Case {
  std::string text;
  std::string expected;  // normal form, or a reason in capitals with '!' before it
};

std::string Shown(const absl::StatusOr<std::string>& result) {
  return result.ok() ? *result : "!" + DetailOf(result.status()).reason;
}

TEST(FieldErrors, CarryFieldAndReason) {
  const absl::Status status = InvalidField("caller.email", "MISSING", "add --email");
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(status.message(), "caller.email: add --email");
  EXPECT_EQ(DetailOf(status).field, "caller.email");
  EXPECT_EQ(DetailOf(status).reason, "MISSING");
  EXPECT_EQ(DetailOf(absl::InternalError("x")).field, "");
  EXPECT_EQ(FieldError(absl::StatusCode::kFailedPrecondition, "callback", "CLOSED", "").code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST(NormaliseEmail, TakesPlainAddressesOnly) {
  const Case table[] = {
      {"mueller@example.com", "mueller@example.com"},
      {"  mueller@example.com ", "mueller@example.com"},
      {"Herr.Mueller+Angebot@EXAMPLE.Com", "Herr.Mueller+Angebot@example.com"},
      {"rep@localhost", "rep@localhost"},
      {"o'neil@example.com", "o'neil@example.com"},
      {"x@xn--mller-kva.de", "x@xn--mller-kva.de"},
      {"", "!MISSING"},
      {"mueller", "!NOT_AN_EMAIL_ADDRESS"},
      {"@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"mueller@", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@b@c.de", "!NOT_AN_EMAIL_ADDRESS"},
      {"a..b@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {".a@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"a.@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@-example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@example-.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@example..com", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@example.com.", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@[127.0.0.1]", "!NOT_AN_EMAIL_ADDRESS"},
      {"\"a b\"@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"a(comment)@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"Müller <a@example.com>", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@example.com, b@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"müller@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@müller.de", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@example.com\r\nBcc: b@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@example.com\n", "!NOT_AN_EMAIL_ADDRESS"},
      {"a\0b@example.com"s, "!NOT_AN_EMAIL_ADDRESS"},
      {"a@example.com\0"s, "!NOT_AN_EMAIL_ADDRESS"},
      {std::string(64, 'a') + "@example.com", std::string(64, 'a') + "@example.com"},
      {std::string(65, 'a') + "@example.com", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@" + std::string(64, 'b') + ".de", "!NOT_AN_EMAIL_ADDRESS"},
      {"a@" + std::string(300, 'b'), "!TOO_LONG"},
  };
  for (const Case& row : table) EXPECT_EQ(Shown(NormaliseEmail(row.text, "email")), row.expected) << row.text;
}

TEST(NormalisePhone, MakesE164) {
  const Case table[] = {
      {"+4930123456", "+4930123456"},
      {"+49 30 / 123 456", "+4930123456"},
      {"+49 (0) 30 123456", "+4930123456"},
      {"0049 30 123456", "+4930123456"},
      {"030 123456", "+4930123456"},
      {"030-123456", "+4930123456"},
      {"+49\xC2\xA0" "30\xC2\xA0" "123456", "+4930123456"},
      {"+1 212-555-0123", "+12125550123"},
      {"+43 1 234567", "+431234567"},
      {"", "!MISSING"},
      {"   ", "!MISSING"},
      {"hello", "!NOT_A_PHONE_NUMBER"},
      {"+49", "!NOT_A_PHONE_NUMBER"},
      {"+49 1", "!NOT_A_PHONE_NUMBER"},
      {"+999 123456789", "!NOT_A_PHONE_NUMBER"},
      {"+49301234567890123456", "!NOT_A_PHONE_NUMBER"},
      {"030 123456 ext 7", "!NOT_A_PHONE_NUMBER"},
      {"sip:7@example.com", "!NOT_A_PHONE_NUMBER"},
      {"030 123456\r\nBcc", "!CONTROL_CHARACTER"},
      {"030 12\0" "3456"s, "!CONTROL_CHARACTER"},
      {std::string(200, '1'), "!TOO_LONG"},
  };
  for (const Case& row : table) EXPECT_EQ(Shown(NormalisePhone(row.text, "DE", "phone")), row.expected) << row.text;
  EXPECT_EQ(Shown(NormalisePhone("030 123456", "", "phone")), "!NOT_A_PHONE_NUMBER");
  EXPECT_EQ(Shown(NormalisePhone("+49 30 123456", "", "phone")), "+4930123456");
  EXPECT_EQ(Shown(NormalisePhone("(212) 555-0123", "US", "phone")), "+12125550123");
}

TEST(MayTakeSms, NotWhatIsSurelyAFixedLineOrAService) {
  EXPECT_TRUE(MayTakeSms("+491701234567"));
  EXPECT_TRUE(MayTakeSms("+12015550123")) << "fixed and mobile look alike there";
  EXPECT_FALSE(MayTakeSms("+4930123456"));
  EXPECT_FALSE(MayTakeSms("+498001234567"));
  EXPECT_FALSE(MayTakeSms(""));
}

TEST(OneLine, HasNoBreaksAndNoTricks) {
  const Case table[] = {
      {"Herr Müller", "Herr Müller"},
      {"  Herr Müller\t", "Herr Müller"},
      {"\xC2\xA0Herr Müller\xC2\xA0", "Herr Müller"},
      {"Anna \"die Schnelle\" O'Neil <x>", "Anna \"die Schnelle\" O'Neil <x>"},  // fit to keep; headers encode it
      {"日本語 🙂 Ωmega", "日本語 🙂 Ωmega"},
      {"", ""},
      {"a\nb", "!CONTROL_CHARACTER"},
      {"a\rb", "!CONTROL_CHARACTER"},
      {"a\r\n", "!CONTROL_CHARACTER"},
      {"a\tb", "!CONTROL_CHARACTER"},
      {"a\0b"s, "!CONTROL_CHARACTER"},
      {"a\x1B[31m", "!CONTROL_CHARACTER"},
      {"a\x7F", "!CONTROL_CHARACTER"},
      {"a\xC2\x85", "!CONTROL_CHARACTER"},           // NEL
      {"a\xE2\x80\xA8" "b", "!CONTROL_CHARACTER"},   // line separator
      {"a\xE2\x80\xAE" "b", "!CONTROL_CHARACTER"},   // right-to-left override
      {"a\xE2\x81\xA6" "b", "!CONTROL_CHARACTER"},   // left-to-right isolate
      {"a\xEF\xBB\xBF" "b", "!CONTROL_CHARACTER"},   // byte order mark
      {"M\xFCller", "!NOT_UTF8"},                    // Latin-1
      {"a\xC0\x80", "!NOT_UTF8"},                    // overlong NUL
      {"a\xED\xA0\x80", "!NOT_UTF8"},                // surrogate
      {"a\xF4\x90\x80\x80", "!NOT_UTF8"},            // above U+10FFFF
      {"a\xE2\x82", "!NOT_UTF8"},                    // cut off
      {std::string(50, 'x'), std::string(50, 'x')},
      {std::string(51, 'x'), "!TOO_LONG"},
  };
  for (const Case& row : table) EXPECT_EQ(Shown(OneLine(row.text, 50, "name")), row.expected) << row.text;
}

TEST(SeveralLines, KeepsLineFeedsAndTabs) {
  const Case table[] = {
      {"a\r\nb\rc\nd", "a\nb\nc\nd"},
      {"\r\n a\tb \n\n", "a\tb"},
      {"a\0b"s, "!CONTROL_CHARACTER"},
      {"a\x08", "!CONTROL_CHARACTER"},
      {"a\xFF", "!NOT_UTF8"},
      {std::string(21, 'x'), "!TOO_LONG"},
  };
  for (const Case& row : table) EXPECT_EQ(Shown(SeveralLines(row.text, 20, "note")), row.expected) << row.text;
}

TEST(CleanLines, MakesAnythingFitToKeep) {
  EXPECT_EQ(CleanLines("  Guten Tag\r\n\x01wir brauchen M\xFCll\0.\r\n"s, 100),
            "Guten Tag\nwir brauchen M\xEF\xBF\xBDll.");
  EXPECT_EQ(CleanLines("ab\xC3\xBC", 3), "ab");  // cut on a border
  std::string bytes;
  for (int i = 0; i < 256; ++i) bytes.push_back(static_cast<char>(i));
  EXPECT_TRUE(SeveralLines(CleanLines(bytes, 10000), 10000, "text").ok());
}

TEST(NormaliseCaller, NamesTheFieldOfTheError) {
  const auto field_of = [](auto change) {
    record::Caller caller;
    caller.set_name("Herr Müller");
    change(caller);
    return DetailOf(NormaliseCaller(caller, "DE", "caller").status()).field;
  };
  EXPECT_EQ(field_of([](auto&) {}), "");
  EXPECT_EQ(field_of([](auto& c) { c.set_name("a\r\nBcc: x"); }), "caller.name");
  EXPECT_EQ(field_of([](auto& c) { c.set_company("a\nb"); }), "caller.company");
  EXPECT_EQ(field_of([](auto& c) { c.set_email("x"); }), "caller.email");
  EXPECT_EQ(field_of([](auto& c) { c.set_phone("x"); }), "caller.phone");
  EXPECT_EQ(field_of([](auto& c) { c.set_language("fr"); }), "caller.language");
  EXPECT_EQ(field_of([](auto& c) { c.set_time_zone("Europe/Bonn"); }), "caller.time_zone");
}

TEST(NormaliseCaller, MayBeEmptyAndIsTheSameTheSecondTime) {
  EXPECT_TRUE(NormaliseCaller({}, "", "caller").ok());
  record::Caller caller;
  caller.set_name(" Herr Müller ");
  caller.set_email("M@EXAMPLE.com");
  caller.set_phone("030 123456");
  const auto once = NormaliseCaller(caller, "DE", "caller").value();
  EXPECT_EQ(once.phone(), "+4930123456");
  EXPECT_EQ(NormaliseCaller(once, "", "caller").value().SerializeAsString(), once.SerializeAsString());
}

TEST(NationalPhone, IsReadAsPeopleOfItsCountryWriteIt) {
  EXPECT_EQ(NationalPhone("+4930123456", "+49 40 123456", "en"), "030 123456");
  EXPECT_EQ(NationalPhone("+4930123456", "", "de"), "030 123456");
  EXPECT_EQ(NationalPhone("+4930123456", "", "en"), "+49 30 123456");
  EXPECT_EQ(NationalPhone("+442079460018", "+49 40 123456", "de"), "+44 20 7946 0018");
  EXPECT_EQ(NationalPhone("+442079460018", "+44 20 7946 0000", "de"), "020 7946 0018");
  EXPECT_EQ(NationalPhone("nonsense", "", "de"), "nonsense");
}

}  // namespace
}  // namespace ringback::domain
