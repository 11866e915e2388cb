#include <atomic>
#include <set>
#include <thread>

#include "core/domain/input.h"
#include "core/store/every_record.h"
#include "core/rpc/rpc_fixture.h"
#include "core/rpc/sealed_response.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::rpc {
namespace {

constexpr char kSecret[] = "rb_tk07-the-new-secret";

class OnceTest : public StoreTest {
 protected:
  OnceTest() {
    call_.method = "/ringback.v1.TeamService/CreateToken";
    call_.principal = {Role::kAdmin, team_, 7, "admin", "tk07a"};
    call_.now = clock_.Now();
    request_.set_request_id("r1");
    request_.set_label("telephone system");
  }

  // Adds one to the counter "n" and answers with a secret and the number of this run.
  absl::Status Decide(store::Commit* commit, v1::CreateTokenResponse* response) {
    const int run = ++runs_;
    commit->counters.push_back({team_, "g", "n", 1});
    response->set_secret(kSecret);
    response->mutable_token()->set_label(std::to_string(run));
    return absl::OkStatus();
  }
  absl::Status Run(v1::CreateTokenResponse* response) {
    return Once(environment_, call_, request_, response,
                [this](store::Commit* commit, v1::CreateTokenResponse* out) { return Decide(commit, out); });
  }
  int64_t Effects() {
    const auto counters = store_->Counters(7, team_, "g").value();
    return counters.empty() ? 0 : counters[0].second;
  }
  // Bumps the version of the record that Conflicted() depends on.
  const store::Key contended_{7, store::Kind::kContact, "ct07x"};

