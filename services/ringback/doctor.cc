// See doctor.h.
#include "ringback/doctor.h"

#include <google/protobuf/struct.pb.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <ostream>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/handoff/curve.h"
#include "core/runtime/open.h"
#include "core/runtime/open_handoff.h"
#include "core/runtime/service_main.h"
#include "core/runtime/store_address.h"
#include "delivery/mail_transport.h"
#include "delivery/wires.h"
#include "ringback/cli/text.h"
#include "ringback/data_lock.h"
#include "ringback/doctor_mailboxes.h"
#include "ringback/doctor_setup.h"
#include "ringback/server_options.h"
#include "transcode/codec_client.h"

namespace ringback {
namespace {

using Level = Finding::Level;

constexpr int64_t kDiskFail = int64_t{100} << 20;  // a backlog of recordings would fill it within the hour
constexpr int64_t kDiskWarn = int64_t{1} << 30;
constexpr absl::Duration kSkewMax = absl::Milliseconds(250);

std::string Text(const absl::Status& status) { return std::string(status.message()); }

Finding Token(const runtime::Config& config) {
  struct stat info;
  if (stat(config.TokenPath().c_str(), &info) != 0) {
    return {"token", Level::kOk, absl::StrCat(config.TokenPath(), " is not there yet; the server writes it when it starts")};
  }
  if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return {"token", Level::kFail, absl::StrCat("others may read ", config.TokenPath(), ", and act as you: chmod 600 ", config.TokenPath(),
                                                  ", then `ringback token list` and `ringback token revoke` what it holds")};
  }
  return {"token", Level::kOk, config.TokenPath()};
}

// Store and its clock. A database that is not there yet is not made.
void Store(const runtime::Config& config, Clock* clock, Random* random, std::vector<Finding>* findings) {
  std::error_code error;
  if (const absl::Status there = CheckDatabaseThere(config); !there.ok()) {
    findings->push_back({"store", Level::kFail, Text(there)});
    return;
  }
  if (!config.SqlitePath().empty() && !std::filesystem::exists(config.SqlitePath(), error)) {
    findings->push_back({"store", Level::kOk, absl::StrCat(config.SqlitePath(), " is not there yet; the first start makes it")});
    return;
  }
  const auto store = runtime::OpenStore(config, clock, random);
  if (!store.ok()) {
    const std::string what =
        absl::IsUnavailable(store.status()) && runtime::IsRedisAddress(config.store)
            ? absl::StrCat(config.store, ": ", Text(store.status()), "; is Redis running there? ringback.store names it. A full ",
                           "disk ends a Redis that syncs always: see its log")
            : Text(store.status());
    findings->push_back({"store", Level::kFail, what});
    return;
  }
  const absl::Status check = (*store)->Check();
  findings->push_back(check.ok() ? Finding{"store", Level::kOk, config.store.empty() ? config.SqlitePath() : config.store}
                                 : Finding{"store", Level::kFail, Text(check)});
  const absl::Time before = clock->Now();
  const auto now = (*store)->Now();
  const absl::Time after = clock->Now();
  if (!now.ok()) {
    findings->push_back({"clock", Level::kFail, Text(now.status())});
    return;
  }
  const absl::Duration skew = std::max({before - *now, *now - after, absl::ZeroDuration()});
  if (skew > kSkewMax) {
    findings->push_back({"clock", Level::kFail, absl::StrCat("differs from the store's by ", absl::FormatDuration(skew),
                                                             "; check the time synchronisation of both machines")});
  } else if (*now < absl::FromUnixSeconds(1735689600)) {  // 2025-01-01: a machine whose clock was never set
    findings->push_back({"clock", Level::kFail, absl::StrCat("it is said to be ", absl::FormatTime(*now), "; set the clock")});
  } else {
    findings->push_back({"clock", Level::kOk, absl::FormatTime(absl::RFC3339_sec, *now, absl::LocalTimeZone())});
  }
}

Finding Blobs(const runtime::Config& config) {
  std::error_code error;
  if (config.blobs.empty() && !std::filesystem::exists(config.BlobDir(), error)) {
    return {"blobs", Level::kOk, absl::StrCat(config.BlobDir(), " is not there yet; the first start makes it")};
  }
  const auto blobs = runtime::OpenBlobs(config);
  absl::Status status = blobs.ok() ? (*blobs)->Check() : blobs.status();
  // A key may have the right to write and lack those to list and to read.
  if (status.ok()) status = (*blobs)->List("", "", 1).status();
  if (status.ok()) status = (*blobs)->Size("doctor/none").status();
  if (absl::IsNotFound(status)) status = absl::OkStatus();
  return status.ok() ? Finding{"blobs", Level::kOk, config.blobs.empty() ? config.BlobDir() : config.blobs}
                     : Finding{"blobs", Level::kFail, Text(status)};
}

Finding Disk(const runtime::Config& config) {
  struct statvfs space;
  const std::string& place = access(config.data_dir.c_str(), F_OK) == 0 ? config.data_dir : ".";
  if (statvfs(place.c_str(), &space) != 0) return {"disk", Level::kFail, std::strerror(errno)};
  const int64_t free = static_cast<int64_t>(space.f_bavail) * static_cast<int64_t>(space.f_frsize);
  const std::string text = absl::StrCat(free >> 20, " MiB free");
  if (free < kDiskFail) return {"disk", Level::kFail, text + "; make room now: uploads will be refused soon"};
  if (free < kDiskWarn) return {"disk", Level::kWarn, text + "; that is little for recordings"};
  return {"disk", Level::kOk, text};
}

// Three seconds of a 440 Hz tone, 16 bit mono 16 kHz.
std::string TestTone() {
  constexpr int kRate = 16000, kSamples = 3 * kRate;
  std::string wav;
  const auto number = [&wav](uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) wav += static_cast<char>(value >> (8 * i));
  };
  wav += "RIFF";
  number(36 + kSamples * 2, 4);
  wav += "WAVEfmt ";
  number(16, 4), number(1, 2), number(1, 2), number(kRate, 4), number(kRate * 2, 4), number(2, 2), number(16, 2);
  wav += "data";
  number(kSamples * 2, 4);
  for (int i = 0; i < kSamples; ++i) {
    number(static_cast<uint16_t>(static_cast<int16_t>(8000 * std::sin(2 * 3.14159265358979 * 440 * i / kRate))), 2);
  }
  return wav;
}

