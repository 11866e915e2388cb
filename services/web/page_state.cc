#include "web/page_state.h"

#include <algorithm>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/domain/escalation.h"
#include "core/domain/proto_time.h"
#include "core/domain/rules.h"

namespace ringback::web {
namespace {

using domain::FromProto;
using record::CallbackRecord;
using record::PromiseRecord;

bool HeardOf(const PromiseRecord& promise) {
  return promise.state() != PromiseRecord::STATE_WITHDRAWN && promise.state() != PromiseRecord::STATE_NOT_DELIVERED;
}

std::string NameOf(const record::TeamRecord& team, const std::string& member_id) {
  for (const record::Member& member : team.members()) {
    if (member.id() == member_id) return member.name();
  }
  return "";
}

bool SpokenWith(const CallbackRecord& callback) {
  return std::any_of(callback.attempts().begin(), callback.attempts().end(), [](const record::AttemptRecord& attempt) {
    return attempt.outcome() == record::AttemptRecord::OUTCOME_REACHED;
  });
}

PageState::Kind KindOf(const PageRecords& records, const PromiseRecord* valid, absl::Time now) {
  const CallbackRecord& callback = records.callback;
  if (callback.phase() == CallbackRecord::PHASE_CLOSED) {
    if (callback.closing() == CallbackRecord::CLOSING_CALLED_OFF) return PageState::Kind::kCalledOff;
    return SpokenWith(callback) ? PageState::Kind::kTalked : PageState::Kind::kClosed;
  }
  if (callback.phase() == CallbackRecord::PHASE_TALKED) return PageState::Kind::kTalked;
  if (valid != nullptr) {
    const absl::Time kept_until = FromProto(valid->promised_time()) + FromProto(domain::PolicyOf(records.team).tolerance());
    return now <= kept_until ? PageState::Kind::kPromised : PageState::Kind::kPassed;
  }
  return callback.phase() == CallbackRecord::PHASE_FOLLOW_UP ? PageState::Kind::kFollowUp : PageState::Kind::kWaiting;
}

std::string WebUrl(const std::string& url) {
  return absl::StartsWithIgnoreCase(url, "https://") || absl::StartsWithIgnoreCase(url, "http://") ? url : "";
}

// Who calls at `at`: an absence that is over by then needs no substitute.
void DescribePerson(const PageRecords& records, absl::Time at, PageState* page) {
  const std::string& assignee = records.callback.assignee_id();
  if (assignee.empty()) return;
  const domain::Told told = domain::Present(records.team, assignee, at);
  page->who = NameOf(records.team, told.member_id);
  page->in_place_of = NameOf(records.team, told.stands_in_for_id);
}

std::string TopicWord(record::Topic topic) {
  switch (topic) {
    case record::TOPIC_ORDER: return "order";
    case record::TOPIC_COMPLAINT: return "complaint";
    case record::TOPIC_QUESTION: return "question";
    default: return "";
  }
}

// What was said by the customer, and what can be said still.
void DescribeAnswers(const PageRecords& records, const PromiseRecord* valid, absl::TimeZone zone, absl::Time now,
                     PageState* page) {
  const CallbackRecord& callback = records.callback;
  page->brief = callback.brief().text();
  page->topic = TopicWord(callback.topic());
  if (valid != nullptr) {
    page->agreed = valid->has_agreed_time();
    page->chosen = valid->author() == "customer";
  }
  const bool open = callback.phase() != CallbackRecord::PHASE_CLOSED && page->kind != PageState::Kind::kTalked;
  if (open && callback.has_proposal()) {
    page->wished = SpokenTime(page->language, FromProto(callback.proposal().promised_time()), now, zone);
  }
  page->has_calendar = page->kind == PageState::Kind::kPromised;
  // Who has chosen the time has agreed to it.
  page->may_agree = page->kind == PageState::Kind::kPromised && !page->agreed && !page->chosen;
  page->may_move = page->may_write = page->may_call_off = page->may_disown = open;
}

void DescribeTake(const PageRecords& records, const PromiseRecord* valid, absl::TimeZone zone, absl::Time now,
                  PageState* page) {
  const PromiseRecord* take = VoicePromise(records.callback);
  if (take == nullptr) {
    if (valid != nullptr) page->spoken_text = valid->spoken_text();
    return;
  }
  page->spoken_text = take->spoken_text();
  page->speaker = NameOf(records.team, take->author());
  page->spoken_at = SpokenTime(page->language, FromProto(take->create_time()), now, zone);
  if (const record::RecordingRecord* recording = Playable(records)) {
    page->playable = true;
    page->length = Length(recording->duration_seconds());
    page->seconds = recording->duration_seconds();
    page->waveform = recording->waveform();
    page->tells_listening = records.team.report_listened();
    page->heard = take->has_heard_time();
    page->take_revision = take->revision();
    if (const std::string author = NameOf(records.team, recording->author()); !author.empty()) page->speaker = author;
  }
  const bool open = page->kind == PageState::Kind::kPromised || page->kind == PageState::Kind::kPassed;
  if (!open || valid == nullptr) return;
  const absl::Time told = FromProto(take->promised_time());
  if (told != FromProto(valid->promised_time())) page->take_when = SpokenTime(page->language, told, now, zone);
  page->other_person = !page->who.empty() && !page->speaker.empty() && page->who != page->speaker;
}

}  // namespace

const PromiseRecord* ValidPromise(const CallbackRecord& callback) {
  const PromiseRecord* armed = domain::ArmedPromise(callback);
  return armed != nullptr ? armed : domain::PendingPromise(callback);
}

const PromiseRecord* VoicePromise(const CallbackRecord& callback) {
  const PromiseRecord* valid = ValidPromise(callback);
  if (valid != nullptr && !valid->recording_id().empty()) return valid;
  for (int i = callback.promises_size() - 1; i >= 0; --i) {
    const PromiseRecord& promise = callback.promises(i);
    if (!promise.recording_id().empty() && HeardOf(promise)) return &promise;
  }
  return nullptr;
}

absl::TimeZone CustomerZone(const PageRecords& records) {
  absl::TimeZone zone = absl::UTCTimeZone();
  const std::string& own = records.callback.caller().time_zone();
  if (own.empty() || !absl::LoadTimeZone(own, &zone)) absl::LoadTimeZone(records.team.time_zone(), &zone);
  return zone;
}

const record::RecordingRecord* Playable(const PageRecords& records) {
  if (!records.recording.has_value()) return nullptr;
  const record::RecordingRecord& recording = *records.recording;
  const bool ready = recording.state() == record::RecordingRecord::STATE_READY;
  return ready && !recording.mp3_blob().empty() && !recording.opus_blob().empty() ? &recording : nullptr;
}

absl::Time StaysUntil(const PageRecords& records, absl::Time now) {
  const absl::TimeZone zone = CustomerZone(records);
  absl::Time until = std::min(records.expire_time, absl::FromCivil(absl::CivilDay(zone.At(now).cs) + 1, zone));
  const auto at = [&](absl::Time moment) {
    if (moment > now) until = std::min(until, moment);
  };
  if (const PromiseRecord* valid = ValidPromise(records.callback)) {
    const absl::Duration tolerance = FromProto(domain::PolicyOf(records.team).tolerance());
    at(FromProto(valid->promised_time()) + tolerance + absl::Microseconds(1));
  }
  for (const record::Member& member : records.team.members()) {
    for (const record::Absence& absence : member.absences()) {
      at(FromProto(absence.start_time()));
      at(FromProto(absence.end_time()));
    }
  }
  return until;
}

PageState Describe(const PageRecords& records, std::string_view accept_language, absl::Time now) {
  const CallbackRecord& callback = records.callback;
  const record::TeamRecord& team = records.team;
  const record::Footer& footer = team.footer();
  const absl::TimeZone zone = CustomerZone(records);
  const PromiseRecord* valid = ValidPromise(callback);

  PageState page;
  page.kind = KindOf(records, valid, now);
  page.language = ChooseLanguage(callback.caller().language(), accept_language, team.language());
  page.greeted = callback.caller().name();
  page.company = footer.company().empty() ? team.name() : footer.company();
  page.zone_name = zone.name();

  const bool timed = page.kind == PageState::Kind::kPromised || page.kind == PageState::Kind::kPassed;
  DescribePerson(records, timed ? std::max(now, FromProto(valid->promised_time())) : now, &page);
  if (timed) {
    const absl::Time promised = FromProto(valid->promised_time());
    page.when = SpokenTime(page.language, promised, now, zone);
    page.when_full = FullTime(page.language, promised, zone);
    page.promised_utc = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", promised, absl::UTCTimeZone());
    page.revision = valid->revision();
    absl::TimeZone team_zone;
    const bool same_clock =
        absl::LoadTimeZone(team.time_zone(), &team_zone) && team_zone.At(promised).cs == zone.At(promised).cs;
    if (!same_clock) page.zone = ZoneWords(page.language, zone);
  } else if (page.kind == PageState::Kind::kFollowUp && callback.attempts_size() > 0) {
    const record::AttemptRecord& last = callback.attempts(callback.attempts_size() - 1);
    page.when = SpokenTime(page.language, FromProto(last.called_time()), now, zone);
  }

  DescribeTake(records, valid, zone, now, &page);
  DescribeAnswers(records, valid, zone, now, &page);

  const PromiseRecord* answered = valid != nullptr ? valid : VoicePromise(callback);
  page.may_answer = callback.phase() != CallbackRecord::PHASE_CLOSED && page.kind != PageState::Kind::kTalked &&
                    !callback.caller().email().empty() && answered != nullptr &&
                    answered->channel() == PromiseRecord::CHANNEL_VOICE_MAIL && answered->has_accept_time();
  page.phone = footer.phone();
  page.legal_text = footer.legal_text();
  page.imprint_url = WebUrl(footer.imprint_url());
  page.privacy_url = WebUrl(footer.privacy_url());
  return page;
}

}  // namespace ringback::web
