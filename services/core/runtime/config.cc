// Reading the configuration. What keys there are stands in config_keys.cc.
#include "core/runtime/config.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <regex>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/status_macros.h"
#include "core/runtime/config_keys.h"
#include "core/runtime/config_toml.h"

namespace ringback::runtime {
namespace {

absl::Status Wrong(const std::string& where, const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat(where, ": ", what));
}

std::string NumberText(double number) {
  return number == std::floor(number) ? absl::StrCat(static_cast<int64_t>(number)) : absl::StrCat(number);
}

std::string DurationText(double seconds) { return absl::FormatDuration(absl::Seconds(seconds)); }

absl::Status NotWithin(const ConfigKey& key, bool duration) {
  return absl::InvalidArgumentError(
      absl::StrCat("must be ", duration ? DurationText(key.min) : NumberText(key.min), " to ",
                   duration ? DurationText(key.max) : NumberText(key.max)));
}

// Sets the field behind a key from its text; the error says what would be right.
struct Setter {
  const ConfigKey& key;
  const std::string& text;
  Config* config;

  absl::Status operator()(std::string Config::*field) const {
    if (text.find('\0') != std::string::npos) return absl::InvalidArgumentError("must not hold a NUL character");
    if (key.check != nullptr) RB_RETURN_IF_ERROR(key.check(text));
    config->*field = text;
    return absl::OkStatus();
  }
  absl::Status operator()(int Config::*field) const {
    int value = 0;
    if (!absl::SimpleAtoi(text, &value)) return absl::InvalidArgumentError("must be a whole number");
    if (value < key.min || value > key.max) return NotWithin(key, false);
    config->*field = value;
    return absl::OkStatus();
  }
  absl::Status operator()(bool Config::*field) const {
    const std::string lower = absl::AsciiStrToLower(text);
    if (lower != "true" && lower != "false" && lower != "yes" && lower != "no") {
      return absl::InvalidArgumentError("must be true or false");
    }
    config->*field = lower == "true" || lower == "yes";
    return absl::OkStatus();
  }
  absl::Status operator()(double Config::*field) const {
    double value = 0;
    if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) return absl::InvalidArgumentError("must be a number");
    if (value < key.min || value > key.max) return NotWithin(key, false);
    config->*field = value;
    return absl::OkStatus();
  }
  absl::Status operator()(absl::Duration Config::*field) const {
    absl::Duration value;
    if (!absl::ParseDuration(text, &value)) {
      return absl::InvalidArgumentError("must be a duration like \"20s\", \"5m\" or \"1h30m\"");
    }
    if (value < absl::Seconds(key.min) || value > absl::Seconds(key.max)) return NotWithin(key, true);
    config->*field = value;
    return absl::OkStatus();
  }
};

// Levenshtein's distance.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t best = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = std::exchange(row[j], best);
    }
  }
  return row[b.size()];
}

std::string EnvironmentName(const ConfigKey& key) {
  const std::string section = key.section == "ringback" ? "" : absl::AsciiStrToUpper(std::string(key.section)) + "_";
  return absl::StrCat("RINGBACK_", section, absl::AsciiStrToUpper(std::string(key.name)));
}

// "unknown key; did you mean …?" with the nearest of `names` when one is near.
template <typename NameOf>
std::string Unknown(const std::string& given, NameOf name_of) {
  std::string nearest;
  size_t distance = std::max<size_t>(2, given.size() / 3) + 1;
  for (const ConfigKey& key : ConfigKeys()) {
    const std::string name = name_of(key);
    const size_t d = Distance(given, name);
    if (d < distance) {
      distance = d;
      nearest = name;
    }
  }
  if (nearest.empty()) return absl::StrCat("unknown key ", given, "; --help-config lists all keys");
  return absl::StrCat("unknown key ", given, "; did you mean ", nearest, "?");
}

absl::Status SetKey(const std::string& where, const std::string& name, const std::string& text, Config* config) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.Key() != name) continue;
    const absl::Status set = std::visit(Setter{key, text, config}, key.field);
    if (set.ok()) return set;
    return Wrong(where, absl::StrCat(name, " ", std::string(set.message()), ", not \"", text, "\""));
  }
  // A key with its last part right and its section forgotten is the commonest mistake: name it in full.
  for (const ConfigKey& key : ConfigKeys()) {
    if (absl::EndsWith("." + name, absl::StrCat(".", std::string(key.name)))) {
      return Wrong(where, absl::StrCat("unknown key ", name, "; did you mean ", key.Key(), "?"));
    }
  }
  return Wrong(where, Unknown(name, [](const ConfigKey& key) { return key.Key(); }));
}

// TOML tells types apart: text where a number belongs is a mistake even if it reads like one.
absl::Status CheckTomlType(const TomlValue& value) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.Key() != value.key) continue;
    std::string wanted = key.Type();
    if (wanted == "path" || wanted == "duration") wanted = "text";
    if (wanted == value.type || (wanted == "number" && value.type == "integer")) return absl::OkStatus();
    return Wrong(value.where, absl::StrCat(value.key, " must be ",
                                           key.Type() == "duration" ? "a duration in quotes, like \"20s\""
                                           : wanted == "text"       ? "a text in quotes"
                                           : wanted == "yes/no"     ? "true or false"
                                                                    : "a number without quotes",
                                           ", not ", value.type == "text" ? absl::StrCat("\"", value.text, "\"") : value.text));
  }
  return absl::OkStatus();  // SetKey will name it
}

