#include <latch>
#include <thread>

#include "core/domain/escalation.h"
#include "core/rpc/sign_in.h"
#include "ingest/ingest_fixture.h"

namespace ringback::ingest {
namespace {

using Stub = api::TeamService::Stub;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class TeamRpcTest : public IngestTest {
 protected:
  template <typename Request, typename Response>
  absl::Status Call(grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&, Response*), Request request,
                    Response* response, const std::string& token) {
    return Do(*teams_, method, request, response, token);
  }
  api::Team Team() {
    api::GetTeamResponse response;
    EXPECT_TRUE(Call(&Stub::GetTeam, api::GetTeamRequest(), &response, team_.anna_token).ok());
    return response.team();
  }
};

TEST_F(TeamRpcTest, AnOperatorMakesATeamWhoseAdminCanBeginAtOnce) {
  api::CreateTeamRequest request;
  request.set_request_id("new");
  request.mutable_team()->set_name("Nord");
  request.mutable_team()->set_time_zone("America/New_York");
  request.mutable_admin()->set_name("Nora Nord");
  request.mutable_admin()->set_email("nora@example.com");
  api::CreateTeamResponse made, again;
  ASSERT_TRUE(Call(&Stub::CreateTeam, request, &made, operator_token_).ok());
  ASSERT_TRUE(Call(&Stub::CreateTeam, request, &again, operator_token_).ok());
  EXPECT_EQ(again.SerializeAsString(), made.SerializeAsString());
  api::GetTeamResponse seen;
  ASSERT_TRUE(Call(&Stub::GetTeam, api::GetTeamRequest(), &seen, made.admin_token()).ok());
  EXPECT_EQ(seen.team().time_zone(), "America/New_York");
  EXPECT_EQ(seen.team().members(0).role(), api::ROLE_ADMIN);

  api::ListTeamsRequest list;
  list.set_page_size(2);
  std::vector<std::string> names;
  for (int pages = 0; pages < 4; ++pages) {
    api::ListTeamsResponse page;
    ASSERT_TRUE(Call(&Stub::ListTeams, list, &page, operator_token_).ok());
    for (const auto& team : page.teams()) names.push_back(team.name());
    if (page.next_page_token().empty()) break;
    list.set_page_token(page.next_page_token());
  }
  EXPECT_THAT(names, UnorderedElementsAre("Sales", "Strangers", "Nord"));
}

TEST_F(TeamRpcTest, AnUpdateChangesOnlyWhatIsSet) {
  api::UpdateTeamRequest request;
  request.set_request_id("u");
  request.mutable_team()->set_mail_address("sales@Example.com");
  request.mutable_team()->mutable_footer()->set_company("Beispiel GmbH");
  api::UpdateTeamResponse response;
  ASSERT_TRUE(Call(&Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  EXPECT_EQ(Team().name(), "Sales");
  EXPECT_EQ(Team().mail_address(), "sales@example.com");
  EXPECT_EQ(Team().footer().company(), "Beispiel GmbH");
  EXPECT_EQ(Team().policy().steps_size(), 3);
}

TEST_F(TeamRpcTest, AMaskSetsEveryFieldToItsZeroValueAndLeavesTheRest) {
  api::UpdateTeamRequest request;
  request.set_request_id("set");
  api::Team* team = request.mutable_team();
  team->set_legal_hold(true);
  team->set_media_mode(api::MEDIA_MODE_LINK);
  team->mutable_footer()->set_company("Beispiel GmbH");
  team->mutable_footer()->set_phone("030 1");
  team->mutable_calendar()->add_holidays("2026-12-25");
  (*team->mutable_templates())["de/voice_message"] = "--- text\nHallo\n";
  api::UpdateTeamResponse response;
  ASSERT_TRUE(Call(&Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  const api::Team before = Team();
  ASSERT_TRUE(before.legal_hold());

  request.set_request_id("zero");
  request.clear_team();
  for (const char* path : {"legal_hold", "media_mode", "footer.phone", "calendar", "templates"}) {
    request.mutable_update_mask()->add_paths(path);
  }
  request.mutable_team()->set_name("came along");
  ASSERT_TRUE(Call(&Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  api::Team expected = before;
  expected.clear_legal_hold();
  expected.clear_media_mode();
  expected.mutable_footer()->clear_phone();
  expected.mutable_calendar()->Clear();
  expected.clear_templates();
  EXPECT_EQ(Team().DebugString(), expected.DebugString());

  request.set_request_id("nameless");
  request.clear_update_mask();
  request.clear_team();
  request.mutable_update_mask()->add_paths("name");
  EXPECT_EQ(FieldOf(Call(&Stub::UpdateTeam, request, &response, team_.admin_token)), "team.name");
  request.set_request_id("typo");
  request.mutable_update_mask()->set_paths(0, "legal_hodl");
  const absl::Status typo = Call(&Stub::UpdateTeam, request, &response, team_.admin_token);
  EXPECT_EQ(typo.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(FieldOf(typo), "update_mask.paths[0]");
  EXPECT_THAT(std::string(typo.message()), testing::HasSubstr("legal_hodl"));
}

TEST_F(TeamRpcTest, ATemplateThatCannotWorkIsRefusedByName) {
  api::UpdateTeamRequest request;
  api::UpdateTeamResponse response;
  const std::pair<const char*, const char*> refused[] = {{"voice_message.de.text", "--- text\nHallo\n"},
                                                         {"de/voice_mesage", "--- text\nHallo\n"},
                                                         {"de/voice_message", "Hallo\n"},
                                                         {"en/teleprompter", "--- subject\nHello\n"},
                                                         {"de/voice_message", "--- txt\nHallo\n"},
                                                         {"de/voice_message", "--- text\n{{#when}}Hallo\n"}};
  for (const auto& [name, text] : refused) {
    request.set_request_id(NextRequestId());
    request.mutable_team()->clear_templates();
    (*request.mutable_team()->mutable_templates())[name] = text;
    const absl::Status status = Call(&Stub::UpdateTeam, request, &response, team_.admin_token);
    EXPECT_EQ(FieldOf(status), absl::StrCat("team.templates[", name, "]")) << status;
  }
  EXPECT_EQ(Team().templates_size(), 0);
  // What an older version took can still be taken away.
  request.set_request_id(NextRequestId());
  request.mutable_team()->clear_templates();
  (*request.mutable_team()->mutable_templates())["voice_message.de.text"] = "";
  (*request.mutable_team()->mutable_templates())["de/voice_message"] = "--- subject\nHallo\n";
  EXPECT_TRUE(Call(&Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  EXPECT_EQ(Team().templates_size(), 1);
}

TEST_F(TeamRpcTest, ATeamHasItsOwnWordsForWhatIsReadAloud) {
  api::UpdateTeamRequest request;
  api::UpdateTeamResponse response;
  request.set_request_id("read aloud");
  (*request.mutable_team()->mutable_templates())["de/teleprompter"] = "--- text\n{{greeting}} {{caller}}, bis {{when}}!\n";
  EXPECT_TRUE(Call(&Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  EXPECT_EQ(Team().templates().count("de/teleprompter"), 1);
}

TEST_F(TeamRpcTest, ATeamsAddressLeavesRoomForTheTokenOfAnswers) {
  api::UpdateTeamRequest request;
  api::UpdateTeamResponse response;
  request.set_request_id("long");
  request.mutable_team()->set_mail_address(absl::StrCat(std::string(34, 'v'), "@example.com"));
  EXPECT_EQ(FieldOf(Call(&Stub::UpdateTeam, request, &response, team_.admin_token)), "team.mail_address");
  request.set_request_id("fits");
  request.mutable_team()->set_mail_address(absl::StrCat(std::string(33, 'v'), "@example.com"));
  EXPECT_TRUE(Call(&Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  EXPECT_EQ(33 + 1 + NewSecret(id_prefix::kPage, 7, host_->random()).size(), 64u);
}

TEST_F(TeamRpcTest, AMemberChangesOfThemselvesWhatIsNobodyElsesBusiness) {
  api::UpdateMemberRequest request;
  api::UpdateMemberResponse response;
  request.set_request_id("own");
  request.mutable_member()->set_id(team_.anna);
  request.mutable_member()->set_language("en");
  request.mutable_member()->set_time_zone("Europe/Vienna");
  ASSERT_TRUE(Call(&Stub::UpdateMember, request, &response, team_.anna_token).ok());
  EXPECT_EQ(response.member().language(), "en");
  request.set_request_id("role");
  request.mutable_member()->set_role(api::ROLE_ADMIN);
  const absl::Status role = Call(&Stub::UpdateMember, request, &response, team_.anna_token);
  EXPECT_EQ(role.code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(FieldOf(role), "update_mask");
  request.set_request_id("other");
  request.mutable_member()->set_id(team_.ben);
  request.mutable_member()->clear_role();
  EXPECT_EQ(FieldOf(Call(&Stub::UpdateMember, request, &response, team_.anna_token)), "member.id");
  EXPECT_EQ(FieldOf(Call(&Stub::UpdateMember, request, &response, team_.clara_token)), "member.id");

  api::SetAbsenceRequest away;
  api::SetAbsenceResponse noted;
  away.set_request_id("away");
  away.set_member_id(team_.anna);
  api::Absence& absence = *away.add_absences();
  *absence.mutable_start_time() = rpc::ToProto(Morning());
  *absence.mutable_end_time() = rpc::ToProto(Morning() + absl::Hours(8));
  EXPECT_TRUE(Call(&Stub::SetAbsence, away, &noted, team_.anna_token).ok());
  EXPECT_EQ(noted.member().absences_size(), 1);
  away.set_request_id("away ben");
  away.set_member_id(team_.ben);
  EXPECT_EQ(Call(&Stub::SetAbsence, away, &noted, team_.anna_token).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(Call(&Stub::SetAbsence, away, &noted, team_.clara_token).ok());
}

TEST_F(TeamRpcTest, AMaskEmptiesAMembersFields) {
  api::UpdateMemberRequest request;
  request.set_request_id("set");
  request.mutable_member()->set_id(team_.anna);
  request.mutable_member()->set_phone("030 123");
  request.mutable_member()->set_language("en");
  request.mutable_member()->add_channels()->set_kind(api::CHANNEL_KIND_DESK);
  api::UpdateMemberResponse response;
  ASSERT_TRUE(Call(&Stub::UpdateMember, request, &response, team_.admin_token).ok());
  const api::Member before = response.member();

  request.set_request_id("zero");
  request.clear_member();
  request.mutable_member()->set_id(team_.anna);
  request.mutable_member()->set_email("not looked at");
  for (const char* path : {"phone", "language", "channels", "substitute_id"}) request.mutable_update_mask()->add_paths(path);
  ASSERT_TRUE(Call(&Stub::UpdateMember, request, &response, team_.admin_token).ok());
  api::Member expected = before;
  expected.clear_phone();
  expected.clear_language();
  expected.clear_channels();
  expected.clear_substitute_id();
  EXPECT_EQ(response.member().DebugString(), expected.DebugString());

  for (const char* path : {"id", "inactive", "telephone"}) {
    request.set_request_id(path);
    request.mutable_update_mask()->set_paths(0, path);
    EXPECT_EQ(FieldOf(Call(&Stub::UpdateMember, request, &response, team_.admin_token)), "update_mask.paths[0]") << path;
  }
}

TEST_F(TeamRpcTest, AMaskChangesOneFieldOfThePolicy) {
  const api::Policy before = Team().policy();
  api::SetPolicyRequest request;
  request.set_request_id("one");
  request.mutable_policy()->mutable_reminder_lead();
  request.mutable_update_mask()->add_paths("reminder_lead");
  request.mutable_update_mask()->add_paths("repeat_count");
  api::SetPolicyResponse response;
  ASSERT_TRUE(Call(&Stub::SetPolicy, request, &response, team_.admin_token).ok());
  api::Policy expected = before;
  expected.mutable_reminder_lead()->Clear();
  expected.clear_repeat_count();
  EXPECT_EQ(Team().policy().DebugString(), expected.DebugString());
  request.set_request_id("typo");
  request.mutable_update_mask()->add_paths("step");
  EXPECT_EQ(FieldOf(Call(&Stub::SetPolicy, request, &response, team_.admin_token)), "update_mask.paths[2]");
}

TEST_F(TeamRpcTest, BadTeamsNameTheirField) {
  struct Row {
    std::function<void(api::Team*)> spoil;
    std::string field;
  };
  const std::vector<Row> rows = {
      {[](auto* t) { t->set_time_zone("Europe/Atlantis"); }, "team.time_zone"},
      {[](auto* t) { t->set_language("klingon"); }, "team.language"},
      {[](auto* t) { t->set_mail_address("a\r\nb@example.com"); }, "team.mail_address"},
      {[](auto* t) { t->set_retention_days(4000); }, "team.retention_days"},
      {[](auto* t) { t->set_recording_max_seconds(1); }, "team.recording_max_seconds"},
      {[](auto* t) { t->mutable_footer()->set_company("a\nb"); }, "team.footer.company"},
  };
  for (const Row& row : rows) {
    api::UpdateTeamRequest request;
    request.set_request_id(NextRequestId());
    row.spoil(request.mutable_team());
    api::UpdateTeamResponse response;
    const absl::Status status = Call(&Stub::UpdateTeam, request, &response, team_.admin_token);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.field;
    EXPECT_EQ(FieldOf(status), row.field) << status;
  }
}

TEST_F(TeamRpcTest, AMemberWhoLeavesHandsOverEveryOpenCallback) {
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    api::CreateCallbackRequest request = Mueller();
    request.mutable_caller()->set_phone("030 12345" + std::to_string(i));
    request.mutable_caller()->set_email("c" + std::to_string(i) + "@example.com");
    ids.push_back(Create(request, team_.anna_token).id());
  }
  api::RemoveMemberRequest request;
  request.set_request_id("leave");
  request.set_member_id(team_.anna);
  api::RemoveMemberResponse response, again;
  ASSERT_TRUE(Call(&Stub::RemoveMember, request, &response, team_.admin_token).ok());
  EXPECT_EQ(response.handed_over(), 3);
  EXPECT_TRUE(response.member().inactive());
  for (const std::string& id : ids) EXPECT_EQ(Get(id).assignee_id(), team_.ben) << "the substitute";
  ASSERT_TRUE(Call(&Stub::RemoveMember, request, &again, team_.admin_token).ok());
  EXPECT_EQ(again.handed_over(), 3) << "the first answer";
  api::GetTeamResponse refused;
  EXPECT_EQ(Call(&Stub::GetTeam, api::GetTeamRequest(), &refused, team_.anna_token).code(),
            absl::StatusCode::kUnauthenticated);

  request.set_request_id("leave too");
  request.set_member_id(team_.ben);
  ASSERT_TRUE(Call(&Stub::RemoveMember, request, &response, team_.admin_token).ok());
  for (const std::string& id : ids) EXPECT_THAT(Get(id).assignee_id(), testing::AnyOf(team_.clara, team_.admin));
}

TEST_F(TeamRpcTest, TheLastAdminStays) {
  api::RemoveMemberRequest request;
  request.set_request_id("leave");
  request.set_member_id(team_.admin);
  api::RemoveMemberResponse response;
  EXPECT_EQ(ReasonOf(Call(&Stub::RemoveMember, request, &response, team_.admin_token)), "LAST_ADMIN");
  api::UpdateMemberRequest demote;
  demote.set_request_id("demote");
  demote.mutable_member()->set_id(team_.admin);
  demote.mutable_member()->set_role(api::ROLE_REP);
  api::UpdateMemberResponse demoted;
  EXPECT_EQ(ReasonOf(Call(&Stub::UpdateMember, demote, &demoted, team_.admin_token)), "LAST_ADMIN");
}

TEST_F(TeamRpcTest, AChannelKeepsItsSecretAndNeverShowsIt) {
  api::UpdateMemberRequest request;
  request.set_request_id("1");
  request.mutable_member()->set_id(team_.anna);
  api::Channel* channel = request.mutable_member()->add_channels();
  channel->set_kind(api::CHANNEL_KIND_WEBHOOK);
  channel->set_address("https://hooks.example.com/a");
  channel->set_secret("hush, nobody may know");
  api::UpdateMemberResponse response;
  ASSERT_TRUE(Call(&Stub::UpdateMember, request, &response, team_.admin_token).ok());
  EXPECT_EQ(response.member().channels(0).secret(), "");
  request.set_request_id("2");
  channel->clear_secret();
  channel->set_format(api::WEBHOOK_FORMAT_SLACK);
  ASSERT_TRUE(Call(&Stub::UpdateMember, request, &response, team_.admin_token).ok());
  const auto team =
      store::Load<record::TeamRecord>(host_->store(), store::TeamKey(team_.id).value()).value().message;
  EXPECT_EQ(team.members(0).channels(0).secret(), "hush, nobody may know");
  EXPECT_EQ(team.members(0).channels(0).format(), record::Channel::FORMAT_SLACK);
}

TEST_F(TeamRpcTest, AHooksSecretIsKeptAndNeverShown) {
  const auto kept = [&] {
    return store::Load<record::TeamRecord>(host_->store(), store::TeamKey(team_.id).value()).value().message.hook_secrets();
  };
  api::UpdateTeamRequest request;
  request.set_request_id("1");
  (*request.mutable_team()->mutable_hook_secrets())["twilio"] = "the account's auth token";
  api::UpdateTeamResponse response;
  ASSERT_TRUE(Call(&Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  EXPECT_EQ(response.team().hook_secrets().at("twilio"), "");
  EXPECT_EQ(Team().hook_secrets().at("twilio"), "");
  EXPECT_EQ(kept().at("twilio"), "the account's auth token");

  // Sent back as it was read, with another one: what was there stays.
  request.set_request_id("2");
  *request.mutable_team() = Team();
  (*request.mutable_team()->mutable_hook_secrets())["3cx"] = "something else, long enough";
  request.mutable_update_mask()->add_paths("hook_secrets");
  ASSERT_TRUE(Call(&Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  EXPECT_EQ(kept().at("twilio"), "the account's auth token");
  EXPECT_EQ(kept().at("3cx"), "something else, long enough");

  request.set_request_id("3");
  request.mutable_team()->mutable_hook_secrets()->erase("twilio");
  ASSERT_TRUE(Call(&Stub::UpdateTeam, request, &response, team_.admin_token).ok());
  EXPECT_EQ(kept().count("twilio"), 0u);
  EXPECT_EQ(kept().size(), 1u);
}

TEST_F(TeamRpcTest, AnExtensionIsOneMembers) {
  api::UpdateMemberRequest request;
  request.set_request_id("1");
  request.mutable_member()->set_id(team_.anna);
  request.mutable_member()->add_extensions(" 21 ");
  api::UpdateMemberResponse response;
  ASSERT_TRUE(Call(&Stub::UpdateMember, request, &response, team_.admin_token).ok());
  EXPECT_THAT(response.member().extensions(), ElementsAre("21"));
  request.set_request_id("2");
  request.mutable_member()->set_id(team_.ben);
  EXPECT_EQ(ReasonOf(Call(&Stub::UpdateMember, request, &response, team_.admin_token)), "NOT_UNIQUE");
}

TEST_F(TeamRpcTest, AWebhookThatCouldNotSignIsRefusedWhenItIsSet) {
  api::UpdateMemberRequest request;
  request.mutable_member()->set_id(team_.anna);
  api::Channel* channel = request.mutable_member()->add_channels();
  channel->set_kind(api::CHANNEL_KIND_WEBHOOK);
  channel->set_address("https://hooks.example.com/a");
  api::UpdateMemberResponse response;
  for (const char* secret : {"", "short", "fifteen bytes.."}) {
    request.set_request_id(NextRequestId());
    channel->set_secret(secret);
    EXPECT_EQ(FieldOf(Call(&Stub::UpdateMember, request, &response, team_.admin_token)), "member.channels[0].secret")
        << secret;
  }
  // The address of a chat's hook is itself the secret.
  request.set_request_id(NextRequestId());
  channel->clear_secret();
  channel->set_format(api::WEBHOOK_FORMAT_TEAMS);
  EXPECT_TRUE(Call(&Stub::UpdateMember, request, &response, team_.admin_token).ok());
}

TEST_F(TeamRpcTest, AnAbsenceIsNotedByTheManager) {
  api::SetAbsenceRequest request;
  request.set_request_id("away");
  request.set_member_id(team_.anna);
  api::Absence* absence = request.add_absences();
  *absence->mutable_start_time() = rpc::ToProto(Morning());
  *absence->mutable_end_time() = rpc::ToProto(Morning() + absl::Hours(48));
  api::SetAbsenceResponse response;
  ASSERT_TRUE(Call(&Stub::SetAbsence, request, &response, team_.clara_token).ok());
  EXPECT_EQ(response.member().absences_size(), 1);
  request.set_request_id("backwards");
  absence->mutable_end_time()->Swap(absence->mutable_start_time());
  EXPECT_EQ(FieldOf(Call(&Stub::SetAbsence, request, &response, team_.clara_token)), "absences[0]");
}

TEST_F(TeamRpcTest, AStricterPolicyWakesOpenCallbacksEarlier) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  api::MakePromiseRequest promise;
  promise.set_request_id(NextRequestId());
  promise.set_callback_id(made.id());
  promise.set_channel(api::PROMISE_CHANNEL_SPOKEN);
  *promise.mutable_promised_time() = rpc::ToProto(Morning() + absl::Hours(4));
  api::MakePromiseResponse promised;
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::MakePromise, promise, &promised, team_.anna_token).ok());
  EXPECT_EQ(rpc::FromProto(promised.callback().next_timer_time()), Morning() + absl::Hours(4) - absl::Minutes(15));

  api::SetPolicyRequest request;
  request.set_request_id("policy");
  *request.mutable_policy() = rpc::ToApi(domain::DefaultPolicy());
  request.mutable_policy()->mutable_reminder_lead()->set_seconds(3600);
  api::SetPolicyResponse response;
  ASSERT_TRUE(Call(&Stub::SetPolicy, request, &response, team_.admin_token).ok());
  EXPECT_EQ(rpc::FromProto(Get(made.id()).next_timer_time()), Morning() + absl::Hours(3));
  host_->fake_clock().Set(Morning() + absl::Hours(3));
  record::CallbackRecord record;
  record.set_id(made.id());
  record.set_team_id(team_.id);
  EXPECT_TRUE(host_->store().Claim(store::PromiseDue(record), absl::Seconds(5)).ok());

  request.set_request_id("nobody");
  request.mutable_policy()->mutable_steps(0)->clear_recipients();
  EXPECT_THAT(FieldOf(Call(&Stub::SetPolicy, request, &response, team_.admin_token)),
              testing::StartsWith("policy.steps[0]"));
}

// Two changes that both find a callback at the same version are two decisions: the second, which waits for the first one's
// commit, is decided again and not taken for a repetition of it.
TEST_F(TeamRpcTest, TwoPolicyChangesAtOnceBothMoveTheTimers) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  api::MakePromiseRequest promise;
  promise.set_request_id(NextRequestId());
  promise.set_callback_id(made.id());
  promise.set_channel(api::PROMISE_CHANNEL_SPOKEN);
  *promise.mutable_promised_time() = rpc::ToProto(Morning() + absl::Hours(4));
  api::MakePromiseResponse promised;
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::MakePromise, promise, &promised, team_.anna_token).ok());
  const auto set_lead = [this](const std::string& request_id, int64_t seconds) {
    api::SetPolicyRequest request;
    request.set_request_id(request_id);
    *request.mutable_policy() = rpc::ToApi(domain::DefaultPolicy());
    request.mutable_policy()->mutable_reminder_lead()->set_seconds(seconds);
    api::SetPolicyResponse response;
    const absl::Status status = Call(&Stub::SetPolicy, request, &response, team_.admin_token);
    EXPECT_TRUE(status.ok()) << status;
  };
  std::latch second_has_decided(1), first_is_done(1);
  std::thread second;
  RacingStore& store = host_->racing();
  store.BeforeNextCommit([&] {      // the first policy; next comes the first timer, decided
    store.BeforeNextCommit([&] {
      store.BeforeNextCommit([&] {  // the second policy; next comes the second timer, decided upon the same version
        store.BeforeNextCommit([&] {
          second_has_decided.count_down();
          first_is_done.wait();
        });
      });
      second = std::thread([&] { set_lead("second", 3600); });
      second_has_decided.wait();
    });
  });
  set_lead("first", 1800);
  first_is_done.count_down();
  second.join();
  EXPECT_EQ(rpc::FromProto(Get(made.id()).next_timer_time()), Morning() + absl::Hours(3));
}

TEST_F(TeamRpcTest, ATokenOpensUntilItIsRevokedOrOver) {
  api::CreateTokenRequest request;
  request.set_request_id("t");
  request.set_member_id(team_.ben);
  request.set_label("Bens Skript");
  *request.mutable_expire_time() = rpc::ToProto(Morning() + absl::Hours(24));
  api::CreateTokenResponse made;
  ASSERT_TRUE(Call(&Stub::CreateToken, request, &made, team_.admin_token).ok());
  api::GetTeamResponse seen;
  EXPECT_TRUE(Call(&Stub::GetTeam, api::GetTeamRequest(), &seen, made.secret()).ok());

  api::ListTokensResponse list;
  ASSERT_TRUE(Call(&Stub::ListTokens, api::ListTokensRequest(), &list, team_.admin_token).ok());
  EXPECT_EQ(list.tokens_size(), 6);
  std::vector<std::string> labels;
  for (const auto& token : list.tokens()) labels.push_back(token.label());
  EXPECT_THAT(labels, testing::Contains("Bens Skript"));

  host_->fake_clock().Advance(absl::Hours(25));
  EXPECT_EQ(Call(&Stub::GetTeam, api::GetTeamRequest(), &seen, made.secret()).code(),
            absl::StatusCode::kUnauthenticated);
  host_->fake_clock().Set(Morning());
  api::RevokeTokenRequest revoke;
  revoke.set_request_id("r");
  revoke.set_id(made.token().id());
  api::RevokeTokenResponse revoked;
  EXPECT_EQ(Call(&Stub::RevokeToken, revoke, &revoked, strangers_.admin_token).code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(Call(&Stub::RevokeToken, revoke, &revoked, team_.admin_token).ok());
  EXPECT_EQ(Call(&Stub::GetTeam, api::GetTeamRequest(), &seen, made.secret()).code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(TeamRpcTest, AdminsAndOperatorsMakeSignInsThatOpenOnce) {
  api::CreateSignInRequest request;
  api::CreateSignInResponse response;
  request.set_member_id(team_.anna);
  for (const std::string& token : {team_.admin_token, operator_token_}) {
    ASSERT_TRUE(Call(&Stub::CreateSignIn, request, &response, token).ok());
    const std::string url = "https://calls.example.com/sign-in/";
    ASSERT_EQ(response.link().substr(0, url.size()), url);
    EXPECT_EQ(response.code().size(), 6u);
    EXPECT_EQ(rpc::FromProto(response.expire_time()), Morning() + rpc::kSignInLifetime);
    const std::string link = response.link().substr(url.size());
    EXPECT_EQ(rpc::WhoseLink(host_->store(), link, Morning())->id(), team_.anna);
    EXPECT_TRUE(rpc::EnterByLink(host_->store(), host_->random(), link, {"", absl::Hours(1)}).ok());
    EXPECT_FALSE(rpc::EnterByLink(host_->store(), host_->random(), link, {"", absl::Hours(1)}).ok());
  }
  for (const std::string& token : {team_.anna_token, team_.clara_token}) {
    EXPECT_EQ(Call(&Stub::CreateSignIn, request, &response, token).code(), absl::StatusCode::kPermissionDenied);
  }
  request.set_member_id("mb07zzzzzzzzzzzz");
  EXPECT_EQ(Call(&Stub::CreateSignIn, request, &response, team_.admin_token).code(), absl::StatusCode::kNotFound);
  api::RemoveMemberRequest remove;
  api::RemoveMemberResponse removed;
  remove.set_request_id(NextRequestId());
  remove.set_member_id(team_.ben);
  ASSERT_TRUE(Call(&Stub::RemoveMember, remove, &removed, team_.admin_token).ok());
  request.set_member_id(team_.ben);
  EXPECT_EQ(Call(&Stub::CreateSignIn, request, &response, team_.admin_token).code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(TeamRpcTest, AdminsSignOthersOutInEveryBrowser) {
  const auto signed_in = [&](const std::string& member) {
    api::CreateSignInRequest request;
    api::CreateSignInResponse response;
    request.set_member_id(member);
    EXPECT_TRUE(Call(&Stub::CreateSignIn, request, &response, team_.admin_token).ok());
    const std::string link = response.link().substr(response.link().rfind('/') + 1);
    return rpc::EnterByLink(host_->store(), host_->random(), link, {"", absl::Hours(1)}).value().secret;
  };
  const auto open = [&](const std::string& secret) { return rpc::OpenSession(host_->store(), secret, Morning()).ok(); };
  const std::string anna = signed_in(team_.anna), again = signed_in(team_.anna), ben = signed_in(team_.ben);
  api::RevokeSessionsRequest request;
  api::RevokeSessionsResponse response;
  request.set_request_id(NextRequestId());
  request.set_member_id(team_.anna);
  EXPECT_EQ(Call(&Stub::RevokeSessions, request, &response, team_.anna_token).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_EQ(Call(&Stub::RevokeSessions, request, &response, team_.clara_token).code(), absl::StatusCode::kPermissionDenied);
  EXPECT_TRUE(open(anna) && open(again));
  ASSERT_TRUE(Call(&Stub::RevokeSessions, request, &response, operator_token_).ok());
  EXPECT_EQ(response.revoked(), 2);
  EXPECT_FALSE(open(anna) || open(again));
  EXPECT_TRUE(open(ben));
  request.set_request_id(NextRequestId());
  request.set_member_id(team_.ben);
  ASSERT_TRUE(Call(&Stub::RevokeSessions, request, &response, team_.admin_token).ok());
  EXPECT_FALSE(open(ben));
}

TEST_F(TeamRpcTest, OnlyOperatorsMakeOperators) {
  api::CreateTokenRequest request;
  request.set_request_id("t");
  request.set_role(api::ROLE_OPERATOR);
  api::CreateTokenResponse made;
  EXPECT_EQ(Call(&Stub::CreateToken, request, &made, team_.admin_token).code(), absl::StatusCode::kPermissionDenied);
  ASSERT_TRUE(Call(&Stub::CreateToken, request, &made, operator_token_).ok());
  api::ListTeamsResponse teams;
  EXPECT_TRUE(Call(&Stub::ListTeams, api::ListTeamsRequest(), &teams, made.secret()).ok());
  api::ListTokensResponse list;
  ASSERT_TRUE(Call(&Stub::ListTokens, api::ListTokensRequest(), &list, operator_token_).ok());
  EXPECT_EQ(list.tokens_size(), 2) << "the operators' own";
}

TEST_F(TeamRpcTest, TheWeekCountsWhatHappened) {
  Create(Mueller(), team_.anna_token);
  api::GetTeamWeekResponse week;
  ASSERT_TRUE(Call(&Stub::GetTeamWeek, api::GetTeamWeekRequest(), &week, team_.clara_token).ok());
  EXPECT_EQ(week.week(), "2026-W48");
  EXPECT_EQ(week.counts().at("requested"), 1);
  api::GetTeamWeekRequest bad;
  bad.set_week("letzte");
  EXPECT_EQ(FieldOf(Call(&Stub::GetTeamWeek, bad, &week, team_.clara_token)), "week");
}

TEST_F(TeamRpcTest, EachMembersFiguresAreShownOnlyWhereTheirAdminSaysSo) {
  Create(Mueller(), team_.anna_token);
  const std::string annas = "requested/" + team_.anna;
  const auto sees = [&](const std::string& token) {
    api::GetTeamWeekRequest request;
    request.set_team_id(team_.id);
    api::GetTeamWeekResponse week;
    EXPECT_TRUE(Call(&Stub::GetTeamWeek, request, &week, token).ok());
    EXPECT_EQ(week.counts().at("requested"), 1);
    return week.counts().count(annas) > 0;
  };
  api::UpdateTeamRequest request;
  api::UpdateTeamResponse response;
  request.mutable_team()->set_id(team_.id);
  request.mutable_update_mask()->add_paths("member_figures");
  const auto set = [&](bool on, const std::string& token) {
    request.set_request_id(NextRequestId());
    request.mutable_team()->set_member_figures(on);
    return Call(&Stub::UpdateTeam, request, &response, token);
  };
  const auto expect = [&](bool shown) {
    EXPECT_TRUE(sees(team_.anna_token)) << "one's own, always";
    EXPECT_FALSE(sees(team_.ben_token));
    EXPECT_EQ(sees(team_.clara_token), shown);
    EXPECT_EQ(sees(team_.admin_token), shown);
    EXPECT_FALSE(sees(operator_token_));
  };
  expect(false);
  EXPECT_EQ(FieldOf(set(true, operator_token_)), "team.member_figures");
  EXPECT_EQ(set(true, team_.clara_token).code(), absl::StatusCode::kPermissionDenied);
  expect(false);
  ASSERT_TRUE(set(true, team_.admin_token).ok());
  expect(true);
  ASSERT_TRUE(set(true, team_.admin_token).ok());  // as it was: no news
  ASSERT_TRUE(set(false, team_.admin_token).ok());
  expect(false);
  ASSERT_EQ(Team().history_size(), 2);
  EXPECT_EQ(Team().history(0).what(), "member_figures_on");
  EXPECT_EQ(Team().history(0).author(), team_.admin);
  EXPECT_EQ(rpc::FromProto(Team().history(0).event_time()), Morning());
  EXPECT_EQ(Team().history(1).what(), "member_figures_off");

  request.clear_update_mask();
  request.mutable_team()->add_history()->set_what("member_figures_on");
  EXPECT_TRUE(set(false, team_.admin_token).ok());
  EXPECT_EQ(Team().history_size(), 2) << "written by the server alone";
}

}  // namespace
}  // namespace ringback::ingest
