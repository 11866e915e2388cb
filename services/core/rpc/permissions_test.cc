#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/rpc/identity.h"
#include "ringback/v1/answer_service.pb.h"
#include "ringback/v1/callback_service.pb.h"
#include "ringback/v1/contact_service.pb.h"
#include "ringback/v1/delivery_service.pb.h"
#include "ringback/v1/recording_service.pb.h"
#include "ringback/v1/reminder_service.pb.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::rpc {
namespace {

constexpr Role kRoles[] = {Role::kIntake, Role::kRep, Role::kManager, Role::kAdmin, Role::kOperator};

// Every method of every service in protos/ringback/v1.
std::vector<std::string> Methods() {
  // Linking a message registers its file; a new service file must be added here, or the walk below fails.
  const std::set<const google::protobuf::FileDescriptor*> linked = {
      v1::GetCallbackRequest::descriptor()->file(),   v1::GetContactRequest::descriptor()->file(),
      v1::ListDeliveriesRequest::descriptor()->file(), v1::GetRecordingRequest::descriptor()->file(),
      v1::ListTimersRequest::descriptor()->file(),    v1::GetTeamRequest::descriptor()->file(),
      v1::TakeMailRequest::descriptor()->file()};
  std::vector<std::string> methods;
  for (const auto& entry : std::filesystem::directory_iterator(RINGBACK_PROTOS_DIR "/ringback/v1")) {
    const auto* const file = google::protobuf::DescriptorPool::generated_pool()->FindFileByName(
        "ringback/v1/" + entry.path().filename().string());
    EXPECT_NE(file, nullptr) << entry.path();
    if (file == nullptr) continue;
    for (int s = 0; s < file->service_count(); ++s) {
      for (int m = 0; m < file->service(s)->method_count(); ++m) {
        methods.push_back("/" + file->service(s)->full_name() + "/" + file->service(s)->method(m)->name());
      }
    }
  }
  return methods;
}

bool MayAny(std::string_view method) {
  for (const Role role : kRoles) {
    if (Allowed(role, method)) return true;
  }
  return false;
}

std::set<std::string> MayCall(Role role) {
  std::set<std::string> allowed;
  for (const std::string& method : Methods()) {
    if (Allowed(role, method)) allowed.insert(method.substr(method.rfind('/') + 1));
  }
  return allowed;
}

TEST(PermissionsTest, EveryMethodHasSomebodyWhoMayCallIt) {
  const auto methods = Methods();
  EXPECT_GE(methods.size(), 48u);
  for (const std::string& method : methods) EXPECT_TRUE(MayAny(method)) << method << " is missing in permissions.cc";
}

TEST(PermissionsTest, WhatIsNotInTheTableIsRefusedForEveryone) {
  for (const char* method : {"", "/", "/ringback.v1.CallbackService/Nope", "/ringback.v1.TeamService/GetTeamX",
                             "/ringback.v1.TeamService/GetTea", "/grpc.health.v1.Health/Check", "/zzz"}) {
    EXPECT_FALSE(MayAny(method)) << method;
  }
}

TEST(PermissionsTest, IntakeTakesCallersCallsAndMailsInAndNothingElse) {
  EXPECT_EQ(MayCall(Role::kIntake), (std::set<std::string>{"CreateCallback", "LogCall", "TakeMail"}));
}

TEST(PermissionsTest, EachMemberRoleMayAllThatTheOneBelowMay) {
  const auto reps = MayCall(Role::kRep), managers = MayCall(Role::kManager), admins = MayCall(Role::kAdmin);
  EXPECT_TRUE(std::includes(managers.begin(), managers.end(), reps.begin(), reps.end()));
  EXPECT_TRUE(std::includes(admins.begin(), admins.end(), managers.begin(), managers.end()));
}

TEST(PermissionsTest, OnlyManagersHandOverAndHandleDeadLetters) {
  for (const char* method : {"HandOverMember", "PreviewPolicy", "ListDeadLetters", "GetDeadLetter", "RetryDeadLetter", "DropDeadLetter"}) {
    EXPECT_FALSE(MayCall(Role::kRep).contains(method)) << method;
    EXPECT_TRUE(MayCall(Role::kManager).contains(method)) << method;
  }
}

TEST(PermissionsTest, OnlyAdminsChangeTheTeamAndSeeOrErasePeople) {
  for (const char* method : {"UpdateTeam", "AddMember", "RemoveMember", "SetPolicy", "CreateToken",
                             "ListTokens", "RevokeToken", "CreateSignIn", "RevokeSessions", "ReadHolidays", "ExportSubject", "EraseSubject"}) {
    EXPECT_FALSE(MayCall(Role::kManager).contains(method)) << method;
    EXPECT_TRUE(MayCall(Role::kAdmin).contains(method)) << method;
  }
}

TEST(PermissionsTest, OperatorsSeeNoCustomersContent) {
  EXPECT_FALSE(Allowed(Role::kAdmin, "/ringback.v1.TeamService/CreateTeam"));
  EXPECT_TRUE(Allowed(Role::kOperator, "/ringback.v1.TeamService/CreateTeam"));
  for (const std::string& method : Methods()) {
    for (const char* service : {"AnswerService", "CallbackService", "ContactService", "RecordingService"}) {
      if (method.find(service) == std::string::npos) continue;
      EXPECT_FALSE(Allowed(Role::kOperator, method)) << method;
    }
  }
  EXPECT_FALSE(Allowed(Role::kOperator, "/ringback.v1.DeliveryService/ListDeliveries"));
}

}  // namespace
}  // namespace ringback::rpc
