// mail-in, answers, unmatched, tie, drop: what customers write back.
#include <sysexits.h>

#include <algorithm>
#include <fstream>
#include <istream>

#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/rpc/status.h"
#include "ringback/cli/cli.h"
#include "ringback/cli/commands.h"
#include "ringback/cli/print.h"

namespace ringback::cli {
namespace {

// The server keeps no more of a mail; one byte more tells it that there was more.
constexpr size_t kMailBytesMax = (50 << 20) + 1;
constexpr size_t kChunkBytes = 256 << 10;

// What standard input holds, as much of it as is kept. All of it is read: a pipe that breaks would look like a failure.
std::string ReadMail(std::istream& in) {
  std::string mail;
  char buffer[65536];
  while (in.read(buffer, sizeof buffer) || in.gcount() > 0) {
    mail.append(buffer, std::min<size_t>(static_cast<size_t>(in.gcount()), kMailBytesMax - mail.size()));
  }
  return mail;
}

grpc::Status TakeOnce(Session& session, const v1::TakeMailHeader& header, std::string_view mail, v1::TakeMailResponse* response) {
  const auto context = session.NewContext(absl::Minutes(5));
  const auto stream = session.answers().TakeMail(context.get(), response);
  v1::TakeMailRequest request;
  *request.mutable_header() = header;
  bool open = stream->Write(request);
  for (size_t at = 0; open && at < mail.size(); at += kChunkBytes) {
    const std::string_view chunk = mail.substr(at, kChunkBytes);
    request.set_chunk(chunk.data(), chunk.size());
    open = stream->Write(request);
  }
  stream->WritesDone();
  return stream->Finish();
}

// sysexits.h, as mail servers read them: EX_TEMPFAIL and EX_CONFIG keep the mail in the queue, EX_DATAERR and EX_NOPERM send
// it back. Whatever may be better tomorrow is EX_TEMPFAIL.
int MailServersCode(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk: return EX_OK;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kFailedPrecondition: return EX_CONFIG;
    case absl::StatusCode::kPermissionDenied: return EX_NOPERM;
    default: return EX_TEMPFAIL;
  }
}

absl::Status MailIn(World& world, const Options& options, const v1::TakeMailHeader& header) {
  const std::string mail = ReadMail(*world.in);
  if (mail.find_first_not_of(" \t\r\n") == std::string::npos) {
    return WithExitCode(absl::InvalidArgumentError("there is no mail on standard input"), EX_DATAERR);
  }
  auto opened = Session::Open(world, options);
  if (!opened.ok()) {
    // No token file may only mean that the server has not been started yet.
    return WithExitCode(opened.status(), absl::IsUnavailable(opened.status()) ? EX_TEMPFAIL : EX_CONFIG);
  }
  Session& session = **opened;
  v1::TakeMailHeader addressed = header;
  if (auto team = session.TeamId(); team.ok()) {
    addressed.set_team_id(*team);
  } else {
    return WithExitCode(team.status(), absl::IsNotFound(team.status()) ? EX_CONFIG : MailServersCode(team.status()));
  }
  v1::TakeMailResponse response;
  const absl::Status taken = rpc::FromGrpc(TakeOnce(session, addressed, mail, &response));
  if (!taken.ok()) return WithExitCode(taken, MailServersCode(taken));
  if (options.json) *world.out << ToJson(response) << "\n";
  return absl::OkStatus();
}

std::string KindWords(const v1::Answer& answer) {
  std::string words = PlainWords(v1::Answer::Kind_Name(answer.kind()), "KIND_");
  if (!answer.participation().empty()) absl::StrAppend(&words, ", ", PlainWords(answer.participation(), ""));
  if (answer.kind() == v1::Answer::KIND_BOUNCE) absl::StrAppend(&words, answer.bounce_permanent() ? ", for good" : ", still tried");
  return words;
}

void PrintAnswer(Session& session, const v1::Answer& answer) {
  std::ostream& out = *session.world().out;
  Fields fields;
  fields.Add("id", answer.id());
  fields.Add("from", answer.sender());
  fields.Add("subject", answer.subject());
  fields.Add("received", When(session, true, answer.create_time()));
  fields.Add("kind", KindWords(answer));
  if (answer.match() != v1::Answer::MATCH_UNSPECIFIED) {
    std::string found = PlainWords(v1::Answer::Match_Name(answer.match()), "MATCH_");
    if (!answer.matched_by().empty()) absl::StrAppend(&found, ", ", session.NameOf(answer.matched_by()));
    fields.Add("found by", found);
  }
  for (int i = 0; i < answer.attachments_size(); ++i) {
    const v1::Answer::Attachment& file = answer.attachments(i);
    fields.Add(absl::StrCat("file ", i + 1), absl::StrCat(file.file_name(), " (", file.media_type(), ", ", file.size_bytes(), " bytes)",
                                                         file.drop_reason().empty() ? "" : ", not kept for its ", file.drop_reason()));
  }
  for (const std::string& remark : answer.remarks()) fields.Add("remark", remark);
  fields.Print(out, session.world().ColourOut());
  if (!answer.text().empty()) out << "\n" << Printable(answer.text(), /*several_lines=*/true) << "\n";
}

absl::Status List(Session& session, const std::string& callback) {
  v1::ListAnswersRequest request;
  v1::ListAnswersResponse all;
  RB_ASSIGN_OR_RETURN(const v1::Callback found, session.FindCallback(callback));
  request.set_callback_id(found.id());
  request.set_page_size(500);
  do {
    v1::ListAnswersResponse page;
    RB_RETURN_IF_ERROR(session.Call([&](auto* context) { return session.answers().ListAnswers(context, request, &page); }));
    all.mutable_answers()->MergeFrom(page.answers());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::ostream& out = *session.world().out;
  if (session.options().json) {
    out << ToJson(all) << "\n";
  } else if (all.answers().empty()) {
    out << "Nothing was written back.\n";
  }
  for (int i = 0; !session.options().json && i < all.answers_size(); ++i) {
    if (i > 0) out << "\n";
    PrintAnswer(session, all.answers(i));
  }
  return absl::OkStatus();
}

absl::Status Download(Session& session, const std::string& answer, int attachment, const std::string& to) {
  v1::DownloadAnswerRequest request;
  request.set_answer_id(answer);
  request.set_attachment(attachment);
  const auto context = session.NewContext(absl::Minutes(5));
  const auto stream = session.answers().DownloadAnswer(context.get(), request);
  v1::DownloadAnswerResponse response;
  std::string bytes;
  while (stream->Read(&response)) bytes += response.chunk();
  RB_RETURN_IF_ERROR(rpc::FromGrpc(stream->Finish()));
  if (to.empty() || to == "-") {
    // A stranger's bytes must not steer the terminal.
    if (session.world().out_is_terminal) return UsageError("name a file with --to, or send the output to one");
    *session.world().out << bytes;
    return absl::OkStatus();
  }
  std::ofstream file(to, std::ios::binary);
  file << bytes;
  file.close();
  return file ? absl::OkStatus() : absl::UnavailableError(absl::StrCat(to, ": cannot be written"));
}

absl::Status Unmatched(Session& session) {
  v1::ListUnmatchedRequest request;
  v1::ListUnmatchedResponse all;
  RB_ASSIGN_OR_RETURN(*request.mutable_team_id(), session.TeamId());
  request.set_page_size(500);
  do {
    v1::ListUnmatchedResponse page;
    RB_RETURN_IF_ERROR(session.Call([&](auto* context) { return session.answers().ListUnmatched(context, request, &page); }));
    all.mutable_answers()->MergeFrom(page.answers());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  std::ostream& out = *session.world().out;
  if (session.options().json) {
    out << ToJson(all) << "\n";
  } else if (all.answers().empty()) {
    out << "Every mail has found its callback.\n";
  } else {
    Table table({"ID", "RECEIVED", "KIND", "FROM", "SUBJECT", "TEXT"});
    for (const v1::Answer& answer : all.answers()) {
      table.Row({answer.id(), When(session, true, answer.create_time()), KindWords(answer), answer.sender(), answer.subject(),
                 answer.text().substr(0, answer.text().find('\n'))});
    }
    table.Print(out, session.world().ColourOut());
    out << "\nringback tie ANSWER CALLBACK gives one to its callback, ringback drop ANSWER takes it off the list.\n";
  }
  return absl::OkStatus();
}

void AddMailIn(Commands& commands) {
  auto recipient = std::make_shared<std::string>(), sender = std::make_shared<std::string>();
  CLI::App* command = commands.app().add_subcommand("mail-in", "Take in one mail from standard input (RFC 5322): for mail servers");
  command->add_option("--recipient", *recipient, "The address that it was delivered to")->type_name("ADDRESS");
  command->add_option("--sender", *sender, "The sender on its envelope")->type_name("ADDRESS");
  command->footer("Exit codes as mail servers read them (sysexits.h): 0 taken, 75 try again later (the server is away), 78 a mistake\n"
                  "in the configuration (the mail is kept), 77 this token may not, 65 there is no mail.");
  commands.On(command, [&commands, recipient, sender] {
    v1::TakeMailHeader header;
    header.set_recipient(Printable(*recipient));
    header.set_sender(Printable(*sender));
    return MailIn(commands.world(), commands.options(), header);
  });
}

void AddAnswers(Commands& commands) {
  struct Args {
    std::string id, to;
    bool original = false;
    int attachment = 0;
  };
  auto args = std::make_shared<Args>();
  CLI::App* command = commands.app().add_subcommand("answers", "What a customer wrote back; the mail as it came; its files");
  command->add_option("ID", args->id, "The callback; with --original or --attachment an answer")->required();
  auto* const original = command->add_flag("--original", args->original, "The mail as it came");
  command->add_option("--attachment", args->attachment, "Its file with this number")->check(CLI::PositiveNumber)->excludes(original);
  command->add_option("--to", args->to, "Write it to this file instead of standard output")->type_name("FILE");
  commands.OnServer(command, [args](Session& session) {
    if (args->original || args->attachment > 0) return Download(session, args->id, args->attachment, args->to);
    return List(session, args->id);
  });
}

}  // namespace

void AddMailCommands(Commands& commands) {
  AddMailIn(commands);
  AddAnswers(commands);
  commands.OnServer(commands.app().add_subcommand("unmatched", "Mails that found no callback"), Unmatched);

  auto answer = std::make_shared<std::string>(), callback = std::make_shared<std::string>();
  auto unmatched = std::make_shared<bool>(false);
  CLI::App* tie = commands.app().add_subcommand("tie", "Give an unmatched mail to its callback, or one that was tied wrongly to another");
  tie->add_option("ANSWER", *answer, "The mail, an…")->required();
  CLI::Option* const to = tie->add_option("CALLBACK", *callback, "The callback; the first characters do");
  tie->add_flag("--unmatched", *unmatched, "Back on the list of unmatched mail")->excludes(to);
  commands.OnServer(tie, [answer, callback, unmatched](Session& session) -> absl::Status {
    if (callback->empty() && !*unmatched) return UsageError("say whose mail it is: a callback, or --unmatched");
    v1::Callback found;
    if (!*unmatched) {
      RB_ASSIGN_OR_RETURN(found, session.FindCallback(*callback));
    }
    v1::TieAnswerRequest request;
    v1::TieAnswerResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_answer_id(*answer);
    request.set_callback_id(found.id());
    request.set_unmatched(*unmatched);
    RB_RETURN_IF_ERROR(session.Call([&](auto* context) { return session.answers().TieAnswer(context, request, &response); }));
    if (session.options().json) {
      *session.world().out << ToJson(response) << "\n";
    } else if (*unmatched) {
      *session.world().out << *answer << " is on the list of unmatched mail\n";
    } else {
      PrintAfter(session, found, absl::StrCat("has the mail of ", response.answer().sender(), " now"));
    }
    return absl::OkStatus();
  });

  auto dropped = std::make_shared<std::string>();
  CLI::App* drop = commands.app().add_subcommand("drop", "Take an unmatched mail off the list; it leaves when its retention ends");
  drop->add_option("ANSWER", *dropped, "The mail, an…")->required();
  commands.OnServer(drop, [dropped](Session& session) -> absl::Status {
    v1::DropAnswerRequest request;
    v1::DropAnswerResponse response;
    request.set_request_id(session.NewRequestId());
    request.set_answer_id(*dropped);
    RB_RETURN_IF_ERROR(session.Call([&](auto* context) { return session.answers().DropAnswer(context, request, &response); }));
    if (session.options().json) {
      *session.world().out << ToJson(response) << "\n";
    } else {
      *session.world().out << *dropped << " is off the list\n";
    }
    return absl::OkStatus();
  });
}

}  // namespace ringback::cli
