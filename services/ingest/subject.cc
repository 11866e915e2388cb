#include "ingest/subject.h"

#include <google/protobuf/util/json_util.h>

#include <set>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "core/domain/deliveries.h"
#include "core/runtime/erasure_journal.h"
#include "core/store/again.h"
#include "core/store/erase.h"
#include "ingest/callback_lists.h"
#include "ingest/contact_calls.h"
#include "ingest/contacts.h"

namespace ringback::ingest {
namespace {


// Everything the team has of one person: numbers and addresses, contacts, callbacks, and mails from the person's addresses,
// tied to a callback or not.
struct Subject {
  std::set<std::string> keys;
  std::vector<store::Loaded<record::ContactRecord>> contacts;
  std::vector<std::string> callback_ids;
  std::vector<std::string> answer_ids;
};

absl::StatusOr<std::vector<std::string>> AnswersOf(store::Store& store, int shard, const std::string& team,
                                                   const std::string& callback_id) {
  std::vector<std::string> ids;
  store::Page page;
  page.limit = 500;
  for (;;) {
    RB_ASSIGN_OR_RETURN(const auto scan, store.Scan({shard, team, std::string(store::index::kAnswers)}, callback_id + '\x1f',
                                                    callback_id + '\x20', page));
    for (const std::string& member : scan.members) ids.emplace_back(store::IdOfMember(member));
    if (!scan.more || scan.members.empty()) return ids;
    page.after = scan.members.back();
  }
}

class Finder {
 public:
  Finder(runtime::Host& host, const rpc::Call& call, int shard, std::string team)
      : host_(host), call_(call), shard_(shard), team_(std::move(team)) {}

  absl::StatusOr<Subject> Find(const std::string& who) {
    RB_RETURN_IF_ERROR(Begin(who));
    RB_RETURN_IF_ERROR(AddContacts());
    std::set<std::string> callbacks(subject_.callback_ids.begin(), subject_.callback_ids.end());
    for (const std::string& key : subject_.keys) {
      RB_ASSIGN_OR_RETURN(const auto ids, IdsUnder(host_.store(), shard_, team_, store::index::kSubject, key));
      callbacks.insert(ids.begin(), ids.end());
    }
    subject_.callback_ids.assign(callbacks.begin(), callbacks.end());
    RB_RETURN_IF_ERROR(AddAnswers());
    return std::move(subject_);
  }

 private:
  void AddKeys(const record::Caller& caller) {
    const auto keys = store::SubjectKeys(caller);
    subject_.keys.insert(keys.begin(), keys.end());
  }

  absl::Status Begin(const std::string& who) {
    if (who.empty()) {
      return domain::InvalidField("who", "WHO_MISSING", "a callback's or contact's id, a phone number or a mail address");
    }
    if (store::CallbackKey(who).ok()) {
      auto callback = FindCallback(host_, call_, who, "who");
      if (absl::IsNotFound(callback.status())) return absl::OkStatus();
      RB_RETURN_IF_ERROR(callback.status());
      subject_.callback_ids.push_back(callback->message.id());
      AddKeys(callback->message.caller());
      return absl::OkStatus();
    }
    if (const auto key = store::ContactKey(who); key.ok()) {
      auto contact = store::Load<record::ContactRecord>(host_.store(), *key);
      if (contact.ok() && contact->message.team_id() == team_) AddKeys(contact->message.caller());
      return absl::IsNotFound(contact.status()) ? absl::OkStatus() : contact.status();
    }
    RB_ASSIGN_OR_RETURN(std::string key, SubjectKeyOf(host_, who, "who"));
    subject_.keys.insert(std::move(key));
    return absl::OkStatus();
  }

  // Contacts under the keys known so far; their other number or address belongs to the person too.
  absl::Status AddContacts() {
    std::set<std::string> ids;
    for (const std::string& key : std::set<std::string>(subject_.keys)) {
      RB_ASSIGN_OR_RETURN(const auto under, IdsUnder(host_.store(), shard_, team_, store::index::kContact, key));
      ids.insert(under.begin(), under.end());
    }
    for (const std::string& id : ids) {
      RB_ASSIGN_OR_RETURN(const store::Key key, store::ContactKey(id));
      auto contact = store::Load<record::ContactRecord>(host_.store(), key);
      if (absl::IsNotFound(contact.status())) continue;
      RB_RETURN_IF_ERROR(contact.status());
      AddKeys(contact->message.caller());
      subject_.contacts.push_back(*std::move(contact));
    }
    return absl::OkStatus();
  }

