#include "core/rpc/translate.h"

#include "core/domain/input.h"
#include "core/domain/rules.h"

namespace ringback::rpc {
namespace {

// Enums and messages of the two languages that are the same on the wire (same numbers, same names) are copied as bytes:
// a test holds their descriptors against each other.
template <typename To, typename From>
To SameOnTheWire(const From& from) {
  To to;
  to.ParseFromString(from.SerializeAsString());
  to.DiscardUnknownFields();
  return to;
}

}  // namespace

api::Caller ToApi(const record::Caller& caller) { return SameOnTheWire<api::Caller>(caller); }
record::Caller FromApi(const api::Caller& caller) { return SameOnTheWire<record::Caller>(caller); }

api::HistoryEvent ToApi(const record::HistoryEvent& event) {
  api::HistoryEvent out;
  out.set_number(event.number());
  *out.mutable_event_time() = event.time();
  out.set_author(event.author());
  out.set_what(event.what());
  *out.mutable_details() = event.details();
  return out;
}

api::Callback ToApi(const record::CallbackRecord& callback, const record::TeamRecord& team, uint64_t version,
                    absl::Time now, const std::string& public_url) {
  api::Callback out;
  out.set_id(callback.id());
  out.set_team_id(callback.team_id());
  *out.mutable_caller() = ToApi(callback.caller());
  if (!callback.caller().phone().empty()) {
    out.mutable_caller()->set_phone_national(
        domain::NationalPhone(callback.caller().phone(), team.footer().phone(), team.language()));
  }
  out.set_contact_id(callback.contact_id());
  out.set_note(callback.note());
  out.set_rings(callback.rings());
  out.set_assignee_id(callback.assignee_id());
  if (const record::Member* member = FindMember(team, callback.assignee_id())) out.set_assignee_name(member->name());
  out.set_phase(static_cast<api::Callback::Phase>(callback.phase()));
  out.set_overdue(domain::IsOverdue(callback, now));
  if (const auto due = domain::DueTime(callback)) *out.mutable_due_time() = ToProto(*due);
  *out.mutable_create_time() = callback.create_time();
  if (callback.has_close_time()) *out.mutable_close_time() = callback.close_time();
  out.set_closing(static_cast<api::Callback::Closing>(callback.closing()));
  out.set_disposition(callback.disposition());
  out.set_close_reason(callback.close_reason());
  for (const record::PromiseRecord& promise : callback.promises()) {
    api::Promise* to = out.add_promises();
    to->set_revision(promise.revision());
    *to->mutable_promised_time() = promise.promised_time();
    to->set_channel(static_cast<api::PromiseChannel>(promise.channel()));
    to->set_state(static_cast<api::Promise::State>(promise.state()));
    to->set_verdict(static_cast<api::Verdict>(promise.verdict()));
    if (promise.has_late_by()) *to->mutable_late_by() = promise.late_by();
    *to->mutable_create_time() = promise.create_time();
    if (promise.has_accept_time()) *to->mutable_accept_time() = promise.accept_time();
    to->set_author(promise.author());
    to->set_recording_id(promise.recording_id());
    to->set_spoken_text(promise.spoken_text());
    to->set_delivery_id(promise.delivery_id());
    if (promise.has_agreed_time()) *to->mutable_agreed_time() = promise.agreed_time();
    if (promise.has_heard_time()) *to->mutable_heard_time() = promise.heard_time();
    if (promise.has_decline_time()) *to->mutable_decline_time() = promise.decline_time();
  }
  for (const record::AttemptRecord& attempt : callback.attempts()) {
    *out.add_attempts() = SameOnTheWire<api::Attempt>(attempt);
  }
  if (callback.has_brief()) *out.mutable_brief() = SameOnTheWire<api::Brief>(callback.brief());
  if (callback.has_proposal()) *out.mutable_proposal() = SameOnTheWire<api::Proposal>(callback.proposal());
  out.set_topic(static_cast<api::Topic>(callback.topic()));
  if (callback.has_escalation() && callback.escalation().kind() != record::ALARM_KIND_UNSPECIFIED) {
    const record::EscalationRecord& escalation = callback.escalation();
    api::Escalation* to = out.mutable_escalation();
    *to->mutable_anchor_time() = escalation.anchor_time();
    to->set_alarms(escalation.next_alarm());
    to->set_last_step(escalation.last_step());
    if (escalation.has_last_alarm_time()) *to->mutable_last_alarm_time() = escalation.last_alarm_time();
    *to->mutable_told_member_ids() = escalation.told_ids();
    if (escalation.has_ack_until()) *to->mutable_acknowledged_until() = escalation.ack_until();
    to->set_acknowledged_by(escalation.ack_by());
  }
  out.set_delivery_alarm(callback.delivery_alarm());
  out.set_history_count(callback.history_count());
  if (!public_url.empty() && !callback.page_token().empty()) out.set_page_url(public_url + "/m/" + callback.page_token());
  if (callback.has_next_timer_time()) *out.mutable_next_timer_time() = callback.next_timer_time();
  out.set_erased(callback.erased());
  out.set_version(static_cast<int64_t>(version));
  return out;
}

api::Recording ToApi(const record::RecordingRecord& recording) {
  api::Recording out;
  out.set_id(recording.id());
  out.set_team_id(recording.team_id());
  out.set_callback_id(recording.callback_id());
  out.set_author(recording.author());
  out.set_state(static_cast<api::Recording::State>(recording.state()));
  *out.mutable_create_time() = recording.create_time();
  out.set_sha256(recording.sha256());
  out.set_size_bytes(recording.size_bytes());
  out.set_duration_seconds(recording.duration_seconds());
  out.set_input_loudness_lufs(recording.input_loudness_lufs());
  out.set_output_loudness_lufs(recording.output_loudness_lufs());
  out.set_output_peak_dbtp(recording.output_peak_dbtp());
  out.set_clipped_share(recording.clipped_share());
  out.set_speech_seconds(recording.speech_seconds());
  out.set_noise_floor_dbfs(recording.noise_floor_dbfs());
  for (const auto& finding : recording.findings()) *out.add_findings() = SameOnTheWire<api::Recording::Finding>(finding);
  out.set_waveform(recording.waveform());
  out.set_mp3_size_bytes(recording.mp3_size_bytes());
  out.set_opus_size_bytes(recording.opus_size_bytes());
  return out;
}

api::Delivery ToApi(const record::DeliveryRecord& delivery, const std::string& mail_domain) {
  api::Delivery out;
  out.set_id(delivery.id());
  out.set_callback_id(delivery.callback_id());
  out.set_kind(static_cast<api::Delivery::Kind>(delivery.kind()));
  out.set_state(static_cast<api::Delivery::State>(delivery.state()));
  out.set_member_id(delivery.member_id());
  *out.mutable_create_time() = delivery.create_time();
  if (delivery.has_accept_time()) *out.mutable_accept_time() = delivery.accept_time();
  for (const auto& try_made : delivery.tries()) {
    api::Delivery::Try* to = out.add_tries();
    *to->mutable_try_time() = try_made.time();
    if (try_made.channel() < delivery.channels_size()) to->set_channel(ChannelWord(delivery.channels(try_made.channel()).kind()));
    to->set_accepted(try_made.accepted());
    to->set_permanent(try_made.permanent());
    to->set_reason(try_made.reason());
  }
  out.set_step(delivery.step());
  out.set_message_id(MessageId(delivery.id(), mail_domain));
  return out;
}

api::Answer ToApi(const record::AnswerRecord& answer) {
  api::Answer out;
  out.set_id(answer.id());
  out.set_team_id(answer.team_id());
  out.set_callback_id(answer.callback_id());
  out.set_source(static_cast<api::Answer::Source>(answer.source()));
  out.set_kind(static_cast<api::Answer::Kind>(answer.kind()));
  out.set_match(static_cast<api::Answer::Match>(answer.match()));
  out.set_matched_by(answer.matched_by());
  if (answer.has_create_time()) *out.mutable_create_time() = answer.create_time();
  out.set_sender(answer.sender());
  out.set_subject(answer.subject());
  out.set_text(answer.text());
  out.set_original_size_bytes(answer.original_size_bytes());
  for (const auto& attachment : answer.attachments()) {
    api::Answer::Attachment& shown = *out.add_attachments();
    shown.set_file_name(attachment.file_name());
    shown.set_media_type(attachment.media_type());
    shown.set_size_bytes(attachment.size_bytes());
    shown.set_drop_reason(attachment.drop_reason());
  }
  *out.mutable_remarks() = answer.remarks();
  out.set_delivery_id(answer.delivery_id());
  out.set_bounce_permanent(answer.bounce_permanent());
  out.set_participation(answer.participation());
  return out;
}

api::Contact ToApi(const record::ContactRecord& contact) {
  api::Contact out;
  out.set_id(contact.id());
  *out.mutable_caller() = ToApi(contact.caller());
  *out.mutable_create_time() = contact.create_time();
  *out.mutable_update_time() = contact.update_time();
  return out;
}

api::Member ToApi(const record::Member& member) {
  auto out = SameOnTheWire<api::Member>(member);
  for (api::Channel& channel : *out.mutable_channels()) channel.clear_secret();
  if (!out.busy_url().empty()) out.mutable_busy_state();
  out.clear_busy_url();
  return out;
}

record::Member FromApi(const api::Member& member) { return SameOnTheWire<record::Member>(member); }
api::Policy ToApi(const record::Policy& policy) { return SameOnTheWire<api::Policy>(policy); }
record::Policy FromApi(const api::Policy& policy) { return SameOnTheWire<record::Policy>(policy); }

api::Team ToApi(const record::TeamRecord& team) {
  api::Team out;
  out.set_id(team.id());
  out.set_name(team.name());
  out.set_time_zone(team.time_zone());
  out.set_language(team.language());
  out.set_mail_address(team.mail_address());
  for (const record::Member& member : team.members()) *out.add_members() = ToApi(member);
  *out.mutable_policy() = ToApi(team.policy());
  *out.mutable_calendar() = SameOnTheWire<api::Calendar>(team.calendar());
  *out.mutable_footer() = SameOnTheWire<api::Footer>(team.footer());
  out.set_retention_days(team.retention_days());
  out.set_media_mode(static_cast<api::MediaMode>(team.media_mode()));
  out.set_recording_max_seconds(team.recording_max_seconds());
  out.set_legal_hold(team.legal_hold());
  *out.mutable_templates() = team.templates();
  *out.mutable_create_time() = team.create_time();
  out.set_member_figures(team.member_figures());
  out.set_report_listened(team.report_listened());
  if (team.has_slot_length()) *out.mutable_slot_length() = team.slot_length();
  out.set_play_others_takes(team.play_others_takes());
  for (const auto& secret : team.hook_secrets()) (*out.mutable_hook_secrets())[secret.first].clear();
  for (const record::HistoryEvent& event : team.history()) *out.add_history() = ToApi(event);
  return out;
}

api::Token ToApi(const record::TokenRecord& token) {
  api::Token out;
  out.set_id(token.id());
  out.set_team_id(token.team_id());
  out.set_member_id(token.member_id());
  if (token.role() == record::TokenRecord::ROLE_INTAKE) out.set_role(api::ROLE_INTAKE);
  if (token.role() == record::TokenRecord::ROLE_OPERATOR) out.set_role(api::ROLE_OPERATOR);
  out.set_label(token.label());
  *out.mutable_create_time() = token.create_time();
  if (token.has_expire_time()) *out.mutable_expire_time() = token.expire_time();
  out.set_revoked(token.revoked());
  return out;
}

std::string MessageId(const std::string& delivery_id, const std::string& mail_domain) {
  return delivery_id + "@" + mail_domain;
}

std::string ChannelWord(record::Channel::Kind kind) {
  switch (kind) {
    case record::Channel::KIND_MAIL: return "mail";
    case record::Channel::KIND_WEBHOOK: return "webhook";
    case record::Channel::KIND_SMS: return "sms";
    default: return "desk";
  }
}

}  // namespace ringback::rpc
