// Sessions and the way to one, on a real store and a fake clock.
#include "core/rpc/sign_in.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/temp_dir.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"
#include "core/store/every_record.h"
#include "core/store/forwarding_store.h"
#include "core/store/records.h"
#include "core/store/sqlite_store.h"

namespace ringback::rpc {
namespace {

namespace record = ::ringback::store::v1;

const absl::Time kNow = absl::FromUnixSeconds(1795417200);
constexpr char kAnna[] = "mb07aaaaaaaaaaaa";
constexpr char kJonas[] = "mb07bbbbbbbbbbbb";

class SignInTest : public ::testing::Test {
 protected:
  SignInTest() : clock_(kNow), random_(NewSeededRandom(1)) {
    store_ = *store::OpenSqliteStore({.path = folder_.File("store.db"), .clock = &clock_, .random = random_.get()});
    team_ = domain::NewTeam("tm07aaaaaaaaaaaa", "Vertrieb", "Europe/Berlin", "de", kNow);
    for (const auto& [id, name, role] : {std::tuple(kAnna, "anna", record::Member::ROLE_REP),
                                         std::tuple(kJonas, "jonas", record::Member::ROLE_MANAGER)}) {
      record::Member* member = team_.add_members();
      member->set_id(id);
      member->set_name(name);
      member->set_email(absl::StrCat(name, "@example.com"));
      member->set_role(role);
    }
    WriteTeam();
  }

  store::Commit NewCommit() {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewId(id_prefix::kLease, 7, *random_);
    return commit;
  }
  void WriteTeam() {
    store::Commit commit = NewCommit();
    store::AddPut(*store::TeamKey(team_.id()), version_++, team_, &commit);
    ASSERT_TRUE(store_->CommitOnce(commit).ok());
  }
  SignIn NewSignIn(const std::string& member = kAnna) {
    store::Commit commit = NewCommit();
    auto made = AddSignIn(*store_, *random_, team_, member, clock_.Now(), &commit);
    EXPECT_TRUE(made.ok()) << made.status();
    EXPECT_TRUE(store_->CommitOnce(commit).ok());
    return *made;
  }
  std::string SignedIn(const std::string& member = kAnna) {
    const auto session = EnterByLink(*store_, *random_, NewSignIn(member).link, entry_);
    EXPECT_TRUE(session.ok()) << session.status();
    return session->secret;
  }
  absl::StatusOr<NewSession> ByCode(const std::string& code, const std::string& member = kAnna) {
    return EnterByCode(*store_, *random_, {{team_.id(), member}}, code, entry_);
  }
  absl::StatusOr<Session> Open(std::string_view secret) { return OpenSession(*store_, secret, clock_.Now()); }
  std::string Other(std::string code) {
    code[0] = code[0] == '9' ? '0' : static_cast<char>(code[0] + 1);
    return code;
  }
  std::vector<record::DeliveryRecord> Mails() {
    std::vector<record::DeliveryRecord> mails;
    const std::vector<store::Record> records = store::AllRecords(*store_, 7, store::Kind::kDelivery).value();
    for (const store::Record& found : records) {
      mails.emplace_back();
      EXPECT_TRUE(mails.back().ParseFromString(found.value));
    }
    return mails;
  }

