// Ordinary replies through the whole way in: read in the sandbox, matched by token, the original kept, the answer and its
// callback committed, each durable before the next step; and the reading alone. CPU of this process and of the parser's
// children is counted; what a core can do is one over it. Prints a JSON line.
//   ringback-mail-in-bench --mails N --threads N --write DIR     DIR gets the mails, for others to read
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/base/check.h"
#include "core/domain/rules.h"
#include "core/domain/team.h"
#include "core/runtime/host.h"
#include "core/runtime/service_main.h"
#include "core/store/records.h"
#include "delivery/answer_intake.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;

double CpuSeconds(clockid_t clock) {
  timespec used{};
  return clock_gettime(clock, &used) == 0 ? static_cast<double>(used.tv_sec) + 1e-9 * static_cast<double>(used.tv_nsec) : 0;
}

double CpuOf(const std::vector<int>& children) {
  double seconds = CpuSeconds(CLOCK_PROCESS_CPUTIME_ID);
  for (const int pid : children) {
    clockid_t clock;
    if (clock_getcpuclockid(pid, &clock) == 0) seconds += CpuSeconds(clock);
  }
  return seconds;
}

// As Outlook sends one: 4 KB, both forms, a signature, the original below.
std::string Reply(int number, const std::string& token) {
  const std::string words = absl::StrCat("Guten Morgen Frau Schmidt,\r\n\r\nes geht um die Bestellung ", 4000 + number,
                                         ". Zwei Kartons fehlen, und die Rechnung stimmt nicht.\r\nK=C3=B6nnen Sie mir dazu etwas sagen?\r\n");
  std::string original, html_original;
  for (int i = 0; i < 12; ++i) {
    absl::StrAppend(&original, "Das will ich gerne tun, habe allerdings noch zwei Angelegenheiten, die dringend sind.\r\n");
    absl::StrAppend(&html_original, "<p class=3DMsoNormal>Das will ich gerne tun, habe allerdings noch zwei Angelegenheiten.</p>\r\n");
  }
  return absl::StrCat(
      "Received: from mx.example.com (mx.example.com [192.0.2.7]) by mx.firma.example; Tue, 24 Nov 2026 10:00:01 +0100\r\n"
      "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1; h=from:to:subject; bh=47DEQpj8HBSa; b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSb\r\n"
      "From: =?utf-8?q?Max_M=C3=BCller?= <mueller", number, "@example.com>\r\nTo: Anna Schmidt <vertrieb+", token, "@firma.example>\r\n"
      "Subject: =?utf-8?q?AW=3A_Ihr_Anruf=3A_Anna_Schmidt_ruft_heute_um_13=3A00_Uhr_zur=C3=BCck?=\r\nDate: Tue, 24 Nov 2026 10:00:00 +0100\r\nMessage-ID: <AM0PR01MB", number,
      "@example.com>\r\nIn-Reply-To: <dl07h3k9x2m4q8w10001@ringback.localhost>\r\nReferences: <dl07h3k9x2m4q8w10001@ringback.localhost>\r\nMIME-Version: 1.0\r\n"
      "Content-Type: multipart/alternative; boundary=\"=_part\"\r\n\r\n--=_part\r\nContent-Type: text/plain; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
      words, "\r\nMit freundlichen Gr=C3=BC=C3=9Fen\r\nMax M=C3=BCller\r\n\r\nM=C3=BCller GmbH\r\nTel. 030 123456\r\n\r\nVon: Anna Schmidt\r\nGesendet: Dienstag, 24. November 2026 09:05\r\n"
      "An: Max M=C3=BCller\r\nBetreff: Ihr Anruf\r\n\r\n", original,
      "--=_part\r\nContent-Type: text/html; charset=\"utf-8\"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n<html><body><p>", words, "</p>", html_original,
      "</body></html>\r\n--=_part--\r\n");
}

struct Office {
  std::string team_id;
  std::vector<std::string> tokens;
};

