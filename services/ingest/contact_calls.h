// ContactService's contacts: put, get, list. One person's whole data is subject.h.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/contact_service.pb.h"

namespace ringback::ingest {

absl::Status PutContact(runtime::Host& host, const rpc::Call& call, const api::PutContactRequest& request,
                        api::PutContactResponse* response);
absl::Status GetContact(runtime::Host& host, const rpc::Call& call, const api::GetContactRequest& request,
                        api::GetContactResponse* response);
absl::Status ListContacts(runtime::Host& host, const rpc::Call& call, const api::ListContactsRequest& request,
                          api::ListContactsResponse* response);

// "p:+49…" or "m:address" of a number or address as typed.
absl::StatusOr<std::string> SubjectKeyOf(runtime::Host& host, const std::string& who, std::string_view field);

}  // namespace ringback::ingest
