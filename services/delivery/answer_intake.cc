#include "delivery/answer_intake.h"

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/ids.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/store/records.h"
#include "delivery/answer_effects.h"
#include "delivery/answer_match.h"
#include "delivery/mail_in/mail_limits.h"
#include "delivery/mail_in/mail_text.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::AnswerRecord;

constexpr int kTries = 10;
constexpr int kDefaultRetentionDays = 30;

MailParserOptions ParserOptions(const runtime::Config& config) {
  MailParserOptions options;
  options.program = config.answers_parser_path.empty() ? MailParserBesideThisProgram() : config.answers_parser_path;
  options.children_max = std::clamp<int>(static_cast<int>(std::thread::hardware_concurrency()), 1, 4);
  options.limits.file_bytes_max = static_cast<uint64_t>(config.answers_attachment_bytes_max);
  return options;
}

AnswerRecord::Kind KindOf(MailKind kind) {
  switch (kind) {
    case MailKind::kReply: return AnswerRecord::KIND_REPLY;
    case MailKind::kAutomatic: return AnswerRecord::KIND_AUTOMATIC;
    case MailKind::kBounce: return AnswerRecord::KIND_BOUNCE;
    case MailKind::kCalendar: return AnswerRecord::KIND_CALENDAR;
    case MailKind::kUnreadable: return AnswerRecord::KIND_UNREADABLE;
  }
  return AnswerRecord::KIND_UNREADABLE;
}

// Side by side in the shard's folder: a folder for each mail would cost as much again as the file in it.
std::string BlobName(const std::string& answer_id, const std::string& part) {
  return absl::StrCat(answer_id.substr(2, 2), "/", answer_id, ".", part);
}

AnswerRecord AnswerOf(const std::string& id, const MailEnvelope& envelope, const ParsedMail& mail, size_t size) {
  AnswerRecord answer;
  answer.set_id(id);
  answer.set_team_id(envelope.team_id);
  answer.set_source(AnswerRecord::SOURCE_MAIL);
  answer.set_kind(KindOf(mail.kind));
  answer.set_sender(mail.sender.empty() ? FirstAddress(envelope.sender) : mail.sender);
  answer.set_subject(mail.subject);
  answer.set_message_id(mail.message_id);
  answer.set_text(mail.text);
  answer.set_original_blob(BlobName(id, "original"));
  answer.set_original_size_bytes(static_cast<int64_t>(size));
  for (size_t i = 0; i < mail.files.size(); ++i) {
    const MailFile& file = mail.files[i];
    AnswerRecord::Attachment& attachment = *answer.add_attachments();
    attachment.set_file_name(file.file_name);
    attachment.set_media_type(file.media_type);
    attachment.set_size_bytes(static_cast<int64_t>(file.size_bytes));
    attachment.set_drop_reason(file.drop_reason);
    if (file.drop_reason.empty()) attachment.set_blob(BlobName(id, absl::StrCat(i + 1)));
  }
  for (const std::string& remark : mail.remarks) answer.add_remarks(remark);
  if (!mail.automatic_sign.empty()) answer.add_remarks(absl::StrCat("automatic: ", mail.automatic_sign));
  if (envelope.cut) answer.add_remarks(absl::StrCat("it is larger than ", kMailBytesMax >> 20, " MiB; only its beginning was kept"));
  answer.set_participation(mail.calendar.participation);
  if (mail.calendar.sequence >= 0) answer.set_calendar_entry(mail.calendar.sequence + 1);
  if (mail.kind == MailKind::kBounce) {
    answer.set_bounce_permanent(mail.bounce.permanent);
    answer.set_bounce_reason(mail.bounce.diagnostic.empty() ? mail.bounce.status : mail.bounce.diagnostic);
  }
  return answer;
}

// What the parser cannot know: the envelope, and which Message-IDs are ours.
void Reconsider(const MailEnvelope& envelope, ParsedMail* mail) {
  if (mail->kind != MailKind::kReply) return;
  const std::string sender = absl::AsciiStrToLower(envelope.sender);
  if (sender == "<>" || absl::StartsWith(sender, "mailer-daemon")) {
    mail->kind = MailKind::kAutomatic;
    mail->automatic_sign = "the empty return path";
  } else if (!DeliveryOfMessageId(mail->message_id).empty()) {
    // Our own message came round again: a forward that leads back here.
    mail->kind = MailKind::kAutomatic;
    mail->automatic_sign = "a message of ours, come back";
  }
}

}  // namespace

std::string AnswerId(int shard, const std::string& team_id, const ParsedMail& mail, std::string_view bytes) {
  const std::string identity = mail.message_id.empty()
                                   ? absl::StrCat("bytes\x1f", Sha256Hex(bytes))
                                   : absl::StrCat("id\x1f", mail.message_id, "\x1f", mail.sender, "\x1f", mail.date);
  return HashedId(id_prefix::kAnswer, shard, absl::StrCat(team_id, "\x1f", identity));
}

