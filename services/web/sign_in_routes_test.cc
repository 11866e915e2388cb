#include "web/sign_in_routes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "core/base/temp_dir.h"
#include "core/http/form.h"
#include "core/store/every_record.h"
#include "core/store/forwarding_store.h"
#include "core/store/records.h"
#include "core/store/sqlite_store.h"
#include "web/page_fixture.h"

namespace ringback::web {
namespace {

using http::HeaderOf;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class CountingStore : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::StatusOr<store::Record> Get(const store::Key& key) override {
    if (!failure.ok()) return failure;
    return ForwardingStore::Get(key);
  }
  absl::StatusOr<store::CommitResult> CommitOnce(const store::Commit& commit) override {
    ++commits;
    return ForwardingStore::CommitOnce(commit);
  }
  int commits = 0;
  absl::Status failure;
};

class SignInRoutesTest : public ::testing::Test {
 protected:
  SignInRoutesTest() {
    sqlite_ = *store::OpenSqliteStore({.path = folder_.File("store.db"), .clock = &clock_, .random = random_.get()});
    store_ = std::make_unique<CountingStore>(sqlite_.get());
    team_ = SomeTeam();
    team_.mutable_members(0)->set_email("anna@example.com");
    team_.mutable_members(1)->set_email("Jonas@Example.com");
    WriteTeam();
    SignInParts parts;
    parts.store = store_.get();
    parts.clock = &clock_;
    parts.random = random_.get();
    parts.later = [this](std::function<void()> work) {
      if (busy_) return false;
      later_.push_back(std::move(work));
      return true;
    };
    routes_ = std::make_unique<SignInRoutes>(std::move(parts));
  }

  void WriteTeam() {
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewId(id_prefix::kLease, 7, *random_);
    store::AddPut(*store::TeamKey(kTeamId), version_++, team_, &commit);
    commit.indexes.push_back({{7, "*", std::string(store::index::kTeams)}, kTeamId, false});
    ASSERT_TRUE(sqlite_->CommitOnce(commit).ok());
  }
  void AddCallback() {
    const PageRecords records = SomeRecords();
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewId(id_prefix::kLease, 7, *random_);
    store::AddPut(*store::CallbackKey(kCallbackId), 0, records.callback, &commit);
    commit.indexes = store::CallbackIndexes(records.callback);
    ASSERT_TRUE(sqlite_->CommitOnce(commit).ok());
  }

  // As a browser on this machine sends it; the cookies it has go along.
  HttpRequest Request(const std::string& method, const std::string& target) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    request.peer = peer_;
    request.host = "localhost:7421";
    request.accept_language = "en";
    request.user_agent = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0";
    if (!secret_.empty()) request.cookie = "ringback=" + secret_;
    return request;
  }
  HttpResponse Send(const HttpRequest& request) {
    auto response = routes_->Handle(request);
    EXPECT_TRUE(response.has_value()) << request.target;
    const std::string set = HeaderOf(*response, "Set-Cookie");
    if (absl::StartsWith(set, "ringback=")) secret_ = set.substr(9, set.find(';') - 9);
    return *response;
  }
  HttpResponse Get(const std::string& target) { return Send(Request("GET", target)); }
  HttpRequest PostOf(const std::string& target, const std::string& body) {
    HttpRequest request = Request("POST", target);
    request.content_type = "application/x-www-form-urlencoded";
    request.origin = "http://localhost:7421";
    request.body = body;
    return request;
  }
  HttpResponse Post(const std::string& target, const std::string& body = "") { return Send(PostOf(target, body)); }
  void RunLater() {
    for (const auto& work : std::exchange(later_, {})) work();
  }
  std::vector<record::DeliveryRecord> Mails() {
    std::vector<record::DeliveryRecord> mails;
    const std::vector<store::Record> records = store::AllRecords(*sqlite_, 7, store::Kind::kDelivery).value();
    for (const store::Record& found : records) {
      mails.emplace_back();
      EXPECT_TRUE(mails.back().ParseFromString(found.value));
    }
    return mails;
  }
  record::SignInMail Mailed(const std::string& address) {
    EXPECT_EQ(Post("/sign-in", "address=" + address).status, 200);
    RunLater();
    const auto mails = Mails();
    EXPECT_FALSE(mails.empty());
    return mails.empty() ? record::SignInMail() : mails.back().sign_in();
  }
  void SignIn() {
    const auto mail = Mailed("anna@example.com");
    ASSERT_EQ(Post("/sign-in/code", absl::StrCat("address=anna%40example.com&code=", mail.code())).status, 303);
    ASSERT_THAT(secret_, StartsWith("ss07"));
  }

