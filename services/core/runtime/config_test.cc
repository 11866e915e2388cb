#include "core/runtime/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <sstream>

#include "core/base/temp_dir.h"
#include "core/runtime/service_main.h"

namespace ringback::runtime {
namespace {

using testing::HasSubstr;

class ConfigTest : public testing::Test {
 protected:
  absl::StatusOr<Config> Toml(const std::string& text) {
    std::ofstream(file_) << text;
    return LoadConfig(file_, {}, {});
  }
  std::string Error(const absl::StatusOr<Config>& config) {
    EXPECT_EQ(config.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(config.status().message());
  }

  const TempDir folder_;
  const std::string file_ = folder_.File("ringback.toml");
};

TEST_F(ConfigTest, NothingGivenMeansTheDefaults) {
  const Config config = LoadConfig("", {}, {}).value();
  EXPECT_EQ(config.grpc_listen, "127.0.0.1:7420");
  EXPECT_EQ(config.SqlitePath(), "data/ringback.db");
  EXPECT_EQ(config.BlobDir(), "data/blobs");
  EXPECT_EQ(config.OutboxDir(), "data/outbox");
  EXPECT_EQ(config.TokenPath(), "data/token");
}

TEST_F(ConfigTest, TheFileIsRead) {
  const Config config = Toml(R"([ringback]
data_dir = "/var/lib/ringback"
store = "sqlite:/fast/r.db"
pool_threads = 4
drain_timeout = "1h30m"
[mail]
transport = "maildir:/var/outbox"
allow_plain = true
rate_per_second = 2
)").value();
  EXPECT_EQ(config.SqlitePath(), "/fast/r.db");
  EXPECT_EQ(config.BlobDir(), "/var/lib/ringback/blobs");
  EXPECT_EQ(config.OutboxDir(), "/var/outbox");
  EXPECT_EQ(config.pool_threads, 4);
  EXPECT_EQ(config.drain_timeout, absl::Minutes(90));
  EXPECT_TRUE(config.mail_allow_plain);
  EXPECT_EQ(config.mail_rate_per_second, 2.0);
}

TEST_F(ConfigTest, FlagsWinOverVariablesAndThoseOverTheFile) {
  std::ofstream(file_) << "[ringback]\nregion = \"AT\"\nlog_level = \"warn\"\npool_threads = 3\n";
  const Config config = LoadConfig(file_, {{"RINGBACK_REGION", "CH"}, {"RINGBACK_LOG_LEVEL", "error"}},
                                   {{"log-level", "debug"}, {"mail.domain", "example.com"}}).value();
  EXPECT_EQ(config.region, "CH");
  EXPECT_EQ(config.log_level, "debug");
  EXPECT_EQ(config.pool_threads, 3);
  EXPECT_EQ(config.mail_domain, "example.com");
}

TEST_F(ConfigTest, AMistakeInTheFileIsNamedWithItsLineAndWhatWouldBeRight) {
  const struct {
    const char* text;
    const char* line;
    const char* right;
  } kCases[] = {
      {"[mail]\n\ntransprot = \"smtp://x\"\n", ":3: ", "unknown key mail.transprot; did you mean mail.transport?"},
      {"[ringback]\nregion = \"DE\"\n[mial]\nuser = \"x\"\n", ":4: ", "did you mean mail.user?"},
      {"data_dir = \"x\"\n", ":1: ", "did you mean ringback.data_dir?"},
      {"[ringback]\nxyzzyplugh = 1\n", ":2: ", "--help-config lists all keys"},
      {"[ringback.grpc_listen]\nport = 1\n", ":2: ", "unknown key ringback.grpc_listen.port"},
      {"[ringback]\npool_threads = \"8\"\n", ":2: ", "must be a number without quotes, not \"8\""},
      {"[ringback]\npool_threads = 2.5\n", ":2: ", "must be a number without quotes"},
      {"[ringback]\npool_threads = 0\n", ":2: ", "must be 1 to 256, not \"0\""},
      {"[ringback]\npool_threads = 9999999999999\n", ":2: ", "must be a whole number"},
      {"[ringback]\ndrain_timeout = 20\n", ":2: ", "a duration in quotes, like \"20s\""},
      {"[ringback]\ndrain_timeout = \"20\"\n", ":2: ", "like \"20s\", \"5m\" or \"1h30m\""},
      {"[ringback]\ndrain_timeout = \"-1s\"\n", ":2: ", "must be 0 to 24h"},
      {"[ringback]\ndrain_timeout = \"inf\"\n", ":2: ", "must be 0 to 24h"},
      {"[mail]\ntimeout = \"2h\"\n", ":2: ", "must be 1s to 59m50s"},
      {"[ringback]\nregion = 49\n", ":2: ", "a text in quotes"},
      {"[ringback]\nregion = [\"DE\"]\n", ":2: ", "a text in quotes, not a list"},
      {"[ringback]\nregion = \"Germany\"\n", ":2: ", "two capital letters"},
      {"[ringback]\ngrpc_listen = \"7420\"\n", ":2: ", "like 127.0.0.1:7420"},
      {"[ringback]\ngrpc_listen = \"x:70000\"\n", ":2: ", "like 127.0.0.1:7420"},
      {"[ringback]\nstore = \"mysql://x\"\n", ":2: ", "sqlite: or redis:// or rediss:// or sentinel:// or sentinels://"},
      {"[ringback]\npublic_url = \"call.example.com\"\n", ":2: ", "https:// or http://"},
      {"[ringback]\ndata_dir = \"\"\n", ":2: ", "must not be empty"},
      {"[ringback]\nlog_level = \"loud\"\n", ":2: ", "debug, info, warn, error"},
      {"[mail]\nallow_plain = \"true\"\n", ":2: ", "must be true or false"},
      {"[mail]\nallow_plain = 1\n", ":2: ", "must be true or false"},
      {"[mail]\nrate_per_second = -1\n", ":2: ", "must be 0 to 100000"},
      {"[mail]\ntransport = \"ftp://x\"\n", ":2: ", "smtp:// or smtps:// or maildir:"},
      {"[mail\n", ":1: ", ""},
      {"[mail]\nuser = \"a\"\nuser = \"b\"\n", ":3: ", ""},
  };
  for (const auto& each : kCases) {
    const std::string error = Error(Toml(each.text));
    EXPECT_THAT(error, HasSubstr(file_ + each.line)) << each.text;
    EXPECT_THAT(error, HasSubstr(each.right)) << each.text;
  }
}

TEST_F(ConfigTest, AMistakeInAVariableOrFlagNamesIt) {
  EXPECT_THAT(Error(LoadConfig("", {{"RINGBACK_MAIL_TRANSPROT", "x"}}, {})),
              HasSubstr("RINGBACK_MAIL_TRANSPROT: unknown key RINGBACK_MAIL_TRANSPROT; did you mean RINGBACK_MAIL_TRANSPORT?"));
  EXPECT_THAT(Error(LoadConfig("", {{"RINGBACK_POOL_THREADS", "many"}}, {})),
              HasSubstr("RINGBACK_POOL_THREADS: ringback.pool_threads must be a whole number, not \"many\""));
  EXPECT_THAT(Error(LoadConfig("", {}, {{"pol-threads", "1"}})), HasSubstr("did you mean ringback.pool_threads?"));
  EXPECT_THAT(Error(LoadConfig("", {}, {{"transport", "maildir:x"}})), HasSubstr("did you mean mail.transport?"));
}

TEST_F(ConfigTest, VariablesOfOthersAreLeftAlone) {
  EXPECT_TRUE(LoadConfig("", {{"RINGBACK_TOKEN", "x"}, {"RINGBACK_TARGET", "x"}, {"RINGBACK_CONFIG", "x"},
                              {"RINGBACK_SERVICE_HOST", "10.0.0.1"}, {"RINGBACK_PORT", "tcp://10.0.0.1:7420"},
                              {"RINGBACK_WEB_PORT_7421_TCP_ADDR", "10.0.0.1"}, {"PATH", "/bin"}}, {}).ok());
}

TEST_F(ConfigTest, WhatDoesNotFitTogetherIsRefused) {
  EXPECT_THAT(Error(Toml("[ringback]\ntls_key_file = \"k\"\n")), HasSubstr("set both or none"));
  EXPECT_THAT(Error(Toml("[ringback]\ntls_client_ca_file = \"k\"\n")), HasSubstr("needs ringback.tls_certificate_file"));
  EXPECT_THAT(Error(Toml("[s3]\naccess_key_file = \"a\"\n")), HasSubstr("set both or none"));
  EXPECT_THAT(Error(Toml("[mail]\npassword_file = \"a\"\ntoken_command = \"b\"\n")), HasSubstr("one of them"));
  EXPECT_THAT(Error(Toml("[mail]\ntimeout = \"51s\"\n")), HasSubstr("at least 10s less than delivery.lease"));
  EXPECT_TRUE(Toml("[mail]\ntimeout = \"51s\"\n[delivery]\nlease = \"61s\"\n").ok());
  EXPECT_THAT(Error(Toml("[ringback]\nstore = \"sentinel://a,b/main\"\n")), HasSubstr("store_replicas must be 1 or more"));
  EXPECT_THAT(Error(Toml("[ringback]\nstore = \"rediss://a\"\nstore_key_file = \"k\"\n")), HasSubstr("set both or none"));
  EXPECT_THAT(Error(Toml("[ringback]\nstore = \"redis://a\"\nstore_ca_file = \"c\"\n")), HasSubstr("over TLS"));
}

TEST_F(ConfigTest, AnS3AddressIsCheckedWhereItIsWritten) {
  EXPECT_EQ(Toml("[ringback]\nblobs = \"s3://takes/ringback\"\n")->blobs, "s3://takes/ringback");
  EXPECT_THAT(Error(Toml("[ringback]\nblobs = \"s3://Takes\"\n")), HasSubstr("ringback.toml:2: ringback.blobs must name a bucket"));
  EXPECT_THAT(Error(Toml("[ringback]\nblobs = \"s3://takes/../x\"\n")), HasSubstr("must have a prefix"));
  EXPECT_THAT(Error(Toml("[ringback]\nblobs = \"ftp://takes\"\n")), HasSubstr("must begin with dir: or s3://"));
  EXPECT_THAT(Error(Toml("[s3]\nregion = \"eu:central\"\n")), HasSubstr("eu-central-1"));
}

TEST_F(ConfigTest, AFileThatIsNotThereIsAnError) {
  EXPECT_THAT(Error(LoadConfig(folder_.File("nope.toml"), {}, {})), HasSubstr("nope.toml"));
}

// A container's mount of a file that is not there makes one: the defaults would be served without a word.
TEST_F(ConfigTest, AFolderIsNoFile) {
  EXPECT_THAT(Error(LoadConfig(folder_.File(""), {}, {})), HasSubstr("Is a directory"));
  EXPECT_TRUE(Toml("").ok()) << "an empty file is one";
}

TEST_F(ConfigTest, TheReferenceDescribesEveryKeyAndItsDefaultsReadBack) {
  std::vector<std::pair<std::string, std::string>> flags;
  for (const KeyHelp& key : ConfigReference()) {
    EXPECT_FALSE(key.help.empty()) << key.key;
    flags.emplace_back(key.key, key.default_value);
  }
  EXPECT_GE(flags.size(), 35u);
  EXPECT_TRUE(LoadConfig("", {}, flags).ok()) << LoadConfig("", {}, flags).status();
}

TEST_F(ConfigTest, TheHandoffBeyondLoopbackWantsKeysAndDropsNothingInEarnest) {
  using Flags = std::vector<std::pair<std::string, std::string>>;
  const auto said = [](const Flags& flags) { return std::string(LoadConfig("", {}, flags).status().message()); };
  EXPECT_EQ(said({{"handoff.jobs-listen", "127.0.0.1:7431"}, {"handoff.events-listen", "[::1]:7432"}}), "");
  EXPECT_THAT(said({{"handoff.jobs-listen", "0.0.0.0:7431"}}), HasSubstr("keygen"));
  EXPECT_EQ(said({{"handoff.jobs-listen", "0.0.0.0:7431"}, {"handoff.allow-plain", "true"}}), "");
  EXPECT_THAT(said({{"handoff.curve-secret-key-file", "key"}}), HasSubstr("curve_allowed_keys_file"));
  EXPECT_THAT(said({{"handoff.curve-client-key-file", "key"}}), HasSubstr("curve_secret_key_file"));
  EXPECT_EQ(said({{"handoff.jobs-peers", "ringback-ingest:7431, 10.0.0.7:7431"}}), "");
  EXPECT_THAT(said({{"handoff.jobs-peers", "ringback-ingest"}}), HasSubstr("with commas between"));
  EXPECT_THAT(said({{"handoff.drop-for-tests", "all"}}), HasSubstr("clock_offset_file"));
}

TEST_F(ConfigTest, TheExampleFileIsTheReference) {
  std::stringstream committed;
  committed << std::ifstream(RINGBACK_ROOT "/config.example.toml").rdbuf();
  EXPECT_EQ(committed.str(), ExampleConfig()) << "write it anew: ringback serve --help-config > config.example.toml";
}

TEST_F(ConfigTest, TheExampleFileWithItsCommentsTakenOffIsTheDefaultConfig) {
  std::string text = ExampleConfig(), uncommented;
  std::stringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("# ", 0) == 0 && line.find(" = ") != std::string::npos) line.erase(0, 2);
    uncommented += line + "\n";
  }
  const auto config = Toml(uncommented);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(config->mail_timeout, Config().mail_timeout);
  EXPECT_EQ(config->mail_domain, Config().mail_domain);
}

TEST_F(ConfigTest, SecretsAreReadWithoutTheirLineEndAndOnlyFromPrivateFiles) {
  std::ofstream(file_) << "geheim\r\n";
  chmod(file_.c_str(), 0600);
  EXPECT_EQ(ReadSecretFile(file_).value(), "geheim");
  for (const mode_t mode : {0640, 0604, 0660, 0602}) {
    chmod(file_.c_str(), mode);
    EXPECT_THAT(std::string(ReadSecretFile(file_).status().message()), HasSubstr("chmod 600")) << mode;
  }
  EXPECT_FALSE(ReadSecretFile(folder_.path()).ok());
  EXPECT_FALSE(ReadSecretFile(folder_.File("nope")).ok());
}

TEST(CommandLineTest, FlagsTakeTheirValueAfterASpaceOrAnEqualsSign) {
  const auto line = ParseCommandLine({"--config", "a.toml", "--data-dir=x=y", "--mail.user", "me"}).value();
  EXPECT_EQ(line.config_file, "a.toml");
  EXPECT_EQ(line.flags, (std::vector<std::pair<std::string, std::string>>{{"data-dir", "x=y"}, {"mail.user", "me"}}));
  EXPECT_TRUE(ParseCommandLine({"--help-config"})->help_config);
  EXPECT_TRUE(ParseCommandLine({"--help"})->help);
  EXPECT_FALSE(ParseCommandLine({"--data-dir"}).ok());
  EXPECT_FALSE(ParseCommandLine({"serve"}).ok());
  EXPECT_FALSE(ParseCommandLine({"--"}).ok());
}

}  // namespace
}  // namespace ringback::runtime