// Not only whether the program starts: whether its sandbox and its libraries work on this machine.
Finding CodecProgram(const runtime::Config& config) {
  transcode::CodecOptions options;
  options.program = config.codec_path.empty() ? transcode::CodecBesideThisProgram() : config.codec_path;
  transcode::Codec codec(options);
  const auto result = codec.Transcode(TestTone(), {}, absl::Seconds(20));
  if (!result.ok()) {
    // The program may stand in front already.
    const std::string why = absl::StartsWith(Text(result.status()), options.program) ? "" : options.program + ": ";
    return {"codec", Level::kFail, absl::StrCat(why, Text(result.status()), "; no recording can be transcoded. The program belongs "
                                                "beside ringback; where else it is, transcode.codec_path says")};
  }
  for (const auto code : {transcode::FindingCode::kDecoderCrashed, transcode::FindingCode::kDecoderLimit}) {
    if (const transcode::Finding* const found = result->Find(code); found != nullptr) {
      return {"codec", Level::kFail, absl::StrCat(options.program, ": ", transcode::FindingText(*found, "en"))};
    }
  }
  return {"codec", Level::kOk, options.program + ", a test tone was transcoded"};
}

Finding Handoff(const runtime::Config& config) {
  const auto keys = runtime::HandoffKeys(config);
  if (!keys.ok()) return {"handoff", Level::kFail, Text(keys.status())};
  if (!keys->has_value()) {
    if (config.handoff_allow_plain) return {"handoff", Level::kWarn, "is not encrypted: handoff.allow_plain is set, without keys"};
    return {"handoff", Level::kOk, config.handoff_jobs_listen.empty() ? "within this program" : "on loopback, without keys"};
  }
  const auto client = handoff::PublicKeyOf((*keys)->client_secret);
  const auto server = handoff::PublicKeyOf((*keys)->server_secret);
  for (const absl::Status& status : {client.status(), server.status()}) {
    if (!status.ok()) return {"handoff", Level::kFail, Text(status)};
  }
  handoff::AllowedKeys allowed((*keys)->allowed_keys_file);
  if (const absl::Status loaded = allowed.Load(); !loaded.ok()) return {"handoff", Level::kFail, Text(loaded)};
  if (!allowed.AllowsText(*client)) {
    return {"handoff", Level::kFail, absl::StrCat("the key of this program, ", *client, ", is not in ",
                                                  (*keys)->allowed_keys_file, ": its peers will turn it away")};
  }
  return {"handoff", Level::kOk, "encrypted, and this program's key is on the list"};
}

