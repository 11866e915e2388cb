// Mails as a reader sees them: composed, parsed again by GMime, compared by meaning. And what never gets into a header.
#include "delivery/mail_message.h"

#include <gmime/gmime.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"

namespace ringback::delivery {
namespace {

struct Unref {
  void operator()(void* object) const { g_object_unref(object); }
};

// A mail as GMime reads it back.
class ReadMail {
 public:
  explicit ReadMail(const std::string& bytes) {
    g_mime_init();
    std::unique_ptr<GMimeStream, Unref> stream(g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size()));
    std::unique_ptr<GMimeParser, Unref> parser(g_mime_parser_new_with_stream(stream.get()));
    message_.reset(g_mime_parser_construct_message(parser.get(), nullptr));
    EXPECT_NE(message_, nullptr);
  }

  std::string Subject() const { return Text(g_mime_message_get_subject(message_.get())); }
  std::string Header(const char* name) const {
    return Text(g_mime_object_get_header(GMIME_OBJECT(message_.get()), name));
  }
  int HeaderCount() const {
    return g_mime_header_list_get_count(g_mime_object_get_header_list(GMIME_OBJECT(message_.get())));
  }
  std::string Name(InternetAddressList* list) const {
    EXPECT_EQ(internet_address_list_length(list), 1);
    return Text(internet_address_get_name(internet_address_list_get_address(list, 0)));
  }
  std::string Address(InternetAddressList* list) const {
    InternetAddress* only = internet_address_list_get_address(list, 0);
    return Text(internet_address_mailbox_get_addr(INTERNET_ADDRESS_MAILBOX(only)));
  }
  InternetAddressList* From() const { return g_mime_message_get_from(message_.get()); }
  InternetAddressList* To() const { return g_mime_message_get_to(message_.get()); }
  InternetAddressList* ReplyTo() const { return g_mime_message_get_reply_to(message_.get()); }

  // A text part with the line ends it was given.
  std::string Words(const std::string& type) const { return absl::StrReplaceAll(Content(type), {{"\r\n", "\n"}}); }

  // The leaf of that type, or nullptr.
  GMimePart* Part(const std::string& type) const {
    struct Search {
      std::string type;
      GMimePart* found = nullptr;
    } search{type};
    g_mime_message_foreach(
        message_.get(),
        [](GMimeObject*, GMimeObject* part, void* user) {
          auto* search = static_cast<Search*>(user);
          char* type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part));
          if (search->type == type && GMIME_IS_PART(part)) search->found = GMIME_PART(part);
          g_free(type);
        },
        &search);
    return search.found;
  }
  std::string Content(const std::string& type) const {
    GMimePart* part = Part(type);
    if (part == nullptr) return "(no such part)";
    std::unique_ptr<GMimeStream, Unref> stream(g_mime_stream_mem_new());
    g_mime_data_wrapper_write_to_stream(g_mime_part_get_content(part), stream.get());
    const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream.get()));
    return std::string(reinterpret_cast<const char*>(bytes->data), bytes->len);
  }

 private:
  static std::string Text(const char* text) { return text == nullptr ? "" : text; }
  std::unique_ptr<GMimeMessage, Unref> message_;
};

MailMessage Sample() {
  MailMessage mail;
  mail.from = {"Anna Schmidt", "vertrieb@muster.example"};
  mail.to = {"Herr Müller", "mueller@example.com"};
  mail.reply_to = {"Anna Schmidt", "antwort+pg07abc@muster.example"};
  mail.envelope_sender = "bounce+dl07abc@muster.example";
  mail.subject = "Ihr Anruf: Anna Schmidt ruft heute um 13:00 Uhr zurück";
  mail.text = "Guten Morgen Herr Müller,\n\n.\nFrom here: einfach antworten.  \n";
  mail.html = "<p>Guten Morgen Herr Müller</p>";
  mail.message_id = MessageIdFor("dl07abc", 0, "muster.example");
  mail.date = absl::FromUnixSeconds(1795422600);  // 2026-11-23 08:30 UTC
  return mail;
}