  FakeClock clock_{Berlin(23, 9, 30)};
  const std::unique_ptr<Random> random_ = NewSeededRandom(1);
  const TempDir folder_;
  std::unique_ptr<store::Store> sqlite_;
  std::unique_ptr<CountingStore> store_;
  record::TeamRecord team_;
  uint64_t version_ = 0;
  bool busy_ = false;
  std::vector<std::function<void()>> later_;
  std::unique_ptr<SignInRoutes> routes_;
  std::string peer_ = "127.0.0.1";
  std::string secret_;
};

TEST_F(SignInRoutesTest, AMailedCodeSignsInAndThePageSaysWhoOneIs) {
  AddCallback();
  EXPECT_EQ(HeaderOf(Get("/"), "Location"), "/sign-in");
  EXPECT_THAT(Get("/sign-in").body, HasSubstr("action=\"/sign-in\""));
  SignIn();
  const HttpResponse start = Get("/");
  EXPECT_EQ(start.status, 200);
  EXPECT_THAT(start.body, AllOf(HasSubstr("Angemeldet als <b>Anna Schmidt</b> (anna@example.com)"), HasSubstr("Herr Müller"),
                                HasSubstr("heute um 13:00 Uhr"), HasSubstr("tel:+4930123456"), HasSubstr("versprochen")));
  EXPECT_THAT(start.body, Not(HasSubstr(secret_)));
  EXPECT_EQ(HeaderOf(Get("/sign-in"), "Location"), "/desk") << "already in";
}

TEST_F(SignInRoutesTest, ALinkShowsAButtonAndOnlyThePressSignsIn) {
  const std::string link = "/sign-in/" + Mailed("anna@example.com").link();
  const int commits = store_->commits;
  for (int i = 0; i < 3; ++i) {
    const HttpResponse page = Get(link);
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, AllOf(HasSubstr("Sign in as Anna Schmidt?"), HasSubstr("action=\"" + link + "\"")));
  }
  EXPECT_EQ(store_->commits, commits) << "mail scanners open links";
  EXPECT_EQ(secret_, "");
  EXPECT_EQ(Post(link).status, 303);
  EXPECT_THAT(secret_, StartsWith("ss07"));
  EXPECT_EQ(Get("/").status, 200);
  secret_.clear();
  EXPECT_EQ(Post(link).status, 404);
  EXPECT_EQ(Get(link).status, 404);
}

TEST_F(SignInRoutesTest, WhoWasSentHereByAPageGoesBackToIt) {
  EXPECT_THAT(Get("/sign-in?to=%2Fteam%2Fcb07%3Fx%3D1").body, HasSubstr("name=\"to\" value=\"/team/cb07?x=1\""));
  const auto mail = Mailed("anna@example.com");
  EXPECT_THAT(Post("/sign-in", "address=anna%40example.com&to=%2Fteam").body, HasSubstr("name=\"to\" value=\"/team\""));
  const std::string code = absl::StrCat("address=anna%40example.com&code=", mail.code(), "&to=");
  EXPECT_EQ(HeaderOf(Post("/sign-in/code", code + "%2Fteam"), "Location"), "/team");
}

TEST_F(SignInRoutesTest, NobodyIsSentToWhatIsNoPageOfTheTeams) {
  const std::vector<std::string> foreign = {"https://evil.example/desk", "//evil.example/desk", "/deskevil", "/m/pg07", "/desk\\evil", "/sign-out", ""};
  for (const std::string& to : foreign) {
    EXPECT_THAT(Get("/sign-in?to=" + http::FormEncoded(to)).body, Not(HasSubstr("name=\"to\""))) << to;
  }
  const auto mail = Mailed("anna@example.com");
  const HttpResponse in = Post("/sign-in/code", absl::StrCat("address=anna%40example.com&code=", mail.code(), "&to=%2F%2Fevil.example"));
  EXPECT_EQ(HeaderOf(in, "Location"), "/desk");
  for (const std::string& to : foreign) {
    EXPECT_EQ(HeaderOf(Get("/sign-in?to=" + http::FormEncoded(to)), "Location"), "/desk") << to;
  }
  EXPECT_EQ(HeaderOf(Get("/sign-in?to=%2Freport"), "Location"), "/report");
}

