// The one configuration file: TOML, then RINGBACK_* variables, then flags. Every key describes itself in config.cc's
// table (name, type, default, unit, help); unknown keys are refused with file and line; secrets come by file path.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace ringback::runtime {

struct Config {
  // [ringback]
  std::string data_dir = "data";            // embedded mode: SQLite, blobs, outbox, token below it
  std::string store;                        // "sqlite:PATH" or as store_address.h reads; "": sqlite in data_dir
  std::string store_password_file;          // for redis, as all below
  int store_replicas = 0;                   // that must have a write before it is acknowledged
  std::string store_ca_file;                // over TLS; "": the system's
  std::string store_certificate_file;
  std::string store_key_file;
  std::string store_sentinel_password_file;
  std::string blobs;                        // "dir:PATH" or "s3://bucket[/prefix]"; "": below data_dir
  std::string grpc_listen = "127.0.0.1:7420";
  std::string http_listen = "127.0.0.1:7421";
  std::string metrics_listen;               // "": nowhere but where http_listen serves pages
  std::string public_url;                   // where customers reach the page; "": mails carry no link
  std::string region = "DE";                // for phone numbers in national form
  std::string clock_offset_file;            // tests only
  std::string log_level = "info";
  std::string log_format = "text";          // "text" or "json"
  int pool_threads = 8;
  absl::Duration orphan_grace = absl::Hours(24);   // bytes that no record names leave after it
  absl::Duration drain_timeout = absl::Seconds(20);
  absl::Duration drain_notice = absl::ZeroDuration();  // NOT_SERVING for so long before calls are turned away
  // gRPC over TLS when both are set; clients must show a certificate of `tls_client_ca_file` when that is set.
  std::string tls_certificate_file;
  std::string tls_key_file;
  std::string tls_client_ca_file;
  // [web]
  std::string web_public_listen;            // "": http_listen carries everything
  std::string web_tls_certificate_file;     // both listeners over TLS when both are set; read again when they change
  std::string web_tls_key_file;
  std::string web_proxies;                  // addresses whose X-Forwarded-For is believed, separated by commas
  std::string web_services;                 // rpc::ParsePlaces; "": this program's own
  std::string web_services_ca_file;         // "": the system's
  std::string web_member_header;            // "": no proxy signs members in
  absl::Duration web_session_lifetime = absl::Hours(7 * 24);
  std::string web_sipgate_key_file;         // PEM, public; "": sipgate's signature is not looked at
  bool web_accept_unsigned_hooks = false;   // where a provider signs and the team has no secret of it
  // [answers]
  std::string answers_mailboxes_file;       // TOML, see mailboxes.example.toml; "": none is read
  absl::Duration answers_poll = absl::Seconds(30);
  std::string answers_parser_path;          // "": ringback-mail-parser beside this program
  int answers_attachment_bytes_max = 10 << 20;
  // [handoff]; addresses are "host:port", lists are separated by commas
  std::string handoff_jobs_listen;          // "": jobs stay within this program
  std::string handoff_events_listen;
  std::string handoff_jobs_peers;           // producers whose jobs this program's workers take
  std::string handoff_events_peers;         // programs whose nudges are heard
  std::string handoff_curve_secret_key_file;   // the installation's; "": neither encrypted nor checked
  std::string handoff_curve_client_key_file;   // this program's own; "": the installation's
  std::string handoff_curve_allowed_keys_file;
  bool handoff_allow_plain = false;         // listen beyond loopback without keys
  std::string handoff_drop_for_tests;       // "jobs" or "all"; needs clock_offset_file
  // [s3]
  std::string s3_endpoint;                  // "https://host[:port]"; "": AWS's own for the region
  std::string s3_region;                    // "": AWS_REGION, else us-east-1
  bool s3_path_style = false;
  std::string s3_access_key_file;           // both "": AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN
  std::string s3_secret_key_file;
  std::string s3_ca_file;
  bool s3_allow_plain = false;              // http beyond loopback
  // [mail]
  std::string mail_transport;               // "smtp://host:port", "smtps://…", "maildir:DIR"; "": maildir below data_dir
  std::string mail_user;
  std::string mail_password_file;
  std::string mail_token_command;           // prints an OAuth2 access token; XOAUTH2 then
  std::string mail_ca_file;
  bool mail_allow_plain = false;            // SMTP without TLS beyond loopback
  std::string mail_domain = "ringback.localhost";   // of Message-IDs
  std::string mail_envelope_sender;         // receives bounces; "": the team's address
  double mail_rate_per_second = 0;          // 0: no limit
  absl::Duration mail_timeout = absl::Seconds(20);
  // [sms]
  std::string sms_url;                      // "": no SMS
  std::string sms_body;                     // template
  std::string sms_secret_file;
  // [webhook]
  bool webhook_allow_private = false;       // private and loopback addresses
  // [transcode]
  std::string codec_path;                   // "": ringback-codec beside this program
  int transcode_slots = 0;                  // 0: one per core, at most 8
  absl::Duration transcode_lease = absl::Seconds(120);  // prolonged while the work goes on
  absl::Duration codec_idle = absl::Seconds(60);
  // [delivery]
  int delivery_slots = 4;
  absl::Duration delivery_lease = absl::Seconds(60);    // ten seconds longer than mail_timeout at least
  int delivery_attempts_max = 12;
  absl::Duration bundle_window = absl::Seconds(60);   // alarms to one member within it go out as one

  std::string SqlitePath() const;
  std::string BlobDir() const;
  std::string OutboxDir() const;
  std::string TokenPath() const;
  std::string ErasuresPath() const;         // "": none is kept
};

// One key as the reference in `ringback serve --help-config` and config.example.toml shows it.
struct KeyHelp {
  std::string key;            // "mail.transport"
  std::string type;           // "text", "integer", "number", "duration", "yes/no", "path"
  std::string default_value;
  std::string help;
};
std::vector<KeyHelp> ConfigReference();
// The reference as a TOML file with every key commented out: config.example.toml.
std::string ExampleConfig();

// `file` may be "" (no file). `environment` holds RINGBACK_* variables ("RINGBACK_MAIL_TRANSPORT"), `flags` pairs of key
// and value ("mail.transport"; "data_dir" and "--data-dir" mean "ringback.data_dir"). Keys of [ringback] leave the section
// out in variables: RINGBACK_DATA_DIR. Variables that are no keys are refused, except RINGBACK_CONFIG, _TARGET, _TOKEN and
// those that Kubernetes makes of a Service's name. INVALID_ARGUMENT says file:line or the name of the variable or flag, what was wrong and
// what would be right.
absl::StatusOr<Config> LoadConfig(const std::string& file, const std::map<std::string, std::string>& environment,
                                  const std::vector<std::pair<std::string, std::string>>& flags);
// The text of a secret file without trailing line ends. Refuses one that others may read.
absl::StatusOr<std::string> ReadSecretFile(const std::string& path);

}  // namespace ringback::runtime
