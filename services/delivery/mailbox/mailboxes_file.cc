// TOML by toml++, as core/runtime/config_toml.cc; that one flattens and knows no [[lists]] of tables.
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include "delivery/mailbox/mailboxes_file.h"

#include <toml++/toml.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/strip.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "delivery/reason_line.h"

namespace ringback::delivery {
namespace {

constexpr int kDaysMax = 3650;
constexpr size_t kNameMax = 60;

struct Key {
  const char* name;
  std::variant<std::string MailboxSettings::*, int MailboxSettings::*, bool> field;  // bool: allow_plain, which is no field
};
const std::vector<Key>& Keys() {
  static const auto& keys = *new std::vector<Key>{
      {"name", &MailboxSettings::name},
      {"url", &MailboxSettings::url},
      {"user", &MailboxSettings::user},
      {"password_file", &MailboxSettings::password_file},
      {"token_command", &MailboxSettings::token_command},
      {"ca_file", &MailboxSettings::ca_file},
      {"allow_plain", false},
      {"folder", &MailboxSettings::folder},
      {"done_folder", &MailboxSettings::done_folder},
      {"team", &MailboxSettings::team},
      {"first_days", &MailboxSettings::first_days},
  };
  return keys;
}

absl::Status Wrong(const std::string& where, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

std::string KnownKeys() {
  return absl::StrJoin(Keys(), ", ", [](std::string* out, const Key& key) { out->append(key.name); });
}

// Reads one [[mailbox]], key by key.
class Reader {
 public:
  Reader(std::string file, const toml::table& table) : file_(std::move(file)), table_(table) {}

  absl::StatusOr<MailboxSettings> Read() {
    RB_RETURN_IF_ERROR(ReadKeys());
    for (const char* const needed : {"name", "url", "user", "team"}) {
      if (!table_.contains(needed)) return Wrong(Here(), absl::StrCat("this mailbox needs a ", needed));
    }
    RB_RETURN_IF_ERROR(CheckTexts());
    RB_RETURN_IF_ERROR(ReadUrl());
    if (box_.password_file.empty() == box_.token_command.empty()) {
      return Wrong(Here(), "set one of password_file and token_command");
    }
    if (!ShardOf(box_.team, id_prefix::kTeam).ok()) {
      return Wrong(At("team"), absl::StrCat("team must be a team's id, which begins with tm (`ringback team show` says it), not \"",
                                            box_.team, "\""));
    }
    if (box_.first_days < 0 || box_.first_days > kDaysMax) {
      return Wrong(At("first_days"), absl::StrCat("first_days must be 0 to ", kDaysMax));
    }
    if (box_.done_folder == box_.folder) return Wrong(At("done_folder"), "done_folder must be another than folder");
    return box_;
  }

 private:
  std::string Here() const { return Where(table_.source()); }
  std::string At(const char* key) const {
    const toml::node* const node = table_.get(key);
    return node == nullptr ? Here() : Where(node->source());
  }
  std::string Where(const toml::source_region& source) const { return absl::StrCat(file_, ":", source.begin.line); }

  absl::Status ReadKeys() {
    for (const auto& [name, node] : table_) {
      const std::string given(name.str());
      const auto key = std::find_if(Keys().begin(), Keys().end(), [&](const Key& each) { return given == each.name; });
      const std::string where = Where(node.source());
      if (key == Keys().end()) return Wrong(where, absl::StrCat("unknown key ", given, "; a mailbox has ", KnownKeys()));
      if (const auto* const text = std::get_if<std::string MailboxSettings::*>(&key->field)) {
        if (!node.is_string()) return Wrong(where, absl::StrCat(given, " must be a text in quotes"));
        box_.*(*text) = node.as_string()->get();
      } else if (const auto* const number = std::get_if<int MailboxSettings::*>(&key->field)) {
        if (!node.is_integer()) return Wrong(where, absl::StrCat(given, " must be a whole number without quotes"));
        box_.*(*number) = static_cast<int>(std::clamp<int64_t>(node.as_integer()->get(), -1, kDaysMax + 1));
      } else {
        if (!node.is_boolean()) return Wrong(where, absl::StrCat(given, " must be true or false"));
        allow_plain_ = node.as_boolean()->get();
      }
    }
    return absl::OkStatus();
  }

  // Nothing in them may end the line in which it is sent.
  absl::Status CheckTexts() const {
    for (const Key& key : Keys()) {
      const auto* const text = std::get_if<std::string MailboxSettings::*>(&key.field);
      if (text == nullptr) continue;
      const std::string& value = box_.*(*text);
      if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return absl::ascii_iscntrl(c); })) {
        return Wrong(At(key.name), absl::StrCat(key.name, " must not hold control characters"));
      }
    }
    if (box_.name.empty() || box_.name.size() > kNameMax) {
      return Wrong(At("name"), absl::StrCat("name must have 1 to ", kNameMax, " characters"));
    }
    if (box_.user.empty()) return Wrong(At("user"), "user must not be empty");
    if (box_.folder.empty()) return Wrong(At("folder"), "folder must not be empty; leave it out for INBOX");
    return absl::OkStatus();
  }

