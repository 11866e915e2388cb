#include "core/domain/draft.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/check.h"
#include "core/domain/calendar.h"
#include "core/domain/deliveries.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"

namespace ringback::domain {
namespace {

absl::TimeZone ZoneOrUtc(const std::string& name) {
  auto zone = LoadZone(name);
  return zone.ok() ? *zone : absl::UTCTimeZone();
}

}  // namespace

TeamRules::TeamRules(const record::TeamRecord& team_record)
    : team(team_record), policy(PolicyOf(team_record)), zone(ZoneOrUtc(team_record.time_zone())) {}

absl::Time TeamRules::NextOpen(absl::Time at) const { return domain::NextOpen(team.calendar(), zone, at); }

Draft::Draft(record::CallbackRecord record, const record::TeamRecord& team, std::string who, absl::Time at)
    : callback(std::move(record)), rules(team), author(std::move(who)), now(FromProto(ToProto(at))) {}

void Draft::Event(std::string_view what,
                  std::initializer_list<std::pair<std::string_view, std::string>> details) {
  record::HistoryEvent event;
  callback.set_history_count(callback.history_count() + 1);
  event.set_number(callback.history_count());
  *event.mutable_time() = ToProto(now);
  event.set_author(author);
  event.set_what(std::string(what));
  for (const auto& [key, value] : details) {
    if (!value.empty()) (*event.mutable_details())[std::string(key)] = value;
  }
  *callback.add_history() = event;
  decision.events.push_back(std::move(event));
}

void Draft::Count(std::string_view name, std::string_view member_id) {
  const std::string week = IsoWeek(now, rules.zone);
  const std::string member(member_id.empty() ? std::string_view(callback.assignee_id()) : member_id);
  decision.counters.push_back({week, std::string(name)});
  if (!member.empty()) decision.counters.push_back({week, absl::StrCat(std::string(name), "/", member)});
}

record::DeliveryRecord& Draft::NewDelivery(record::DeliveryRecord::Kind kind) {
  callback.set_delivery_count(callback.delivery_count() + 1);
  record::DeliveryRecord& delivery = decision.new_deliveries.emplace_back();
  delivery.set_id(DeliveryId(callback.id(), callback.delivery_count()));
  delivery.set_team_id(callback.team_id());
  delivery.set_callback_id(callback.id());
  delivery.set_kind(kind);
  delivery.set_state(record::DeliveryRecord::STATE_QUEUED);
  *delivery.mutable_create_time() = ToProto(now);
  return delivery;
}

record::DeliveryRecord& Draft::ToMember(record::DeliveryRecord::Kind kind, const Told& told) {
  record::DeliveryRecord& delivery = NewDelivery(kind);
  delivery.set_member_id(told.member_id);
  delivery.set_stands_in_for_id(told.stands_in_for_id);
  if (const auto* member = FindMember(rules.team, told.member_id)) {
    for (auto& channel : MemberChannels(*member, rules.team)) *delivery.add_channels() = std::move(channel);
  } else {
    delivery.add_channels()->set_kind(record::Channel::KIND_DESK);
  }
  return delivery;
}

record::DeliveryRecord* Draft::ToCustomer(record::DeliveryRecord::Kind kind) {
  auto channels = CustomerChannels(callback.caller());
  if (channels.empty()) return nullptr;
  record::DeliveryRecord& delivery = NewDelivery(kind);
  for (auto& channel : channels) *delivery.add_channels() = std::move(channel);
  return &delivery;
}

std::vector<Told> Draft::Managers() const {
  record::Policy::Step managers;
  managers.add_recipients()->set_kind(record::Recipient::KIND_MANAGERS);
  return Recipients(rules.team, managers, callback.assignee_id(), now);
}

std::vector<Told> Draft::Owner() const {
  const auto* assignee = FindMember(rules.team, callback.assignee_id());
  if (assignee == nullptr) return Managers();
  Told told = Present(rules.team, assignee->id(), now);
  const auto* member = FindMember(rules.team, told.member_id);
  if (member == nullptr || member->inactive()) return Managers();  // gone, and nobody stands in
  return {std::move(told)};
}

std::vector<Told> Draft::OwnerAndManagers() const {
  std::vector<Told> told = Owner();
  for (Told& manager : Managers()) {
    const bool known = std::any_of(told.begin(), told.end(),
                                   [&](const Told& one) { return one.member_id == manager.member_id; });
    if (!known) told.push_back(std::move(manager));
  }
  return told;
}

record::DeliveryRecord* Draft::ByNextChannel(const record::DeliveryRecord& failed) {
  if (failed.channel() + 1 >= failed.channels_size()) return nullptr;
  record::DeliveryRecord& delivery = NewDelivery(failed.kind());
  const std::string id = delivery.id();
  delivery = failed;
  delivery.set_id(id);
  delivery.set_state(record::DeliveryRecord::STATE_QUEUED);
  *delivery.mutable_create_time() = ToProto(now);
  delivery.mutable_channels()->DeleteSubrange(0, failed.channel() + 1);
  delivery.clear_channel();
  delivery.clear_tries();
  delivery.clear_tries_set_aside();
  delivery.clear_accept_time();
  delivery.clear_calendar_entry();
  delivery.clear_bundled_into_id();
  delivery.clear_bundle_ids();
  return &delivery;
}

void Draft::Withdraw(const std::string& delivery_id) {
  if (!delivery_id.empty()) decision.withdrawn_delivery_ids.push_back(delivery_id);
}

Decision Draft::Finish() && {
  decision.next_timer = NextTimer(callback, rules.team, now);
  // Law 1: an open callback always has a next timer.
  RB_CHECK(decision.next_timer.has_value() == (callback.phase() != record::CallbackRecord::PHASE_CLOSED));
  if (decision.next_timer) {
    *callback.mutable_next_timer_time() = ToProto(*decision.next_timer);
  } else {
    callback.clear_next_timer_time();
  }
  decision.callback = std::move(callback);
  return std::move(decision);
}

std::vector<record::Channel> CustomerChannels(const record::Caller& caller) {
  std::vector<record::Channel> channels;
  const auto add = [&](record::Channel::Kind kind, const std::string& address) {
    record::Channel& channel = channels.emplace_back();
    channel.set_kind(kind);
    channel.set_address(address);
  };
  if (!caller.email().empty()) add(record::Channel::KIND_MAIL, caller.email());
  // The only way there is, however it looks; behind a mail only where it can arrive.
  if (!caller.phone().empty() && (channels.empty() || MayTakeSms(caller.phone()))) {
    add(record::Channel::KIND_SMS, caller.phone());
  }
  return channels;
}

std::string Text(absl::Time time) { return absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", time, absl::UTCTimeZone()); }

std::string Join(const std::vector<Told>& told) {
  std::string text;
  for (const Told& one : told) absl::StrAppend(&text, text.empty() ? "" : ",", one.member_id);
  return text;
}

absl::Status Refused(std::string_view reason, std::string_view description) {
  return FieldError(absl::StatusCode::kFailedPrecondition, "callback", reason, description);
}

}  // namespace ringback::domain
