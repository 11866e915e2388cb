#include "core/runtime/config_keys.h"

#include <initializer_list>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "core/base/status_macros.h"
#include "core/blob/s3_options.h"

namespace ringback::runtime {
namespace {

using C = Config;

constexpr absl::Duration kRecordingTime = absl::Seconds(10);  // for the outcome of a message that has left

absl::Status Wrong(const std::string& what_is_right) { return absl::InvalidArgumentError(what_is_right); }

absl::Status OneOf(const std::string& value, std::initializer_list<const char*> allowed) {
  for (const char* const each : allowed) {
    if (value == each) return absl::OkStatus();
  }
  return Wrong(absl::StrCat("must be one of ", absl::StrJoin(allowed, ", ")));
}

absl::Status StartsWithOneOf(const std::string& value, std::initializer_list<const char*> allowed) {
  if (value.empty()) return absl::OkStatus();
  for (const char* const each : allowed) {
    if (absl::StartsWith(value, each) && value.size() > std::string_view(each).size()) return absl::OkStatus();
  }
  return Wrong(absl::StrCat("must begin with ", absl::StrJoin(allowed, " or ")));
}

absl::Status NotEmpty(const std::string& value) {
  return value.empty() ? Wrong("must not be empty") : absl::OkStatus();
}

absl::Status Address(const std::string& value) {
  int port = 0;
  const size_t colon = value.rfind(':');
  if (colon != std::string::npos && colon > 0 && absl::SimpleAtoi(value.substr(colon + 1), &port) && port >= 0 &&
      port <= 65535) {
    return absl::OkStatus();
  }
  return Wrong("must be an address and a port, like 127.0.0.1:7420 or [::]:7420");
}

absl::Status OptionalAddress(const std::string& value) { return value.empty() ? absl::OkStatus() : Address(value); }

absl::Status Addresses(const std::string& value) {
  for (const auto& each : absl::StrSplit(value, ',', absl::SkipWhitespace())) {
    const absl::Status status = Address(std::string(absl::StripAsciiWhitespace(each)));
    if (!status.ok()) return Wrong("must be addresses and ports with commas between, like ringback-ingest:7431,10.0.0.7:7431");
  }
  return absl::OkStatus();
}

absl::Status Store(const std::string& value) { return StartsWithOneOf(value, {"sqlite:", "redis://", "rediss://", "sentinel://", "sentinels://"}); }
absl::Status Blobs(const std::string& value) {
  RB_RETURN_IF_ERROR(StartsWithOneOf(value, {"dir:", "s3://"}));
  blob::S3Options ignored;
  return absl::StartsWith(value, "s3://") ? blob::ParseS3Address(value, &ignored) : absl::OkStatus();
}
absl::Status WebAddress(const std::string& value) { return StartsWithOneOf(value, {"https://", "http://"}); }
absl::Status Transport(const std::string& value) { return StartsWithOneOf(value, {"smtp://", "smtps://", "maildir:"}); }
absl::Status Dropped(const std::string& value) { return OneOf(value, {"", "jobs", "all"}); }
absl::Status Level(const std::string& value) { return OneOf(value, {"debug", "info", "warn", "error"}); }
absl::Status Format(const std::string& value) { return OneOf(value, {"text", "json"}); }

absl::Status Region(const std::string& value) {
  if (value.size() == 2 && absl::ascii_isupper(static_cast<unsigned char>(value[0])) &&
      absl::ascii_isupper(static_cast<unsigned char>(value[1]))) {
    return absl::OkStatus();
  }
  return Wrong("must be a country's two capital letters (ISO 3166), like DE");
}

absl::Status S3Region(const std::string& value) {
  if (value.size() <= 40 && value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") == std::string::npos) {
    return absl::OkStatus();
  }
  return Wrong("must be a region's name, like eu-central-1");
}

absl::Status Domain(const std::string& value) {
  if (!value.empty() && value.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-") == std::string::npos) {
    return absl::OkStatus();
  }
  return Wrong("must be a domain in lower case, like mail.example.com");
}

bool OnLoopback(const std::string& address) {
  return address.empty() || absl::StartsWith(address, "127.") || absl::StartsWith(address, "[::1]:") ||
         absl::StartsWith(address, "localhost:");
}

absl::Status CheckHandoff(const Config& config) {
  const bool keys = !config.handoff_curve_secret_key_file.empty();
  if (keys != !config.handoff_curve_allowed_keys_file.empty()) {
    return Wrong("handoff.curve_secret_key_file and handoff.curve_allowed_keys_file: set both or none");
  }
  if (!keys && !config.handoff_curve_client_key_file.empty()) {
    return Wrong("handoff.curve_client_key_file needs handoff.curve_secret_key_file");
  }
  if (!keys && !config.handoff_allow_plain &&
      !(OnLoopback(config.handoff_jobs_listen) && OnLoopback(config.handoff_events_listen))) {
    return Wrong("handoff.jobs_listen and handoff.events_listen beyond loopback need handoff.curve_secret_key_file "
                 "(ringback keygen makes it), or handoff.allow_plain");
  }
  if (!config.handoff_drop_for_tests.empty() && config.clock_offset_file.empty()) {
    return Wrong("handoff.drop_for_tests is for tests, which also set ringback.clock_offset_file");
  }
  return absl::OkStatus();
}

}  // namespace

std::string ConfigKey::Type() const {
  struct Name {
    std::string operator()(std::string C::*) const { return "text"; }
    std::string operator()(int C::*) const { return "integer"; }
    std::string operator()(bool C::*) const { return "yes/no"; }
    std::string operator()(double C::*) const { return "number"; }
    std::string operator()(absl::Duration C::*) const { return "duration"; }
  };
  return path ? "path" : std::visit(Name{}, field);
}

const std::vector<ConfigKey>& ConfigKeys() {
  static const auto* const keys = new std::vector<ConfigKey>{
      {"ringback", "data_dir", &C::data_dir, "Where the embedded mode keeps its data: database, recordings, outgoing mail without SMTP, the local token.", true, 0, 0, NotEmpty},
      {"ringback", "store", &C::store, "Where the records are: sqlite:PATH, redis://[user@]host:port[/database] (rediss:// with TLS) or sentinel://host:port,host:port/master (sentinels:// with TLS). Empty: ringback.db in data_dir.", false, 0, 0, Store},
      {"ringback", "store_password_file", &C::store_password_file, "File with the password of Redis; readable by its owner only. Read again for every connection.", true},
      {"ringback", "store_replicas", &C::store_replicas, "How many replicas of Redis must have a write before it is acknowledged: as many as may be promoted. Needed with sentinels.", false, 0, 16},
      {"ringback", "store_ca_file", &C::store_ca_file, "PEM: certificates to trust for Redis over TLS instead of the system's.", true},
      {"ringback", "store_certificate_file", &C::store_certificate_file, "PEM chain to show to Redis. Goes together with store_key_file.", true},
      {"ringback", "store_key_file", &C::store_key_file, "PEM key of that certificate; readable by its owner only.", true},
      {"ringback", "store_sentinel_password_file", &C::store_sentinel_password_file, "File with the password of the sentinels, where they have one; readable by its owner only.", true},
      {"ringback", "blobs", &C::blobs, "Where recordings and renditions are: dir:PATH, or s3://BUCKET or s3://BUCKET/PREFIX (see s3). Empty: blobs in data_dir.", false, 0, 0, Blobs},
      {"ringback", "grpc_listen", &C::grpc_listen, "Address and port of the gRPC API; port 0 takes a free one.", false, 0, 0, Address},
      {"ringback", "http_listen", &C::http_listen, "Address and port of the pages; the all-in-one and ringback-web serve /metrics, /healthz and /readyz there too.", false, 0, 0, Address},
      {"ringback", "metrics_listen", &C::metrics_listen, "Address and port of /metrics, /healthz and /readyz alone, of any program, like 127.0.0.1:7425. Not for the internet. Empty: none.", false, 0, 0, OptionalAddress},
      {"ringback", "public_url", &C::public_url, "Where customers reach the pages, like https://call.example.com. Empty: mails carry attachment and answer address, but no link.", false, 0, 0, WebAddress},
      {"ringback", "region", &C::region, "Country of phone numbers that are typed in their national form.", false, 0, 0, Region},
      {"ringback", "clock_offset_file", &C::clock_offset_file, "For tests only: a file whose number of seconds shifts the clock.", true},
      {"ringback", "log_level", &C::log_level, "debug, info, warn or error.", false, 0, 0, Level},
      {"ringback", "log_format", &C::log_format, "text or json.", false, 0, 0, Format},
      {"ringback", "pool_threads", &C::pool_threads, "Threads that carry out calls. More help when the store is far away.", false, 1, 256},
      {"ringback", "orphan_grace", &C::orphan_grace, "After this time the bytes of a recording that no record names (an upload that a crash cut off) leave the disk.", false, 3600, 2592000},
      {"ringback", "drain_timeout", &C::drain_timeout, "How long running work may take to end after SIGTERM.", false, 0, 86400},
      {"ringback", "drain_notice", &C::drain_notice, "After SIGTERM health says NOT_SERVING for so long before calls are turned away, so that clients and load balancers that watch it go elsewhere first. Part of drain_timeout.", false, 0, 3600},
      {"ringback", "tls_certificate_file", &C::tls_certificate_file, "PEM chain: gRPC over TLS. Goes together with tls_key_file.", true},
      {"ringback", "tls_key_file", &C::tls_key_file, "PEM key of the certificate; readable by its owner only.", true},
      {"ringback", "tls_client_ca_file", &C::tls_client_ca_file, "PEM: clients must show a certificate signed by one of these.", true},
      {"web", "public_listen", &C::web_public_listen, "Address and port for the internet: carries the customers' pages and hooks and nothing else. Empty: http_listen carries everything.", false, 0, 0, OptionalAddress},
      {"web", "tls_certificate_file", &C::web_tls_certificate_file, "PEM chain: the pages over TLS; read again when it changes. Goes together with tls_key_file. Empty: plain HTTP, for loopback or behind a proxy.", true},
      {"web", "tls_key_file", &C::web_tls_key_file, "PEM key of the certificate; readable by its owner only.", true},
      {"web", "proxies", &C::web_proxies, "Addresses of the proxies in front, separated by commas: their X-Forwarded-For tells who asks."},
      {"web", "services", &C::web_services, "Where ringback-web finds the API for the team's pages: one address, or ingest=HOST:PORT,delivery=HOST:PORT,reminder=HOST:PORT. Empty: in this very program, as in the all-in-one."},
      {"web", "services_ca_file", &C::web_services_ca_file, "PEM file of the CA to trust there, when the addresses are https. Empty: the system's.", true},
      {"web", "member_header", &C::web_member_header, "Header in which the proxies of web.proxies say the mail address of whom they have signed in (OIDC), like X-Auth-Request-Email. Empty: members sign in here."},
      {"web", "session_lifetime", &C::web_session_lifetime, "How long a sign-in lasts.", false, 300, 7776000},
      {"web", "sipgate_key_file", &C::web_sipgate_key_file, "PEM file of the public key that sipgate.io signs its requests with: then unsigned ones are refused. Empty: the token in the address is all that protects them.", true},
      {"web", "accept_unsigned_hooks", &C::web_accept_unsigned_hooks, "Take calls reported in Twilio's name without its signature, from teams that have given no secret: then the token in the address is all that protects them."},
      {"answers", "mailboxes_file", &C::answers_mailboxes_file, "TOML file with the mailboxes that customers' answers are fetched from. Empty: none.", true},
      {"answers", "poll", &C::answers_poll, "How often each mailbox is read.", false, 1, 86400},
      {"answers", "parser_path", &C::answers_parser_path, "The program ringback-mail-parser. Empty: the one beside this program.", true},
      {"answers", "attachment_bytes_max", &C::answers_attachment_bytes_max, "Pictures and PDFs up to this size are kept with an answer.", false, 0, 104857600},
      {"handoff", "jobs_listen", &C::handoff_jobs_listen, "Where other programs' workers fetch the jobs this one has made (ZeroMQ). Empty: nowhere; this program alone works on them.", false, 0, 0, OptionalAddress},
      {"handoff", "events_listen", &C::handoff_events_listen, "Where other programs hear what has changed or come due here. Empty: nowhere.", false, 0, 0, OptionalAddress},
      {"handoff", "jobs_peers", &C::handoff_jobs_peers, "Every program's jobs_listen, separated by commas. A name stands for all its addresses and is looked up every few seconds.", false, 0, 0, Addresses},
      {"handoff", "events_peers", &C::handoff_events_peers, "Every program's events_listen, likewise.", false, 0, 0, Addresses},
      {"handoff", "curve_secret_key_file", &C::handoff_curve_secret_key_file, "File with the installation's secret key, the same for all programs (ringback keygen makes it). Empty: neither encrypted nor checked.", true},
      {"handoff", "curve_client_key_file", &C::handoff_curve_client_key_file, "File with this program's own secret key. Empty: the installation's.", true},
      {"handoff", "curve_allowed_keys_file", &C::handoff_curve_allowed_keys_file, "Public keys of the programs that may connect, one a line; read again when it has changed.", true},
      {"handoff", "allow_plain", &C::handoff_allow_plain, "Listen beyond loopback without keys. Not wise: voices travel there."},
      {"handoff", "drop_for_tests", &C::handoff_drop_for_tests, "For tests only: jobs or all; these messages are lost on purpose.", false, 0, 0, Dropped},
      {"s3", "endpoint", &C::s3_endpoint, "Address of the S3 server, like https://s3.example.com or http://127.0.0.1:9000. Empty: AWS in the region.", false, 0, 0, WebAddress},
      {"s3", "region", &C::s3_region, "Region that requests are signed for. Empty: AWS_REGION or AWS_DEFAULT_REGION, else us-east-1.", false, 0, 0, S3Region},
      {"s3", "path_style", &C::s3_path_style, "https://HOST/BUCKET instead of https://BUCKET.HOST: most servers other than AWS want it."},
      {"s3", "access_key_file", &C::s3_access_key_file, "File with the access key; readable by its owner only. Both empty: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN).", true},
      {"s3", "secret_key_file", &C::s3_secret_key_file, "File with the secret key; readable by its owner only.", true},
      {"s3", "ca_file", &C::s3_ca_file, "PEM: certificates to trust instead of the system's.", true},
      {"s3", "allow_plain", &C::s3_allow_plain, "Allow http without TLS to other machines. Not wise."},
      {"mail", "transport", &C::mail_transport, "smtp://host:port (STARTTLS), smtps://host:port (TLS) or maildir:DIR. Empty: a Maildir named outbox in data_dir.", false, 0, 0, Transport},
      {"mail", "user", &C::mail_user, "Login at the mail server. Empty: none."},
      {"mail", "password_file", &C::mail_password_file, "File with the password; readable by its owner only.", true},
      {"mail", "token_command", &C::mail_token_command, "Command that prints an OAuth2 access token; the login is XOAUTH2 then."},
      {"mail", "ca_file", &C::mail_ca_file, "PEM: certificates to trust instead of the system's.", true},
      {"mail", "allow_plain", &C::mail_allow_plain, "Allow SMTP without TLS to other machines. Not wise."},
      {"mail", "domain", &C::mail_domain, "Domain in the Message-IDs: the firm's own.", false, 0, 0, Domain},
      {"mail", "envelope_sender", &C::mail_envelope_sender, "Address that receives bounces. Empty: the team's address."},
      {"mail", "rate_per_second", &C::mail_rate_per_second, "At most so many messages a second. 0: no limit.", false, 0, 100000},
      {"mail", "timeout", &C::mail_timeout, "How long one message may take at the mail server: at least 10 s less than delivery.lease, for the outcome must be on record by then.", false, 1, 3590},
      {"sms", "url", &C::sms_url, "HTTP gateway for SMS. Empty: no SMS.", false, 0, 0, WebAddress},
      {"sms", "body", &C::sms_body, "Body of the request to the gateway, a Mustache template."},
      {"sms", "secret_file", &C::sms_secret_file, "File with the gateway's secret; readable by its owner only.", true},
      {"webhook", "allow_private", &C::webhook_allow_private, "Allow webhooks to private and loopback addresses."},
      {"transcode", "codec_path", &C::codec_path, "The program ringback-codec. Empty: the one beside this program.", true},
      {"transcode", "slots", &C::transcode_slots, "Recordings encoded at the same time, one process each. 0: as many as there are cores, at most 8.", false, 0, 256},
      {"transcode", "lease", &C::transcode_lease, "Whose program died or hangs, that recording is taken up by another after this time. Work that goes on keeps it.", false, 2, 3600},
      {"transcode", "codec_idle", &C::codec_idle, "An idle codec process ends after this time.", false, 0, 86400},
      {"delivery", "slots", &C::delivery_slots, "Messages on their way at the same time.", false, 1, 256},
      {"delivery", "lease", &C::delivery_lease, "Whose program died or hangs, that message is taken up by another after this time. Nothing leaves from a program that has held it longer.", false, 11, 3600},
      {"delivery", "attempts_max", &C::delivery_attempts_max, "Tries before a message goes to the dead letters; those made before a promise is at stake do not count.", false, 1, 1000},
      {"delivery", "bundle_window", &C::bundle_window, "Alarms to one member within this time go out as one message.", false, 0, 3600},
  };
  return *keys;
}

absl::Status CheckTogether(const Config& config) {
  const bool sentinels = absl::StartsWith(config.store, "sentinel");
  if (sentinels && config.store_replicas == 0) {
    return Wrong("ringback.store_replicas must be 1 or more with sentinels: a promoted replica must have what was acknowledged");
  }
  if (config.store_certificate_file.empty() != config.store_key_file.empty()) {
    return Wrong("ringback.store_certificate_file and ringback.store_key_file: set both or none");
  }
  const bool tls = absl::StartsWith(config.store, "rediss://") || absl::StartsWith(config.store, "sentinels://");
  if (!tls && !(config.store_ca_file.empty() && config.store_certificate_file.empty())) {
    return Wrong("ringback.store_ca_file and ringback.store_certificate_file need a store over TLS: rediss:// or sentinels://");
  }
  if (config.tls_certificate_file.empty() != config.tls_key_file.empty()) {
    return Wrong("ringback.tls_certificate_file and ringback.tls_key_file: set both or none");
  }
  if (!config.tls_client_ca_file.empty() && config.tls_certificate_file.empty()) {
    return Wrong("ringback.tls_client_ca_file needs ringback.tls_certificate_file and ringback.tls_key_file");
  }
  if (config.web_tls_certificate_file.empty() != config.web_tls_key_file.empty()) {
    return Wrong("web.tls_certificate_file and web.tls_key_file: set both or none");
  }
  if (!config.web_member_header.empty() && config.web_proxies.empty()) {
    return Wrong("web.member_header needs web.proxies: it is believed from those addresses alone");
  }
  if (config.s3_access_key_file.empty() != config.s3_secret_key_file.empty()) {
    return Wrong("s3.access_key_file and s3.secret_key_file: set both or none");
  }
  if (!config.mail_password_file.empty() && !config.mail_token_command.empty()) {
    return Wrong("mail.password_file and mail.token_command: set one of them, not both");
  }
  if (config.mail_timeout + kRecordingTime > config.delivery_lease) {
    return Wrong(absl::StrCat("mail.timeout must be at least ", absl::FormatDuration(kRecordingTime),
                              " less than delivery.lease: nobody may take a message over while it is on its way"));
  }
  return CheckHandoff(config);
}

}  // namespace ringback::runtime