  const std::string team_ = AddTeam(7);
  Call call_;
  v1::CreateTokenRequest request_;
  std::atomic<int> runs_{0};
};

TEST_F(OnceTest, ARepeatGetsTheFirstAnswerAndDoesNothing) {
  v1::CreateTokenResponse first, again;
  ASSERT_TRUE(Run(&first).ok());
  ASSERT_TRUE(Run(&again).ok());
  EXPECT_EQ(again.SerializeAsString(), first.SerializeAsString());
  EXPECT_EQ(first.token().label(), "1");
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(Effects(), 1);
}

TEST_F(OnceTest, TheSameIdForAnotherBodyOrMethodIsRefused) {
  v1::CreateTokenResponse response;
  ASSERT_TRUE(Run(&response).ok());
  request_.set_label("another");
  EXPECT_EQ(domain::DetailOf(Run(&response)).reason, "REQUEST_ID_REUSED");
  request_.set_label("telephone system");
  call_.method = "/ringback.v1.TeamService/RevokeToken";
  const absl::Status status = Run(&response);
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(domain::DetailOf(status).field, "request_id");
  EXPECT_EQ(Effects(), 1);
}

TEST_F(OnceTest, AnotherPrincipalsSameIdIsAnotherRequest) {
  v1::CreateTokenResponse response;
  ASSERT_TRUE(Run(&response).ok());
  call_.principal.member_id = "manager";
  ASSERT_TRUE(Run(&response).ok());
  EXPECT_EQ(Effects(), 2);
}

TEST_F(OnceTest, AnIdMustBeThereAndPrintable) {
  v1::CreateTokenResponse response;
  request_.set_request_id("");
  EXPECT_EQ(domain::DetailOf(Run(&response)).reason, "REQUEST_ID_MISSING");
  for (const std::string& bad : {std::string(65, 'a'), std::string("a\nb"), std::string("ä"), std::string("\x7f")}) {
    request_.set_request_id(bad);
    EXPECT_EQ(domain::DetailOf(Run(&response)).reason, "REQUEST_ID_INVALID") << bad;
  }
  request_.set_request_id(std::string(64, '~'));
  EXPECT_TRUE(Run(&response).ok());
  EXPECT_EQ(Effects(), 1);
}

TEST_F(OnceTest, SentManyTimesAtOnceItHappensOnce) {
  std::vector<std::thread> threads;
  std::vector<v1::CreateTokenResponse> responses(8);
  std::vector<absl::Status> statuses(8);
  for (size_t i = 0; i < responses.size(); ++i) {
    threads.emplace_back([&, i] { statuses[i] = Run(&responses[i]); });
  }
  for (auto& thread : threads) thread.join();
  for (size_t i = 0; i < responses.size(); ++i) {
    EXPECT_TRUE(statuses[i].ok()) << statuses[i];
    EXPECT_EQ(responses[i].SerializeAsString(), responses[0].SerializeAsString());
  }
  EXPECT_EQ(Effects(), 1);
}

TEST_F(OnceTest, AConcurrentChangeMakesItDecideAnewFromAnEmptyCommit) {
  v1::CreateTokenResponse response;
  Write(contended_, "0");
  const absl::Status status = Once(environment_, call_, request_, &response,
                                   [&](store::Commit* commit, v1::CreateTokenResponse* out) {
                                     EXPECT_TRUE(commit->puts.empty());
                                     EXPECT_EQ(commit->shard, 7);
                                     EXPECT_FALSE(out->has_token());
                                     const auto seen = store_->Get(contended_).value();
                                     if (runs_ < 2) Write(contended_, "somebody else was quicker");
                                     commit->puts.push_back({contended_, seen.version, "mine"});
                                     return Decide(commit, out);
                                   });
  ASSERT_TRUE(status.ok()) << status;
  EXPECT_EQ(response.token().label(), "3");
  EXPECT_EQ(store_->Get(contended_)->value, "mine");
  EXPECT_EQ(Effects(), 1);
}

TEST_F(OnceTest, EndlessConflictsEndWithAborted) {
  v1::CreateTokenResponse response;
  const absl::Status status = Once(environment_, call_, request_, &response,
                                   [&](store::Commit* commit, v1::CreateTokenResponse* out) {
                                     commit->puts.push_back({contended_, 99, "never fits"});
                                     return Decide(commit, out);
                                   });
  EXPECT_EQ(status.code(), absl::StatusCode::kAborted);
  EXPECT_TRUE(RetryAfterOf(status).has_value());
  EXPECT_EQ(runs_, 10);
  EXPECT_EQ(Effects(), 0);
}

TEST_F(OnceTest, AnErrorIsNotRemembered) {
  v1::CreateTokenResponse response;
  EXPECT_EQ(Once(environment_, call_, request_, &response,
                 [](store::Commit*, v1::CreateTokenResponse*) { return absl::FailedPreconditionError("not now"); }),
            absl::FailedPreconditionError("not now"));
  EXPECT_TRUE(Run(&response).ok());
}

TEST_F(OnceTest, RefusedBecauseItsTwinWasQuickerItGetsTheTwinsAnswer) {
  v1::CreateTokenResponse response;
  const absl::Status status =
      Once(environment_, call_, request_, &response, [&](store::Commit*, v1::CreateTokenResponse*) {
        v1::CreateTokenResponse twins;
        EXPECT_TRUE(Run(&twins).ok());
        return absl::FailedPreconditionError("already done");
      });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(response.token().label(), "1");
}

// Loses the answer of the first `lost` commits, carried out or not.
class LossyStore : public ForwardingStore {
 public:
  LossyStore(store::Store* inner, int lost, bool carried_out)
      : ForwardingStore(inner), lost_(lost), carried_out_(carried_out) {}
  absl::StatusOr<store::CommitResult> CommitOnce(const store::Commit& commit) override {
    if (lost_ <= 0) return ForwardingStore::CommitOnce(commit);
    --lost_;
    if (carried_out_) {
      EXPECT_TRUE(ForwardingStore::CommitOnce(commit).ok());
    }
    return absl::UnavailableError("the answer was lost");
  }