TEST_F(SignInRoutesTest, AMemberWhomAProxyHasSignedInIsIn) {
  HttpRequest request = Request("GET", "/desk/cb07");
  EXPECT_EQ(routes_->EnterByProxy(request), std::nullopt);
  request.proxy_member = "JONAS@example.com";
  const auto in = routes_->EnterByProxy(request);
  ASSERT_TRUE(in.has_value());
  EXPECT_EQ(HeaderOf(*in, "Location"), "/desk/cb07");
  const std::string set = HeaderOf(*in, "Set-Cookie");
  secret_ = set.substr(9, set.find(';') - 9);
  EXPECT_THAT(Get("/").body, HasSubstr("Jonas Weber"));

  request = Request("GET", "/desk");
  request.proxy_member = "jonas@example.com";
  EXPECT_EQ(routes_->EnterByProxy(request), std::nullopt) << "is in already";
  request.proxy_member = "anna@example.com";
  EXPECT_TRUE(routes_->EnterByProxy(request).has_value()) << "somebody else sits at the browser now";
  EXPECT_EQ(Get("/").status, 303) << "and Jonas is in no longer";
}

TEST_F(SignInRoutesTest, TheFirstPageAndTheFormBringInWhomAProxyHasSignedInUnlessTheyHaveJustLeft) {
  for (const auto& [target, to] : {std::pair{"/", "/desk"}, {"/sign-in", "/desk"}, {"/sign-in?to=%2Freport", "/report"}}) {
    HttpRequest request = Request("GET", target);
    request.cookie.clear();
    request.proxy_member = "anna@example.com";
    const auto in = routes_->EnterByProxy(request);
    ASSERT_TRUE(in.has_value()) << target;
    EXPECT_EQ(HeaderOf(*in, "Location"), to) << target;
  }
  for (const char* target : {"/sign-in?out", "/sign-in/k7link", "/m/pg07token", "/app/staff.js"}) {
    HttpRequest request = Request("GET", target);
    request.proxy_member = "anna@example.com";
    EXPECT_EQ(routes_->EnterByProxy(request), std::nullopt) << target;
  }
}

TEST_F(SignInRoutesTest, WhomAProxyHasSignedInAndNobodyKnowsIsToldSoAndMaySignInByAnotherAddress) {
  HttpRequest request = Request("GET", "/desk");
  request.proxy_member = "<nobody>@example.com";
  EXPECT_EQ(routes_->EnterByProxy(request), std::nullopt) << "no address";
  request.proxy_member = "nobody&co@example.com";
  const auto told = routes_->EnterByProxy(request);
  ASSERT_TRUE(told.has_value());
  EXPECT_EQ(told->status, 403);
  EXPECT_THAT(told->body, AllOf(HasSubstr("nobody&amp;co@example.com"), HasSubstr("href=\"/sign-in\"")));
  EXPECT_EQ(HeaderOf(*told, "Set-Cookie"), "");
  request.target = "/sign-in";
  EXPECT_EQ(routes_->EnterByProxy(request), std::nullopt);
  Post("/sign-in/code", absl::StrCat("address=anna%40example.com&code=", Mailed("anna@example.com").code()));
  request = Request("GET", "/desk");
  request.proxy_member = "nobody&co@example.com";
  EXPECT_EQ(routes_->EnterByProxy(request), std::nullopt) << "is in by another address";
}

TEST_F(SignInRoutesTest, KnownAndUnknownAddressesGetTheSameAnswerBeforeAnybodyLooks) {
  const HttpResponse known = Post("/sign-in", "address=anna%40example.com");
  const HttpResponse unknown = Post("/sign-in", "address=nora%40example.com");
  EXPECT_EQ(known.status, unknown.status);
  EXPECT_EQ(known.headers, unknown.headers);
  EXPECT_EQ(absl::StrReplaceAll(known.body, {{"anna", "nora"}}), unknown.body);
  EXPECT_TRUE(Mails().empty()) << "only after the answer";
  RunLater();
  ASSERT_EQ(Mails().size(), 1u);
  EXPECT_EQ(Mails()[0].channels(0).address(), "anna@example.com");
}

TEST_F(SignInRoutesTest, RefusedCodesAnswerAlikeAndNotSooner) {
  Mailed("anna@example.com");
  const HttpResponse known = Post("/sign-in/code", "address=anna%40example.com&code=000000x");
  const HttpResponse unknown = Post("/sign-in/code", "address=nora%40example.com&code=000000x");
  EXPECT_EQ(known.status, 403);
  EXPECT_EQ(unknown.status, 403);
  EXPECT_EQ(absl::StrReplaceAll(known.body, {{"anna", "nora"}}), unknown.body);
  EXPECT_GT(known.no_sooner.count(), 0);
  EXPECT_EQ(known.no_sooner, unknown.no_sooner);
}

