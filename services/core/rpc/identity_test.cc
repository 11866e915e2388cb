#include "core/rpc/identity.h"

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/rpc/rpc_fixture.h"

namespace ringback::rpc {
namespace {

using store::v1::TokenRecord;

// Counts the trips to the store, and the records that each asked for.
class CountingStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<absl::Time> Now() override {
    trips.push_back(0);
    return ForwardingStore::Now();
  }
  absl::StatusOr<store::Record> Get(const store::Key& key) override {
    trips.push_back(1);
    return ForwardingStore::Get(key);
  }
  absl::StatusOr<std::vector<store::Record>> GetMany(const std::vector<store::Key>& keys) override {
    trips.push_back(keys.size());
    return ForwardingStore::GetMany(keys);
  }
  absl::StatusOr<store::Reading> ReadNow(const std::vector<store::Key>& keys) override {
    trips.push_back(keys.size());
    return ForwardingStore::ReadNow(keys);
  }
  std::vector<size_t> trips;
};

class IdentityTest : public StoreTest {
 protected:
  absl::StatusOr<Authenticated> Ask(std::string_view secret) { return Authenticate(counting_, known_, secret); }
  absl::StatusOr<Principal> Who(std::string_view secret) {
    RB_ASSIGN_OR_RETURN(Authenticated caller, Ask(secret));
    return std::move(caller.principal);
  }
  // How many records each trip to the store asked for.
  std::vector<size_t> TripsOf(std::string_view secret) {
    counting_.trips.clear();
    Ask(secret).IgnoreError();
    return counting_.trips;
  }
  template <typename Record>
  void Change(const store::Key& key, const std::function<void(Record*)>& change) {
    Record record;
    ASSERT_TRUE(record.ParseFromString(store_->Get(key).value().value));
    change(&record);
    Write(key, record.SerializeAsString());
  }
  void ChangeMember(int index, const std::function<void(store::v1::Member*)>& change) {
    Change<store::v1::TeamRecord>({7, store::Kind::kTeam, team_},
                                  [&](store::v1::TeamRecord* team) { change(team->mutable_members(index)); });
  }

