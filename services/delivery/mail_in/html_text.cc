#include "delivery/mail_in/html_text.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "delivery/mail_in/mail_text.h"
#include "delivery/mail_in/new_words.h"

namespace ringback::delivery {
namespace {

constexpr size_t kOpenMax = 256;  // elements whose end is waited for; deeper ones are read as if they were not there
constexpr int kQuoteMax = 8;

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

struct Tag {
  std::string name;
  bool closing = false;
  std::string attributes;  // lower case
};

// What an element does to the text inside.
enum class Effect { kNone, kQuote, kSkip };
struct Open {
  std::string name;
  Effect effect;
};

bool IsBlock(std::string_view name) {
  for (const char* block : {"p", "div", "br", "tr", "table", "ul", "ol", "li", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "pre", "section",
                            "article", "header", "footer", "address", "center", "dl", "dt", "dd", "form", "body"}) {
    if (name == block) return true;
  }
  return false;
}
bool IsVoid(std::string_view name) {
  for (const char* one : {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "wbr", "o:p", "!doctype"}) {
    if (name == one) return true;
  }
  return false;
}
bool IsRaw(std::string_view name) { return name == "script" || name == "style" || name == "title" || name == "textarea"; }

// The value of one attribute, unquoted; `attributes` is in lower case.
std::string_view Attribute(std::string_view attributes, std::string_view name) {
  for (size_t at = attributes.find(name); at != std::string_view::npos; at = attributes.find(name, at + 1)) {
    if (at > 0 && absl::ascii_isalnum(static_cast<unsigned char>(attributes[at - 1]))) continue;
    std::string_view rest = attributes.substr(at + name.size());
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    if (rest.empty() || rest.front() != '=') continue;
    rest.remove_prefix(1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    if (rest.empty()) return {};
    if (rest.front() == '"' || rest.front() == '\'') return rest.substr(1, rest.find(rest.front(), 1) - 1);
    return rest.substr(0, rest.find_first_of(" \t\r\n"));
  }
  return {};
}

Effect EffectOf(const Tag& tag) {
  if (tag.name == "head") return Effect::kSkip;
  if (tag.name == "blockquote") return Effect::kQuote;
  if (tag.attributes.empty()) return Effect::kNone;
  const std::string_view what = Attribute(tag.attributes, "class"), id = Attribute(tag.attributes, "id");
  if (Has(what, "gmail_attr") || Has(what, "moz-cite-prefix")) return Effect::kSkip;
  if (Has(what, "gmail_signature") || Has(what, "moz-signature") || Has(id, "ms-outlook-mobile-signature") || id == "signature" || id == "x_signature") {
    return Effect::kSkip;
  }
  if (Has(what, "yahoo_quoted") || Has(what, "protonmail_quote") || Attribute(tag.attributes, "name") == "quote") return Effect::kQuote;
  if (Has(Attribute(tag.attributes, "style"), "display:none")) return Effect::kSkip;
  return Effect::kNone;
}

// Outlook, Hotmail and Zimbra mark where the original begins and put it beside, not inside.
bool BeginsOriginal(const Tag& tag) {
  if (tag.attributes.empty()) return false;
  const std::string_view id = Attribute(tag.attributes, "id");
  for (const char* one : {"divrplyfwdmsg", "x_divrplyfwdmsg", "appendonsend", "x_appendonsend", "olk_src_body_section", "zwchr", "stopspelling"}) {
    if (id == one) return true;
  }
  return false;
}

struct Entity {
  const char* name;
  const char* text;
};
constexpr Entity kEntities[] = {
    {"amp", "&"},      {"lt", "<"},       {"gt", ">"},       {"quot", "\""},    {"apos", "'"},     {"nbsp", " "},     {"auml", "ä"},   {"ouml", "ö"},
    {"uuml", "ü"},     {"Auml", "Ä"},     {"Ouml", "Ö"},     {"Uuml", "Ü"},     {"szlig", "ß"},    {"euro", "€"},     {"copy", "©"},   {"reg", "®"},
    {"ndash", "–"},    {"mdash", "—"},    {"hellip", "…"},   {"lsquo", "‘"},    {"rsquo", "’"},    {"sbquo", "‚"},    {"ldquo", "“"},  {"rdquo", "”"},
    {"bdquo", "„"},    {"laquo", "«"},    {"raquo", "»"},    {"bull", "•"},     {"middot", "·"},   {"sect", "§"},     {"deg", "°"},    {"eacute", "é"},
    {"egrave", "è"},   {"agrave", "à"},   {"aacute", "á"},   {"ccedil", "ç"},   {"ecirc", "ê"},    {"oacute", "ó"},   {"iacute", "í"}, {"uacute", "ú"},
    {"ntilde", "ñ"},   {"zwnj", ""},      {"shy", ""},       {"times", "×"},    {"frac12", "½"},   {"trade", "™"},    {"pound", "£"},  {"acirc", "â"},
};

void AppendRune(uint32_t rune, std::string* out) {
  if (rune == 0xA0) rune = ' ';
  if (rune == 0 || rune > 0x10FFFF || (rune >= 0xD800 && rune < 0xE000) || (rune < 0x20 && rune != '\n')) return;
  if (rune < 0x80) {
    out->push_back(static_cast<char>(rune));
    return;
  }
  const int more = rune < 0x800 ? 1 : rune < 0x10000 ? 2 : 3;
  static constexpr unsigned kLead[] = {0, 0xC0, 0xE0, 0xF0};
  out->push_back(static_cast<char>(kLead[more] | rune >> (6 * more)));
  for (int i = more - 1; i >= 0; --i) out->push_back(static_cast<char>(0x80 | (rune >> (6 * i) & 0x3F)));
}

class Reader {
 public:
  explicit Reader(std::string_view html) : in_(html) { out_.reserve(html.size() / 2); }

  std::string Run() {
    while (at_ < in_.size()) {
      if (in_[at_] == '<') {
        Markup();
      } else if (in_[at_] == '&') {
        EntityHere();
      } else {
        Character(in_[at_++]);
      }
    }
    return std::move(out_);
  }

 private:
  void Markup() {
    if (in_.substr(at_, 4) == "<!--") {
      const size_t end = in_.find("-->", at_ + 4);
      at_ = end == std::string_view::npos ? in_.size() : end + 3;
      return;
    }
    const char next = at_ + 1 < in_.size() ? in_[at_ + 1] : ' ';
    if (!absl::ascii_isalpha(static_cast<unsigned char>(next)) && next != '/' && next != '!' && next != '?') return Character(in_[at_++]);
    const size_t end = EndOfTag();
    Tag tag = TagOf(in_.substr(at_ + 1, end - at_ - 1));
    at_ = std::min(end + 1, in_.size());
    if (tag.closing) return Close(tag);
    if (IsRaw(tag.name)) return SkipRaw(tag.name);
    Begin(tag);
  }

  size_t EndOfTag() const {
    // A ">" inside a quoted value ends nothing; a quote that is never closed does not swallow the mail.
    char quote = 0;
    for (size_t i = at_ + 1; i < in_.size() && i < at_ + 8192; ++i) {
      const char c = in_[i];
      if (quote != 0) {
        if (c == quote) quote = 0;
      } else if ((c == '"' || c == '\'') && in_[i - 1] == '=') {
        quote = c;
      } else if (c == '>') {
        return i;
      }
    }
    return std::min(in_.find('>', at_), in_.size());
  }

  static Tag TagOf(std::string_view text) {
    Tag tag;
    if (!text.empty() && text.front() == '/') {
      tag.closing = true;
      text.remove_prefix(1);
    }
    const size_t end = std::min(text.find_first_of(" \t\r\n/"), text.size());
    tag.name = absl::AsciiStrToLower(absl::string_view(text.data(), std::min<size_t>(end, 20)));
    const std::string_view rest = text.substr(end, 2000);
    tag.attributes = absl::AsciiStrToLower(absl::string_view(rest.data(), rest.size()));
    return tag;
  }

  void SkipRaw(const std::string& name) {
    while (at_ < in_.size()) {
      at_ = in_.find("</", at_);
      if (at_ == std::string_view::npos) break;
      const std::string_view found = in_.substr(at_ + 2, name.size());
      if (absl::AsciiStrToLower(absl::string_view(found.data(), found.size())) == name) {
        at_ = std::min(in_.find('>', at_), in_.size() - 1) + 1;
        return;
      }
      at_ += 2;
    }
    at_ = in_.size();
  }

  void Begin(const Tag& tag) {
    if (tag.name == "br") return NewLine();
    if (IsBlock(tag.name)) EndLine();
    if (skip_ == 0 && BeginsOriginal(tag)) {
      EndLine();
      out_.push_back(kOriginalBegins);
      NewLine();
    }
    if (tag.name == "p") blank_ = true;
    if (tag.name == "li") Text("- ");
    if (tag.name == "td" && !at_line_begin_) Text(" ");
    if (tag.name == "pre") ++pre_;
    if (IsVoid(tag.name) || open_.size() >= kOpenMax) return;
    const Effect effect = EffectOf(tag);
    if (effect == Effect::kNone && !IsBlock(tag.name) && tag.name != "span") return;
    open_.push_back({tag.name, effect});
    if (effect == Effect::kQuote) EndLine(), ++quote_;
    if (effect == Effect::kSkip) ++skip_;
  }

  void Close(const Tag& tag) {
    if (tag.name == "br") return NewLine();
    if (IsBlock(tag.name)) EndLine();
    if (tag.name == "p") blank_ = true;
    if (tag.name == "pre" && pre_ > 0) --pre_;
    const auto found = std::find_if(open_.rbegin(), open_.rend(), [&](const Open& open) { return open.name == tag.name; });
    if (found == open_.rend()) return;
    // What stands open above it ends with it.
    const size_t keep = static_cast<size_t>(open_.rend() - found) - 1;
    while (open_.size() > keep) {
      if (open_.back().effect == Effect::kQuote) EndLine(), --quote_;
      if (open_.back().effect == Effect::kSkip) --skip_;
      open_.pop_back();
    }
  }

  void EntityHere() {
    const size_t length = in_.substr(at_, 11).find(';');
    if (length == std::string_view::npos) return Character(in_[at_++]);
    const size_t end = at_ + length;
    const std::string_view name = in_.substr(at_ + 1, end - at_ - 1);
    std::string text;
    if (name.size() > 1 && name[0] == '#') {
      uint32_t rune = 0;
      const bool hex = name[1] == 'x' || name[1] == 'X';
      const std::string_view digits = name.substr(hex ? 2 : 1);
      const absl::string_view view(digits.data(), digits.size());
      if (hex ? absl::SimpleHexAtoi(view, &rune) : absl::SimpleAtoi(view, &rune)) AppendRune(rune, &text);
    } else {
      const auto* const entity = std::find_if(std::begin(kEntities), std::end(kEntities), [&](const Entity& one) { return name == one.name; });
      if (entity == std::end(kEntities)) return Character(in_[at_++]);
      text = entity->text;
    }
    at_ = end + 1;
    if (text == " ") {
      Character(' ');
    } else {
      Text(text);
    }
  }

  void Character(char c) {
    if (c == '\r' || c == kOriginalBegins) return;
    if (c == '\n' && pre_ > 0) return NewLine();
    if (c == ' ' || c == '\t' || c == '\n') {
      // White space is one space, and none at the beginning of a line.
      if (!at_line_begin_ && pre_ == 0 && !out_.empty() && out_.back() == ' ') return;
      if (at_line_begin_ && pre_ == 0) return;
      c = ' ';
    }
    Text(std::string_view(&c, 1));
  }

  void Text(std::string_view text) {
    if (skip_ > 0 || text.empty()) return;
    if (at_line_begin_) {
      if (blank_ && !out_.empty()) {
        out_.append(Quote());
        out_.push_back('\n');
      }
      blank_ = false;
      out_.append(Quote());
      at_line_begin_ = false;
    }
    out_.append(text);
  }

  std::string_view Quote() const { return std::string_view("> > > > > > > > ", static_cast<size_t>(2 * std::min(quote_, kQuoteMax))); }
  void EndLine() {
    if (at_line_begin_) return;
    NewLine();
  }
  void NewLine() {
    if (skip_ > 0) return;
    if (at_line_begin_ && quote_ > 0) out_.append(Quote());
    while (!out_.empty() && out_.back() == ' ' && quote_ == 0) out_.pop_back();
    out_.push_back('\n');
    at_line_begin_ = true;
  }

  const std::string_view in_;
  size_t at_ = 0;
  std::string out_;
  std::vector<Open> open_;
  int quote_ = 0, skip_ = 0, pre_ = 0;
  bool at_line_begin_ = true;
  bool blank_ = false;  // a paragraph's distance is due before the next text
};

}  // namespace

std::string HtmlToText(std::string_view html) { return Reader(html).Run(); }

}  // namespace ringback::delivery
