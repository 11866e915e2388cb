#include "delivery/mail_in/new_words.h"

#include <algorithm>
#include <initializer_list>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "delivery/mail_in/mail_text.h"

namespace ringback::delivery {
namespace {

// A line in its three forms: as it is, trimmed, and in lower case.
struct Line {
  std::string_view text;
  std::string_view trimmed;
  std::string lower;
  bool quoted() const { return !trimmed.empty() && trimmed.front() == '>'; }
  bool blank() const { return trimmed.empty(); }
};
using Text = std::vector<Line>;

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }
bool Begins(std::string_view text, std::string_view with) { return text.substr(0, with.size()) == with; }
bool Ends(std::string_view text, std::string_view with) {
  return text.size() >= with.size() && text.substr(text.size() - with.size()) == with;
}
int CountOf(std::string_view text, std::initializer_list<const char*> parts) {
  return static_cast<int>(std::count_if(parts.begin(), parts.end(), [&](const char* part) { return Has(text, part); }));
}
bool HasAny(std::string_view text, std::initializer_list<const char*> parts) { return CountOf(text, parts) > 0; }
bool BeginsWithAny(std::string_view text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const char* part) { return Begins(text, part); });
}
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Without the stars, underscores and arrows that turned bold type and rules into text.
std::string_view Bare(std::string_view text) {
  constexpr std::string_view kMarks = "*_ \t";
  const size_t begin = text.find_first_not_of(kMarks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kMarks) - begin + 1);
}

Text Read(std::string_view text) {
  Text lines;
  for (const std::string_view line : Lines(text)) lines.push_back({line, Trim(line), Lower(Trim(line))});
  return lines;
}

// "13:05", "9.30": an hour as attributions carry it.
bool HasHour(std::string_view text) {
  for (size_t i = 1; i + 2 < text.size(); ++i) {
    if (text[i] == ':' && IsDigit(text[i - 1]) && IsDigit(text[i + 1]) && IsDigit(text[i + 2])) return true;
  }
  return false;
}
// "24.11.2026", "2026-11-24", "24 Nov 2026", "11/24/26".
bool HasDate(std::string_view text) {
  int digits = 0;
  for (size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && IsDigit(text[i])) {
      ++digits;
      continue;
    }
    if (digits == 4 && (text.substr(i - 4, 2) == "19" || text.substr(i - 4, 2) == "20")) return true;
    digits = 0;
  }
  for (size_t i = 1; i + 3 < text.size(); ++i) {
    if ((text[i] == '.' || text[i] == '/') && IsDigit(text[i - 1]) && IsDigit(text[i + 1])) {
      for (size_t k = i + 2; k < std::min(i + 5, text.size() - 1); ++k) {
        if (text[k] == text[i] && IsDigit(text[k + 1])) return true;
      }
    }
  }
  return false;
}

// "Am Di., 24. Nov. 2026 um 09:00 Uhr schrieb Anna Schmidt <anna@example.com>:" and its kin, in one string of lower case.
bool IsAttribution(std::string_view text) {
  text = Bare(text);
  if (text.size() < 12 || text.size() > 400 || !Ends(text, ":")) return false;
  const bool address = Has(text, "@");
  const bool dated = HasDate(text) || HasHour(text);
  const bool wrote = HasAny(text, {" schrieb", " wrote:", " geschrieben:", " hat geschrieben", " writes:"});
  if (wrote && BeginsWithAny(text, {"am ", "on ", "um "}) && (dated || address)) return true;
  if (wrote && (dated || address)) return true;
  // "2026-11-24 9:00 GMT+01:00 Anna Schmidt <anna@example.com>:"
  return address && HasDate(text) && IsDigit(text.front()) && Has(text, "<");
}

// How many lines from `at` on are an attribution (mail programs wrap it); 0: none.
size_t AttributionAt(const Text& text, size_t at) {
  if (text[at].quoted()) return 0;
  std::string joined;
  for (size_t n = 0; n < 4 && at + n < text.size(); ++n) {
    const Line& line = text[at + n];
    if (line.blank() || line.quoted() || joined.size() > 400) return 0;
    if (n > 0) joined += ' ';
    joined += line.lower;
    if (IsAttribution(joined)) return n + 1;
    // Only the beginning of one is worth going on for.
    if (n == 0 && !BeginsWithAny(joined, {"am ", "on ", "um "}) && !Has(joined, "@") && !Has(joined, " schrieb")) return 0;
  }
  return 0;
}

