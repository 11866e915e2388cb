#include "web/page_actions.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/domain/joined.h"
#include "core/domain/proto_time.h"
#include "core/domain/rules.h"
#include "core/http/form.h"
#include "core/store/change_callback.h"
#include "core/store/free_slots.h"
#include "core/store/records.h"
#include "web/form_key.h"
#include "web/page_access.h"

namespace ringback::web {
namespace {

using domain::Decision;
using http::Form;
using http::NewResponse;
using record::CallbackRecord;

constexpr size_t kBriefCharactersMax = 2000;

using Press = PageActions::Press;

size_t Characters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// Browsers say whether a request comes from the page's own site; who sends neither header is no browser of today, and what
// is left for it to forge it cannot seal.
bool FromOwnSite(const HttpRequest& request) {
  if (!request.sec_fetch_site.empty()) {
    return request.sec_fetch_site == "same-origin" || request.sec_fetch_site == "none";
  }
  if (request.origin.empty()) return true;
  const size_t scheme = request.origin.find("://");
  return scheme != std::string::npos && absl::EqualsIgnoreCase(request.origin.substr(scheme + 3), request.host);
}

View ViewFor(std::string_view part) {
  if (part == "time") return View::kTime;
  if (part == "off") return View::kOff;
  if (part == "wrong") return View::kWrong;
  return View::kPage;
}

std::string PurposeOf(std::string_view part, const Form& form) {
  if (part != "time") return std::string(part);
  return form.Has("wish") ? "wish" : "move";
}

Press ReadMove(const Form& form) {
  Press press{.purpose = "move", .content = form.Get("slot"), .done = "moved"};
  absl::Time slot;
  if (press.content.empty()) {
    press.refused = Told::kNoTime;
  } else if (!absl::ParseTime(absl::RFC3339_sec, press.content, &slot, nullptr)) {
    press.refused = Told::kTime;
  } else {
    press.slot = slot;
    press.commands = {domain::CustomerMove{slot}};
  }
  return press;
}

// As <input type=datetime-local> writes it, on the page's clock.
Press ReadWish(const Form& form, absl::TimeZone zone) {
  Press press{.purpose = "wish", .content = form.Get("wish"), .done = "wished"};
  absl::CivilMinute wish;
  if (press.content.empty()) {
    press.refused = Told::kNoTime;
  } else if (!absl::ParseCivilTime(absl::string_view(press.content).substr(0, 16), &wish)) {
    press.refused = Told::kTime;
  } else {
    press.commands = {domain::CustomerPropose{absl::FromCivil(wish, zone)}};
  }
  return press;
}

record::Topic TopicOf(const std::string& word) {
  if (word == "order") return record::TOPIC_ORDER;
  if (word == "complaint") return record::TOPIC_COMPLAINT;
  if (word == "question") return record::TOPIC_QUESTION;
  return record::TOPIC_UNSPECIFIED;
}

Press ReadBrief(const Form& form) {
  Press press{.purpose = "brief", .done = "written"};
  const std::string text = domain::CleanLines(form.Get("text"), form.Get("text").size());
  const std::string trimmed(absl::StripAsciiWhitespace(text));
  const record::Topic topic = TopicOf(form.Get("topic"));
  press.content = absl::StrCat(static_cast<int>(topic), "\n", trimmed);
  if (topic != record::TOPIC_UNSPECIFIED) press.commands.push_back(domain::CustomerTopic{topic});
  if (!trimmed.empty()) press.commands.push_back(domain::CustomerBrief{trimmed});
  press.brief = trimmed;
  if (Characters(trimmed) > kBriefCharactersMax) press.refused = Told::kLong;
  if (press.commands.empty()) press.refused = Told::kEmpty;
  return press;
}

Press Read(std::string_view part, const Form& form, const FormKey& key, absl::TimeZone zone) {
  if (part == "time") return form.Has("wish") ? ReadWish(form, zone) : ReadMove(form);
  if (part == "brief") return ReadBrief(form);
  if (part == "off") return Press{.purpose = "off", .commands = {domain::CustomerCallOff{}}};
  if (part == "wrong") return Press{.purpose = "wrong", .commands = {domain::WrongPerson{}}};
  if (part == "heard") return Press{.purpose = "heard", .commands = {domain::Heard{key.revision}}};
  return Press{.purpose = "agree", .commands = {domain::CustomerAgree{key.revision}}, .done = "agreed"};
}

// One after the other, as one change.
absl::StatusOr<Decision> ApplyAll(const std::vector<domain::Command>& commands, const CallbackRecord& callback,
                                  const record::TeamRecord& team, absl::Time now) {
  const domain::Actor customer{"customer", true};
  RB_ASSIGN_OR_RETURN(Decision whole, domain::Apply(callback, commands.front(), team, customer, now));
  for (size_t i = 1; i < commands.size(); ++i) {
    RB_ASSIGN_OR_RETURN(Decision next, domain::Apply(whole.callback, commands[i], team, customer, now));
    whole = domain::Joined(std::move(whole), std::move(next));
  }
  return whole;
}

// Why it was refused, as the page says it.
Told TroubleOf(const absl::Status& status) {
  const std::string reason = domain::DetailOf(status).reason;
  if (reason == "PROMISE_CHANGED") return Told::kStale;
  if (reason == store::kSlotTaken) return Told::kTaken;
  if (reason == "BRIEF_FULL") return Told::kFull;
  if (absl::IsInvalidArgument(status)) return Told::kTime;
  if (absl::IsFailedPrecondition(status)) return Told::kOver;
  return Told::kBusy;
}

// The words as an answer, beside those that came by mail.
void AddBrief(const Press& press, const std::string& commit_id, const CallbackRecord& before, absl::Time now,
              store::Commit* commit) {
  record::AnswerRecord answer;
  answer.set_id(HashedId(id_prefix::kAnswer, commit->shard, commit_id));
  answer.set_team_id(before.team_id());
  answer.set_callback_id(before.id());
  answer.set_source(record::AnswerRecord::SOURCE_PAGE);
  answer.set_kind(record::AnswerRecord::KIND_REPLY);
  answer.set_match(record::AnswerRecord::MATCH_TOKEN);
  answer.set_sender(before.caller().email());
  answer.set_text(press.brief);
  *answer.mutable_create_time() = domain::ToProto(now);
  store::AddAnswer(nullptr, 0, answer, absl::InfiniteFuture(), commit);
}

int StatusOf(Told trouble) {
  switch (trouble) {
    case Told::kStale:
    case Told::kTaken:
    case Told::kOver: return 409;
    case Told::kOften: return 429;
    case Told::kBusy: return 503;
    default: return 422;
  }
}

}  // namespace

bool PageActions::Takes(std::string_view part) {
  return part == "agree" || part == "time" || part == "brief" || part == "off" || part == "wrong" || part == "heard";
}

HttpResponse PageActions::Post(const HttpRequest& request, std::string_view token, std::string_view part) const {
  const absl::Time now = parts_.clock->Now();
  const auto records = OpenPage(*parts_.store, token, now);
  if (!records.ok()) return Refused(request, "form", records.status());
  Form form;
  Press press;
  press.refused = Told::kStale;
  std::optional<FormKey> key;
  if (auto parsed = Form::Parse(request.content_type, request.body); parsed.ok() && FromOwnSite(request)) {
    form = *std::move(parsed);
    key = OpenFormKey(token, records->callback.id(), PurposeOf(part, form), form.Get("key"));
    if (key.has_value()) press = Read(part, form, *key, CustomerZone(*records));
  }
  // By the client and by the page: neither many pages nor many clients make it more.
  if (!MayPost(request.peer, records->callback.id())) press.refused = Told::kOften;
  if (press.refused != Told::kNone) return Again(request, token, part, form, *records, press.refused);

  const auto changed = Do(press, token, CommitIdOf(token, press.purpose, *key, press.content), *records, now);
  if (!changed.ok()) {
    Told trouble = TroubleOf(changed);
    // A time that was offered a while ago and has gone by.
    if (press.slot.has_value() && trouble == Told::kTime) trouble = Told::kTaken;
    if (trouble == Told::kBusy) RB_LOG_ERROR("web: {} of {}: {}", press.purpose, records->callback.id(), changed.ToString());
    const auto fresh = OpenPage(*parts_.store, token, now);
    if (!fresh.ok()) return Refused(request, "form", fresh.status());
    return Again(request, token, part, form, *fresh, trouble);
  }
  RB_LOG_INFO("web: {} of {}", press.purpose, records->callback.id());
  if (part == "heard") return NewResponse(204, "form");
  if (part == "wrong") {
    const PageState page = Describe(*records, request.accept_language, now);
    return HtmlResponse(200, "form", RenderNotice(Notice::kDisowned, page.language));
  }
  return SeeOther("form", absl::StrCat("../", std::string(token), *press.done == '\0' ? "" : "?done=", press.done));
}

absl::Status PageActions::Do(const Press& press, std::string_view token, const std::string& commit_id,
                             const PageRecords& records, absl::Time now) const {
  RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(records.callback.id()));
  return store::ChangeCallback(
             *parts_.store, key, commit_id,
             [&press](const CallbackRecord& callback, const record::TeamRecord& team, absl::Time at) -> absl::StatusOr<Decision> {
               RB_ASSIGN_OR_RETURN(Decision decision, ApplyAll(press.commands, callback, team, at));
               if (!press.brief.empty()) decision.callback.set_answer_count(callback.answer_count() + 1);
               return decision;
             },
             [&](const CallbackRecord& before, const Decision&, store::Commit* commit) -> absl::Status {
               if (press.purpose == "wrong") return store::RevokePage(*parts_.store, before, commit);
               if (press.slot.has_value()) {
                 return store::AddSlotChoice(*parts_.store, before, records.team, *press.slot, now, commit);
               }
               if (!press.brief.empty()) AddBrief(press, commit_id, before, now, commit);
               return absl::OkStatus();
             })
      .status();
}