TEST_F(SignInRoutesTest, AddressesAreFoundInAnyCaseAndTheSameOneInEveryTeam) {
  team_.mutable_members(1)->set_email("anna@example.com");
  WriteTeam();
  Mailed("ANNA%40Example.com");
  const auto mails = Mails();
  ASSERT_EQ(mails.size(), 2u);
  for (const auto& mail : mails) {
    secret_.clear();
    EXPECT_EQ(Post("/sign-in/code", absl::StrCat("address=anna%40example.com&code=", mail.sign_in().code())).status, 303);
  }
}

TEST_F(SignInRoutesTest, PostsFromElsewhereAreRefusedAndChangeNothing) {
  SignIn();
  const std::string body = "form=" + rpc::FormToken(secret_);
  const int commits = store_->commits;
  for (const char* path : {"/sign-out", "/sign-out-everywhere", "/sign-in", "/sign-in/code"}) {
    HttpRequest foreign = PostOf(path, body);
    foreign.origin = "https://evil.example";
    EXPECT_EQ(Send(foreign).status, 403) << path;
    foreign.origin = "null";
    EXPECT_EQ(Send(foreign).status, 403) << path;
    foreign.origin = "";
    EXPECT_EQ(Send(foreign).status, 403) << path;
    foreign = PostOf(path, body);
    foreign.sec_fetch_site = "cross-site";
    EXPECT_EQ(Send(foreign).status, 403) << path;
  }
  EXPECT_EQ(Post("/sign-out", "form=").status, 403) << "without the page's token";
  EXPECT_EQ(Post("/sign-out", "form=" + rpc::FormToken("ss07other")).status, 403);
  EXPECT_EQ(store_->commits, commits);
  EXPECT_EQ(Get("/").status, 200);
  EXPECT_TRUE(later_.empty());
}

TEST_F(SignInRoutesTest, SigningOutForgetsTheCookieAndEndsTheSession) {
  SignIn();
  const std::string before = secret_;
  const HttpResponse out = Post("/sign-out", "form=" + rpc::FormToken(secret_));
  EXPECT_EQ(out.status, 303);
  EXPECT_THAT(HeaderOf(out, "Set-Cookie"), HasSubstr("Max-Age=0"));
  EXPECT_THAT(Get("/sign-in?out").body, HasSubstr("You are signed out."));
  secret_ = before;
  EXPECT_EQ(Get("/").status, 303);
  EXPECT_EQ(Post("/sign-out", "form=x").status, 303) << "nothing to do any more";
}

TEST_F(SignInRoutesTest, SigningOutEverywhereEndsTheOtherBrowsersToo) {
  SignIn();
  const std::string other = std::exchange(secret_, "");
  clock_.Advance(absl::Minutes(2));
  SignIn();
  EXPECT_EQ(Post("/sign-out-everywhere", "form=" + rpc::FormToken(secret_)).status, 303);
  secret_ = other;
  EXPECT_EQ(Get("/").status, 303);
}

TEST_F(SignInRoutesTest, WhoLeftIsOutAtOnce) {
  SignIn();
  team_.mutable_members(0)->set_inactive(true);
  WriteTeam();
  EXPECT_EQ(Get("/").status, 303);
  clock_.Advance(absl::Minutes(2));
  Post("/sign-in", "address=anna%40example.com");
  RunLater();
  EXPECT_EQ(Mails().size(), 1u) << "the one from before";
}

TEST_F(SignInRoutesTest, ASecondSignInHereEndsTheFirst) {
  SignIn();
  const std::string before = secret_;
  const std::string link = "/sign-in/" + Mailed("jonas%40example.com").link();
  EXPECT_EQ(Post(link).status, 303);
  EXPECT_THAT(Get("/").body, HasSubstr("Jonas Weber"));
  secret_ = before;
  EXPECT_EQ(Get("/").status, 303);
}

TEST_F(SignInRoutesTest, TooManyTriesAreToldWhenToComeBack) {
  HttpResponse last;
  for (int i = 0; i < 30 && last.status != 429; ++i) {
    last = Post("/sign-in", absl::StrCat("address=nobody", i, "%40example.com"));
  }
  EXPECT_EQ(last.status, 429);
  EXPECT_EQ(HeaderOf(last, "Retry-After"), "60");
  EXPECT_THAT(last.body, HasSubstr("That was too often"));
  peer_ = "::1";
  EXPECT_EQ(Post("/sign-in", "address=nobody%40example.com").status, 200) << "others are not held up";

  for (int i = 0; i < 30 && (last.status == 404 || i == 0); ++i) last = Get(absl::StrCat("/sign-in/", kAnna, ".si07guess", i));
  EXPECT_EQ(last.status, 429) << "wrong links";
}