enum class Label { kNone, kFrom, kWhen, kOther };
// "Von: …", "*Sent:* …": what Outlook and forwards put above the original.
Label LabelOf(const std::string& lower) {
  const std::string_view bare = Bare(lower);
  const size_t colon = bare.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon > 16) return Label::kNone;
  const std::string_view name = Bare(bare.substr(0, colon));
  const auto is = [&](std::initializer_list<const char*> names) {
    return std::any_of(names.begin(), names.end(), [&](const char* one) { return name == one; });
  };
  if (is({"von", "from", "absender"})) return Label::kFrom;
  if (is({"gesendet", "sent", "datum", "date", "gesendet am"})) return Label::kWhen;
  if (is({"an", "to", "cc", "betreff", "subject", "kopie", "reply-to", "antwort an", "wichtigkeit", "importance", "priorität"})) {
    return Label::kOther;
  }
  return Label::kNone;
}

// From and When and one more within a few lines.
bool HeaderBlockAt(const Text& text, size_t at) {
  const Label first = LabelOf(text[at].lower);
  if (first != Label::kFrom && first != Label::kWhen && !Begins(Bare(text[at].lower), "betreff:") &&
      !Begins(Bare(text[at].lower), "subject:")) {
    return false;
  }
  bool from = false, when = false;
  int labels = 0;
  for (size_t i = at; i < std::min(at + 9, text.size()); ++i) {
    const Label label = LabelOf(text[i].lower);
    from = from || label == Label::kFrom;
    when = when || label == Label::kWhen;
    labels += label != Label::kNone;
    if (text[i].blank() && labels < 2 && i > at + 1) break;
  }
  return from && when && labels >= 3;
}

// "-----Ursprüngliche Nachricht-----", "---------- Forwarded message ---------", "Anfang der weitergeleiteten Nachricht:"
bool IsSeparator(const Line& line) {
  const std::string_view text = line.lower;
  if (text.size() > 100) return false;
  const bool named = HasAny(text, {"ursprüngliche nachricht", "originalnachricht", "original-nachricht", "original message", "originalmail",
                                   "ursprüngliche e-mail", "weitergeleitete nachricht", "forwarded message", "original email"});
  const bool ruled = Begins(text, "--") || Ends(text, "--") || Begins(text, "__");
  if (named && ruled) return true;
  return text == "begin forwarded message:" || text == "anfang der weitergeleiteten nachricht:" || text == "anfang der weitergeleiteten e-mail:";
}

bool IsRule(const Line& line) {
  return line.trimmed.size() >= 5 && line.trimmed.find_first_not_of("_-=") == std::string_view::npos;
}

bool IsMobileFooter(const Line& line) {
  const std::string_view text = Bare(line.lower);
  if (text.empty() || text.size() > 160) return false;
  if (BeginsWithAny(text, {"gesendet von mein", "von meinem ", "von meiner ", "von mein"}) &&
      HasAny(text, {"iphone", "ipad", "smartphone", "handy", "mobil", "android", "galaxy", "samsung", "blackberry", "telefon", "huawei", "gesendet"})) {
    return BeginsWithAny(text, {"gesendet von mein"}) || Has(text, "gesendet");
  }
  if (BeginsWithAny(text, {"sent from my ", "sent from outlook", "sent from mail for", "sent from yahoo", "sent from proton", "sent from samsung",
                           "sent with proton", "sent via ", "sent by ", "get outlook for", "sent from the all-new", "sent from android",
                           "gesendet von outlook", "gesendet von mail für", "gesendet von yahoo", "gesendet mit der gmx", "gesendet mit der web.de",
                           "gesendet mit der ", "gesendet mit yahoo", "gesendet mit proton", "gesendet über ", "holen sie sich outlook", "outlook für ios",
                           "outlook für android", "outlook for ios", "outlook for android", "von outlook für ", "von meinem iphone"})) {
    // "Sent by courier on Monday" is the customer's own sentence.
    if (BeginsWithAny(text, {"sent by ", "sent via ", "gesendet über ", "gesendet mit der "})) {
      return HasAny(text, {"app", "mobile", "smartphone", "iphone", "android", "phone", "t-mobile", "vodafone"}) && !Ends(text, "?");
    }
    return true;
  }
  return (Begins(text, "diese nachricht wurde von ") || Begins(text, "this message was sent from ")) && text.size() < 160;
}

