// A team, its people and a promised callback, as the tests of the page start from.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "core/domain/proto_time.h"
#include "web/page_state.h"

namespace ringback::web {

inline absl::Time Berlin(int day, int hour, int minute = 0) {
  absl::TimeZone zone;
  absl::LoadTimeZone("Europe/Berlin", &zone);
  return absl::FromCivil(absl::CivilMinute(2026, 11, day, hour, minute), zone);
}

constexpr char kTeamId[] = "tm07aaaaaaaaaaaa";
constexpr char kAnna[] = "mb07aaaaaaaaaaaa";
constexpr char kJonas[] = "mb07bbbbbbbbbbbb";
constexpr char kCallbackId[] = "cb07aaaaaaaaaaaa";
constexpr char kRecordingId[] = "rc07aaaaaaaaaaaa";

inline record::TeamRecord SomeTeam() {
  record::TeamRecord team;
  team.set_id(kTeamId);
  team.set_name("Vertrieb Nord");
  team.set_time_zone("Europe/Berlin");
  team.set_language("de");
  auto* anna = team.add_members();
  anna->set_id(kAnna);
  anna->set_name("Anna Schmidt");
  anna->set_role(record::Member::ROLE_REP);
  anna->set_substitute_id(kJonas);
  auto* jonas = team.add_members();
  jonas->set_id(kJonas);
  jonas->set_name("Jonas Weber");
  jonas->set_role(record::Member::ROLE_MANAGER);
  team.mutable_policy()->mutable_tolerance()->set_seconds(300);
  auto* footer = team.mutable_footer();
  footer->set_company("Hansen Pumpen GmbH");
  footer->set_legal_text("Hafenstraße 1, 20457 Hamburg\nHRB 12345, Amtsgericht Hamburg");
  footer->set_imprint_url("https://hansen.example/impressum");
  footer->set_privacy_url("https://hansen.example/datenschutz");
  footer->set_phone("+49 40 123456");
  return team;
}

inline record::PromiseRecord* AddPromise(record::CallbackRecord* callback, absl::Time promised, absl::Time made,
                                         record::PromiseRecord::State state, const std::string& recording_id) {
  auto* promise = callback->add_promises();
  promise->set_revision(callback->promises_size());
  *promise->mutable_promised_time() = domain::ToProto(promised);
  *promise->mutable_create_time() = domain::ToProto(made);
  *promise->mutable_accept_time() = domain::ToProto(made);
  promise->set_channel(record::PromiseRecord::CHANNEL_VOICE_MAIL);
  promise->set_state(state);
  promise->set_author(kAnna);
  promise->set_recording_id(recording_id);
  return promise;
}

// Promised by Anna at 9:12 for 13:00 on Monday, 23 November 2026, with a take that can be played.
inline PageRecords SomeRecords() {
  PageRecords records;
  records.team = SomeTeam();
  auto& callback = records.callback;
  callback.set_id(kCallbackId);
  callback.set_team_id(kTeamId);
  callback.mutable_caller()->set_name("Herr Müller");
  callback.mutable_caller()->set_email("mueller@example.com");
  callback.mutable_caller()->set_phone("+4930123456");
  callback.set_assignee_id(kAnna);
  callback.set_phase(record::CallbackRecord::PHASE_PROMISED);
  AddPromise(&callback, Berlin(23, 13), Berlin(23, 9, 12), record::PromiseRecord::STATE_ARMED, kRecordingId)
      ->set_spoken_text(
          "Guten Morgen Herr Müller, ich bin gerade von einer Geschäftsreise zurückgekehrt und habe gesehen, dass Sie um "
          "Rückruf gebeten haben.\nMein Vorschlag: Sie senden mir eine kurze Mail, worum es geht, und ich rufe Sie heute "
          "um 13 Uhr an. Versprochen!");
  record::RecordingRecord recording;
  recording.set_id(kRecordingId);
  recording.set_team_id(kTeamId);
  recording.set_callback_id(kCallbackId);
  recording.set_author(kAnna);
  recording.set_state(record::RecordingRecord::STATE_READY);
  recording.set_opus_blob("07/rc07aaaaaaaaaaaa/opus");
  recording.set_mp3_blob("07/rc07aaaaaaaaaaaa/mp3");
  recording.set_duration_seconds(31.6);
  records.recording = recording;
  return records;
}

}  // namespace ringback::web
