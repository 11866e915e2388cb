#include "core/domain/preview.h"

#include <algorithm>

#include "core/base/status_macros.h"
#include "core/domain/calendar.h"
#include "core/domain/draft.h"
#include "core/domain/input.h"
#include "core/domain/proto_time.h"
#include "core/domain/rules.h"

namespace ringback::domain {
namespace {

using record::DeliveryRecord;

constexpr absl::Duration kFurthest = absl::Hours(90 * 24);
// Timers that tell nobody anything (the promised time, when no reminder is left) are fewer than those that do.
constexpr int kTimersMost = 10 * kPreviewLinesMax;

absl::Time NextWorkingHour(const TeamRules& rules, absl::Time now) {
  const absl::CivilHour hour = absl::ToCivilHour(now, rules.zone) + 1;
  const absl::Time open = rules.NextOpen(absl::FromCivil(hour, rules.zone));
  // Hours that begin at 8:30: the next full one that is still within them.
  const absl::CivilHour full = absl::ToCivilHour(open, rules.zone);
  if (absl::FromCivil(full, rules.zone) == open) return open;
  const absl::Time later = absl::FromCivil(full + 1, rules.zone);
  return rules.NextOpen(later) == later ? later : open;
}

// What one timer says, a line for each kind: at the promised time both a reminder and a first step may go.
void AddLines(const Decision& decision, absl::Time at, std::vector<PreviewLine>* lines) {
  for (const auto kind : {DeliveryRecord::KIND_REMINDER, DeliveryRecord::KIND_ESCALATION}) {
    PreviewLine line;
    for (const DeliveryRecord& delivery : decision.new_deliveries) {
      if (delivery.kind() != kind) continue;
      line.member_ids.push_back(delivery.member_id());
      if (kind == DeliveryRecord::KIND_REMINDER) continue;
      line.step = delivery.step();
      line.round = delivery.repeat() + 1;
      line.daily = delivery.daily();
    }
    if (line.member_ids.empty()) continue;
    line.fire_time = at;
    lines->push_back(std::move(line));
  }
}

}  // namespace

absl::StatusOr<std::vector<PreviewLine>> Preview(const record::TeamRecord& team, std::optional<absl::Time> promised_time,
                                                 const std::string& assignee_id, absl::Time now) {
  const TeamRules rules(team);
  if (!assignee_id.empty()) RB_RETURN_IF_ERROR(CheckAssignee(team, assignee_id));
  const absl::Time promised = promised_time.value_or(NextWorkingHour(rules, now));
  if (promised <= now || promised > now + kFurthest) {
    return InvalidField("promised_time", "OUT_OF_RANGE", "a time that is still to come, within the next 90 days");
  }
  const absl::Time made = std::min(now, promised - FromProto(rules.policy.reminder_lead()) - absl::Minutes(1));
  Request request;
  request.callback_id = "cb00preview00000";
  request.assignee_id = assignee_id;
  RB_ASSIGN_OR_RETURN(Decision decision, Open(request, team, Actor{"system"}, made));
  MakePromise promise;
  promise.promised_time = promised;
  promise.channel = record::PromiseRecord::CHANNEL_SPOKEN;
  RB_ASSIGN_OR_RETURN(decision, Apply(decision.callback, promise, team, Actor{"system"}, made));

  std::vector<PreviewLine> lines;
  for (int timer = 0; timer < kTimersMost && decision.next_timer.has_value(); ++timer) {
    const absl::Time at = *decision.next_timer;
    decision = OnTimer(decision.callback, team, at);
    AddLines(decision, at, &lines);
    if (lines.size() >= kPreviewLinesMax || (!lines.empty() && lines.back().daily)) break;
  }
  if (lines.size() > kPreviewLinesMax) lines.resize(kPreviewLinesMax);
  return lines;
}

}  // namespace ringback::domain