// What scanners and providers add.
bool IsAdvert(const Line& line) {
  return HasAny(line.lower, {"www.avast.com", "virenfrei.", "virus-free.", "auf viren geprüft", "checked for viruses", "avg.com/email", "this email has been scanned",
                             "diese e-mail wurde von avast"});
}

bool IsClosing(const Line& line) {
  std::string_view text = Bare(line.lower);
  if (text.empty() || text.size() > 60) return false;
  while (!text.empty() && (text.back() == ',' || text.back() == '.' || text.back() == '!')) text.remove_suffix(1);
  for (const char* exact : {"mfg", "lg", "vg", "bg", "hg", "mit besten grüßen", "gruß", "gruss", "grüße", "gruesse", "best", "regards", "cheers", "sincerely",
                            "best regards", "kind regards", "warm regards", "with kind regards", "with best regards", "many thanks and regards",
                            "yours sincerely", "sincerely yours", "yours faithfully", "yours truly", "best wishes", "all the best", "br", "kr"}) {
    if (text == exact) return true;
  }
  const bool greets = HasAny(text, {"grüße", "grüßen", "gruesse", "gruessen", "grüsse", "grüssen", "gruß", "gruss", "regards"});
  return greets && std::count(text.begin(), text.end(), ' ') <= 6 &&
         BeginsWithAny(text, {"mit ", "viele", "freundlich", "beste", "herzlich", "liebe", "schöne", "sonnige", "best", "kind", "warm", "with ", "gruß", "gruss",
                              "grüße", "grüsse", "vielen dank und", "danke und", "thanks and", "many thanks and", "i.a", "collegial", "kollegial"});
}

// "Tel. …", "Amtsgericht … HRB …": what only signatures say, however long.
bool IsLabelledContact(const Line& line) {
  const std::string& text = line.lower;
  if (HasAny(text, {"amtsgericht", "registergericht", "handelsregister", "geschäftsführer:", "ust-id"})) return true;
  for (const std::string_view label :
       {"tel", "telefon", "fon", "phone", "telephone", "fax", "telefax", "mobil", "mobile", "handy", "cell", "t", "m", "f", "e", "e-mail", "email", "mail", "web", "website",
        "webseite", "internet", "homepage", "ust", "hrb", "hra", "sitz", "vorstand", "aufsichtsrat", "steuernummer", "vat", "registered office", "managing director",
        "geschäftsführer", "geschäftsführerin", "geschäftsführung", "i. a", "i.a", "i. v", "i.v", "ppa", "ceo", "postfach"}) {
    if (!Begins(text, label) || text.size() <= label.size()) continue;
    const char next = text[label.size()];
    if (next == ':' || next == '.' || next == ' ' || next == '+' || next == '/' || IsDigit(next)) return true;
  }
  return BeginsWithAny(text, {"+49", "+43", "+41", "+44", "+1", "(+49"});
}

// Phone, address, register: a line that tells who and where, and says nothing.
bool IsContactLine(const Line& line) {
  const std::string& text = line.lower;
  if (IsLabelledContact(line)) return true;
  if (line.trimmed.size() > 120) return false;
  if (Has(text, "@") || HasAny(text, {"www.", "http://", "https://"})) return true;
  return HasAny(text, {" gmbh", " ag", " kg", " ohg", " e.k", " e.v", " ltd", " inc.", " llc", " mbh", "straße", "strasse", "str.", "street", " road", "platz ", " d-", "hrb ",
                       "geschäftsführer", "postfach"}) ||
         (line.trimmed.size() >= 7 && IsDigit(text[0]) && IsDigit(text[4]) && text[5] == ' ');  // "10115 Berlin"
}

bool IsSentence(const Line& line) {
  const auto words = std::count(line.trimmed.begin(), line.trimmed.end(), ' ') + 1;
  const char last = line.trimmed.empty() ? ' ' : line.trimmed.back();
  return (words >= 4 && (last == '.' || last == '?' || last == '!')) || words > 9;
}

struct Paragraph {
  size_t begin = 0, end = 0;  // lines
};
std::vector<Paragraph> Paragraphs(const Text& text, size_t begin, size_t end) {
  std::vector<Paragraph> paragraphs;
  for (size_t i = begin; i < end; ++i) {
    if (text[i].blank()) continue;
    if (paragraphs.empty() || paragraphs.back().end != i) paragraphs.push_back({i, i});
    paragraphs.back().end = i + 1;
  }
  return paragraphs;
}