HttpResponse PageActions::Again(const HttpRequest& request, std::string_view token, std::string_view part,
                                const Form& form, const PageRecords& records, Told trouble) const {
  if (part == "heard") return NewResponse(204, "form");  // nobody waits for an answer
  PageView view;
  view.view = ViewFor(part);
  view.below = true;
  view.told = trouble;
  view.text = form.Get("text");
  view.topic = form.Get("topic");
  view.wish = form.Get("wish");
  HttpResponse response = ShowPage(parts_, request, token, records, StatusOf(trouble), std::move(view));
  response.route = "form";
  if (trouble == Told::kOften || trouble == Told::kBusy) response.headers.emplace_back("Retry-After", "60");
  return response;
}

bool PageActions::MayPost(const std::string& peer, const std::string& callback_id) const {
  if (parts_.posts == nullptr) return true;
  const bool client = parts_.posts->Take(ClientKey(peer)) == absl::ZeroDuration();
  const bool page = parts_.posts->Take(callback_id) == absl::ZeroDuration();
  return client && page;
}

Told DoneOf(std::string_view query, const PageRecords& records) {
  const CallbackRecord& callback = records.callback;
  const record::PromiseRecord* valid = ValidPromise(callback);
  const bool agreed = valid != nullptr && valid->has_agreed_time();
  if (query == "done=agreed" && agreed) return Told::kAgreed;
  if (query == "done=moved" && agreed) return Told::kMoved;
  if (query == "done=wished" && callback.has_proposal()) return Told::kWished;
  if (query == "done=written" && (callback.has_brief() || callback.topic() != record::TOPIC_UNSPECIFIED)) {
    return Told::kWritten;
  }
  return Told::kNone;
}

}  // namespace ringback::web
