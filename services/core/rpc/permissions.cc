// The permission table: every method, and who may call it. Whose data a call may touch is decided by the handlers
// (ScopedTeam, CheckScope, and for reps which callbacks they see: sight.h).
#include <algorithm>
#include <iterator>

#include "core/rpc/identity.h"

namespace ringback::rpc {
namespace {

constexpr unsigned Bit(Role role) { return 1u << static_cast<unsigned>(role); }

constexpr unsigned kAdmins = Bit(Role::kAdmin);
constexpr unsigned kManagers = kAdmins | Bit(Role::kManager);
constexpr unsigned kMembers = kManagers | Bit(Role::kRep);
constexpr unsigned kOperators = Bit(Role::kOperator);
constexpr unsigned kIntakes = Bit(Role::kIntake);

struct Row {
  std::string_view method;
  unsigned roles;
};

// Sorted by method. Operators run the system for every team and see no customer's content: no callers, no messages, no
// recordings. Intake tokens sit in telephone systems and mail servers: they take callers and mails in, say which calls were
// made, and read nothing.
constexpr Row kTable[] = {
    {"/ringback.v1.AnswerService/DownloadAnswer", kMembers},
    {"/ringback.v1.AnswerService/DropAnswer", kMembers},
    {"/ringback.v1.AnswerService/ListAnswers", kMembers},
    {"/ringback.v1.AnswerService/ListUnmatched", kMembers},
    {"/ringback.v1.AnswerService/TakeMail", kMembers | kIntakes},  // mail servers
    {"/ringback.v1.AnswerService/TieAnswer", kMembers},
    {"/ringback.v1.CallbackService/AnswerProposal", kMembers},
    {"/ringback.v1.CallbackService/AssignCallback", kMembers},  // a rep: the own ones and unassigned ones
    {"/ringback.v1.CallbackService/CancelCallback", kMembers},  // a rep: the own ones
    {"/ringback.v1.CallbackService/CompleteCallback", kMembers},
    {"/ringback.v1.CallbackService/CreateCallback", kMembers | kIntakes},
    {"/ringback.v1.CallbackService/DeclineProposal", kMembers},
    {"/ringback.v1.CallbackService/GetCallback", kMembers},
    {"/ringback.v1.CallbackService/ListCallbacks", kMembers},
    {"/ringback.v1.CallbackService/ListHistory", kMembers},
    {"/ringback.v1.CallbackService/ListSlots", kMembers},
    {"/ringback.v1.CallbackService/LogAttempt", kMembers},
    {"/ringback.v1.CallbackService/LogCall", kManagers | kIntakes},  // by number: whoever sees the whole team
    {"/ringback.v1.CallbackService/MakePromise", kMembers},
    {"/ringback.v1.CallbackService/ReopenCallback", kMembers},
    {"/ringback.v1.CallbackService/StartCall", kMembers},
    {"/ringback.v1.CallbackService/UpdateCaller", kMembers},
    {"/ringback.v1.CallbackService/WatchCallbacks", kMembers},
    {"/ringback.v1.ContactService/EraseSubject", kAdmins},
    {"/ringback.v1.ContactService/ExportSubject", kAdmins},
    {"/ringback.v1.ContactService/GetContact", kMembers},
    {"/ringback.v1.ContactService/ListContacts", kMembers},
    {"/ringback.v1.ContactService/PutContact", kMembers},
    {"/ringback.v1.DeliveryService/DropDeadLetter", kManagers | kOperators},
    {"/ringback.v1.DeliveryService/GetDeadLetter", kManagers | kOperators},
    {"/ringback.v1.DeliveryService/ListDeadLetters", kManagers | kOperators},
    {"/ringback.v1.DeliveryService/ListDeliveries", kMembers},
    {"/ringback.v1.DeliveryService/ResendDelivery", kMembers},
    {"/ringback.v1.DeliveryService/RetryDeadLetter", kManagers | kOperators},
    {"/ringback.v1.DeliveryService/TestWebhook", kAdmins},
    {"/ringback.v1.RecordingService/DownloadRendition", kMembers},
    {"/ringback.v1.RecordingService/GetRecording", kMembers},
    {"/ringback.v1.RecordingService/UploadRecording", kMembers},
    {"/ringback.v1.ReminderService/AcknowledgeCallback", kMembers},
    {"/ringback.v1.ReminderService/ListTimers", kMembers | kOperators},
    {"/ringback.v1.ReminderService/SnoozeCallback", kMembers},
    {"/ringback.v1.TeamService/AddMember", kAdmins | kOperators},
    {"/ringback.v1.TeamService/CreateSignIn", kAdmins | kOperators},
    {"/ringback.v1.TeamService/CreateTeam", kOperators},
    {"/ringback.v1.TeamService/CreateToken", kAdmins | kOperators},
    {"/ringback.v1.TeamService/GetPolicy", kMembers | kOperators},
    {"/ringback.v1.TeamService/GetReport", kMembers},  // a rep: the own figures
    {"/ringback.v1.TeamService/GetTeam", kMembers | kOperators},
    {"/ringback.v1.TeamService/GetTeamWeek", kMembers | kOperators},  // a rep: the own figures
    {"/ringback.v1.TeamService/HandOverMember", kManagers},
    {"/ringback.v1.TeamService/ListTeams", kOperators},
    {"/ringback.v1.TeamService/ListTokens", kAdmins | kOperators},
    {"/ringback.v1.TeamService/PreviewPolicy", kManagers},
    {"/ringback.v1.TeamService/ReadHolidays", kAdmins},
    {"/ringback.v1.TeamService/RemoveMember", kAdmins | kOperators},
    {"/ringback.v1.TeamService/RevokeSessions", kAdmins | kOperators},  // everybody the own ones, on the page
    {"/ringback.v1.TeamService/RevokeToken", kAdmins | kOperators},
    {"/ringback.v1.TeamService/SetAbsence", kMembers | kOperators},  // a rep: the own
    {"/ringback.v1.TeamService/SetPolicy", kAdmins | kOperators},
    {"/ringback.v1.TeamService/UpdateMember", kMembers | kOperators},  // but for admins: oneself, and not all
    {"/ringback.v1.TeamService/UpdateTeam", kAdmins | kOperators},
};
static_assert(std::is_sorted(std::begin(kTable), std::end(kTable),
                             [](const Row& a, const Row& b) { return a.method < b.method; }));

}  // namespace

bool Allowed(Role role, std::string_view method) {
  const Row* const row = std::lower_bound(std::begin(kTable), std::end(kTable), method,
                                          [](const Row& row, std::string_view method) { return row.method < method; });
  return row != std::end(kTable) && row->method == method && (row->roles & Bit(role)) != 0;
}

}  // namespace ringback::rpc
