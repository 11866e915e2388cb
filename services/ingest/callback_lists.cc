#include "ingest/callback_lists.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/domain/sight.h"

namespace ringback::ingest {
namespace {

// A list that filters reads at most so many callbacks for one page, and answers with what it found and where to go on.
constexpr int kReadMax = 5000;
constexpr int kReadChunk = 200;

// What a list asks of the indexes, and of each callback beyond what they know.
struct Wanted {
  std::vector<store::IndexKey> indexes;  // sorted alike; the list is what they hold together
  std::string to;                        // end of the range; "": no end
  bool descending = false;
  bool overdue_only = false;
  bool unassigned_only = false;
  std::string assignee_id;
  domain::Viewer viewer;
};

Wanted WhatIsWanted(const rpc::Call& call, const api::ListCallbacksRequest& request, const record::TeamRecord& team,
                    int shard) {
  Wanted wanted;
  wanted.viewer = rpc::ViewerOf(call.principal);
  wanted.assignee_id = request.assignee_id();
  wanted.unassigned_only = request.unassigned_only();
  wanted.overdue_only = request.overdue_only() && !request.closed();
  const auto add = [&](std::string_view name, const std::string& owner = "") {
    wanted.indexes.push_back(store::IndexKey{shard, team.id(), absl::StrCat(std::string(name), owner)});
  };
  if (request.closed()) {
    add(store::index::kClosed);
    wanted.descending = true;
  } else if (wanted.unassigned_only) {
    add(store::index::kOpenBy, "-");
  } else if (!wanted.assignee_id.empty()) {
    add(store::index::kOpenBy, wanted.assignee_id);
  } else if (wanted.viewer.whole_team) {
    add(store::index::kOpen);
  } else {
    add(store::index::kOpenBy, "-");
    add(store::index::kOpenBy, wanted.viewer.member_id);
    for (const std::string& absent : domain::StandsInFor(team, wanted.viewer.member_id, call.now)) {
      add(store::index::kOpenBy, absent);
    }
  }
  if (wanted.overdue_only) wanted.to = store::SortKey(call.now + absl::Milliseconds(1));  // due times up to now
  return wanted;
}

bool Fits(const Wanted& wanted, const record::CallbackRecord& callback, const record::TeamRecord& team, absl::Time now) {
  if (callback.id().empty() || callback.erased() || !domain::Sees(wanted.viewer, callback, team, now)) return false;
  if (!wanted.assignee_id.empty() && callback.assignee_id() != wanted.assignee_id) return false;
  if (wanted.unassigned_only && !callback.assignee_id().empty()) return false;
  return !wanted.overdue_only || domain::IsOverdue(callback, now);
}

// The next entries of indexes that sort alike, as if they were one.
absl::StatusOr<store::ScanResult> ScanAll(store::Store& store, const Wanted& wanted, const store::Page& page) {
  store::ScanResult all;
  for (const store::IndexKey& index : wanted.indexes) {
    RB_ASSIGN_OR_RETURN(store::ScanResult scan, store.Scan(index, "", wanted.to, page));
    all.more = all.more || scan.more;
    all.members.insert(all.members.end(), std::make_move_iterator(scan.members.begin()),
                       std::make_move_iterator(scan.members.end()));
  }
  if (wanted.indexes.size() == 1) return all;
  std::sort(all.members.begin(), all.members.end());
  if (page.descending) std::reverse(all.members.begin(), all.members.end());
  // One that changed hands in between stands in two of them.
  all.members.erase(std::unique(all.members.begin(), all.members.end()), all.members.end());
  if (all.members.size() > static_cast<size_t>(page.limit)) {
    all.members.resize(page.limit);
    all.more = true;
  }
  return all;
}

absl::StatusOr<std::vector<store::Record>> LoadAll(store::Store& store, const std::vector<std::string>& members) {
  std::vector<store::Key> keys;
  for (const std::string& member : members) {
    RB_ASSIGN_OR_RETURN(store::Key key, store::CallbackKey(store::IdOfMember(member)));
    keys.push_back(std::move(key));
  }
  return store.GetMany(keys);
}

// A contact's callbacks, open and closed: few enough to be read at once. There is no index of them, so they are found by the
// number and the address that the contact has.
absl::Status ListOfContact(runtime::Host& host, const rpc::Call& call, const api::ListCallbacksRequest& request,
                           const Wanted& wanted, const record::TeamRecord& team, int size, const std::string& after,
                           api::ListCallbacksResponse* response) {
  const auto key = store::ContactKey(request.contact_id());
  if (!key.ok()) return domain::InvalidField("contact_id", "ID_INVALID", "a contact's id looks like ct07h3k9x2m4q8w1");
  const auto contact = store::Load<record::ContactRecord>(host.store(), *key);
  if (absl::IsNotFound(contact.status()) || (contact.ok() && contact->message.team_id() != team.id())) return absl::OkStatus();
  RB_RETURN_IF_ERROR(contact.status());
  std::set<std::string> ids;
  for (const std::string& subject : store::SubjectKeys(contact->message.caller())) {
    RB_ASSIGN_OR_RETURN(const auto under, IdsUnder(host.store(), key->shard, team.id(), store::index::kSubject, subject));
    ids.insert(under.begin(), under.end());
  }
  std::vector<std::string> members(ids.begin(), ids.end());
  RB_ASSIGN_OR_RETURN(const auto records, LoadAll(host.store(), members));
  std::map<std::string, api::Callback, std::greater<>> found;  // by the time of the request, newest first
  for (const store::Record& one : records) {
    record::CallbackRecord callback;
    if (one.version == 0 || !callback.ParseFromString(one.value)) continue;
    if (callback.contact_id() != request.contact_id() || !Fits(wanted, callback, team, call.now)) continue;
    found[store::Member(store::SortKey(rpc::FromProto(callback.create_time())), callback.id())] =
        ToApi(host, callback, team, one.version, call.now);
  }
  for (auto next = after.empty() ? found.begin() : found.upper_bound(after); next != found.end(); ++next) {
    if (response->callbacks_size() == size) {
      response->set_next_page_token(rpc::EncodePageToken(std::prev(next)->first));
      return absl::OkStatus();
    }
    *response->add_callbacks() = std::move(next->second);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status GetCallback(runtime::Host& host, const rpc::Call& call, const api::GetCallbackRequest& request,
                         api::GetCallbackResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto callback, FindCallback(host, call, request.id(), "id"));
  RB_ASSIGN_OR_RETURN(const auto team, LoadTeam(host, callback.message.team_id()));
  *response->mutable_callback() = ToApi(host, callback.message, team.message, callback.version, call.now);
  return absl::OkStatus();
}

absl::Status ListCallbacks(runtime::Host& host, const rpc::Call& call, const api::ListCallbacksRequest& request,
                           api::ListCallbacksResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(team.message.id()));
  RB_ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  store::Page page;
  RB_ASSIGN_OR_RETURN(page.after, rpc::DecodePageToken(request.page_token()));
  const Wanted wanted = WhatIsWanted(call, request, team.message, team_key.shard);
  page.descending = wanted.descending;

  // The revision is read before the list: what changes in between is told again by the watch, never left out.
  RB_ASSIGN_OR_RETURN(const auto changes, host.store().Changes(team_key.shard, team.message.id(), 0, 1));
  response->set_revision(changes.newest);
  if (!request.contact_id().empty()) {
    return ListOfContact(host, call, request, wanted, team.message, size, page.after, response);
  }

  for (int read = 0; read < kReadMax;) {
    page.limit = std::min(kReadChunk, size - response->callbacks_size());
    RB_ASSIGN_OR_RETURN(const store::ScanResult scan, ScanAll(host.store(), wanted, page));
    RB_ASSIGN_OR_RETURN(const auto records, LoadAll(host.store(), scan.members));
    for (size_t i = 0; i < records.size(); ++i) {
      page.after = scan.members[i];
      record::CallbackRecord callback;
      if (records[i].version == 0 || !callback.ParseFromString(records[i].value)) continue;
      if (!Fits(wanted, callback, team.message, call.now)) continue;
      *response->add_callbacks() = ToApi(host, callback, team.message, records[i].version, call.now);
    }
    read += static_cast<int>(records.size());
    if (!scan.more || scan.members.empty()) return absl::OkStatus();
    if (response->callbacks_size() >= size) break;
  }
  response->set_next_page_token(rpc::EncodePageToken(page.after));
  return absl::OkStatus();
}

absl::Status ListHistory(runtime::Host& host, const rpc::Call& call, const api::ListHistoryRequest& request,
                         api::ListHistoryResponse* response) {
  RB_ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  RB_ASSIGN_OR_RETURN(const std::string token, rpc::DecodePageToken(request.page_token()));
  int after = 0;  // number of the last event that was shown
  if (!token.empty() && !absl::SimpleAtoi(token, &after)) {
    return domain::InvalidField("page_token", "PAGE_TOKEN_INVALID", "use a previous answer's next_page_token");
  }
  RB_ASSIGN_OR_RETURN(const auto callback, FindCallback(host, call, request.callback_id(), "callback_id"));
  // False when the page is full.
  const auto show = [&](const record::HistoryEvent& event) {
    if (event.number() <= after) return true;
    if (response->events_size() == size) {
      response->set_next_page_token(rpc::EncodePageToken(absl::StrCat(after)));
      return false;
    }
    *response->add_events() = rpc::ToApi(event);
    after = event.number();
    return true;
  };
  for (int i = 0; i < callback.message.history_pages(); ++i) {
    RB_ASSIGN_OR_RETURN(const auto old, store::Load<record::HistoryPageRecord>(
                                            host.store(), store::HistoryPageKey(callback.message, i)));
    for (const record::HistoryEvent& event : old.message.events()) {
      if (!show(event)) return absl::OkStatus();
    }
  }
  for (const record::HistoryEvent& event : callback.message.history()) {
    if (!show(event)) return absl::OkStatus();
  }
  return absl::OkStatus();
}

}  // namespace ringback::ingest