std::string Joined(const Text& text, const Paragraph& paragraph) {
  std::string joined;
  for (size_t i = paragraph.begin; i < paragraph.end; ++i) joined += text[i].lower + " ";
  return joined;
}

bool IsDisclaimer(const Text& text, const Paragraph& paragraph) {
  const std::string words = Joined(text, paragraph);
  if (words.size() < 60) {
    return HasAny(words, {"bitte denken sie an die umwelt", "please consider the environment", "think before you print"});
  }
  const int signs = CountOf(
      words, {"vertraulich", "rechtlich geschützt", "irrtümlich", "richtige adressat", "unbefugte", "vorgesehene empfänger", "bestimmungsgemäße empfänger",
              "vernichten sie", "löschen sie diese", "nicht gestattet", "e-mail irr", "confidential", "intended recipient", "intended solely", "unauthori", "received this e-mail in error",
              "received this email in error", "received this message in error", "privileged", "legally protected", "strictly prohibited", "notify the sender", "informieren sie bitte sofort den absender",
              "absender informieren", "diese e-mail enthält", "this e-mail may contain", "this email and any", "this e-mail and any"});
  return signs >= 2 || HasAny(words, {"bitte denken sie an die umwelt, bevor", "please consider the environment before"});
}

bool IsPostscript(const Line& line) { return BeginsWithAny(line.lower, {"ps:", "p.s.", "ps.", "ps ", "nachtrag:"}); }

// Everything after a closing ("Mit freundlichen Grüßen") that only tells who wrote. `begin` is the closing's line.
bool IsContactBlock(const Text& text, const Paragraph& paragraph, bool first) {
  const size_t lines = paragraph.end - paragraph.begin;
  if (IsPostscript(text[paragraph.begin])) return false;
  size_t contact = 0, sentences = 0;
  for (size_t i = paragraph.begin; i < paragraph.end; ++i) {
    if (IsSentence(text[i]) && !IsLabelledContact(text[i])) {
      ++sentences;
    } else if (IsContactLine(text[i])) {
      ++contact;
    }
  }
  if (sentences > 0) return false;
  // The name, and what stands right below it; further blocks must be made of contact lines for the greater part.
  return (first && lines <= 12) || contact * 2 >= lines;
}

// Drops lines [begin, end) of one run of new words that sign it off, from the bottom up; returns where the words end.
class SignOff {
 public:
  SignOff(const Text& text, size_t begin, size_t end) : text_(text), begin_(begin), end_(end), keep_(end - begin, true) {}

  std::vector<bool> Run() {
    DropFooters();
    if (CutAtDashes()) DropFooters();
    DropClosing();
    DropFooters();
    return std::move(keep_);
  }

 private:
  bool kept(size_t i) const { return keep_[i - begin_]; }
  void Drop(size_t from, size_t to) {
    for (size_t i = from; i < to; ++i) keep_[i - begin_] = false;
  }
  void Shrink() {
    while (end_ > begin_ && (!kept(end_ - 1) || text_[end_ - 1].blank())) --end_;
  }

  // Disclaimers, mobile footers, adverts and rules at the end.
  void DropFooters() {
    for (size_t i = begin_; i < end_; ++i) {
      if (IsMobileFooter(text_[i]) || IsAdvert(text_[i])) Drop(i, i + 1);
    }
    for (int paragraphs_max = 10; paragraphs_max > 0; --paragraphs_max) {
      Shrink();
      if (end_ == begin_) return;
      const auto paragraphs = Paragraphs(text_, begin_, end_);
      const Paragraph& last = paragraphs.back();
      if (IsDisclaimer(text_, last)) {
        Drop(last.begin, last.end);
      } else if (IsRule(text_[end_ - 1])) {
        Drop(end_ - 1, end_);
      } else {
        return;
      }
    }
  }

  // RFC 3676, 4.3: "-- " begins the signature. Also without the space, as many write it.
  bool CutAtDashes() {
    for (size_t i = end_; i-- > begin_ + 1;) {
      if (text_[i].trimmed != "--" && text_[i].trimmed != "—") continue;
      // What is long is no signature: "--" was meant as a line of its own.
      if (end_ - i > 30) return false;
      bool words = false;
      for (size_t k = begin_; k < i; ++k) words = words || (kept(k) && !text_[k].blank());
      if (!words) return false;
      Drop(i, end_);
      Shrink();
      return true;
    }
    return false;
  }