Finding PublicUrl(const runtime::Config& config) {
  if (config.public_url.empty()) {
    return {"public_url", Level::kWarn, "ringback.public_url is not set: mails carry attachment and reply address, but no link to the "
                                         "customer's page. Fine where nobody can reach this machine from outside"};
  }
  if (absl::StartsWith(config.public_url, "http://")) {
    return {"public_url", Level::kWarn, config.public_url + " is not encrypted: put a proxy with a certificate in front and write https://"};
  }
  return {"public_url", Level::kOk, config.public_url};
}

// A mail that every server takes: plain ASCII, one line.
std::string TestMail(const std::string& from, const std::string& to, const std::string& message_id, absl::Time now) {
  return absl::StrCat("From: ringback <", from, ">\r\nTo: <", to, ">\r\nSubject: ringback doctor: mail works\r\nDate: ",
                      absl::FormatTime("%a, %d %b %Y %H:%M:%S %z", now, absl::UTCTimeZone()), "\r\nMessage-ID: <", message_id,
                      ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
                      "\r\nThis mail was sent by `ringback doctor --mail-test`. Nothing needs to be done.\r\n");
}

Finding MailDomain(const runtime::Config& config) {
  if (config.mail_domain != runtime::Config().mail_domain) return {"mail.domain", Level::kOk, config.mail_domain};
  return {"mail.domain", Level::kWarn, absl::StrCat("is ", config.mail_domain, ", which makes real mail look like spam: set it to the "
                                                    "firm's own domain")};
}

// The last line: whether there is something to do.
std::string Summary(const std::vector<Finding>& findings) {
  const auto count = [&](Level level) {
    return std::count_if(findings.begin(), findings.end(), [&](const Finding& finding) { return finding.level == level; });
  };
  const auto failed = count(Level::kFail), warned = count(Level::kWarn);
  const std::string known = warned == 0 ? "" : absl::StrCat(" (", warned, warned == 1 ? " line" : " lines", " marked warn: good to know)");
  if (failed == 0) return absl::StrCat("Nothing stands in the way", known, ".");
  return absl::StrCat("To mend: ", failed, failed == 1 ? " line" : " lines", " marked fail", known, ".");
}

const char* Word(Level level) { return level == Level::kOk ? "ok" : level == Level::kWarn ? "warn" : "fail"; }

void Print(const std::vector<Finding>& findings, bool json, cli::World& world) {
  if (json) {
    google::protobuf::Struct document;
    auto* const list = (*document.mutable_fields())["findings"].mutable_list_value();
    for (const Finding& finding : findings) {
      auto& fields = *list->add_values()->mutable_struct_value()->mutable_fields();
      fields["what"].set_string_value(finding.what);
      fields["level"].set_string_value(Word(finding.level));
      fields["text"].set_string_value(finding.text);
    }
    *world.out << cli::ToJson(document) << "\n";
    return;
  }
  for (const Finding& finding : findings) {
    const cli::Colour colour = finding.level == Level::kOk     ? cli::Colour::kGreen
                               : finding.level == Level::kWarn ? cli::Colour::kYellow
                                                               : cli::Colour::kRed;
    const std::string word = Word(finding.level);
    *world.out << cli::Paint(word, colour, world.ColourOut()) << std::string(6 - word.size(), ' ') << finding.what
               << std::string(finding.what.size() < 12 ? 12 - finding.what.size() : 1, ' ') << cli::Printable(finding.text) << "\n";
  }
  *world.out << Summary(findings) << "\n";
}

}  // namespace