// A team with an open callback for every mail.
Office Furnish(runtime::Host& host, int callbacks) {
  Office office;
  const absl::Time now = host.store().Now().value();
  record::TeamRecord team = domain::NewTeam(NewId(id_prefix::kTeam, 7, host.random()), "Bench", "Europe/Berlin", "de", now);
  office.team_id = team.id();
  std::vector<store::Commit> commits;
  store::Commit first;
  first.shard = 7;
  first.commit_id = "team";
  store::AddPut(store::TeamKey(team.id()).value(), 0, team, &first);
  commits.push_back(std::move(first));
  for (int i = 0; i < callbacks; ++i) {
    domain::Request request;
    request.callback_id = NewId(id_prefix::kCallback, 7, host.random());
    request.caller.set_email(absl::StrCat("mueller", i, "@example.com"));
    request.page_token = NewSecret(id_prefix::kPage, 7, host.random());
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = request.callback_id;
    store::AddDecision(nullptr, 0, domain::Open(request, team, domain::Actor{"bench"}, now).value(), now, &commit);
    record::TokenRecord token;
    token.set_team_id(team.id());
    token.set_role(record::TokenRecord::ROLE_PAGE);
    token.set_callback_id(request.callback_id);
    store::AddPut(store::PageTokenKey(request.page_token).value(), 0, token, &commit);
    office.tokens.push_back(request.page_token);
    commits.push_back(std::move(commit));
  }
  for (const auto& result : host.store().CommitAll(commits)) RB_CHECK(result.ok());
  return office;
}

struct Figures {
  double per_s = 0, per_core_s = 0, cpu_ms = 0;
};
// Runs `work(i)` for every i below `count` on some threads.
template <typename Work, typename Children>
Figures Measure(int count, int threads, const Children& children, const Work& work) {
  std::atomic<int> next{0};
  const double cpu = CpuOf(children());
  const absl::Time begin = absl::Now();
  std::vector<std::thread> crew;
  for (int t = 0; t < threads; ++t) {
    crew.emplace_back([&] {
      for (int i = next++; i < count; i = next++) work(i);
    });
  }
  for (std::thread& thread : crew) thread.join();
  const double wall = absl::ToDoubleSeconds(absl::Now() - begin), used = CpuOf(children()) - cpu;
  return {count / wall, count / used, 1000 * used / count};
}

int Main(int argc, char** argv) {
  int mails = 4000, threads = 16;
  std::string write;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i];
    if (flag == "--mails") mails = std::atoi(argv[i + 1]);
    if (flag == "--threads") threads = std::atoi(argv[i + 1]);
    if (flag == "--write") write = argv[i + 1];
  }
  const std::filesystem::path folder = std::filesystem::temp_directory_path() / absl::StrCat("ringback-mail-in-bench-", getpid());
  std::filesystem::create_directories(folder);
  runtime::Config config;
  config.data_dir = folder.string();
  config.log_level = "warn";
  auto host = runtime::Host::Create(config).value();
  const Office office = Furnish(*host, mails);
  std::vector<std::string> replies;
  for (int i = 0; i < mails; ++i) {
    replies.push_back(Reply(i, office.tokens[static_cast<size_t>(i)]));
    if (!write.empty()) std::ofstream(absl::StrCat(write, "/", i, ".eml"), std::ios::binary) << replies.back();
  }

  MailParserOptions options;
  options.program = MailParserBesideThisProgram();
  options.children_max = 2;
  MailParser parser(options);
  RB_CHECK(parser.Parse(replies[0]).ok());
  const Figures read = Measure(mails, 2, [&] { return parser.ChildPids(); }, [&](int i) {
    RB_CHECK(parser.Parse(replies[static_cast<size_t>(i)]).value().kind == MailKind::kReply);
  });

  AnswerIntake intake(*host);
  MailEnvelope envelope;
  envelope.team_id = office.team_id;
  RB_CHECK(intake.Take(envelope, "From: warm@example.com\r\nMessage-ID: <warm@up>\r\n\r\nx\r\n").ok());
  const Figures whole = Measure(mails, threads, [&] { return intake.ParserPids(); }, [&](int i) {
    const auto taken = intake.Take(envelope, replies[static_cast<size_t>(i)]);
    RB_CHECK(taken.ok() && !taken->repeated && taken->answer.match() == record::AnswerRecord::MATCH_TOKEN);
  });
  std::printf("{\"mails\": %d, \"bytes\": %zu, \"read_per_core_s\": %.0f, \"read_cpu_ms\": %.3f, \"whole_per_s\": %.0f, \"whole_per_core_s\": %.0f, "
              "\"whole_cpu_ms\": %.3f}\n",
              mails, replies[0].size(), read.per_core_s, read.cpu_ms, whole.per_s, whole.per_core_s, whole.cpu_ms);
  host.reset();
  std::filesystem::remove_all(folder);
  return 0;
}

}  // namespace
}  // namespace ringback::delivery

int main(int argc, char** argv) {
  ringback::runtime::PrepareProcess();
  return ringback::delivery::Main(argc, argv);
}