  using Trips = std::vector<size_t>;
  const std::string team_ = AddTeam(7);
  CountingStore counting_{store_.get()};
  KnownTokens known_;
};

TEST_F(IdentityTest, AMembersTokenHasTheMembersRole) {
  for (const auto& [member, role] : {std::pair("rep", Role::kRep), std::pair("manager", Role::kManager),
                                     std::pair("admin", Role::kAdmin)}) {
    const auto who = Who(AddToken(team_, member));
    ASSERT_TRUE(who.ok()) << who.status();
    EXPECT_EQ(who->role, role);
    EXPECT_EQ(who->team_id, team_);
    EXPECT_EQ(who->shard, 7);
    EXPECT_EQ(who->ActorId(), member);
  }
}

TEST_F(IdentityTest, AnIntakeTokenIsItsOwnActor) {
  const auto who = Who(AddToken(team_, TokenRecord::ROLE_INTAKE));
  ASSERT_TRUE(who.ok());
  EXPECT_EQ(who->role, Role::kIntake);
  EXPECT_EQ(who->ActorId(), who->token_id);
  EXPECT_EQ(who->ActorId().substr(0, 4), "tk07");
}

TEST_F(IdentityTest, AnOperatorBelongsToNoTeam) {
  const auto who = Who(AddToken("", TokenRecord::ROLE_OPERATOR));
  ASSERT_TRUE(who.ok());
  EXPECT_EQ(who->role, Role::kOperator);
  EXPECT_EQ(who->team_id, "");
}

TEST_F(IdentityTest, EveryTokenThatDoesNotCountIsRefusedInTheSameWords) {
  const std::string good = AddToken(team_, "rep");
  std::string altered = good;
  altered.back() = altered.back() == 'a' ? 'b' : 'a';
  const std::vector<std::string> bad = {
      "",
      "rb_",
      "nonsense",
      altered,
      good + "a",
      good.substr(3),
      AddToken(team_, "gone"),
      AddToken(team_, "nobody"),
      AddToken("tm07000000000000", "rep"),
      AddToken(team_, "rep", [](TokenRecord* record) { record->set_revoked(true); }),
      AddToken(team_, "rep", [&](TokenRecord* record) {
        record->mutable_expire_time()->set_seconds(absl::ToUnixSeconds(clock_.Now()));
      }),
      AddToken(team_, TokenRecord::ROLE_PAGE),
      AddToken(team_, TokenRecord::ROLE_UNSPECIFIED),
      AddToken("", TokenRecord::ROLE_INTAKE),
  };
  const absl::Status expected = Who("").status();
  EXPECT_EQ(expected.code(), absl::StatusCode::kUnauthenticated);
  for (const std::string& secret : bad) EXPECT_EQ(Who(secret).status(), expected) << secret;
  EXPECT_TRUE(Who(good).ok());
}

TEST_F(IdentityTest, ATokenEndsAtItsExpireTimeAndNotBefore) {
  const std::string secret = AddToken(team_, "rep", [&](TokenRecord* record) {
    record->mutable_expire_time()->set_seconds(absl::ToUnixSeconds(clock_.Now()) + 60);
  });
  clock_.Advance(absl::Seconds(59));
  EXPECT_TRUE(Who(secret).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Who(secret).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(IdentityTest, AStoreThatFailsIsNoRefusal) {
  class Failing : public ForwardingStore {
   public:
    using ForwardingStore::ForwardingStore;
    absl::StatusOr<store::Reading> ReadNow(const std::vector<store::Key>&) override {
      return absl::UnavailableError("gone");
    }
  } failing(store_.get());
  EXPECT_EQ(Authenticate(failing, known_, AddToken(team_, "rep")).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(IdentityTest, AKnownTokenTakesOneTripToTheStoreWhichTellsTheTimeToo) {
  const std::string secret = AddToken(team_, "rep");
  EXPECT_EQ(TripsOf(secret), (Trips{1, 1})) << "the token, then its team";
  EXPECT_EQ(TripsOf(secret), (Trips{2})) << "both";
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(Ask(secret)->now, store_->Now().value());
  EXPECT_EQ(TripsOf(AddToken(team_, TokenRecord::ROLE_INTAKE)), (Trips{1}));
  EXPECT_EQ(TripsOf(AddToken("", TokenRecord::ROLE_OPERATOR)), (Trips{1}));
}

TEST_F(IdentityTest, AKnownTokenIsRefusedFromTheCallAfterItsRevocationOn) {
  const std::string secret = AddToken(team_, "rep");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Who(secret).ok());
  Change<TokenRecord>(TokenKey(secret).value(), [](TokenRecord* token) { token->set_revoked(true); });
  EXPECT_EQ(Who(secret).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(IdentityTest, AKnownTokenOfAMemberWhoLeftIsRefusedAndTakenAgainWhenTheMemberIsBack) {
  const std::string secret = AddToken(team_, "rep");
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(Who(secret).ok());
  ChangeMember(0, [](store::v1::Member* member) { member->set_inactive(true); });
  EXPECT_EQ(Who(secret).status().code(), absl::StatusCode::kUnauthenticated);
  ChangeMember(0, [](store::v1::Member* member) { member->set_inactive(false); });
  EXPECT_TRUE(Who(secret).ok());
}

TEST_F(IdentityTest, ANewRoleCountsFromTheNextCallOn) {
  const std::string secret = AddToken(team_, "admin");
  for (int i = 0; i < 2; ++i) ASSERT_EQ(Who(secret)->role, Role::kAdmin);
  ChangeMember(2, [](store::v1::Member* member) { member->set_role(store::v1::Member::ROLE_REP); });
  EXPECT_EQ(Who(secret)->role, Role::kRep);
}

TEST_F(IdentityTest, ATeamThatChangedUnderTheSameVersionIsReadAfresh) {
  const std::string secret = AddToken(team_, "admin");
  const store::Key key{7, store::Kind::kTeam, team_};
  ASSERT_EQ(Who(secret)->role, Role::kAdmin);
  const store::Record before = store_->Get(key).value();
  store::Commit gone;  // as in a store that came back from a backup
  gone.shard = 7;
  gone.commit_id = "gone";
  gone.puts.push_back({.key = key, .any_version = true});
  ASSERT_TRUE(store_->CommitOnce(gone).ok());
  EXPECT_EQ(Who(secret).status().code(), absl::StatusCode::kUnauthenticated);
  store::v1::TeamRecord team;
  ASSERT_TRUE(team.ParseFromString(before.value));
  team.mutable_members(2)->set_role(store::v1::Member::ROLE_REP);
  Write(key, team.SerializeAsString());
  ASSERT_EQ(store_->Get(key)->version, before.version);
  EXPECT_EQ(Who(secret)->role, Role::kRep);
}

TEST_F(IdentityTest, WhatIsRememberedOfATokenIsNeverBelieved) {
  const std::string other = AddTeam(7);
  const std::string secret = AddToken(team_, "admin");
  known_.Remember(TokenKey(secret).value(), other);
  EXPECT_EQ(Who(secret)->team_id, team_);
  EXPECT_EQ(TripsOf(secret), (Trips{2}));
}

TEST_F(IdentityTest, ATokenThatOpensNothingIsNotRemembered) {
  for (const std::string& secret : {MakeTokenSecret(7, *random_).secret, AddToken(team_, "gone")}) {
    Who(secret).IgnoreError();
    EXPECT_EQ(TripsOf(secret).front(), 1u);
  }
  EXPECT_EQ(TripsOf(MakeTokenSecret(7, *random_).secret), (Trips{1}));
  EXPECT_EQ(TripsOf("rb_nonsense"), Trips());
  EXPECT_EQ(known_.tokens(), 0u);
}

TEST_F(IdentityTest, OfManyTokensAndTeamsOnlySoManyAreRemembered) {
  store::Record team{{7, store::Kind::kTeam, ""}, 1, ""};
  for (size_t i = 0; i < 2 * KnownTokens::kTokensMax; ++i) {
    known_.Remember({7, store::Kind::kToken, absl::StrCat(i)}, team_);
    team.key.id = absl::StrCat(i);
    ASSERT_TRUE(known_.RosterOf(team).ok());
  }
  EXPECT_EQ(known_.tokens(), KnownTokens::kTokensMax);
  EXPECT_EQ(known_.teams(), KnownTokens::kTeamsMax);
}

TEST_F(IdentityTest, ATeamTooLargeToBeRememberedIsAsGood) {
  ChangeMember(0, [](store::v1::Member* member) { member->set_name(std::string(100'000, 'x')); });
  const std::string secret = AddToken(team_, "rep");
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Who(secret)->role, Role::kRep);
  EXPECT_EQ(known_.teams(), 0u);
}

TEST_F(IdentityTest, ATeamThatCannotBeReadIsNoRefusal) {
  Write({7, store::Kind::kTeam, team_}, "\xff\xff");
  EXPECT_EQ(Who(AddToken(team_, "rep")).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(IdentityTest, TheStoreHoldsAHashOfTheSecretOnly) {
  const NewToken token = MakeTokenSecret(7, *random_);
  EXPECT_EQ(token.secret.substr(0, 7), "rb_tk07");
  EXPECT_EQ(token.key.id, "07" + Sha256Hex(token.secret));
  EXPECT_EQ(token.key.id.find(token.secret.substr(7)), std::string::npos);
}

TEST_F(IdentityTest, TheErrorOfABadSecretDoesNotRepeatIt) {
  EXPECT_EQ(std::string(TokenKey("rb_secretsecret").status().message()).find("secret"), std::string::npos);
}

TEST(ScopedTeamTest, AMemberIsScopedToTheOwnTeam) {
  const Principal rep{Role::kRep, "tm07aaaaaaaaaaaa", 7, "mb07a", "tk07a"};
  EXPECT_EQ(ScopedTeam(rep, "").value(), "tm07aaaaaaaaaaaa");
  EXPECT_EQ(ScopedTeam(rep, "tm07aaaaaaaaaaaa").value(), "tm07aaaaaaaaaaaa");
  EXPECT_EQ(ScopedTeam(rep, "tm07bbbbbbbbbbbb").status().code(), absl::StatusCode::kPermissionDenied);
}

TEST(ScopedTeamTest, AnOperatorNamesTheTeam) {
  const Principal op{Role::kOperator};
  EXPECT_EQ(ScopedTeam(op, "tm07aaaaaaaaaaaa").value(), "tm07aaaaaaaaaaaa");
  EXPECT_EQ(domain::DetailOf(ScopedTeam(op, "").status()).reason, "TEAM_ID_MISSING");
  EXPECT_EQ(domain::DetailOf(ScopedTeam(op, "cb07aaaaaaaaaaaa").status()).reason, "TEAM_ID_INVALID");
}

TEST(CheckScopeTest, AStrangersRecordIsNotThere) {
  const Principal rep{Role::kRep, "tm07a", 7, "mb07a", "tk07a"};
  EXPECT_TRUE(CheckScope(rep, "tm07a", "cb07x").ok());
  EXPECT_EQ(CheckScope(rep, "tm07b", "cb07x"), absl::NotFoundError("cb07x is not there"));
  EXPECT_EQ(CheckScope(Principal{Role::kIntake}, "", "cb07x").code(), absl::StatusCode::kNotFound);
  EXPECT_TRUE(CheckScope(Principal{Role::kOperator}, "tm07b", "cb07x").ok());
}

}  // namespace
}  // namespace ringback::rpc