  absl::Status AddAnswers() {
    std::set<std::string> ids;
    for (const std::string& key : subject_.keys) {
      if (!absl::StartsWith(key, "m:")) continue;
      RB_ASSIGN_OR_RETURN(const auto under, IdsUnder(host_.store(), shard_, team_, store::index::kAnswersFrom,
                                                     store::SenderKey(std::string_view(key).substr(2))));
      ids.insert(under.begin(), under.end());
    }
    for (const std::string& id : subject_.callback_ids) {
      RB_ASSIGN_OR_RETURN(const auto of_callback, AnswersOf(host_.store(), shard_, team_, id));
      ids.insert(of_callback.begin(), of_callback.end());
    }
    subject_.answer_ids.assign(ids.begin(), ids.end());
    return absl::OkStatus();
  }

  runtime::Host& host_;
  const rpc::Call& call_;
  const int shard_;
  const std::string team_;
  Subject subject_;
};

std::string Json(const google::protobuf::Message& message) {
  std::string json;
  google::protobuf::util::JsonPrintOptions options;
  options.add_whitespace = false;
  // Fails only for malformed Any and Timestamp values, which ringback's records do not hold.
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  return json.empty() ? "{}" : json;
}

// Every event of the callback, as JSON.
absl::StatusOr<std::string> HistoryJson(runtime::Host& host, const rpc::Call& call, const std::string& callback_id) {
  std::vector<std::string> events;
  api::ListHistoryRequest request;
  request.set_callback_id(callback_id);
  request.set_page_size(500);
  for (;;) {
    api::ListHistoryResponse page;
    RB_RETURN_IF_ERROR(ListHistory(host, call, request, &page));
    for (const auto& event : page.events()) events.push_back(Json(event));
    if (page.next_page_token().empty()) return absl::StrCat("[", absl::StrJoin(events, ","), "]");
    request.set_page_token(page.next_page_token());
  }
}

absl::StatusOr<std::string> DeliveriesJson(runtime::Host& host, const record::CallbackRecord& callback) {
  std::vector<std::string> deliveries;
  for (int n = 1; n <= callback.delivery_count(); ++n) {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::DeliveryKey(domain::DeliveryId(callback.id(), n)));
    const auto delivery = store::Load<record::DeliveryRecord>(host.store(), key);
    if (absl::IsNotFound(delivery.status())) continue;
    RB_RETURN_IF_ERROR(delivery.status());
    deliveries.push_back(Json(rpc::ToApi(delivery->message, host.config().mail_domain)));
  }
  return absl::StrCat("[", absl::StrJoin(deliveries, ","), "]");
}

// One commit; decided again when something else changed the callback at this moment.
absl::Status EraseCallback(runtime::Host& host, const domain::Actor& actor, const std::string& id,
                           api::EraseSubjectResponse* counts) {
  RB_ASSIGN_OR_RETURN(const store::Key key, store::CallbackKey(id));
  return store::Again([&]() -> absl::Status {
    auto callback = store::Load<record::CallbackRecord>(host.store(), key);
    if (absl::IsNotFound(callback.status())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(callback.status());
    if (callback->message.erased()) return absl::OkStatus();
    if (callback->message.legal_hold()) {
      return domain::FieldError(absl::StatusCode::kFailedPrecondition, "who", "LEGAL_HOLD",
                                absl::StrCat("callback ", id, " is under legal hold"));
    }
    RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
    RB_RETURN_IF_ERROR(runtime::NoteErasures(host.config(), now, {id}));
    RB_ASSIGN_OR_RETURN(const auto recordings, IdsUnder(host.store(), key.shard, callback->message.team_id(),
                                                        store::index::kRecordingsOf, id));
    RB_ASSIGN_OR_RETURN(const auto answers, AnswersOf(host.store(), key.shard, callback->message.team_id(), id));
    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = NewCommitId(host, key.shard);
    RB_RETURN_IF_ERROR(store::AddErasure(host.store(), *callback, now, &commit, actor));
    commit.due.push_back(store::DueChange{store::RetentionDue(key.shard, callback->message.team_id(), id), std::nullopt});
    RB_RETURN_IF_ERROR(host.store().CommitOnce(commit).status());
    counts->set_callbacks(counts->callbacks() + 1);
    counts->set_recordings(counts->recordings() + static_cast<int>(recordings.size()));
    counts->set_answers(counts->answers() + static_cast<int>(answers.size()));
    return absl::OkStatus();
  });
}

// A mail that no callback owns any more, or another person's callback does.
absl::Status EraseAnswer(runtime::Host& host, const std::string& id, api::EraseSubjectResponse* counts) {
  RB_ASSIGN_OR_RETURN(const store::Key key, store::AnswerKey(id));
  return store::Again([&]() -> absl::Status {
    const auto answer = store::Load<record::AnswerRecord>(host.store(), key);
    if (absl::IsNotFound(answer.status()) || (answer.ok() && !answer->message.has_create_time())) return absl::OkStatus();
    RB_RETURN_IF_ERROR(answer.status());
    RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
    RB_RETURN_IF_ERROR(runtime::NoteErasures(host.config(), now, {id}));
    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = NewCommitId(host, key.shard);
    store::AddErasure(*answer, now, &commit);
    RB_RETURN_IF_ERROR(host.store().CommitOnce(commit).status());
    counts->set_answers(counts->answers() + 1);
    return absl::OkStatus();
  });
}

}  // namespace

absl::Status ExportSubject(runtime::Host& host, const rpc::Call& call, const api::ExportSubjectRequest& request,
                           api::ExportSubjectResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  RB_ASSIGN_OR_RETURN(const store::Key team_key, store::TeamKey(team.message.id()));
  RB_ASSIGN_OR_RETURN(const Subject subject,
                      Finder(host, call, team_key.shard, team.message.id()).Find(request.who()));
  std::vector<std::string> contacts, callbacks, recordings;
  for (const auto& contact : subject.contacts) contacts.push_back(Json(rpc::ToApi(contact.message)));
  for (const std::string& id : subject.callback_ids) {
    const auto callback = FindCallback(host, call, id, "who");
    if (absl::IsNotFound(callback.status())) continue;
    RB_RETURN_IF_ERROR(callback.status());
    if (callback->message.erased()) continue;
    api::Callback& shown = *response->add_callbacks();
    shown = ToApi(host, callback->message, team.message, callback->version, call.now);
    RB_ASSIGN_OR_RETURN(const std::string history, HistoryJson(host, call, id));
    RB_ASSIGN_OR_RETURN(const std::string deliveries, DeliveriesJson(host, callback->message));
    callbacks.push_back(absl::StrCat("{\"callback\":", Json(shown), ",\"history\":", history, ",\"deliveries\":", deliveries, "}"));
    RB_ASSIGN_OR_RETURN(const auto takes, IdsUnder(host.store(), team_key.shard, team.message.id(),
                                                   store::index::kRecordingsOf, id));
    for (const std::string& take : takes) {
      const auto recording = FindRecording(host, call, take, "who");
      if (absl::IsNotFound(recording.status())) continue;
      RB_RETURN_IF_ERROR(recording.status());
      response->add_recording_ids(take);
      recordings.push_back(Json(rpc::ToApi(recording->message)));
    }
  }
  std::vector<std::string> answers;
  for (const std::string& id : subject.answer_ids) {
    RB_ASSIGN_OR_RETURN(const store::Key key, store::AnswerKey(id));
    const auto answer = store::Load<record::AnswerRecord>(host.store(), key);
    if (absl::IsNotFound(answer.status())) continue;
    RB_RETURN_IF_ERROR(answer.status());
    if (!answer->message.has_create_time()) continue;
    response->add_answer_ids(id);
    answers.push_back(Json(rpc::ToApi(answer->message)));
  }
  if (contacts.empty() && callbacks.empty() && answers.empty()) return NotThere("who", "subject");
  if (!subject.contacts.empty()) *response->mutable_contact() = rpc::ToApi(subject.contacts.front().message);
  response->set_json(absl::StrCat("{\"contacts\":[", absl::StrJoin(contacts, ","), "],\"callbacks\":[",
                                  absl::StrJoin(callbacks, ","), "],\"recordings\":[", absl::StrJoin(recordings, ","), "],\"answers\":[",
                                  absl::StrJoin(answers, ","), "]}"));
  return absl::OkStatus();
}

absl::Status EraseSubject(runtime::Host& host, const rpc::Call& call, const api::EraseSubjectRequest& request,
                          api::EraseSubjectResponse* response) {
  RB_ASSIGN_OR_RETURN(const auto team, TeamOf(host, call, request.team_id()));
  if (team.message.legal_hold()) {
    return domain::FieldError(absl::StatusCode::kFailedPrecondition, "who", "LEGAL_HOLD", "the team is under legal hold");
  }
  api::EraseSubjectResponse counts;
  return rpc::Once<api::EraseSubjectRequest, api::EraseSubjectResponse>(
      host.rpc(), call, request, response,
      [&](store::Commit* commit, api::EraseSubjectResponse* answer) -> absl::Status {
        RB_ASSIGN_OR_RETURN(const Subject subject,
                            Finder(host, call, commit->shard, team.message.id()).Find(request.who()));
        for (const std::string& id : subject.callback_ids) {
          RB_RETURN_IF_ERROR(EraseCallback(host, domain::Actor{call.principal.ActorId()}, id, &counts));
        }
        for (const std::string& id : subject.answer_ids) RB_RETURN_IF_ERROR(EraseAnswer(host, id, &counts));
        std::vector<std::string> contact_ids;
        for (const auto& contact : subject.contacts) {
          store::AddErasure(contact, commit);
          contact_ids.push_back(contact.message.id());
        }
        if (!contact_ids.empty()) {
          RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
          RB_RETURN_IF_ERROR(runtime::NoteErasures(host.config(), now, contact_ids));
        }
        *answer = counts;
        answer->set_contacts(static_cast<int>(subject.contacts.size()));
        return absl::OkStatus();
      });
}

}  // namespace ringback::ingest
