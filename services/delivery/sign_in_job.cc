#include "delivery/sign_in_job.h"

#include "absl/strings/str_cat.h"
#include "core/base/laps.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/rpc/translate.h"
#include "core/runtime/pages_url.h"
#include "core/store/records.h"
#include "delivery/ended.h"
#include "delivery/sign_in_mail.h"

namespace ringback::delivery {
namespace {

namespace record = ::ringback::store::v1;
using record::DeliveryRecord;

// Record and due entry go together.
absl::Status End(runtime::Host& host, const store::Lease& lease, const Work& work, DeliveryRecord::State state) {
  store::Commit commit;
  commit.shard = lease.key.shard;
  commit.commit_id = absl::StrCat("sign-in/", lease.lease_id);
  commit.lease = lease;
  store::Put gone;
  RB_ASSIGN_OR_RETURN(gone.key, store::DeliveryKey(work.delivery.message.id()));
  gone.any_version = true;
  commit.puts.push_back(std::move(gone));
  commit.due.push_back(store::DueChange{lease.key, std::nullopt});
  RB_ASSIGN_OR_RETURN(const store::CommitResult done, host.store().CommitOnce(commit));
  DeliveryRecord ended = work.delivery.message;
  ended.set_state(state);
  if (state == DeliveryRecord::STATE_ACCEPTED) *ended.mutable_accept_time() = rpc::ToProto(done.time);
  TellEnded(ended, host.metrics());
  return absl::OkStatus();
}

}  // namespace

absl::Status SendSignIn(runtime::Host& host, Wires& wires, const store::Lease& lease, absl::Duration lease_time,
                        const Work& work) {
  const DeliveryRecord& delivery = work.delivery.message;
  RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
  if (now >= rpc::FromProto(delivery.sign_in().expire_time()) || delivery.channels_size() == 0) {
    return End(host, lease, work, DeliveryRecord::STATE_WITHDRAWN);
  }
  const absl::Duration wait = wires.Wait(delivery, work.callback.message);
  if (wait > absl::ZeroDuration()) return host.store().Release(lease, now + wait, /*uncount=*/true);

  SignInMailInput input;
  input.delivery = &delivery;
  input.team = &work.team;
  input.staff_url = runtime::StaffUrl(host.config());
  input.mail_domain = host.config().mail_domain;
  input.envelope_sender = host.config().mail_envelope_sender;
  input.now = now;
  const auto mail = ComposeSignInMail(input);
  if (!mail.ok()) return End(host, lease, work, DeliveryRecord::STATE_FAILED);
  Laps laps;
  const auto still_ours = [&] { return host.store().Extend(lease, lease_time).status(); };
  const SendOutcome outcome = wires.Send(*mail, still_ours, &laps);
  switch (outcome.result) {
    case SendResult::kAccepted: return End(host, lease, work, DeliveryRecord::STATE_ACCEPTED);
    case SendResult::kPermanent: return End(host, lease, work, DeliveryRecord::STATE_FAILED);
    case SendResult::kAborted: return absl::AbortedError("the lease was lost before the message left");
    // The server's words may repeat the address: they are no log's business.
    default: return absl::UnavailableError("the mail was not accepted yet");
  }
}

absl::Status DropSignIn(runtime::Host& host, const store::Lease& lease, const Work& work) {
  return End(host, lease, work, DeliveryRecord::STATE_FAILED);
}

}  // namespace ringback::delivery