absl::Status ReadEnvironment(const std::map<std::string, std::string>& environment, Config* config) {
  static const std::set<std::string> others = {"RINGBACK_CONFIG", "RINGBACK_TARGET", "RINGBACK_TOKEN"};
  // What Kubernetes sets for a Service named ringback or ringback-something.
  static const std::regex service_links("RINGBACK_([A-Z0-9_]+_)?(SERVICE_HOST|SERVICE_PORT.*|PORT|PORT_[0-9]+_.*)");
  for (const auto& [name, text] : environment) {
    if (!absl::StartsWith(name, "RINGBACK_") || others.contains(name) || std::regex_match(name, service_links)) continue;
    const auto& keys = ConfigKeys();
    const auto key = std::find_if(keys.begin(), keys.end(), [&](const auto& k) { return EnvironmentName(k) == name; });
    if (key == keys.end()) return Wrong(name, Unknown(name, EnvironmentName));
    RB_RETURN_IF_ERROR(SetKey(name, key->Key(), text, config));
  }
  return absl::OkStatus();
}

struct DefaultText {
  const Config& config;
  std::string operator()(std::string Config::*field) const { return config.*field; }
  std::string operator()(int Config::*field) const { return absl::StrCat(config.*field); }
  std::string operator()(bool Config::*field) const { return config.*field ? "true" : "false"; }
  std::string operator()(double Config::*field) const { return NumberText(config.*field); }
  // "1m", not FormatDuration's "1m0s"; both read back the same.
  std::string operator()(absl::Duration Config::*field) const { return absl::FormatDuration(config.*field); }
};

}  // namespace

std::string Config::SqlitePath() const {
  if (absl::StartsWith(store, "sqlite:")) return store.substr(sizeof("sqlite:") - 1);
  return store.empty() ? data_dir + "/ringback.db" : "";
}
std::string Config::BlobDir() const {
  return absl::StartsWith(blobs, "dir:") ? blobs.substr(sizeof("dir:") - 1) : data_dir + "/blobs";
}
std::string Config::OutboxDir() const {
  if (absl::StartsWith(mail_transport, "maildir:")) return mail_transport.substr(sizeof("maildir:") - 1);
  return data_dir + "/outbox";
}
std::string Config::TokenPath() const { return data_dir + "/token"; }
std::string Config::ErasuresPath() const { return SqlitePath().empty() ? "" : data_dir + "/erasures"; }

std::vector<KeyHelp> ConfigReference() {
  const Config defaults;
  std::vector<KeyHelp> reference;
  for (const ConfigKey& key : ConfigKeys()) {
    reference.push_back({key.Key(), key.Type(), std::visit(DefaultText{defaults}, key.field), std::string(key.help)});
  }
  return reference;
}

std::string ExampleConfig() {
  std::string text =
      "# Every key of ringback with its default. Each can also be set by a variable (RINGBACK_MAIL_TRANSPORT,\n"
      "# RINGBACK_DATA_DIR) or a flag (--mail.transport, --data-dir); flags win over variables, variables over this file.\n";
  std::string section;
  for (const KeyHelp& key : ConfigReference()) {
    const size_t dot = key.key.find('.');
    if (key.key.substr(0, dot) != section) {
      section = key.key.substr(0, dot);
      absl::StrAppend(&text, "\n[", section, "]\n");
    }
    const bool quoted = key.type == "text" || key.type == "path" || key.type == "duration";
    absl::StrAppend(&text, "# ", key.help, "\n# ", key.key.substr(dot + 1), " = ", quoted ? "\"" : "",
                    key.default_value, quoted ? "\"" : "", "\n");
  }
  return text;
}

absl::StatusOr<Config> LoadConfig(const std::string& file, const std::map<std::string, std::string>& environment,
                                  const std::vector<std::pair<std::string, std::string>>& flags) {
  Config config;
  if (!file.empty()) {
    RB_ASSIGN_OR_RETURN(const std::vector<TomlValue> values, ReadToml(file));
    for (const TomlValue& value : values) {
      RB_RETURN_IF_ERROR(CheckTomlType(value));
      RB_RETURN_IF_ERROR(SetKey(value.where, value.key, value.text, &config));
    }
  }
  RB_RETURN_IF_ERROR(ReadEnvironment(environment, &config));
  for (const auto& [flag, text] : flags) {
    std::string name = absl::StrReplaceAll(flag, {{"-", "_"}});
    if (name.find('.') == std::string::npos) name = "ringback." + name;
    RB_RETURN_IF_ERROR(SetKey("--" + flag, name, text, &config));
  }
  RB_RETURN_IF_ERROR(CheckTogether(config));
  return config;
}

absl::StatusOr<std::string> ReadSecretFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return absl::InvalidArgumentError(absl::StrCat("cannot read ", path, ": ", std::strerror(errno)));
  struct stat info;
  std::string text;
  absl::Status status;
  constexpr size_t kMax = 1 << 20;
  if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    status = absl::InvalidArgumentError(absl::StrCat(path, " is no file"));
  } else if ((info.st_mode & (S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH)) != 0) {
    status = absl::InvalidArgumentError(absl::StrCat(path, " holds a secret, but others may read it: chmod 600 ", path));
  } else {
    char buffer[4096];
    for (ssize_t got; (got = read(fd, buffer, sizeof buffer)) > 0 && text.size() <= kMax;) {
      text.append(buffer, static_cast<size_t>(got));
    }
    if (text.size() > kMax) status = absl::InvalidArgumentError(absl::StrCat(path, " is too long for a secret"));
  }
  close(fd);
  RB_RETURN_IF_ERROR(status);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

}  // namespace ringback::runtime