std::string Composed(const MailMessage& mail) {
  absl::StatusOr<std::string> bytes = ComposeMail(mail);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? *bytes : "";
}

TEST(MailMessage, WhatIsComposedIsReadBackWithTheSameMeaning) {
  MailMessage mail = Sample();
  mail.in_reply_to = "first@example.com";
  mail.references = {"first@example.com", "dl07abc.0@muster.example"};
  EXPECT_TRUE(absl::LoadTimeZone("Europe/Berlin", &mail.date_zone));
  const ReadMail read(Composed(mail));
  EXPECT_EQ(read.Subject(), mail.subject);
  EXPECT_EQ(read.Name(read.From()), "Anna Schmidt");
  EXPECT_EQ(read.Address(read.From()), "vertrieb@muster.example");
  EXPECT_EQ(read.Name(read.To()), "Herr Müller");
  EXPECT_EQ(read.Address(read.ReplyTo()), "antwort+pg07abc@muster.example");
  EXPECT_EQ(read.Header("Message-ID"), "<dl07abc.0@muster.example>");
  EXPECT_EQ(read.Header("In-Reply-To"), "<first@example.com>");
  EXPECT_EQ(read.Header("References"), "<first@example.com> <dl07abc.0@muster.example>");
  EXPECT_EQ(read.Header("Date"), "Mon, 23 Nov 2026 09:30:00 +0100");
  EXPECT_EQ(read.Header("Auto-Submitted"), "");
  EXPECT_EQ(read.Words("text/plain"), mail.text);
  EXPECT_EQ(read.Words("text/html"), mail.html + "\n");
}

TEST(MailMessage, AttachmentsKeepEveryByteAndTheirName) {
  MailMessage mail = Sample();
  std::string bytes;
  for (int i = 0; i < 5000; ++i) bytes += static_cast<char>(i * 7);
  mail.attachments.push_back({"Rückruf Anna.mp3", "audio/mpeg", bytes});
  mail.calendar = {"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n", "REQUEST", "Rueckruf.ics"};
  const ReadMail read(Composed(mail));
  EXPECT_EQ(read.Content("audio/mpeg"), bytes);
  EXPECT_STREQ(g_mime_part_get_filename(read.Part("audio/mpeg")), "Rückruf Anna.mp3");
  EXPECT_EQ(read.Content("text/calendar"), mail.calendar.ics);
  EXPECT_STREQ(g_mime_object_get_content_type_parameter(GMIME_OBJECT(read.Part("text/calendar")), "method"), "REQUEST");
  EXPECT_EQ(read.Words("text/plain"), mail.text);
}

TEST(MailMessage, AttachmentsOfAnyLengthKeepTheirPlaceInLinesOfBase64) {
  for (const size_t size : {1, 56, 57, 58, 3647, 3648, 3649, 7296}) {
    MailMessage mail = Sample();
    std::string first(size, 'a');
    first.back() = '\xFF';
    const std::string second(size + 1, 'b');
    mail.attachments.push_back({"a.mp3", "audio/mpeg", first});
    mail.attachments.push_back({"b.ogg", "audio/ogg", second});
    const std::string wire = Composed(mail);
    const ReadMail read(wire);
    EXPECT_EQ(read.Content("audio/mpeg"), first) << size;
    EXPECT_EQ(read.Content("audio/ogg"), second) << size;
    for (absl::string_view line : absl::StrSplit(wire, "\r\n")) {
      if (absl::StartsWith(line, "YWFh") || absl::StartsWith(line, "YmJi")) {
        EXPECT_LE(line.size(), 76u) << size;
      }
    }
  }
}