  // A signature is no longer than this many lines; further up nothing signs off.
  void DropClosing() {
    for (size_t i = std::max(begin_ + 1, end_ - std::min<size_t>(end_, 80)); i < end_; ++i) {
      if (!kept(i) || !IsClosing(text_[i])) continue;
      bool words = false;
      for (size_t k = begin_; k < i; ++k) words = words || (kept(k) && !text_[k].blank());
      if (!words) continue;
      const auto paragraphs = Paragraphs(text_, i + 1, end_);
      std::vector<Paragraph> drop;
      bool first = true, all = true;
      for (const Paragraph& paragraph : paragraphs) {
        if (IsContactBlock(text_, paragraph, first) || IsDisclaimer(text_, paragraph)) {
          drop.push_back(paragraph);
        } else if (first) {
          all = false;  // a sentence right below: no closing at all
          break;
        }
        first = false;
      }
      if (!all) continue;
      Drop(i, i + 1);
      for (const Paragraph& paragraph : drop) Drop(paragraph.begin, paragraph.end);
      Shrink();
      return;
    }
  }

  const Text& text_;
  const size_t begin_;
  size_t end_;
  std::vector<bool> keep_;
};

// Where the unquoted original begins; text.size() when nowhere.
size_t OriginalBegin(const Text& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (!text[i].text.empty() && text[i].text.find(kOriginalBegins) != std::string_view::npos) return i;
    if (text[i].quoted()) continue;
    size_t begin = text.size();
    if (IsSeparator(text[i]) || HeaderBlockAt(text, i)) {
      begin = i;
    } else if (const size_t lines = AttributionAt(text, i); lines > 0) {
      // With quoted lines below, these say themselves what is old; more of the customer's own may stand between them.
      size_t next = i + lines;
      while (next < text.size() && text[next].blank()) ++next;
      if (next < text.size() && text[next].quoted()) continue;
      begin = i;
    }
    if (begin == text.size()) continue;
    while (begin > 0 && (text[begin - 1].blank() || IsRule(text[begin - 1]))) --begin;
    return begin;
  }
  return text.size();
}

std::string Assemble(const Text& text, const std::vector<bool>& keep) {
  std::string out;
  int blank = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!keep[i]) {
      blank = std::max(blank, 1);
      continue;
    }
    if (text[i].blank()) {
      ++blank;
      continue;
    }
    if (!out.empty()) out.append(blank > 0 ? "\n\n" : "\n");
    blank = 0;
    std::string_view line = text[i].text;
    line.remove_suffix(line.size() - (line.find_last_not_of(" \t") + 1));
    out.append(line);
  }
  return out;
}

}  // namespace

std::string NewWords(std::string_view whole) {
  std::string plain(whole);
  const Text text = Read(plain);
  const size_t original = OriginalBegin(text);
  std::vector<bool> keep(text.size(), false);
  for (size_t i = 0; i < original; ++i) keep[i] = !text[i].quoted();
  for (size_t i = 0; i < original; ++i) {
    const size_t lines = keep[i] ? AttributionAt(text, i) : 0;
    for (size_t n = 0; n < lines; ++n) keep[i + n] = false;
  }
  // Each run of new words may sign off; in an answer between the lines usually only the last does.
  for (size_t begin = 0; begin < original;) {
    if (!keep[begin]) {
      ++begin;
      continue;
    }
    size_t end = begin;
    while (end < original && keep[end]) ++end;
    const std::vector<bool> signed_off = SignOff(text, begin, end).Run();
    std::copy(signed_off.begin(), signed_off.end(), keep.begin() + static_cast<std::ptrdiff_t>(begin));
    begin = end;
  }
  std::string words = Assemble(text, keep);
  if (words.empty() && original < text.size()) {
    // Nothing but the original, unquoted: a forward without a comment, or an answer that stands below it.
    for (size_t i = 0; i < text.size(); ++i) keep[i] = !text[i].quoted();
    words = Assemble(text, keep);
  }
  words.erase(std::remove(words.begin(), words.end(), kOriginalBegins), words.end());
  return std::string(Trim(words));
}

}  // namespace ringback::delivery
