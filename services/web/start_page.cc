#include "web/start_page.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/rules.h"
#include "core/domain/time_words.h"
#include "core/store/records.h"
#include "web/page_words.h"

namespace ringback::web {
namespace {

namespace record = ::ringback::store::v1;

constexpr int kShownMax = 100;

absl::TimeZone ZoneOf(const rpc::Session& session) {
  absl::TimeZone zone = absl::UTCTimeZone();
  absl::LoadTimeZone(session.member.time_zone().empty() ? session.team.time_zone() : session.member.time_zone(), &zone);
  return zone;
}

words::TemplateValues RowOf(const record::CallbackRecord& callback, Language language, absl::TimeZone zone, absl::Time now) {
  words::TemplateValues row;
  row.texts["caller"] = callback.caller().name().empty() ? callback.caller().phone() : callback.caller().name();
  row.texts["company"] = callback.caller().company();
  row.texts["phone"] = callback.caller().phone();
  row.texts["brief"] = callback.brief().text();
  const std::optional<absl::Time> due = domain::DueTime(callback);
  row.texts["when"] = due ? SpokenTime(language, *due, now, zone) : "";
  row.texts["overdue"] = due && *due < now ? "1" : "";
  const bool promised = domain::ArmedPromise(callback) != nullptr, called = callback.attempts_size() > 0;
  row.texts["promised"] = promised ? "1" : "";
  row.texts["again"] = !promised && called ? "1" : "";
  row.texts["unpromised"] = !promised && !called ? "1" : "";
  return row;
}

std::string RoleWord(rpc::Role role) {
  switch (role) {
    case rpc::Role::kAdmin: return "admin";
    case rpc::Role::kManager: return "manager";
    default: return "rep";
  }
}

}  // namespace

Language StaffLanguage(const record::TeamRecord& team, const record::Member& member) {
  return ChooseLanguage(member.language(), "", team.language());
}

absl::StatusOr<words::TemplateValues> DescribeStart(store::Store& store, const rpc::Session& session, absl::Time now) {
  const Language language = StaffLanguage(session.team, session.member);
  store::Page page;
  page.limit = kShownMax;
  const store::IndexKey own{session.principal.shard, session.team.id(),
                            absl::StrCat(std::string(store::index::kOpenBy), session.member.id())};
  RB_ASSIGN_OR_RETURN(const store::ScanResult scan, store.Scan(own, "", "", page));
  std::vector<store::Key> keys;
  for (const std::string& entry : scan.members) {
    keys.push_back({session.principal.shard, store::Kind::kCallback, std::string(store::IdOfMember(entry))});
  }
  std::vector<store::Record> records;
  if (!keys.empty()) {
    RB_ASSIGN_OR_RETURN(records, store.GetMany(keys));
  }

  words::TemplateValues values;
  values.texts["name"] = session.member.name();
  values.texts["email"] = session.member.email();
  values.texts["team"] = session.team.name();
  values.texts[absl::StrCat("is_", RoleWord(session.principal.role))] = "1";
  values.texts["more"] = scan.more ? "1" : "";
  for (const store::Record& found : records) {
    record::CallbackRecord callback;
    if (found.version == 0 || !callback.ParseFromString(found.value) || callback.erased()) continue;
    values.lists["callbacks"].push_back(RowOf(callback, language, ZoneOf(session), now));
  }
  values.texts["any"] = values.lists["callbacks"].empty() ? "" : "1";
  return values;
}

}  // namespace ringback::web
