#include "delivery/sign_in_mail.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "core/base/status_macros.h"
#include "core/rpc/translate.h"
#include "core/words/notice_parts.h"
#include "core/words/template_mustache.h"
#include "delivery/message_words.h"
#include "delivery/notices.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;

// The empty lines that the author meant, and none that an absent section has left.
std::string Tidy(const std::string& text) {
  std::string tidy;
  for (const absl::string_view line : absl::StrSplit(absl::string_view(text), '\n', absl::SkipEmpty())) {
    absl::StrAppend(&tidy, line[0] == words::kEmptyLine ? absl::string_view() : line, "\n");
  }
  return tidy;
}

}  // namespace

absl::StatusOr<MailMessage> ComposeSignInMail(const SignInMailInput& input) {
  const record::SignInMail& sign_in = input.delivery->sign_in();
  const record::TeamRecord& team = *input.team;
  const record::Member* member = rpc::FindMember(team, input.delivery->member_id());
  const std::string tag = member == nullptr || member->language().empty() ? team.language() : member->language();
  const Language language = LanguageOf(tag, Language::kGerman);
  absl::TimeZone zone = absl::UTCTimeZone();
  absl::LoadTimeZone(member == nullptr || member->time_zone().empty() ? team.time_zone() : member->time_zone(), &zone);

  words::TemplateValues values;
  values.texts["reader"] = member == nullptr ? "" : member->name();
  values.texts["team"] = team.name();
  values.texts["code"] = absl::StrCat(sign_in.code().substr(0, 3), " ", sign_in.code().substr(3));
  if (!input.staff_url.empty()) values.texts["link"] = absl::StrCat(input.staff_url, "/sign-in/", sign_in.link());
  values.texts["until"] = ClockTime(language, rpc::FromProto(sign_in.expire_time()), zone);

  const std::string name = absl::StrCat(std::string(LanguageTag(language)), "/sign_in");
  RB_ASSIGN_OR_RETURN(const words::NoticeParts parts, words::SplitNotice(name, CompiledTemplates().at(name)));
  MailMessage mail;
  RB_ASSIGN_OR_RETURN(const std::string subject, words::RenderTemplate(parts.subject, values, words::Escaping::kNone));
  mail.subject = std::string(absl::StripAsciiWhitespace(subject));
  RB_ASSIGN_OR_RETURN(const std::string text, words::RenderTemplate(parts.text, values, words::Escaping::kNone));
  mail.text = Tidy(text);
  const std::string address =
      team.mail_address().empty() ? absl::StrCat("ringback@", input.mail_domain) : team.mail_address();
  mail.from = {team.name(), address};
  mail.to = {values.texts["reader"], input.delivery->channels(0).address()};
  mail.envelope_sender = input.envelope_sender.empty() ? address : input.envelope_sender;
  mail.message_id = rpc::MessageId(input.delivery->id(), input.mail_domain);
  mail.auto_submitted = AutoSubmitted::kGenerated;
  mail.date = input.now;
  mail.date_zone = zone;
  return mail;
}

}  // namespace ringback::delivery
