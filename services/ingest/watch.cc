#include "ingest/watch.h"

#include <atomic>
#include <deque>
#include <limits>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "core/domain/sight.h"
#include "core/rpc/team_changes.h"

namespace ringback::ingest {
namespace {

constexpr char kMethod[] = "/ringback.v1.CallbackService/WatchCallbacks";
constexpr int kBatch = 200;
constexpr std::chrono::milliseconds kLookEvery{1000};  // a lost nudge costs so much
constexpr std::chrono::milliseconds kBusyPause{100};
constexpr absl::Duration kAdmittedFor = absl::Seconds(3);  // a token that ended ends a quiet watch after so long

// Owned by itself until gRPC is done with it. At any moment exactly one of these goes on: a look on the pool, a write,
// or waiting in the waker; whoever it is calls the next, so that the members below need no lock.
class Watch final : public grpc::ServerWriteReactor<api::WatchCallbacksResponse>,
                    public std::enable_shared_from_this<Watch> {
 public:
  Watch(runtime::Host& host, std::shared_ptr<Waker> waker, grpc::CallbackServerContext* context,
        const api::WatchCallbacksRequest* request)
      : host_(host), waker_(std::move(waker)), context_(context), request_(*request) {}

  void Begin() {
    self_ = shared_from_this();
    LookSoon();
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return End(absl::CancelledError("the viewer has gone"));
    if (!queue_.empty()) return WriteNext();
    LookSoon();
  }
  void OnCancel() override {
    cancelled_ = true;
    waker_->Fire(waiting_);
  }
  void OnDone() override {
    if (host_.rpc().finished) host_.rpc().finished(kMethod, ended_with_, absl::Now() - begin_);
    self_.reset();
  }

 private:
  // On the pool from here; on the waker's thread when it is busy.
  void LookSoon() {
    if (cancelled_) return End(absl::CancelledError("the viewer has gone"));
    if (waker_->draining()) return EndDraining();
    if (host_.rpc().executor->Submit([self = shared_from_this()] { self->Look(); })) return;
    Wait(kBusyPause, waker_->Seen(topic_));
  }

  void Look() {
    if (const absl::Status status = Collect(); !status.ok()) return End(status);
    if (queue_.empty()) return Wait(kLookEvery, seen_);
    WriteNext();
  }

  void WriteNext() {
    current_ = std::move(queue_.front());
    queue_.pop_front();
    StartWrite(&current_);
  }

  void Wait(std::chrono::milliseconds at_most, uint64_t seen) {
    const uint64_t handle =
        waker_->Arm(topic_, seen, at_most, [self = shared_from_this()] { self->LookSoon(); });
    if (handle != 0) {
      waiting_ = handle;  // OnCancel may miss it by a hair: then the next look a second later finds the cancellation
      return;
    }
    if (waker_->draining()) return EndDraining();
    End(rpc::RetryAfter(absl::ResourceExhaustedError("too many viewers"), absl::Seconds(10)));
  }

  void EndDraining() { End(absl::UnavailableError("the server is going down; resume from the last revision")); }

  void End(const absl::Status& status) {
    ended_with_ = status.code();
    Finish(rpc::ToGrpc(status));
  }

  absl::Status Collect() {
    if (!admitted_) {
      RB_RETURN_IF_ERROR(Admit());
      admitted_ = true;
    } else if (absl::Now() - admit_time_ >= kAdmittedFor) {
      RB_RETURN_IF_ERROR(StillAdmitted());
    }
    seen_ = waker_->Seen(topic_);
    RB_ASSIGN_OR_RETURN(const auto changes, rpc::ReadTeamChanges(host_.store(), team_id_, since_, kBatch, host_.config().public_url));
    if (changes.complete && changes.revision == since_) return absl::OkStatus();
    RB_RETURN_IF_ERROR(StillAdmitted());  // nothing is told to somebody who was shown out before it happened
    if (!changes.complete) {
      api::WatchCallbacksResponse& all = queue_.emplace_back();
      all.set_revision(changes.revision);
      all.set_resync(true);
    }
    // Of a recording, or of a callback that the viewer does not see, only the revision moves on.
    for (const api::WatchCallbacksResponse& change : changes.told) {
      const rpc::Shown shown = rpc::ShownTo(sight_.viewer, change, changes.team, changes.now);
      if (shown != rpc::Shown::kNothing) queue_.push_back(shown == rpc::Shown::kWhole ? change : rpc::GoneBy(change));
    }
    since_ = changes.revision;
    return absl::OkStatus();
  }

  // A watch lives for hours and must not outlive its token or its member. Nor may what it shows: roles change, and absences
  // begin and end without a change of any callback.
  absl::Status StillAdmitted() {
    RB_ASSIGN_OR_RETURN(const rpc::Call call, rpc::Admit(host_.rpc(), context_, kMethod));
    RB_RETURN_IF_ERROR(rpc::CheckScope(call.principal, team_id_, team_id_));
    admit_time_ = absl::Now();
    domain::Sight sight{rpc::ViewerOf(call.principal), {}};
    if (!sight.viewer.whole_team) {
      RB_ASSIGN_OR_RETURN(const auto team, LoadTeam(host_, team_id_));
      sight = domain::SightOf(sight.viewer, team.message, call.now);
    }
    if (!(sight == sight_)) LookAtAll();
    sight_ = std::move(sight);
    return absl::OkStatus();
  }

  void LookAtAll() {
    api::WatchCallbacksResponse& all = queue_.emplace_back();
    all.set_revision(since_);
    all.set_resync(true);
  }

  // Also queues the first message.
  absl::Status Admit() {
    RB_ASSIGN_OR_RETURN(const rpc::Call call, rpc::Admit(host_.rpc(), context_, kMethod));
    RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host_, call, request_.team_id()));
    RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team.message.id()));
    if (request_.since_revision() < 0) {
      return domain::InvalidField("since_revision", "REVISION_INVALID", "a revision that a list or a watch told, or 0");
    }
    admit_time_ = absl::Now();
    shard_ = key.shard;
    team_id_ = team.message.id();
    topic_ = absl::StrCat("changes/", team_id_);
    sight_ = domain::SightOf(rpc::ViewerOf(call.principal), team.message, call.now);
    since_ = request_.since_revision();
    if (since_ == 0) {
      RB_ASSIGN_OR_RETURN(const auto changes, host_.store().Changes(shard_, team_id_, 0, 1));
      since_ = changes.newest;
    }
    queue_.emplace_back().set_revision(since_);
    if (request_.since_revision() > 0) {
      RB_ASSIGN_OR_RETURN(const bool saw_others, rpc::SawOthers(host_.store(), team.message, sight_, since_));
      if (saw_others) LookAtAll();
    }
    return absl::OkStatus();
  }

  runtime::Host& host_;
  const std::shared_ptr<Waker> waker_;
  grpc::CallbackServerContext* const context_;
  const api::WatchCallbacksRequest request_;
  const absl::Time begin_ = absl::Now();
  std::shared_ptr<Watch> self_;
  std::atomic<bool> cancelled_{false};
  std::atomic<uint64_t> waiting_{0};
  bool admitted_ = false;
  absl::Time admit_time_;
  domain::Sight sight_;
  int shard_ = 0;
  std::string team_id_;
  std::string topic_ = "changes/";
  int64_t since_ = 0;
  uint64_t seen_ = 0;
  std::deque<api::WatchCallbacksResponse> queue_;
  api::WatchCallbacksResponse current_;
  absl::StatusCode ended_with_ = absl::StatusCode::kOk;
};

}  // namespace

grpc::ServerWriteReactor<api::WatchCallbacksResponse>* WatchCallbacks(runtime::Host& host,
                                                                      std::shared_ptr<Waker> waker,
                                                                      grpc::CallbackServerContext* context,
                                                                      const api::WatchCallbacksRequest* request) {
  auto watch = std::make_shared<Watch>(host, std::move(waker), context, request);
  watch->Begin();
  return watch.get();
}

}  // namespace ringback::ingest
