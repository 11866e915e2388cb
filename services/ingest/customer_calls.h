// The team's side of what the customer answers: the wish for another time, the call-off undone, the times that are free.
#pragma once

#include "ingest/load.h"
#include "ringback/v1/callback_service.pb.h"

namespace ringback::ingest {

absl::Status AnswerProposal(runtime::Host& host, const rpc::Call& call, const api::AnswerProposalRequest& request,
                            api::AnswerProposalResponse* response);
absl::Status DeclineProposal(runtime::Host& host, const rpc::Call& call, const api::DeclineProposalRequest& request,
                             api::DeclineProposalResponse* response);
absl::Status ReopenCallback(runtime::Host& host, const rpc::Call& call, const api::ReopenCallbackRequest& request,
                            api::ReopenCallbackResponse* response);
absl::Status ListSlots(runtime::Host& host, const rpc::Call& call, const api::ListSlotsRequest& request,
                       api::ListSlotsResponse* response);

}  // namespace ringback::ingest
