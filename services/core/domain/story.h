// For domain's tests: a team, a callback and a clock that only the test moves. Everything a decision hands out is kept,
// so that a test reads like what happened to one caller.
#pragma once

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/domain/calendar.h"
#include "core/domain/proto_time.h"
#include "core/domain/rules.h"
#include "core/domain/team.h"

namespace ringback::domain {

// The message's bytes, the same for the same content: maps in order.
inline std::string Bytes(const google::protobuf::Message& message) {
  std::string bytes;
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream coded(&stream);
    coded.SetSerializationDeterministic(true);
    EXPECT_TRUE(message.SerializeToCodedStream(&coded));
  }
  return bytes;
}

inline absl::TimeZone Berlin() { return LoadZone("Europe/Berlin").value(); }
// "2026-11-23 09:00" in Berlin, a Monday.
inline absl::Time At(const std::string& local, absl::TimeZone zone = Berlin()) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%d %H:%M:%E*S", local.size() > 16 ? local : local + ":00", zone, &time, &error)) {
    ADD_FAILURE() << local << ": " << error;
  }
  return time;
}

inline record::Member& AddMember(record::TeamRecord& team, const std::string& id, record::Member::Role role) {
  record::Member& member = *team.add_members();
  member.set_id(id);
  member.set_name("Member " + id);
  member.set_email(id + "@example.com");
  member.set_role(role);
  return member;
}

inline record::Member& MemberOf(record::TeamRecord& team, const std::string& id) {
  for (auto& member : *team.mutable_members()) {
    if (member.id() == id) return member;
  }
  ADD_FAILURE() << "no member " << id;
  return *team.mutable_members(0);
}

inline void AddAbsence(record::Member& member, absl::Time start, absl::Time end, const std::string& substitute = "") {
  auto& absence = *member.add_absences();
  *absence.mutable_start_time() = ToProto(start);
  *absence.mutable_end_time() = ToProto(end);
  absence.set_substitute_id(substitute);
}

// anna and ben are reps, mia the manager, adam the admin; default policy and hours (Monday to Friday, 8 to 18, Berlin).
inline record::TeamRecord SmallTeam() {
  record::TeamRecord team = NewTeam("tm07aaaaaaaaaaaa", "Vertrieb", "Europe/Berlin", "de", absl::UnixEpoch());
  AddMember(team, "anna", record::Member::ROLE_REP);
  AddMember(team, "ben", record::Member::ROLE_REP);
  AddMember(team, "mia", record::Member::ROLE_MANAGER);
  AddMember(team, "adam", record::Member::ROLE_ADMIN);
  return team;
}

class Story {
 public:
  explicit Story(record::TeamRecord with_team = SmallTeam(), const std::string& at = "2026-11-23 09:00")
      : team(std::move(with_team)), now(At(at)) {}

  void Open(const std::string& assignee = "anna") {
    Request request;
    request.callback_id = "cb07h3k9x2m4q8w1";
    request.caller.set_name("Herr Müller");
    request.caller.set_email("mueller@example.com");
    request.caller.set_phone("+4930123456");
    request.assignee_id = assignee;
    auto decision = domain::Open(request, team, {"tk07intake", false}, now);
    ASSERT_TRUE(decision.ok()) << decision.status();
    Take(*std::move(decision));
  }

  absl::Status Try(const Command& command, const std::string& who = "anna") {
    auto decision = Apply(callback, command, team, {who, who == "customer"}, now);
    if (decision.ok()) Take(*std::move(decision));
    return decision.status();
  }
  void Do(const Command& command, const std::string& who = "anna") {
    const absl::Status status = Try(command, who);
    EXPECT_TRUE(status.ok()) << status;
  }

  void PromiseSpoken(const std::string& at) {
    Do(MakePromise{At(at), record::PromiseRecord::CHANNEL_SPOKEN, "", false, ""});
  }
  record::DeliveryRecord PromiseByMail(const std::string& at, bool ready = true) {
    Do(MakePromise{At(at), record::PromiseRecord::CHANNEL_VOICE_MAIL, "rc07take", ready, "Guten Morgen!"});
    for (auto it = deliveries.rbegin(); it != deliveries.rend(); ++it) {
      if (it->kind() == record::DeliveryRecord::KIND_VOICE_MESSAGE) return *it;
    }
    ADD_FAILURE() << "no voice message";
    return {};
  }
  void Outcome(const record::DeliveryRecord& delivery, DeliveryOutcome::Result result, const std::string& why = "") {
    Take(OnDeliveryOutcome(callback, delivery, {result, why}, team, now));
  }
  void Accept(const record::DeliveryRecord& delivery) { Outcome(delivery, DeliveryOutcome::Result::kAccepted); }
  void Attempt(record::AttemptRecord::Outcome outcome, const std::string& called_at = "") {
    Do(LogAttempt{outcome, called_at.empty() ? now : At(called_at), ""});
  }

  // Fires every timer at its exact time up to and including `until`, then stands there.
  void PassUntil(absl::Time until) {
    for (int fired = 0; next_timer && *next_timer <= until; ++fired) {
      ASSERT_LT(fired, 5000) << "timers do not come to rest";
      if (*next_timer > now) now = *next_timer;
      Take(OnTimer(callback, team, now));
    }
    now = until;
  }
  void PassUntil(const std::string& until) { PassUntil(At(until)); }
  // Sleeps through everything, then fires once.
  void SleepUntil(const std::string& until) {
    now = At(until);
    Take(OnTimer(callback, team, now));
  }

  void Take(Decision decision) {
    callback = std::move(decision.callback);
    next_timer = decision.next_timer;
    purge_time = decision.purge_time;
    warnings = decision.warnings;
    for (auto& delivery : decision.new_deliveries) deliveries.push_back(std::move(delivery));
    for (auto& id : decision.withdrawn_delivery_ids) withdrawn.push_back(std::move(id));
    for (auto& event : decision.events) events.push_back(std::move(event));
    for (auto& counter : decision.counters) counters.push_back(std::move(counter));
  }

  // "anna mia" for the deliveries of a kind, in order; alarms and reminders each name their member.
  std::string ToldBy(record::DeliveryRecord::Kind kind) const {
    std::string told;
    for (const auto& delivery : deliveries) {
      if (delivery.kind() != kind) continue;
      absl::StrAppend(&told, told.empty() ? "" : " ",
                      delivery.member_id().empty() ? std::string("customer") : delivery.member_id());
    }
    return told;
  }
  int Counted(const std::string& name) const {
    int sum = 0;
    for (const auto& counter : counters) sum += counter.name == name ? counter.delta : 0;
    return sum;
  }
  // Local times of the events of a kind: "2026-11-23 13:05".
  std::vector<std::string> Times(const std::string& what) const {
    std::vector<std::string> times;
    for (const auto& event : events) {
      if (event.what() == what) times.push_back(absl::FormatTime("%m-%d %H:%M", FromProto(event.time()), Berlin()));
    }
    return times;
  }
  record::Verdict VerdictOf(int revision) const { return callback.promises(revision - 1).verdict(); }
  void Forget() {
    deliveries.clear();
    events.clear();
    counters.clear();
    withdrawn.clear();
  }

  record::TeamRecord team;
  absl::Time now;
  record::CallbackRecord callback;
  std::optional<absl::Time> next_timer;
  std::optional<absl::Time> purge_time;
  std::vector<std::string> warnings;
  std::vector<record::DeliveryRecord> deliveries;
  std::vector<std::string> withdrawn;
  std::vector<record::HistoryEvent> events;
  std::vector<Counter> counters;
};

}  // namespace ringback::domain
