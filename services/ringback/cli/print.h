// Callbacks, recordings and deliveries in words, for people.
#pragma once

#include <ostream>
#include <string>

#include "google/protobuf/timestamp.pb.h"
#include "ringback/cli/session.h"
#include "ringback/cli/text.h"

namespace ringback::cli {

// "Herr Müller, Müller GmbH"; the number or address when there is no name.
std::string CallerWords(const v1::Caller& caller);
// "promised, on its way", "OVERDUE by 12 min, 2 alarms", …: where the callback stands.
std::string StateWords(const v1::Callback& callback, absl::Time now);
// Red: overdue, or the customer never heard the promise.
Colour ColourOf(const v1::Callback& callback);
std::string VerdictWords(const v1::Promise& promise);
std::string OutcomeWords(v1::AttemptOutcome outcome);
// "LINK_SHARED" of an enum value as "link shared": its name without the enum's prefix.
std::string PlainWords(const std::string& enum_name, const std::string& prefix);

// "13:00 (in 12 min)" in the team's zone; "" when not set.
std::string When(Session& session, bool has, const google::protobuf::Timestamp& at);

// "; due 13:00 (in 12 min)": when somebody must act next, as a hint behind what was done.
std::string DueHint(Session& session, const v1::Callback& callback);

// One line about a callback after a command: "cb07… Herr Müller: …".
void PrintAfter(Session& session, const v1::Callback& callback, const std::string& what);
// All about one callback.
void PrintCallback(Session& session, const v1::Callback& callback, const v1::ListDeliveriesResponse& deliveries);
// What listening to a take showed, one line each.
void PrintFindings(Session& session, const v1::Recording& recording, std::ostream& out);
// "caught_up: 3, step: 2"
std::string DetailWords(const v1::HistoryEvent& event);

}  // namespace ringback::cli