TEST_F(SignInRoutesTest, OneAddressIsNotFloodedFromManyClients) {
  int answered = 0;
  for (int i = 0; i < 20; ++i) {
    peer_ = absl::StrCat("127.0.0.", i + 1);
    if (Post("/sign-in", "address=anna%40example.com").status == 200) ++answered;
  }
  EXPECT_EQ(answered, 5);
  RunLater();
  EXPECT_EQ(Mails().size(), 1u) << "and of these only one mail a minute";
}

TEST_F(SignInRoutesTest, OverANetworkInClearNobodySignsIn) {
  peer_ = "192.168.1.5";
  EXPECT_EQ(Get("/sign-in").status, 403);
  EXPECT_THAT(Get("/sign-in").body, HasSubstr("not encrypted"));
  EXPECT_EQ(Post("/sign-in", "address=anna%40example.com").status, 403);
  HttpRequest secure = Request("GET", "/sign-in");
  secure.secure = true;
  EXPECT_EQ(Send(secure).status, 200);
}

TEST_F(SignInRoutesTest, EveryPageIsClosedToScriptsFramesAndCaches) {
  const std::string link = "/sign-in/" + Mailed("anna@example.com").link();
  const std::vector<HttpResponse> pages = {Get("/sign-in"), Get(link), Get("/sign-in/x"), Post("/sign-in", "address=x%40y.de"),
                                           Post("/sign-in", "address=nonsense")};
  for (const HttpResponse& page : pages) {
    EXPECT_THAT(HeaderOf(page, "Content-Security-Policy"),
                AllOf(StartsWith("default-src 'none'; style-src 'sha256-"), HasSubstr("form-action 'self'"),
                      HasSubstr("frame-ancestors 'none'"), Not(HasSubstr("script-src"))));
    EXPECT_EQ(HeaderOf(page, "Cache-Control"), "private, no-store");
    EXPECT_EQ(HeaderOf(page, "Referrer-Policy"), "same-origin") << "browsers say Origin: null without one";
    EXPECT_THAT(page.body, Not(HasSubstr("<script")));
    EXPECT_THAT(page.body, Not(HasSubstr("{{")));
  }
}

TEST_F(SignInRoutesTest, WhatIsTypedIsEscaped) {
  const HttpResponse page = Post("/sign-in/code", "address=%22%3E%3Cscript%3E%40example.com&code=1");
  EXPECT_EQ(page.status, 403);
  EXPECT_THAT(page.body, Not(HasSubstr("<script")));
}

TEST_F(SignInRoutesTest, NonsenseIsRefusedInWords) {
  EXPECT_EQ(Post("/sign-in", "address=anna%4").status, 400);
  EXPECT_EQ(Post("/sign-in", "address=nonsense").status, 400);
  EXPECT_EQ(Post("/sign-in", "").status, 400);
  HttpRequest json = PostOf("/sign-in", "{}");
  json.content_type = "application/json";
  EXPECT_EQ(Send(json).status, 400);
  EXPECT_EQ(HeaderOf(Send(Request("PUT", "/sign-in")), "Allow"), "GET, HEAD, POST");
  EXPECT_EQ(Get("/sign-out").status, 405);
  EXPECT_EQ(Get("/sign-in/code").status, 405);
  EXPECT_EQ(Post("/").status, 405);
  for (const char* other : {"/m/x", "/sign-inn", "/metrics", "", "/sign-out/x"}) {
    EXPECT_FALSE(routes_->Handle(Request("GET", other)).has_value()) << other;
  }
}

TEST_F(SignInRoutesTest, AStoreThatIsAwayAndAFullPoolAreOurTroubleNotTheirs) {
  busy_ = true;
  EXPECT_EQ(Post("/sign-in", "address=anna%40example.com").status, 503);
  busy_ = false;
  SignIn();
  store_->failure = absl::UnavailableError("the store is away");
  const HttpResponse page = Get("/");
  EXPECT_EQ(page.status, 503) << "not signed out by that";
  EXPECT_EQ(HeaderOf(page, "Retry-After"), "60");
  EXPECT_THAT(page.body, Not(HasSubstr("store")));
}

TEST_F(SignInRoutesTest, GermanSpeakersReadGerman) {
  HttpRequest request = Request("GET", "/sign-in");
  request.accept_language = "de-DE,de;q=0.9,en;q=0.8";
  EXPECT_THAT(Send(request).body, AllOf(HasSubstr("<html lang=\"de\">"), HasSubstr("Ihre Mailadresse")));
}

}  // namespace
}  // namespace ringback::web