 private:
  int lost_;
  const bool carried_out_;
};

TEST_F(OnceTest, ALostAnswerOfTheStoreIsAskedForAgain) {
  for (const bool carried_out : {true, false}) {
    LossyStore lossy(store_.get(), 1, carried_out);
    environment_.store = &lossy;
    request_.set_request_id(carried_out ? "a" : "b");
    v1::CreateTokenResponse response;
    EXPECT_TRUE(Run(&response).ok());
    EXPECT_EQ(response.secret(), kSecret);
  }
  EXPECT_EQ(Effects(), 2);
}

TEST_F(OnceTest, AStoreThatStaysAwayIsUnavailableAndTheNextTryFindsWhatHappened) {
  LossyStore lossy(store_.get(), 2, true);
  environment_.store = &lossy;
  v1::CreateTokenResponse response;
  EXPECT_EQ(Run(&response).code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(Run(&response).ok());
  EXPECT_EQ(response.token().label(), "1");
  EXPECT_EQ(Effects(), 1);
}

TEST_F(OnceTest, TheStoredAnswerCannotBeReadFromTheStore) {
  v1::CreateTokenResponse response;
  ASSERT_TRUE(Run(&response).ok());
  const auto records = store::AllRecords(*store_, 7, store::Kind::kRequest).value();
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].value.find(kSecret), std::string::npos);
  EXPECT_EQ(records[0].key.id.substr(0, team_.size() + 1), team_ + ".");
}

TEST_F(OnceTest, AfterSevenDaysTheIdMayBeUsedAnew) {
  v1::CreateTokenResponse response;
  ASSERT_TRUE(Run(&response).ok());
  clock_.Advance(absl::Hours(7 * 24) - absl::Seconds(1));
  ASSERT_TRUE(Run(&response).ok());
  EXPECT_EQ(runs_, 1);
  clock_.Advance(absl::Seconds(2));
  call_.now = clock_.Now();
  ASSERT_TRUE(Run(&response).ok());
  EXPECT_EQ(response.token().label(), "2");
}

TEST_F(OnceTest, ACommitThatLeavesItsShardIsABug) {
  v1::CreateTokenResponse response;
  EXPECT_EQ(Once(environment_, call_, request_, &response,
                 [](store::Commit* commit, v1::CreateTokenResponse*) {
                   commit->shard = 8;
                   return absl::OkStatus();
                 }).code(),
            absl::StatusCode::kInternal);
}

TEST_F(OnceTest, AnOperatorsShardIsThatOfTheRequest) {
  call_.principal = {Role::kOperator, "", 0, "", "tk00op"};
  int shard = -1;
  const auto shard_of = [&](auto request, auto response) {
    EXPECT_TRUE(Once(environment_, call_, request, &response, [&](store::Commit* commit, auto*) {
                  shard = commit->shard;
                  return absl::OkStatus();
                }).ok());
    return shard;
  };
  v1::SetPolicyRequest policy;
  policy.set_request_id("a");
  policy.set_team_id("tm42h3k9x2m4q8w1");
  EXPECT_EQ(shard_of(policy, v1::SetPolicyResponse()), 42);
  v1::UpdateTeamRequest team;
  team.set_request_id("b");
  team.mutable_team()->set_id("tm43h3k9x2m4q8w1");
  EXPECT_EQ(shard_of(team, v1::UpdateTeamResponse()), 43);
  // New teams spread over the shards, and each repeat finds its own.
  std::set<int> shards;
  for (int i = 0; i < 50; ++i) {
    v1::CreateTeamRequest create;
    create.set_request_id("c" + std::to_string(i));
    create.mutable_team()->set_name("Vertrieb");
    const int first = shard_of(create, v1::CreateTeamResponse());
    shard = -1;
    EXPECT_EQ(shard_of(create, v1::CreateTeamResponse()), -1) << "the repeat must not decide";
    shards.insert(first);
  }
  EXPECT_GT(shards.size(), 20u);
}

TEST(SealedResponseTest, OpensWithItsKeyOnlyAndUndamaged) {
  const auto random = NewSeededRandom(3);
  const std::string sealed = Seal("key", "the response", *random);
  EXPECT_EQ(Unseal("key", sealed).value(), "the response");
  EXPECT_EQ(Unseal("kez", sealed).status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Unseal("key", "").status().code(), absl::StatusCode::kDataLoss);
  for (size_t i = 0; i < sealed.size(); ++i) {
    std::string damaged = sealed;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(Unseal("key", damaged).ok()) << i;
  }
}

}  // namespace
}  // namespace ringback::rpc
