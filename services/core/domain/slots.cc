#include "core/domain/slots.h"

#include <algorithm>
#include <utility>

#include "absl/time/civil_time.h"
#include "core/domain/calendar.h"
#include "core/domain/proto_time.h"
#include "core/domain/rules.h"
#include "core/domain/team.h"

namespace ringback::domain {
namespace {

constexpr absl::Duration kAhead = absl::Minutes(30);
constexpr int kDaysMost = 5;       // so many days are offered
constexpr int kHorizonDays = 90;   // and so many looked at: no promise reaches further
constexpr int kDecentFrom = 7 * 60;  // minutes since midnight where the customer is
constexpr int kDecentUntil = 20 * 60;

absl::TimeZone ZoneOr(const std::string& name, absl::TimeZone otherwise) {
  auto zone = LoadZone(name);
  return zone.ok() ? *zone : otherwise;
}

class Offer {
 public:
  Offer(const record::CallbackRecord& callback, const record::TeamRecord& team, const std::string& member_id,
        const std::vector<absl::Time>& own_promises, const std::vector<BusySpan>& busy, absl::Time now)
      : team_(team),
        member_(FindMember(team, member_id)),
        own_promises_(own_promises),
        busy_(busy),
        earliest_(now + kAhead),
        latest_(now + absl::Hours(24) * kHorizonDays),
        slot_(SlotLength(team)),
        zone_(ZoneOr(team.time_zone(), absl::UTCTimeZone())),
        customer_zone_(ZoneOr(callback.caller().time_zone(), zone_)),
        decent_only_(team.calendar().hours().empty() || customer_zone_ != zone_) {
    if (const record::PromiseRecord* armed = ArmedPromise(callback)) promised_ = FromProto(armed->promised_time());
  }

  // Every free time of one local day.
  std::vector<absl::Time> OfDay(absl::CivilDay day) const {
    std::vector<absl::Time> free;
    const auto spans = OpenSpansOf(team_.calendar(), zone_, day);
    if (spans.empty()) return free;
    const int step = static_cast<int>(absl::ToInt64Minutes(slot_));
    for (int minute = 0; minute < 24 * 60; minute += step) {
      const auto info = zone_.At(absl::CivilSecond(absl::CivilMinute(day) + minute));
      if (info.kind == absl::TimeZone::TimeInfo::SKIPPED) continue;
      const absl::Time start = info.pre;
      const bool open = std::any_of(spans.begin(), spans.end(), [&](const OpenSpan& span) {
        return span.start <= start && start + slot_ <= span.end;
      });
      if (open && IsFree(start)) free.push_back(start);
    }
    return free;
  }

  absl::CivilDay FirstDay(absl::Time from) const { return absl::ToCivilDay(std::max(earliest_, from), zone_); }

 private:
  bool IsFree(absl::Time start) const {
    const absl::Time end = start + slot_;
    if (start < earliest_ || start > latest_ || start == promised_) return false;
    if (decent_only_ && !IsDecent(start, end)) return false;
    if (member_ != nullptr && (AbsenceAt(*member_, start) != nullptr ||
                               AbsenceAt(*member_, end - absl::Nanoseconds(1)) != nullptr)) {
      return false;
    }
    for (const absl::Time other : own_promises_) {
      if (absl::AbsDuration(other - start) < slot_) return false;
    }
    return std::none_of(busy_.begin(), busy_.end(),
                        [&](const BusySpan& span) { return span.start < end && start < span.end; });
  }

  bool IsDecent(absl::Time start, absl::Time end) const {
    const absl::CivilMinute from = absl::ToCivilMinute(start, customer_zone_);
    const absl::CivilMinute until = absl::ToCivilMinute(end, customer_zone_);
    const absl::CivilMinute midnight(absl::CivilDay{from});
    return from - midnight >= kDecentFrom && until - midnight <= kDecentUntil;
  }

  const record::TeamRecord& team_;
  const record::Member* const member_;
  const std::vector<absl::Time>& own_promises_;
  const std::vector<BusySpan>& busy_;
  const absl::Time earliest_, latest_;
  const absl::Duration slot_;
  const absl::TimeZone zone_, customer_zone_;
  const bool decent_only_;
  absl::Time promised_ = absl::InfinitePast();
};

}  // namespace

absl::Duration SlotLength(const record::TeamRecord& team) {
  const absl::Duration length = team.has_slot_length() ? FromProto(team.slot_length()) : absl::ZeroDuration();
  return length >= absl::Minutes(1) ? absl::Floor(length, absl::Minutes(1)) : kSlotLengthDefault;
}

std::vector<absl::Time> FreeSlots(const record::CallbackRecord& callback, const record::TeamRecord& team,
                                  const std::string& member_id, const std::vector<absl::Time>& own_promises,
                                  const std::vector<BusySpan>& busy, absl::Time now, int count_max,
                                  std::optional<absl::Time> from) {
  if (count_max <= 0) return {};
  const Offer offer(callback, team, member_id, own_promises, busy, now);
  absl::CivilDay day = offer.FirstDay(from.value_or(now));
  if (from.has_value()) {
    std::vector<absl::Time> next;
    for (int i = 0; i <= kHorizonDays; ++i, ++day) {
      for (const absl::Time slot : offer.OfDay(day)) {
        if (slot < *from) continue;
        next.push_back(slot);
        if (static_cast<int>(next.size()) == count_max) return next;
      }
    }
    return next;
  }

  std::vector<std::vector<absl::Time>> days;
  for (int i = 0; i <= kHorizonDays && static_cast<int>(days.size()) < std::min(kDaysMost, count_max); ++i, ++day) {
    std::vector<absl::Time> free = offer.OfDay(day);
    if (!free.empty()) days.push_back(std::move(free));
  }

  // Each day its share, the sooner ones what is left over, and what a day cannot fill goes to the others.
  std::vector<size_t> shares(days.size(), 0);
  for (int left = count_max, before = left + 1; left > 0 && left < before;) {
    before = left;
    for (size_t i = 0; i < days.size() && left > 0; ++i) {
      if (shares[i] == days[i].size()) continue;
      ++shares[i];
      --left;
    }
  }
  std::vector<absl::Time> slots;
  for (size_t i = 0; i < days.size(); ++i) {
    for (size_t k = 0; k < shares[i]; ++k) slots.push_back(days[i][k * days[i].size() / shares[i]]);
  }
  return slots;
}

}  // namespace ringback::domain