  absl::Status ReadUrl() {
    const auto wrong = [&] {
      return Wrong(At("url"), absl::StrCat("url must be imaps://host, imaps://host:port or imap://host:port, not \"", box_.url, "\""));
    };
    absl::string_view rest = box_.url;
    box_.implicit_tls = absl::ConsumePrefix(&rest, "imaps://");
    if (!box_.implicit_tls && !absl::ConsumePrefix(&rest, "imap://")) return wrong();
    absl::ConsumeSuffix(&rest, "/");
    box_.port = box_.implicit_tls ? 993 : 143;
    const size_t bracket = rest.rfind(']');
    const size_t colon = rest.rfind(':');
    if (colon != rest.npos && (bracket == rest.npos || colon > bracket)) {
      if (!absl::SimpleAtoi(rest.substr(colon + 1), &box_.port) || box_.port < 1 || box_.port > 65535) return wrong();
      rest = rest.substr(0, colon);
    }
    if (absl::ConsumePrefix(&rest, "[") && !absl::ConsumeSuffix(&rest, "]")) return wrong();
    if (rest.empty() || rest.find_first_of("/@?# ") != rest.npos) return wrong();
    box_.host = std::string(rest);
    const bool loopback = box_.host == "localhost" || absl::StartsWith(box_.host, "127.") || box_.host == "::1";
    box_.start_tls = !box_.implicit_tls && !loopback && !allow_plain_;
    return absl::OkStatus();
  }

  const std::string file_;
  const toml::table& table_;
  MailboxSettings box_;
  bool allow_plain_ = false;
};

}  // namespace

absl::StatusOr<std::vector<MailboxSettings>> ReadMailboxes(const std::string& file) {
  std::ifstream stream(file);
  if (!stream) return absl::InvalidArgumentError(absl::StrCat("cannot read ", file, ": ", std::strerror(errno)));
  std::stringstream text;
  text << stream.rdbuf();
  const toml::parse_result result = toml::parse(text.str(), file);
  if (!result) {
    return Wrong(absl::StrCat(file, ":", result.error().source().begin.line), std::string(result.error().description()));
  }
  std::vector<MailboxSettings> boxes;
  std::set<std::string> names;
  for (const auto& [key, node] : result.table()) {
    const auto where = [&](const toml::node& at) { return absl::StrCat(file, ":", at.source().begin.line); };
    const toml::array* const list = node.as_array();
    if (key.str() != "mailbox" || list == nullptr || !list->is_homogeneous(toml::node_type::table)) {
      return Wrong(where(node), absl::StrCat("only [[mailbox]] can stand here, not ", std::string(key.str())));
    }
    for (const toml::node& each : *list) {
      RB_ASSIGN_OR_RETURN(MailboxSettings box, Reader(file, *each.as_table()).Read());
      if (!names.insert(box.name).second) {
        return Wrong(where(each), absl::StrCat("there is another mailbox named \"", box.name, "\"; give each a name of its own"));
      }
      boxes.push_back(std::move(box));
    }
  }
  return boxes;
}

std::string WithoutUser(absl::string_view text, const MailboxSettings& settings) {
  return ReasonLine(settings.user.empty() ? std::string(text) : absl::StrReplaceAll(text, {{settings.user, "the user"}}));
}

}  // namespace ringback::delivery
