#include "core/rpc/identity.h"

#include "core/domain/input.h"
#include "core/rpc/rpc_fixture.h"

namespace ringback::rpc {
namespace {

using store::v1::TokenRecord;

class IdentityTest : public StoreTest {
 protected:
  absl::StatusOr<Principal> Who(std::string_view secret) { return Authenticate(*store_, secret, clock_.Now()); }
  const std::string team_ = AddTeam(7);
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
    absl::StatusOr<store::Record> Get(const store::Key&) override { return absl::UnavailableError("gone"); }
  } failing(store_.get());
  EXPECT_EQ(Authenticate(failing, AddToken(team_, "rep"), clock_.Now()).status().code(), absl::StatusCode::kUnavailable);
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