  FakeClock clock_;
  const std::unique_ptr<Random> random_;
  const TempDir folder_;
  std::unique_ptr<store::Store> store_;
  record::TeamRecord team_;
  uint64_t version_ = 0;
  const Entry entry_{"Firefox on Linux", absl::Hours(24)};
};

TEST_F(SignInTest, ALinkOpensOneSessionForItsMember) {
  const SignIn made = NewSignIn();
  const auto whose = WhoseLink(*store_, made.link, clock_.Now());
  ASSERT_TRUE(whose.ok()) << whose.status();
  EXPECT_EQ(whose->id(), kAnna);
  ASSERT_TRUE(WhoseLink(*store_, made.link, clock_.Now()).ok()) << "looking changes nothing";

  const auto session = EnterByLink(*store_, *random_, made.link, entry_);
  ASSERT_TRUE(session.ok()) << session.status();
  const auto open = Open(session->secret);
  ASSERT_TRUE(open.ok()) << open.status();
  EXPECT_EQ(open->principal.member_id, kAnna);
  EXPECT_EQ(open->principal.team_id, team_.id());
  EXPECT_EQ(open->principal.shard, 7);
  EXPECT_EQ(open->principal.role, Role::kRep);
  EXPECT_EQ(open->record.browser(), "Firefox on Linux");
  EXPECT_EQ(open->record.id(), session->id);

  EXPECT_TRUE(absl::IsNotFound(EnterByLink(*store_, *random_, made.link, entry_).status())) << "it was good for one";
  EXPECT_TRUE(absl::IsNotFound(ByCode(made.code).status())) << "the code went with it";
}

TEST_F(SignInTest, WhatOpensNothingIsRefusedInTheSameWords) {
  const SignIn made = NewSignIn();
  const std::string secret = made.link.substr(made.link.find('.') + 1);
  std::string altered = made.link;
  altered.back() = altered.back() == 'a' ? 'b' : 'a';
  const absl::Status expected = WhoseLink(*store_, "", clock_.Now()).status();
  EXPECT_EQ(expected.code(), absl::StatusCode::kNotFound);
  for (const std::string& link : {altered, secret, std::string(kAnna), absl::StrCat(kJonas, ".", secret),
                                  absl::StrCat(kAnna, "."), made.link + "a", absl::StrCat("mb07zzzzzzzzzzzz.", secret),
                                  absl::StrCat("mb99aaaaaaaaaaaa.", secret), std::string(10000, 'x')}) {
    EXPECT_EQ(WhoseLink(*store_, link, clock_.Now()).status(), expected) << link;
    EXPECT_EQ(EnterByLink(*store_, *random_, link, entry_).status(), expected) << link;
  }
  EXPECT_TRUE(EnterByLink(*store_, *random_, made.link, entry_).ok()) << "none of it has used it up";
}

TEST_F(SignInTest, ACodeIsTypedAsPeopleTypeIt) {
  const std::string code = NewSignIn().code;
  ASSERT_EQ(code.size(), 6u);
  EXPECT_TRUE(ByCode(absl::StrCat(" ", code.substr(0, 3), " ", code.substr(3, 2), "-", code.substr(5), "\n")).ok());
}

TEST_F(SignInTest, FiveWrongCodesEndTheCodeButNotTheLink) {
  const SignIn made = NewSignIn();
  for (int i = 0; i < kWrongCodesMax; ++i) {
    EXPECT_TRUE(absl::IsNotFound(ByCode(Other(made.code)).status()));
  }
  EXPECT_TRUE(absl::IsNotFound(ByCode(made.code).status()));
  EXPECT_TRUE(EnterByLink(*store_, *random_, made.link, entry_).ok());
}

TEST_F(SignInTest, FourWrongCodesDoNot) {
  const SignIn made = NewSignIn();
  for (int i = 1; i < kWrongCodesMax; ++i) EXPECT_FALSE(ByCode(Other(made.code)).ok());
  EXPECT_TRUE(ByCode(made.code).ok());
}

// Another wrong code is committed between reading the record and writing it.
class RacingStore : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<store::CommitResult> CommitOnce(const store::Commit& commit) override {
    if (race) std::exchange(race, nullptr)();
    return ForwardingStore::CommitOnce(commit);
  }
  std::function<void()> race;
};

TEST_F(SignInTest, CodesTriedAtTheSameMomentAreAllCounted) {
  const SignIn made = NewSignIn();
  for (int i = 2; i < kWrongCodesMax; ++i) EXPECT_FALSE(ByCode(Other(made.code)).ok());
  RacingStore racing(store_.get());
  racing.race = [&] {
    EXPECT_FALSE(ByCode(Other(made.code)).ok());
    EXPECT_FALSE(ByCode(Other(made.code)).ok());
  };
  // The right one was read as right, but by then it was none any more.
  EXPECT_TRUE(absl::IsNotFound(EnterByCode(racing, *random_, {{team_.id(), kAnna}}, made.code, entry_).status()));
}

TEST_F(SignInTest, ASignInEndsAfterTenMinutesAndWhenAnotherIsMade) {
  const SignIn first = NewSignIn();
  const SignIn second = NewSignIn();
  EXPECT_TRUE(absl::IsNotFound(WhoseLink(*store_, first.link, clock_.Now()).status()));
  EXPECT_TRUE(WhoseLink(*store_, second.link, clock_.Now()).ok());
  clock_.Advance(kSignInLifetime - absl::Seconds(1));
  EXPECT_TRUE(WhoseLink(*store_, second.link, clock_.Now()).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(absl::IsNotFound(EnterByLink(*store_, *random_, second.link, entry_).status()));
  EXPECT_TRUE(absl::IsNotFound(ByCode(second.code).status()));
}

TEST_F(SignInTest, CodesAreSixDigitsAndSpread) {
  std::set<char> first;
  std::set<std::string> all;
  for (int i = 0; i < 200; ++i) {
    const std::string code = NewSignIn().code;
    ASSERT_EQ(code.size(), 6u);
    EXPECT_TRUE(std::all_of(code.begin(), code.end(), [](char c) { return c >= '0' && c <= '9'; })) << code;
    first.insert(code[0]);
    all.insert(code);
  }
  EXPECT_EQ(first.size(), 10u);
  EXPECT_GT(all.size(), 195u);
}

TEST_F(SignInTest, ASessionEndsOnTimeAndWithTheMember) {
  const std::string secret = SignedIn();
  team_.mutable_members(0)->set_role(record::Member::ROLE_ADMIN);
  WriteTeam();
  EXPECT_EQ(Open(secret)->principal.role, Role::kAdmin) << "the role is the one of now";
  team_.mutable_members(0)->set_inactive(true);
  WriteTeam();
  EXPECT_TRUE(absl::IsUnauthenticated(Open(secret).status()));
  team_.mutable_members(0)->set_inactive(false);
  WriteTeam();
  clock_.Advance(absl::Hours(24) - absl::Seconds(1));
  EXPECT_TRUE(Open(secret).ok());
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(absl::IsUnauthenticated(Open(secret).status()));
}

TEST_F(SignInTest, ASessionCallsInItsMembersNameUntilItEnds) {
  KnownTokens known;
  const auto ask = [&](std::string_view secret) { return Authenticate(*store_, known, secret); };
  const std::string secret = SignedIn(kJonas);
  for (int i = 0; i < 2; ++i) {  // the second time its team is known
    const auto caller = ask(secret);
    ASSERT_TRUE(caller.ok()) << caller.status();
    EXPECT_EQ(caller->principal.member_id, kJonas);
    EXPECT_EQ(caller->principal.team_id, team_.id());
    EXPECT_EQ(caller->principal.role, Role::kManager);
    EXPECT_EQ(caller->principal.shard, 7);
    EXPECT_EQ(caller->principal.ActorId(), kJonas);
  }
  team_.mutable_members(1)->set_role(record::Member::ROLE_REP);
  WriteTeam();
  EXPECT_EQ(ask(secret)->principal.role, Role::kRep) << "the role is the one of now";
  team_.mutable_members(1)->set_inactive(true);
  WriteTeam();
  EXPECT_TRUE(absl::IsUnauthenticated(ask(secret).status()));
  team_.mutable_members(1)->set_inactive(false);
  WriteTeam();
  clock_.Advance(absl::Hours(24));
  EXPECT_TRUE(absl::IsUnauthenticated(ask(secret).status()));
  const std::string ended = SignedIn();
  ASSERT_TRUE(EndSession(*store_, *random_, ended).ok());
  EXPECT_EQ(ask(ended).status(), ask("ss07").status());
  EXPECT_EQ(ask(ended).status(), ask("").status());
}

TEST_F(SignInTest, ATrustedMemberIsInUnlessThereIsNoneOrOneWhoLeft) {
  const auto enter = [&](const std::string& member) { return EnterTrusted(*store_, *random_, {team_.id(), member}, entry_); };
  const auto session = enter(kAnna);
  ASSERT_TRUE(session.ok()) << session.status();
  EXPECT_EQ(Open(session->secret)->member.id(), kAnna);
  team_.mutable_members(0)->set_inactive(true);
  WriteTeam();
  EXPECT_TRUE(absl::IsNotFound(enter(kAnna).status()));
  EXPECT_TRUE(absl::IsNotFound(enter("mb07cccccccccccc").status()));
}

TEST_F(SignInTest, SecretsThatAreNoSessionsAreRefusedInTheSameWords) {
  const std::string secret = SignedIn();
  std::string altered = secret;
  altered.back() = altered.back() == 'a' ? 'b' : 'a';
  for (const std::string& wrong : {std::string(), std::string("ss07"), altered, secret + "a", "rb_" + secret,
                                   NewSecret(id_prefix::kSession, 7, *random_), NewSecret(id_prefix::kPage, 7, *random_)}) {
    EXPECT_EQ(Open(wrong).status(), Open("").status()) << wrong;
  }
}

TEST_F(SignInTest, SigningOutEndsOneSessionAndEverywhereEndsAll) {
  const std::string one = SignedIn(), two = SignedIn(), three = SignedIn(), others = SignedIn(kJonas);
  EXPECT_TRUE(EndSession(*store_, *random_, one).ok());
  EXPECT_TRUE(EndSession(*store_, *random_, one).ok()) << "again";
  EXPECT_TRUE(EndSession(*store_, *random_, "nonsense").ok());
  EXPECT_FALSE(Open(one).ok());
  EXPECT_TRUE(Open(two).ok());

  const SignIn under_way = NewSignIn();
  store::Commit commit = NewCommit();
  EXPECT_EQ(*AddEndOfSessions(*store_, team_.id(), kAnna, clock_.Now(), &commit), 2);
  ASSERT_TRUE(store_->CommitOnce(commit).ok());
  EXPECT_FALSE(Open(two).ok());
  EXPECT_FALSE(Open(three).ok());
  EXPECT_TRUE(Open(others).ok());
  EXPECT_FALSE(WhoseLink(*store_, under_way.link, clock_.Now()).ok());
}

TEST_F(SignInTest, OneSessionTooManyEndsTheOldest) {
  std::vector<std::string> secrets;
  for (int i = 0; i < kSessionsMax + 1; ++i) {
    secrets.push_back(SignedIn());
    clock_.Advance(absl::Seconds(1));
  }
  EXPECT_FALSE(Open(secrets[0]).ok());
  for (int i = 1; i <= kSessionsMax; ++i) EXPECT_TRUE(Open(secrets[i]).ok()) << i;
}

TEST_F(SignInTest, NeitherSecretNorCodeLiesInTheStore) {
  const SignIn made = NewSignIn();
  const std::string secret = SignedIn(kJonas);
  for (const store::Kind kind : {store::Kind::kSignIn, store::Kind::kSession}) {
    const std::vector<store::Record> records = store::AllRecords(*store_, 7, kind).value();
    EXPECT_FALSE(records.empty());
    for (const store::Record& found : records) {
      const std::string all = found.key.id + found.value;
      for (const std::string& clear : {made.code, made.link.substr(made.link.find('.') + 1), secret}) {
        EXPECT_FALSE(absl::StrContains(all, clear));
      }
    }
  }
}

TEST_F(SignInTest, FormTokensFitTheirSessionAlone) {
  const std::string a = SignedIn(), b = SignedIn();
  EXPECT_TRUE(FormTokenFits(a, FormToken(a)));
  EXPECT_FALSE(FormTokenFits(a, FormToken(b)));
  EXPECT_FALSE(FormTokenFits(a, ""));
  EXPECT_FALSE(FormTokenFits(a, FormToken(a) + "0"));
  EXPECT_FALSE(absl::StrContains(FormToken(a), a.substr(4)));
  EXPECT_NE(FormToken(a), Sha256Hex(a));
}

TEST_F(SignInTest, AMailIsMadeOnceAMinuteForMembersWhoCanGetOne) {
  ASSERT_TRUE(MailSignIn(*store_, *random_, team_.id(), kAnna).ok());
  ASSERT_TRUE(MailSignIn(*store_, *random_, team_.id(), kAnna).ok());
  const auto mails = Mails();
  ASSERT_EQ(mails.size(), 1u);
  EXPECT_EQ(mails[0].kind(), record::DeliveryRecord::KIND_SIGN_IN);
  EXPECT_EQ(mails[0].channels(0).address(), "anna@example.com");
  EXPECT_TRUE(WhoseLink(*store_, mails[0].sign_in().link(), clock_.Now()).ok());
  EXPECT_EQ(store_->Stats(store::Stage::kDelivery)->waiting, 1);

  clock_.Advance(kSignInPause);
  ASSERT_TRUE(MailSignIn(*store_, *random_, team_.id(), kAnna).ok());
  EXPECT_EQ(Mails().size(), 2u);

  team_.mutable_members(1)->set_inactive(true);
  WriteTeam();
  EXPECT_TRUE(MailSignIn(*store_, *random_, team_.id(), kJonas).ok());
  EXPECT_TRUE(MailSignIn(*store_, *random_, team_.id(), "mb07zzzzzzzzzzzz").ok());
  EXPECT_TRUE(MailSignIn(*store_, *random_, "tm07zzzzzzzzzzzz", kAnna).ok());
  EXPECT_EQ(Mails().size(), 2u);
}

TEST_F(SignInTest, AMailThatNeverLeftIsGoneWithItsSignIn) {
  ASSERT_TRUE(MailSignIn(*store_, *random_, team_.id(), kAnna).ok());
  const std::string id = Mails()[0].id();
  clock_.Advance(kSignInLifetime);
  EXPECT_TRUE(absl::IsNotFound(store_->Get(*store::DeliveryKey(id)).status()));
}

}  // namespace
}  // namespace ringback::rpc