TEST(MailMessage, TheWireIsSevenBitWithShortLinesAndCrlfOnly) {
  MailMessage mail = Sample();
  mail.subject = std::string(400, 'x') + " ü";
  mail.text = std::string(5000, 'y') + "\nüüü\r\nlast";
  const std::string noise(100000, '\xFF');
  mail.attachments.push_back({std::string(150, 'f') + "ü.mp3", "audio/mpeg", noise});
  const std::string bytes = Composed(mail);
  for (unsigned char c : bytes) ASSERT_TRUE(c < 0x80 && c != 0) << int{c};
  size_t longest = 0;
  for (absl::string_view line : absl::StrSplit(bytes, "\r\n")) {
    longest = std::max(longest, line.size());
    EXPECT_EQ(line.find_first_of("\r\n"), absl::string_view::npos) << "a line break that is not CRLF";
  }
  EXPECT_LE(longest, 998u);
  EXPECT_EQ(ReadMail(bytes).Subject(), mail.subject);
  EXPECT_EQ(ReadMail(bytes).Words("text/plain"), std::string(5000, 'y') + "\nüüü\nlast\n");
}

TEST(MailMessage, TheSameMessageGivesTheSameBytes) {
  MailMessage mail = Sample();
  mail.attachments.push_back({"a.mp3", "audio/mpeg", "bytes"});
  EXPECT_EQ(Composed(mail), Composed(mail));
  MailMessage other = mail;
  other.message_id = MessageIdFor("dl07abc", 1, "muster.example");
  EXPECT_NE(Composed(mail), Composed(other));
}

TEST(MailMessage, AutomaticMailSaysThatItIs) {
  MailMessage mail = Sample();
  mail.auto_submitted = AutoSubmitted::kGenerated;
  EXPECT_EQ(ReadMail(Composed(mail)).Header("Auto-Submitted"), "auto-generated");
  mail.auto_submitted = AutoSubmitted::kReplied;
  mail.envelope_sender = "";
  EXPECT_EQ(ReadMail(Composed(mail)).Header("Auto-Submitted"), "auto-replied");
}

// Names and subjects with tricks arrive as the very text that was given, and add no header.
TEST(MailMessage, TrickyNamesAndSubjectsArriveAsTheyWereWritten) {
  const int headers = ReadMail(Composed(Sample())).HeaderCount();
  for (const std::string& trick : {
           std::string("O\"Brien"), std::string("Müller, Jörg"), std::string("a <evil@example.org>"),
           std::string("=?utf-8?Q?Bcc:_x@y.z?="), std::string("=?utf-8?Q?a=0D=0ABcc:_x@y.z?="),
           std::string("vor =?utf-8?B?ZXZpbA==?= nach"), std::string("=?"), std::string("(comment) \\ back;slash:"),
           std::string("😀👩‍👩‍👧 Smile"), std::string("Bcc: x@y.z"), std::string("a@b.c, d@e.f"),
           std::string("group: x@y.z;"),
           std::string("王小明"), std::string(450, 'n'), std::string("very ") + std::string(300, 'w') + " long", []() {
             std::string umlauts;
             for (int i = 0; i < 200; ++i) umlauts += "ü";
             return umlauts;
           }()}) {
    MailMessage mail = Sample();
    mail.from.name = trick;
    mail.to.name = trick;
    mail.subject = trick;
    const ReadMail read(Composed(mail));
    EXPECT_EQ(read.Name(read.From()), trick);
    EXPECT_EQ(read.Name(read.To()), trick);
    EXPECT_EQ(read.Address(read.From()), "vertrieb@muster.example") << trick;
    EXPECT_EQ(read.Address(read.To()), "mueller@example.com") << trick;
    EXPECT_EQ(read.Subject(), trick);
    EXPECT_EQ(read.HeaderCount(), headers) << trick;
  }
}