absl::Time UnmatchedPurgeTime(const record::TeamRecord& team, absl::Time arrived) {
  return arrived + absl::Hours(24) * (team.retention_days() > 0 ? team.retention_days() : kDefaultRetentionDays);
}

store::Event UnmatchedChanged(const AnswerRecord& answer, const std::string& author, absl::Time now) {
  record::HistoryEvent event;
  *event.mutable_time() = domain::ToProto(now);
  event.set_author(author);
  event.set_what("unmatched_mail");
  return store::Event{answer.team_id(), answer.id(), event.SerializeAsString()};
}

AnswerIntake::AnswerIntake(runtime::Host& host) : host_(host), parser_(ParserOptions(host.config())) {
  host.metrics().Describe("ringback_answers_total", "Mails that came in, by kind and how they found their callback.");
}

absl::StatusOr<TakenMail> AnswerIntake::Take(const MailEnvelope& envelope, std::string_view bytes) {
  if (bytes.find_first_not_of(" \t\r\n") == std::string_view::npos) {
    return domain::InvalidField("chunk", "MAIL_EMPTY", "there is no mail: not a byte came");
  }
  RB_ASSIGN_OR_RETURN(ParsedMail mail, parser_.Parse(bytes));
  Reconsider(envelope, &mail);
  return TakeParsed(envelope, bytes, mail);
}

absl::Status AnswerIntake::KeepFiles(const AnswerRecord& answer, std::string_view bytes, const ParsedMail& mail) {
  RB_RETURN_IF_ERROR(host_.blobs().Put(answer.original_blob(), bytes));
  for (int i = 0; i < answer.attachments_size(); ++i) {
    if (answer.attachments(i).blob().empty()) continue;
    RB_RETURN_IF_ERROR(host_.blobs().Put(answer.attachments(i).blob(), mail.files[static_cast<size_t>(i)].bytes));
  }
  return absl::OkStatus();
}

absl::StatusOr<TakenMail> AnswerIntake::TakeParsed(const MailEnvelope& envelope, std::string_view bytes, const ParsedMail& mail) {
  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(envelope.team_id));
  const std::string id = AnswerId(team_key.shard, envelope.team_id, mail, bytes);
  RB_ASSIGN_OR_RETURN(const store::Key key, store::AnswerKey(id));
  AnswerRecord answer = AnswerOf(id, envelope, mail, bytes.size());
  std::vector<std::string> recipients = Addresses(envelope.recipient, 1);
  recipients.insert(recipients.end(), mail.recipients.begin(), mail.recipients.end());

  bool kept = false;
  absl::Status status;
  for (int tries = 0; tries < kTries; ++tries) {
    auto known = store::Load<AnswerRecord>(host_.store(), key);
    if (known.ok()) return TakenMail{std::move(known->message), true};
    if (!absl::IsNotFound(known.status())) return known.status();
    RB_ASSIGN_OR_RETURN(const auto team, store::Load<record::TeamRecord>(host_.store(), team_key));
    if (!std::exchange(kept, true)) RB_RETURN_IF_ERROR(KeepFiles(answer, bytes, mail));
    RB_ASSIGN_OR_RETURN(const absl::Time now, host_.store().Now());
    RB_ASSIGN_OR_RETURN(const AnswerMatch match, MatchMail(host_.store(), team.message, mail, recipients, now));
    *answer.mutable_create_time() = domain::ToProto(now);
    answer.set_match(match.match);
    answer.set_callback_id(match.callback_id);
    answer.set_delivery_id(match.delivery_id);

    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = "answer/" + id;
    store::AddAnswer(nullptr, 0, answer, UnmatchedPurgeTime(team.message, now), &commit);
    if (match.callback_id.empty()) {
      commit.events.push_back(UnmatchedChanged(answer, "system", now));
    } else {
      RB_ASSIGN_OR_RETURN(const store::Key callback_key, store::CallbackKey(match.callback_id));
      RB_ASSIGN_OR_RETURN(const auto callback, store::Load<record::CallbackRecord>(host_.store(), callback_key));
      RB_RETURN_IF_ERROR(AddAnswerEffects(host_.store(), callback, team.message, answer, domain::Actor{"customer", true}, now, &commit));
    }
    status = host_.store().CommitOnce(commit).status();
    if (status.ok()) {
      host_.metrics().Count("ringback_answers_total",
                            {{"kind", absl::AsciiStrToLower(AnswerRecord::Kind_Name(answer.kind()).substr(5))},
                             {"match", match.callback_id.empty() ? "none" : absl::AsciiStrToLower(AnswerRecord::Match_Name(match.match).substr(6))}});
      return TakenMail{std::move(answer), false};
    }
    if (!absl::IsAborted(status)) return status;
  }
  return absl::UnavailableError(absl::StrCat("its callback changes all the time: ", status.message()));
}

}  // namespace ringback::delivery
