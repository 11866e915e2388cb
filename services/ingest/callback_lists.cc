#include "ingest/callback_lists.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace ringback::ingest {
namespace {

// A list that filters reads at most so many callbacks for one page, and answers with what it found and where to go on.
constexpr int kReadMax = 5000;
constexpr int kReadChunk = 200;

// What a list asks of the index, and of each callback beyond what the index knows.
struct Wanted {
  store::IndexKey index;
  std::string to;          // end of the range; "": no end
  bool descending = false;
  bool overdue_only = false;
  std::string assignee_id;  // where the index does not sort by assignee
};

Wanted WhatIsWanted(const api::ListCallbacksRequest& request, const record::TeamRecord& team, int shard,
                    absl::Time now) {
  Wanted wanted;
  std::string name(store::index::kOpen);
  if (request.closed()) {
    name = std::string(store::index::kClosed);
    wanted.descending = true;
    wanted.assignee_id = request.assignee_id();
  } else if (!request.assignee_id().empty()) {
    name = absl::StrCat(std::string(store::index::kOpenBy), request.assignee_id());
  }
  wanted.index = store::IndexKey{shard, team.id(), std::move(name)};
  if (request.overdue_only() && !request.closed()) {
    wanted.overdue_only = true;
    wanted.to = store::SortKey(now + absl::Milliseconds(1));  // due times up to now
  }
  return wanted;
}

bool Fits(const Wanted& wanted, const record::CallbackRecord& callback, absl::Time now) {
  if (callback.id().empty() || callback.erased()) return false;
  if (!wanted.assignee_id.empty() && callback.assignee_id() != wanted.assignee_id) return false;
  return !wanted.overdue_only || domain::IsOverdue(callback, now);
}

absl::StatusOr<std::vector<store::Record>> LoadAll(store::Store& store, const std::vector<std::string>& members) {
  std::vector<store::Key> keys;
  for (const std::string& member : members) {
    RB_ASSIGN_OR_RETURN(store::Key key, store::CallbackKey(store::IdOfMember(member)));
    keys.push_back(std::move(key));
  }
  return store.GetMany(keys);
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
  const Wanted wanted = WhatIsWanted(request, team.message, team_key.shard, call.now);
  page.descending = wanted.descending;

  // The revision is read before the list: what changes in between is told again by the watch, never left out.
  RB_ASSIGN_OR_RETURN(const auto changes, host.store().Changes(team_key.shard, team.message.id(), 0, 1));
  response->set_revision(changes.newest);

  for (int read = 0; read < kReadMax;) {
    page.limit = std::min(kReadChunk, size - response->callbacks_size());
    RB_ASSIGN_OR_RETURN(const store::ScanResult scan, host.store().Scan(wanted.index, "", wanted.to, page));
    RB_ASSIGN_OR_RETURN(const auto records, LoadAll(host.store(), scan.members));
    for (size_t i = 0; i < records.size(); ++i) {
      page.after = scan.members[i];
      record::CallbackRecord callback;
      if (records[i].version == 0 || !callback.ParseFromString(records[i].value)) continue;
      if (!Fits(wanted, callback, call.now)) continue;
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