TEST(MailMessage, ControlCharactersAreRefusedByTheNameOfTheirField) {
  struct Case {
    const char* field;
    void (*set)(MailMessage&, const std::string&);
  };
  const Case cases[] = {
      {"from.name", [](MailMessage& m, const std::string& v) { m.from.name = v; }},
      {"from.address", [](MailMessage& m, const std::string& v) { m.from.address = v; }},
      {"to.name", [](MailMessage& m, const std::string& v) { m.to.name = v; }},
      {"to.address", [](MailMessage& m, const std::string& v) { m.to.address = v; }},
      {"reply_to.name", [](MailMessage& m, const std::string& v) { m.reply_to.name = v; }},
      {"reply_to.address", [](MailMessage& m, const std::string& v) { m.reply_to.address = v; }},
      {"envelope_sender", [](MailMessage& m, const std::string& v) { m.envelope_sender = v; }},
      {"subject", [](MailMessage& m, const std::string& v) { m.subject = v; }},
      {"message_id", [](MailMessage& m, const std::string& v) { m.message_id = v; }},
      {"in_reply_to", [](MailMessage& m, const std::string& v) { m.in_reply_to = v; }},
      {"references", [](MailMessage& m, const std::string& v) { m.references = {v}; }},
      {"attachments.filename", [](MailMessage& m, const std::string& v) { m.attachments = {{v, "audio/mpeg", ""}}; }},
      {"attachments.mime_type", [](MailMessage& m, const std::string& v) { m.attachments = {{"a", v, ""}}; }},
  };
  const std::string tricks[] = {"x@y.z\r\nBcc: evil@example.org", "x@y.z\nBcc: evil@example.org", "x@y.z\rx",
                                std::string("x@y.z\0x", 7), "x@y.z\x1b[31m", "\x7fx@y.z", "x@y.z\xff\xfe"};
  for (const Case& c : cases) {
    for (const std::string& trick : tricks) {
      MailMessage mail = Sample();
      c.set(mail, trick);
      const absl::StatusOr<std::string> bytes = ComposeMail(mail);
      ASSERT_EQ(bytes.status().code(), absl::StatusCode::kInvalidArgument) << c.field;
      EXPECT_TRUE(absl::StartsWith(bytes.status().message(), absl::StrCat(c.field, ":"))) << bytes.status();
    }
  }
}

TEST(MailMessage, AddressesAreCheckedAndPutInTheirWireForm) {
  for (const char* good : {"a@b.de", "first.last+tag@sub.example.com", "o'brien@example.com", "x@localhost"}) {
    EXPECT_EQ(CheckedAddress("to.address", good).value_or("refused"), good);
  }
  EXPECT_EQ(CheckedAddress("to.address", "info@müller.de").value_or("refused"), "info@xn--mller-kva.de");
  for (const char* bad :
       {"", "plain", "@b.de", "a@", "a@b..de", "a@.de", "a@-b.de", "a@b_c.de", ".a@b.de", "a.@b.de", "a..b@c.de",
        "a b@c.de", "\"a b\"@c.de", "a@b.de>", "<a@b.de>", "a,b@c.de", "a@b.de,c@d.de", "jörg@c.de", "a@b@c.de",
        "a@[127.0.0.1]", "a;b@c.de", "a\\b@c.de", "a@b.de bcc"}) {
    EXPECT_EQ(CheckedAddress("to.address", bad).status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
  EXPECT_FALSE(CheckedAddress("to.address", std::string(65, 'a') + "@b.de").ok());
  EXPECT_FALSE(CheckedAddress("to.address", "a@" + std::string(64, 'b') + ".de").ok());
}

TEST(MailMessage, ACalendarMustCarryTheMethodItIsSentWith) {
  MailMessage mail = Sample();
  mail.calendar = {"BEGIN:VCALENDAR\r\nMETHOD:CANCEL\r\nEND:VCALENDAR\r\n", "REQUEST", "a.ics"};
  EXPECT_EQ(ComposeMail(mail).status().code(), absl::StatusCode::kInvalidArgument);
  mail.calendar.method = "CANCEL";
  EXPECT_TRUE(ComposeMail(mail).ok());
}

}  // namespace
}  // namespace ringback::delivery
