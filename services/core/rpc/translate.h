// Records to the public language and back: the one place where ringback.store.v1 and ringback.v1 meet.
#pragma once

#include <string>

#include "absl/time/time.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"
#include "ringback/store/v1/records.pb.h"
#include "ringback/v1/answer_service.pb.h"
#include "ringback/v1/callback.pb.h"
#include "ringback/v1/contact_service.pb.h"
#include "ringback/v1/delivery_service.pb.h"
#include "ringback/v1/recording_service.pb.h"
#include "ringback/v1/team_service.pb.h"

namespace ringback::rpc {

namespace record = ::ringback::store::v1;
namespace api = ::ringback::v1;

using domain::FindMember;
using domain::FromProto;
using domain::ToProto;

// `public_url` without a trailing slash, "" when there is none: page_url is then empty.
api::Callback ToApi(const record::CallbackRecord& callback, const record::TeamRecord& team, uint64_t version,
                    absl::Time now, const std::string& public_url);
api::Caller ToApi(const record::Caller& caller);
record::Caller FromApi(const api::Caller& caller);
api::HistoryEvent ToApi(const record::HistoryEvent& event);
api::Recording ToApi(const record::RecordingRecord& recording);
api::Delivery ToApi(const record::DeliveryRecord& delivery, const std::string& mail_domain);
api::Answer ToApi(const record::AnswerRecord& answer);
api::Contact ToApi(const record::ContactRecord& contact);
// Without the webhooks' secrets.
api::Team ToApi(const record::TeamRecord& team);
api::Member ToApi(const record::Member& member);
record::Member FromApi(const api::Member& member);
api::Policy ToApi(const record::Policy& policy);
record::Policy FromApi(const api::Policy& policy);
api::Token ToApi(const record::TokenRecord& token);

// "<dl07…@domain>" without the angle brackets: the same for every try of a delivery.
std::string MessageId(const std::string& delivery_id, const std::string& mail_domain);
// "mail", "webhook", "sms", "desk".
std::string ChannelWord(record::Channel::Kind kind);

}  // namespace ringback::rpc
