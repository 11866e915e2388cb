#include "core/runtime/worker_loop.h"

#include <algorithm>
#include <utility>

#include "core/base/log.h"
#include "core/runtime/notifying_store.h"

namespace ringback::runtime {
namespace {

constexpr absl::Duration kLongestSleep = absl::Seconds(1);  // a lost nudge or a shifted clock costs this at worst
constexpr absl::Duration kBlockedSleepMin = absl::Milliseconds(5);
constexpr absl::Duration kBlockedSleepMax = absl::Milliseconds(100);
// What must be left of the lease that a job was born with, else it is prolonged before the work begins: so much that half of
// it passes before the end even if this machine's clock is as far behind the store's as a ready program's may be.
const absl::Duration kFreshLease = kHandoffReserve * 3 / 4;

std::chrono::nanoseconds Chrono(absl::Duration duration) { return absl::ToChronoNanoseconds(duration); }

}  // namespace

WorkerLoop::WorkerLoop(WorkerOptions options, std::unique_ptr<JobHandler> handler, WorkerParts parts)
    : options_(std::move(options)),
      job_run_(options_, std::move(handler), {parts.store, parts.clock, parts.random, parts.metrics}),
      parts_(parts),
      stage_(StageName(options_.stage)),
      blocked_sleep_(kBlockedSleepMin) {
  for (const char* const found_by : {"handoff", "poll"}) {
    parts_.metrics->Count("ringback_claims_total", {{"stage", stage_}, {"found_by", found_by}}, 0);
  }
}

WorkerLoop::~WorkerLoop() {
  if (!loop_.joinable()) return;
  BeginDrain();
  loop_.join();
  renewer_.join();
  std::vector<std::thread> slots;
  {
    MutexLock lock(&mutex_);
    slots.swap(slots_);
  }
  for (std::thread& slot : slots) slot.join();
  parts_.signals->Unsubscribe(subscription_);
  if (parts_.handoff != nullptr) parts_.handoff->StopReceiving(stage_);
}

void WorkerLoop::Start() {
  subscription_ = parts_.signals->Subscribe(DueTopic(options_.stage), [this](const std::string&) {
    MutexLock lock(&mutex_);
    nudged_ = true;
    wake_loop_.NotifyOne();
  });
  if (parts_.handoff != nullptr) {
    parts_.handoff->Receive(stage_, [this](handoff::Job job) {
      {
        MutexLock lock(&mutex_);
        if (!draining_) {
          offered_.push_back(std::move(job));
          wake_loop_.NotifyOne();
          return;
        }
      }
      parts_.handoff->Refuse(std::move(job));
    });
  }
  {
    MutexLock lock(&mutex_);
    loop_ended_ = false;
  }
  loop_ = std::thread([this] { Loop(); });
  renewer_ = std::thread([this] { KeepLeases(); });
}

void WorkerLoop::BeginDrain() {
  MutexLock lock(&mutex_);
  draining_ = true;
  wake_loop_.NotifyOne();
  wake_slots_.NotifyAll();
}

bool WorkerLoop::WaitDrained(absl::Duration timeout) {
  const auto end = Steady::now() + Chrono(timeout);
  std::vector<store::Lease> left;
  {
    MutexLock lock(&mutex_);
    while (!(held_.empty() && loop_ended_) && Steady::now() < end) {
      job_ended_.WaitFor(&mutex_, end - Steady::now());
    }
    if (held_.empty()) return true;
    abandoned_ = true;
    wake_loop_.NotifyOne();
    for (const HeldPtr& job : held_) left.push_back(job->lease);
  }
  for (const store::Lease& lease : left) {
    RB_LOG_WARN("{}: {} was not finished in time and is given back", options_.name, lease.key.id);
    parts_.store->Release(lease, std::nullopt, false).IgnoreError();  // else its lease runs out by itself
  }
  return false;
}

void WorkerLoop::Loop() {
  for (;;) {
    TakeOffered();
    int free = 0;
    {
      MutexLock lock(&mutex_);
      if (draining_) break;
      free = options_.slots - static_cast<int>(held_.size());
    }
    RenewHeld();
    if (free <= 0) {
      claim_ = true;
      Announce(0);
      Sleep(kLongestSleep, false);
    } else if (!claim_ || !ClaimSome(free)) {
      const absl::Duration sleep = store_failing_ ? kLongestSleep : UntilNextLook();
      // Only when there is no backlog: that is claimed in bulk, and its order is the store's.
      if (sleep > absl::ZeroDuration()) Announce(store_failing_ ? 0 : free);
      if (sleep > absl::ZeroDuration() && Sleep(sleep, false)) claim_ = true;
      // Until it claims again: a full disk lets itself be read.
      if (store_failing_) claim_ = true;
    }
  }
  Announce(0);
  GiveBackQueued();
  for (;;) {
    TakeOffered();
    {
      MutexLock lock(&mutex_);
      if (held_.empty() || abandoned_) {
        loop_ended_ = true;
        job_ended_.NotifyAll();
        wake_renewer_.NotifyOne();
        return;
      }
    }
    Sleep(kLongestSleep, true);
  }
}

bool WorkerLoop::ClaimSome(int free) {
  store::ClaimOptions claim;
  claim.max = free;
  claim.lease = options_.lease;
  claim.team_in_flight_max = options_.team_in_flight_max;
  auto leases = parts_.store->ClaimDue(options_.stage, claim);
  if (!leases.ok()) {
    StoreFailed(leases.status());
    return false;
  }
  StoreAnswered();
  if (leases->empty()) return false;
  blocked_sleep_ = kBlockedSleepMin;
  Announce(std::min(announced_, free - static_cast<int>(leases->size())));
  std::vector<HeldPtr> jobs;
  for (store::Lease& lease : *leases) {
    jobs.push_back(std::make_shared<Held>());
    jobs.back()->lease = std::move(lease);
    jobs.back()->length = options_.lease;
  }
  Dispatch(std::move(jobs));
  return true;
}

void WorkerLoop::TakeOffered() {
  for (;;) {
    handoff::Job offered;
    bool fits = false;
    {
      MutexLock lock(&mutex_);
      if (offered_.empty()) return;
      offered = std::move(offered_.front());
      offered_.pop_front();
      fits = !draining_ && static_cast<int>(held_.size()) < options_.slots;
    }
    announced_ = std::max(0, announced_ - 1);  // as the hand-off counts
    const std::optional<OfferedEntry> entry = DecodeOffered(offered.key);
    if (!entry || entry->key.stage != options_.stage) continue;  // from a version that says it otherwise: a poll finds it
    if (!fits) {
      parts_.handoff->Refuse(std::move(offered));
      continue;
    }
    const HeldPtr job = Take(std::move(offered), *entry);
    parts_.metrics->Count("ringback_offers_total", {{"stage", stage_}, {"outcome", job != nullptr ? "claimed" : "gone"}});
    if (job != nullptr) Dispatch({job});
  }
}

WorkerLoop::HeldPtr WorkerLoop::Take(handoff::Job offered, const OfferedEntry& entry) {
  absl::StatusOr<store::Lease> lease;
  absl::Duration length = options_.lease;
  if (!entry.lease.has_value()) {
    lease = parts_.store->Claim(entry.key, length);
  } else if (const absl::Duration left = entry.lease->expires - parts_.clock->Now(); left < kFreshLease) {
    lease = parts_.store->Extend(*entry.lease, length);  // it was long under way, or this loop was busy
  } else {
    lease = *entry.lease;
    length = std::min(left, kHandoffReserve);
  }
  // Somebody was quicker; or the store is away: then a poll finds it.
  if (!lease.ok()) return nullptr;
  auto job = std::make_shared<Held>();
  job->lease = *std::move(lease);
  job->length = length;
  job->payload = std::move(offered.payload);
  job->traceparent = std::move(offered.traceparent);
  job->handed_off = true;
  return job;
}

void WorkerLoop::Announce(int free) {
  if (parts_.handoff == nullptr || free == announced_) return;
  announced_ = free;
  parts_.handoff->Announce(stage_, free);
}

void WorkerLoop::Dispatch(std::vector<HeldPtr> jobs) {
  const absl::Time now = parts_.clock->Now();
  parts_.metrics->Count("ringback_claims_total",
                        {{"stage", stage_}, {"found_by", jobs.front()->handed_off ? "handoff" : "poll"}},
                        static_cast<double>(jobs.size()));
  for (const HeldPtr& job : jobs) {
    parts_.metrics->Observe("ringback_timer_lateness_seconds", {{"stage", stage_}},
                            absl::ToDoubleSeconds(std::max(now - job->lease.due, absl::ZeroDuration())));
  }
  MutexLock lock(&mutex_);
  for (const HeldPtr& job : jobs) {
    job->renew_at = Steady::now() + Chrono(job->length / 2);
    held_.push_back(job);
    queue_.push_back(job);
    if (job->renew_at < renewer_sleeps_until_) wake_renewer_.NotifyOne();
  }
  while (idle_slots_ < static_cast<int>(queue_.size()) && static_cast<int>(slots_.size()) < options_.slots) {
    ++idle_slots_;
    slots_.emplace_back([this] { RunSlot(); });
  }
  wake_slots_.NotifyAll();
}

absl::Duration WorkerLoop::UntilNextLook() {
  const bool claimed_nothing = std::exchange(claim_, false);
  const auto next = parts_.store->NextDue(options_.stage);
  const auto now = parts_.store->Now();
  if (!next.ok() || !now.ok()) {
    StoreFailed(next.ok() ? now.status() : next.status());
    return kLongestSleep;
  }
  StoreAnswered();
  if (!next->has_value()) return kLongestSleep;
  const absl::Duration wait = **next - *now;
  if (wait > kLongestSleep) return kLongestSleep;
  claim_ = true;
  if (wait > absl::ZeroDuration()) return wait;
  // Due, and yet nothing to claim: every team with something due is at its cap, or another worker was quicker.
  if (!claimed_nothing) return absl::ZeroDuration();
  return std::exchange(blocked_sleep_, std::min(blocked_sleep_ * 2, kBlockedSleepMax));
}

bool WorkerLoop::Sleep(absl::Duration longest, bool draining) {
  const auto end = Steady::now() + Chrono(longest);
  MutexLock lock(&mutex_);
  for (;;) {
    const auto left = end - Steady::now();
    if (nudged_ || abandoned_ || !offered_.empty() || draining_ != draining || left <= left.zero()) break;
    wake_loop_.WaitFor(&mutex_, left);
  }
  return std::exchange(nudged_, false);
}

void WorkerLoop::KeepLeases() {
  for (;;) {
    {
      MutexLock lock(&mutex_);
      if (loop_ended_) return;
      auto until = Steady::now() + Chrono(kLongestSleep);
      for (const HeldPtr& job : held_) until = std::min(until, job->renew_at);
      renewer_sleeps_until_ = until;
      if (const auto left = until - Steady::now(); left > left.zero()) wake_renewer_.WaitFor(&mutex_, left);
      renewer_sleeps_until_ = Steady::time_point::min();
    }
    RenewHeld();
  }
}

void WorkerLoop::RenewHeld() {
  MutexLock one_at_a_time(&renewing_);
  // By both clocks: a machine that slept, or a clock that was set, may have outrun the lease already.
  const auto steady_now = Steady::now();
  const absl::Time now = parts_.clock->Now();
  std::vector<std::pair<HeldPtr, store::Lease>> due;
  {
    MutexLock lock(&mutex_);
    for (const HeldPtr& job : held_) {
      if (!job->lost && (job->renew_at <= steady_now || job->lease.expires <= now + job->length / 4)) due.emplace_back(job, job->lease);
    }
  }
  for (const auto& [job, lease] : due) {
    const auto renewed = parts_.store->Extend(lease, options_.lease);
    MutexLock lock(&mutex_);
    if (renewed.ok()) {
      job->lease = *renewed;
      job->length = options_.lease;
    }
    job->renew_at = Steady::now() + Chrono(job->length / (renewed.ok() ? 2 : 8));
    if (absl::IsAborted(renewed.status())) {
      // Either somebody else has it, or the handler has just committed its end: what it returns will tell.
      job->lost = true;
      job->renew_at = Steady::time_point::max();
    }
  }
}

void WorkerLoop::GiveBackQueued() {
  std::deque<HeldPtr> unbegun;
  {
    MutexLock lock(&mutex_);
    unbegun.swap(queue_);
    for (const HeldPtr& job : unbegun) held_.remove(job);
  }
  for (const HeldPtr& job : unbegun) {
    parts_.store->Release(job->lease, std::nullopt, true).IgnoreError();  // else its lease runs out by itself
  }
}

void WorkerLoop::ReportSlots() {
  int busy = 0;
  {
    MutexLock lock(&mutex_);
    busy = static_cast<int>(held_.size());
  }
  const auto gauge = [&](const char* state, int n) {
    parts_.metrics->Gauge("ringback_slots", {{"stage", stage_}, {"state", state}}, n);
  };
  gauge("busy", busy);
  gauge("free", std::max(0, options_.slots - busy));
  if (parts_.handoff == nullptr) return;
  parts_.metrics->Gauge("ringback_credits_given", {{"stage", stage_}}, parts_.handoff->Given(stage_));
}

void WorkerLoop::StoreFailed(const absl::Status& status) {
  parts_.metrics->Count("ringback_store_errors_total", {{"stage", stage_}});
  if (!store_failing_) RB_LOG_ERROR("{}: the store fails, trying again every second: {}", options_.name, status.ToString());
  store_failing_ = true;
}

void WorkerLoop::StoreAnswered() {
  if (store_failing_) RB_LOG_INFO("{}: the store answers again", options_.name);
  store_failing_ = false;
}

void WorkerLoop::RunSlot() {
  mutex_.Lock();
  for (;;) {
    while (queue_.empty() && !draining_) wake_slots_.Wait(&mutex_);
    if (queue_.empty()) break;
    const HeldPtr job = std::move(queue_.front());
    queue_.pop_front();
    job->begun = true;
    --idle_slots_;
    mutex_.Unlock();
    RunJob(job);
    mutex_.Lock();
    ++idle_slots_;
    held_.remove(job);
    nudged_ = true;
    wake_loop_.NotifyOne();
    job_ended_.NotifyAll();
  }
  mutex_.Unlock();
}

void WorkerLoop::RunJob(const HeldPtr& held) {
  Job job{{}, held->payload, held->handed_off};
  {
    MutexLock lock(&mutex_);
    job.lease = held->lease;
  }
  job_run_.Run(job, held->traceparent);
}

}  // namespace ringback::runtime
