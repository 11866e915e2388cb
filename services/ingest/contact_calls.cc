#include "ingest/contact_calls.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/ids.h"
#include "core/rpc/update_mask.h"
#include "ingest/contacts.h"

namespace ringback::ingest {

absl::StatusOr<std::string> SubjectKeyOf(runtime::Host& host, const std::string& who, std::string_view field) {
  if (absl::StrContains(who, '@')) {
    RB_ASSIGN_OR_RETURN(const std::string email, domain::NormaliseEmail(who, field));
    return absl::StrCat("m:", email);
  }
  RB_ASSIGN_OR_RETURN(const std::string phone, domain::NormalisePhone(who, host.config().region, field));
  return absl::StrCat("p:", phone);
}

absl::Status PutContact(runtime::Host& host, const rpc::Call& call, const api::PutContactRequest& request,
                        api::PutContactResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  RB_ASSIGN_OR_RETURN(const record::Caller caller,
                      domain::NormaliseCaller(rpc::FromApi(request.caller()), host.config().region, "caller"));
  const std::vector<std::string> keys = store::SubjectKeys(caller);
  const absl::Status nameless =
      domain::InvalidField("caller", "CONTACT_EMPTY", "a contact needs a phone number or a mail address");
  if (keys.empty()) return nameless;
  RB_ASSIGN_OR_RETURN(const rpc::UpdateMask mask, rpc::UpdateMask::Of(request.update_mask(), caller));
  const std::string& team_id = team.message.id();
  // The contact's id is remembered of the answer, and nothing that must be able to leave (load.h, Carry).
  std::optional<api::Contact> fresh;
  RB_RETURN_IF_ERROR((rpc::Once<api::PutContactRequest, api::PutContactResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::PutContactResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
        Turnstiles turnstiles(host.store(), commit->shard, team_id);
        RB_RETURN_IF_ERROR(turnstiles.Approach(keys));
        RB_ASSIGN_OR_RETURN(const auto known, FindContact(host.store(), commit->shard, team_id, keys));
        record::ContactRecord contact;
        if (known.has_value()) {
          contact = known->message;
          mask.Copy(caller, contact.mutable_caller());
          if (store::SubjectKeys(contact.caller()).empty()) return nameless;
        } else {
          contact.set_id(NewId(id_prefix::kContact, commit->shard, host.random()));
          contact.set_team_id(team_id);
          *contact.mutable_create_time() = rpc::ToProto(now);
          *contact.mutable_caller() = caller;
        }
        *contact.mutable_update_time() = rpc::ToProto(now);
        AddContact(known.has_value() ? &known->message : nullptr, known.has_value() ? known->version : 0, contact, commit);
        turnstiles.Turn(now, commit);
        answer->mutable_contact()->set_id(contact.id());
        answer->set_created(!known.has_value());
        fresh = rpc::ToApi(contact);
        return absl::OkStatus();
      })));
  if (!fresh.has_value()) {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::ContactKey(response->contact().id()));
    const auto contact = store::Load<record::ContactRecord>(host.store(), key);
    if (absl::IsNotFound(contact.status())) return absl::OkStatus();  // erased since: its id is all there is
    RB_RETURN_IF_ERROR(contact.status());
    fresh = rpc::ToApi(contact->message);
  }
  *response->mutable_contact() = *std::move(fresh);
  return absl::OkStatus();
}

absl::Status GetContact(runtime::Host& host, const rpc::Call& call, const api::GetContactRequest& request,
                        api::GetContactResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(team.message.id()));
  if (const auto key = store::ContactKey(request.who()); key.ok()) {
    const auto contact = store::Load<record::ContactRecord>(host.store(), *key);
    if (absl::IsNotFound(contact.status()) || (contact.ok() && contact->message.team_id() != team.message.id())) {
      return NotThere("who", "contact");
    }
    RB_RETURN_IF_ERROR(contact.status());
    *response->mutable_contact() = rpc::ToApi(contact->message);
    return absl::OkStatus();
  }
  RB_ASSIGN_OR_RETURN(const std::string subject, SubjectKeyOf(host, request.who(), "who"));
  RB_ASSIGN_OR_RETURN(const auto contact, FindContact(host.store(), team_key.shard, team.message.id(), {subject}));
  if (!contact.has_value()) return NotThere("who", "contact");
  *response->mutable_contact() = rpc::ToApi(contact->message);
  return absl::OkStatus();
}

absl::Status ListContacts(runtime::Host& host, const rpc::Call& call, const api::ListContactsRequest& request,
                          api::ListContactsResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(team.message.id()));
  RB_ASSIGN_OR_RETURN(const int size, rpc::PageSize(request.page_size()));
  store::Page page;
  RB_ASSIGN_OR_RETURN(page.after, rpc::DecodePageToken(request.page_token()));
  const store::IndexKey index{team_key.shard, team.message.id(), std::string(store::index::kContact)};
  while (response->contacts_size() < size) {
    page.limit = size - response->contacts_size();
    RB_ASSIGN_OR_RETURN(const auto scan, host.store().Scan(index, "", "", page));
    std::vector<store::Key> keys;
    for (const std::string& member : scan.members) {
      RB_ASSIGN_OR_RETURN(store::Key key, store::ContactKey(store::IdOfMember(member)));
      keys.push_back(std::move(key));
    }
    RB_ASSIGN_OR_RETURN(const auto records, host.store().GetMany(keys));
    for (size_t i = 0; i < records.size(); ++i) {
      page.after = scan.members[i];
      record::ContactRecord contact;
      if (records[i].version == 0 || !contact.ParseFromString(records[i].value)) continue;
      // One with a number and an address stands in the index twice and is shown at the first.
      const std::vector<std::string> subjects = store::SubjectKeys(contact.caller());
      if (subjects.empty() ||
          store::Member(*std::min_element(subjects.begin(), subjects.end()), contact.id()) != scan.members[i]) {
        continue;
      }
      *response->add_contacts() = rpc::ToApi(contact);
    }
    if (!scan.more || scan.members.empty()) return absl::OkStatus();
  }
  response->set_next_page_token(rpc::EncodePageToken(page.after));
  return absl::OkStatus();
}

}  // namespace ringback::ingest