std::vector<Finding> Examine(const runtime::Config& config, Clock* clock, Random* random) {
  std::vector<Finding> findings = {ExamineDataDir(config), Token(config)};
  Store(config, clock, random, &findings);
  findings.push_back(Blobs(config));
  findings.push_back(Disk(config));
  findings.push_back(CodecProgram(config));
  findings.push_back(ExamineAddresses(config));
  findings.push_back(ExamineTls(config, clock));
  findings.push_back(ExamineWebTls(config, clock));
  for (Finding& finding : ExamineSecrets(config)) findings.push_back(std::move(finding));
  for (Finding& finding : ExamineSipgateKey(config)) findings.push_back(std::move(finding));
  findings.push_back(Handoff(config));
  findings.push_back(PublicUrl(config));
  return findings;
}

Finding ExamineMail(const runtime::Config& config, const std::string& address, Clock* clock, Random* random) {
  if (address.empty() && (config.mail_transport.empty() || absl::StartsWith(config.mail_transport, "maildir:"))) {
    return {"mail", Level::kWarn, absl::StrCat("goes to nobody: it lands as files in ",
                                               config.mail_transport.empty() ? config.OutboxDir() : config.mail_transport,
                                               "; to send it, set mail.transport = \"smtp://HOST:587\"")};
  }
  const auto transport = delivery::MailTransportOf(config);
  if (!transport.ok()) return {"mail", Level::kFail, Text(transport.status())};
  const std::string way = (*transport)->Describe();
  if (address.empty()) return {"mail", Level::kWarn, way + ", not tried; --mail-test ADDRESS sends a real mail"};
  const auto to = domain::NormaliseEmail(address, "mail-test");
  if (!to.ok()) return {"mail", Level::kFail, Text(to.status())};
  delivery::Envelope envelope;
  envelope.recipient = *to;
  envelope.sender = config.mail_envelope_sender.empty() ? "ringback@" + config.mail_domain : config.mail_envelope_sender;
  envelope.message_id = absl::StrCat("doctor.", absl::Hex(random->Next(), absl::kZeroPad16), "@", config.mail_domain);
  const delivery::SendOutcome outcome = (*transport)->Send(
      TestMail(envelope.sender, envelope.recipient, envelope.message_id, clock->Now()), envelope, config.mail_timeout, {});
  if (outcome.result == delivery::SendResult::kAccepted) {
    return {"mail", Level::kOk, absl::StrCat(way, " took a mail to ", *to, outcome.reason.empty() ? "" : ": ", outcome.reason)};
  }
  return {"mail", Level::kFail, absl::StrCat(way, ": ", outcome.reason, outcome.transport_fault
                                                 ? "; look at mail.transport, mail.user and the firewall on the way"
                                                 : "")};
}

void AddDoctorCommand(cli::Commands& commands) {
  struct Args {
    ServerOptions server;
    std::string mail_test;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("doctor", "Look for what would keep the server from its work");
  command->add_option("--mail-test", args->mail_test, "Send a real mail there")->type_name("ADDRESS");
  args->server.AddTo(command);
  commands.On(command, [args, &commands]() -> absl::Status {
    runtime::PrepareProcess();
    std::signal(SIGPIPE, SIG_IGN);  // a mail server that hangs up is a finding
    cli::World& world = commands.world();
    std::vector<Finding> findings;
    const absl::StatusOr<runtime::Config> config = LoadServerConfig(args->server, commands);
    if (config.ok()) {
      findings = Examine(*config, world.clock, world.random);
      findings.insert(findings.begin(), {"config", Level::kOk, args->server.config_file.empty() ? "no file" : args->server.config_file});
      findings.push_back(ExamineMail(*config, args->mail_test, world.clock, world.random));
      if (absl::StartsWith(config->mail_transport, "smtp")) findings.push_back(MailDomain(*config));
      for (Finding& finding : ExamineMailboxes(*config)) findings.push_back(std::move(finding));
    } else {
      findings.push_back({"config", Level::kFail, Text(config.status())});
    }
    Print(findings, commands.options().json, world);
    const bool failed = std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.level == Level::kFail; });
    return failed ? absl::FailedPreconditionError("") : absl::OkStatus();
  });
}

}  // namespace ringback
