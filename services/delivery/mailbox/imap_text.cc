#include "delivery/mailbox/imap_text.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"

namespace ringback::delivery {
namespace {

constexpr uint64_t kLiteralMax = uint64_t{1} << 31;
constexpr int kLiteralsMax = 1000;

// The size in "…{120}" at the end of a line; nullopt when none is announced.
std::optional<uint64_t> AnnouncedLiteral(absl::string_view line) {
  if (!absl::ConsumeSuffix(&line, "}")) return std::nullopt;
  const size_t brace = line.rfind('{');
  uint64_t size = 0;
  if (brace == line.npos || !absl::SimpleAtoi(line.substr(brace + 1), &size)) return std::nullopt;
  return size;
}

// Words, quoted strings, literals and parentheses of a response, one after the other.
class Tokens {
 public:
  enum class Kind { kEnd, kOpen, kClose, kWord, kString };
  struct Token {
    Kind kind = Kind::kEnd;
    std::string text;
  };
  explicit Tokens(ImapResponse response) : response_(std::move(response)) {}

  Token Next() {
    const std::string& line = response_.line;
    while (at_ < line.size() && line[at_] == ' ') ++at_;
    if (at_ >= line.size()) return {};
    switch (line[at_]) {
      case '(': return ++at_, Token{Kind::kOpen, ""};
      case ')': return ++at_, Token{Kind::kClose, ""};
      case '"': return Quoted();
      case '{':
        if (literal_ < response_.literals.size()) {
          const size_t end = line.find('}', at_);
          at_ = end == line.npos ? line.size() : end + 1;
          return {Kind::kString, std::move(response_.literals[literal_++])};
        }
        break;
      default: break;
    }
    const size_t begin = at_;
    while (at_ < line.size() && line[at_] != ' ' && line[at_] != '(' && line[at_] != ')') ++at_;
    return {Kind::kWord, line.substr(begin, at_ - begin)};
  }

  // One value: what NIL is not, or nullopt. A list is passed over, however deep it goes.
  std::optional<std::string> Value() {
    Token token = Next();
    for (int depth = token.kind == Kind::kOpen ? 1 : 0; depth > 0;) {
      token = Next();
      if (token.kind == Kind::kEnd) return std::nullopt;
      depth += token.kind == Kind::kOpen ? 1 : token.kind == Kind::kClose ? -1 : 0;
      if (depth == 0) return std::nullopt;
    }
    if (token.kind == Kind::kString) return std::move(token.text);
    if (token.kind != Kind::kWord || absl::EqualsIgnoreCase(token.text, "NIL")) return std::nullopt;
    return std::move(token.text);
  }

 private:
  Token Quoted() {
    const std::string& line = response_.line;
    Token token{Kind::kString, ""};
    for (++at_; at_ < line.size() && line[at_] != '"'; ++at_) {
      if (line[at_] == '\\' && at_ + 1 < line.size()) ++at_;
      token.text += line[at_];
    }
    ++at_;
    return token;
  }

  ImapResponse response_;
  size_t at_ = 0;
  size_t literal_ = 0;
};

}  // namespace

absl::StatusOr<std::optional<ImapResponse>> ImapReader::Next() {
  for (;;) {
    const size_t end = buffer_.find('\n', searched_);
    if (end == buffer_.npos) {
      searched_ = buffer_.size();
      return std::nullopt;
    }
    searched_ = end;  // again, should its literal not be here yet
    absl::string_view line(buffer_.data(), end);
    absl::ConsumeSuffix(&line, "\r");
    const std::optional<uint64_t> literal = AnnouncedLiteral(line);
    if (!literal.has_value()) {
      response_.line.append(line.data(), line.size());
      buffer_.erase(0, end + 1);
      searched_ = 0;
      return std::exchange(response_, ImapResponse());
    }
    if (*literal > kLiteralMax || response_.literals.size() >= kLiteralsMax) {
      return absl::InvalidArgumentError("a literal that is too large, or too many of them");
    }
    if (buffer_.size() - end - 1 < *literal) return std::nullopt;
    response_.line.append(line.data(), line.size());
    response_.literals.push_back(buffer_.substr(end + 1, *literal));
    buffer_.erase(0, end + 1 + *literal);
    searched_ = 0;
  }
}

std::optional<absl::string_view> Untagged(const ImapResponse& response, absl::string_view name) {
  absl::string_view line = response.line;
  if (!absl::ConsumePrefix(&line, "* ") || !absl::StartsWithIgnoreCase(line, name)) return std::nullopt;
  line.remove_prefix(name.size());
  if (!line.empty() && line.front() != ' ') return std::nullopt;
  return absl::StripLeadingAsciiWhitespace(line);
}

std::optional<uint32_t> ResponseCode(const ImapResponse& response, absl::string_view name) {
  auto rest = Untagged(response, "OK");
  if (!rest.has_value() || !absl::ConsumePrefix(&*rest, "[") || !absl::StartsWithIgnoreCase(*rest, name)) return std::nullopt;
  rest->remove_prefix(name.size());
  uint32_t number = 0;
  if (!absl::ConsumePrefix(&*rest, " ") || !absl::SimpleAtoi(rest->substr(0, rest->find(']')), &number)) return std::nullopt;
  return number;
}

void AppendSearch(const ImapResponse& response, std::vector<uint32_t>* uids) {
  const auto rest = Untagged(response, "SEARCH");
  if (!rest.has_value()) return;
  for (const absl::string_view word : absl::StrSplit(*rest, ' ', absl::SkipEmpty())) {
    uint32_t uid = 0;
    if (absl::SimpleAtoi(word, &uid) && uid > 0) uids->push_back(uid);
  }
}

std::optional<ImapFetch> ParseFetch(ImapResponse response) {
  Tokens tokens(std::move(response));
  uint32_t ignored = 0;
  if (tokens.Next().text != "*" || !absl::SimpleAtoi(tokens.Next().text, &ignored) ||
      !absl::EqualsIgnoreCase(tokens.Next().text, "FETCH") || tokens.Next().kind != Tokens::Kind::kOpen) {
    return std::nullopt;
  }
  ImapFetch fetch;
  for (auto name = tokens.Next(); name.kind == Tokens::Kind::kWord; name = tokens.Next()) {
    std::optional<std::string> value = tokens.Value();
    if (absl::EqualsIgnoreCase(name.text, "UID")) {
      if (!absl::SimpleAtoi(value.value_or(""), &fetch.uid)) fetch.uid = 0;
    } else if (absl::EqualsIgnoreCase(name.text, "RFC822.SIZE")) {
      if (!absl::SimpleAtoi(value.value_or(""), &fetch.size)) fetch.size = -1;
    } else if (absl::StartsWithIgnoreCase(name.text, "BODY[")) {
      fetch.has_body = true;
      fetch.body = std::move(value).value_or("");
    }
  }
  return fetch;
}

std::string ImapQuoted(absl::string_view text) {
  return absl::StrCat("\"", absl::StrReplaceAll(text, {{"\\", "\\\\"}, {"\"", "\\\""}}), "\"");
}

}  // namespace ringback::delivery
