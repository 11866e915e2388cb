#include <fstream>
#include <sstream>

#include "core/store/erase.h"
#include "core/store/every_record.h"
#include "ingest/ingest_fixture.h"

namespace ringback::ingest {
namespace {

using Stub = api::ContactService::Stub;

class ContactRpcTest : public IngestTest {
 protected:
  absl::Status Put(const std::string& name, const std::string& phone, const std::string& email,
                   api::PutContactResponse* response) {
    api::PutContactRequest request;
    request.set_request_id(NextRequestId());
    request.mutable_caller()->set_name(name);
    request.mutable_caller()->set_phone(phone);
    request.mutable_caller()->set_email(email);
    return Do(*contacts_, &Stub::PutContact, request, response, team_.anna_token);
  }
  absl::Status Erase(const std::string& who, api::EraseSubjectResponse* response) {
    api::EraseSubjectRequest request;
    request.set_request_id(NextRequestId());
    request.set_who(who);
    return Do(*contacts_, &Stub::EraseSubject, request, response, team_.admin_token);
  }
  absl::Status GetContact(const std::string& who) {
    api::GetContactRequest request;
    request.set_who(who);
    api::GetContactResponse response;
    return Do(*contacts_, &Stub::GetContact, request, &response, team_.anna_token);
  }
};

TEST_F(ContactRpcTest, TheSameNumberCompletesTheContact) {
  api::PutContactResponse first, second;
  ASSERT_TRUE(Put("Herr Müller", "030 123456", "", &first).ok());
  ASSERT_TRUE(Put("", "+49 30 123456", "mueller@example.com", &second).ok());
  EXPECT_TRUE(first.created());
  EXPECT_FALSE(second.created());
  EXPECT_EQ(second.contact().id(), first.contact().id());
  EXPECT_EQ(second.contact().caller().name(), "Herr Müller");
  for (const std::string& who : {first.contact().id(), std::string("030 123456"), std::string("mueller@example.com")}) {
    EXPECT_TRUE(GetContact(who).ok()) << who;
  }
  api::PutContactResponse refused;
  EXPECT_EQ(FieldOf(Put("Niemand", "", "", &refused)), "caller");
}

TEST_F(ContactRpcTest, AMaskEmptiesAContactsField) {
  api::PutContactResponse made;
  ASSERT_TRUE(Put("Herr Müller", "030 123456", "muler@example.com", &made).ok());
  api::PutContactRequest request;
  request.set_request_id(NextRequestId());
  request.mutable_caller()->set_phone("030 123456");
  request.mutable_update_mask()->add_paths("email");
  api::PutContactResponse changed;
  ASSERT_TRUE(Do(*contacts_, &Stub::PutContact, request, &changed, team_.anna_token).ok());
  EXPECT_EQ(changed.contact().id(), made.contact().id());
  EXPECT_EQ(changed.contact().caller().email(), "");
  EXPECT_EQ(changed.contact().caller().name(), "Herr Müller");
  EXPECT_EQ(GetContact("muler@example.com").code(), absl::StatusCode::kNotFound);

  request.set_request_id(NextRequestId());
  request.mutable_update_mask()->set_paths(0, "mail");
  EXPECT_EQ(FieldOf(Do(*contacts_, &Stub::PutContact, request, &changed, team_.anna_token)), "update_mask.paths[0]");
}

TEST_F(ContactRpcTest, ListsEachContactOnce) {
  for (int i = 0; i < 5; ++i) {
    api::PutContactResponse made;
    ASSERT_TRUE(Put("N", "030 12345" + std::to_string(i), "c" + std::to_string(i) + "@example.com", &made).ok());
  }
  api::ListContactsRequest request;
  request.set_page_size(2);
  std::vector<std::string> addresses;
  for (int pages = 0; pages < 10; ++pages) {
    api::ListContactsResponse page;
    ASSERT_TRUE(Do(*contacts_, &Stub::ListContacts, request, &page, team_.anna_token).ok());
    for (const auto& contact : page.contacts()) addresses.push_back(contact.caller().email());
    if (page.next_page_token().empty()) break;
    request.set_page_token(page.next_page_token());
  }
  EXPECT_THAT(addresses, testing::ElementsAre("c0@example.com", "c1@example.com", "c2@example.com", "c3@example.com",
                                              "c4@example.com"));
}

TEST_F(ContactRpcTest, AnExportHoldsEverythingOfOnePersonAndNothingOfAnother) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  UploadTake("voice", made.id());
  api::CreateCallbackRequest other = Mueller();
  other.mutable_caller()->set_name("Frau Other");
  other.mutable_caller()->set_phone("030 654321");
  other.mutable_caller()->set_email("other@example.com");
  Create(other, team_.anna_token);
  for (const std::string& who : {made.id(), made.contact_id(), std::string("030 123456"), std::string("mueller@example.com")}) {
    api::ExportSubjectRequest request;
    request.set_who(who);
    api::ExportSubjectResponse response;
    ASSERT_TRUE(Do(*contacts_, &Stub::ExportSubject, request, &response, team_.admin_token).ok()) << who;
    EXPECT_EQ(response.contact().id(), made.contact_id());
    EXPECT_EQ(response.callbacks_size(), 1);
    EXPECT_EQ(response.recording_ids_size(), 1);
    EXPECT_THAT(response.json(), testing::HasSubstr("Herr Müller"));
    EXPECT_THAT(response.json(), testing::HasSubstr("requested"));
    EXPECT_THAT(response.json(), testing::Not(testing::HasSubstr("Other")));
  }
  api::ExportSubjectRequest nobody;
  nobody.set_who("nobody@example.com");
  api::ExportSubjectResponse response;
  EXPECT_EQ(Do(*contacts_, &Stub::ExportSubject, nobody, &response, team_.admin_token).code(),
            absl::StatusCode::kNotFound);
}

TEST_F(ContactRpcTest, AnErasedPersonIsGoneFromEveryReadAtOnce) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  const api::Recording take = UploadTake("voice", made.id());
  api::MakePromiseRequest promise;
  promise.set_request_id(NextRequestId());
  promise.set_callback_id(made.id());
  promise.set_recording_id(take.id());
  promise.set_spoken_text("Guten Morgen Herr Müller");
  *promise.mutable_promised_time() = rpc::ToProto(Morning() + absl::Hours(4));
  api::MakePromiseResponse promised;
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::MakePromise, promise, &promised, team_.anna_token).ok());
  const std::string delivery_id = promised.callback().promises(0).delivery_id();

  api::EraseSubjectResponse erased;
  ASSERT_TRUE(Erase("mueller@example.com", &erased).ok());
  EXPECT_EQ(erased.callbacks(), 1);
  EXPECT_EQ(erased.contacts(), 1);
  EXPECT_EQ(erased.recordings(), 1);

  const api::Callback left = Get(made.id());
  EXPECT_TRUE(left.erased());
  EXPECT_EQ(left.phase(), api::Callback::PHASE_CLOSED);
  EXPECT_THAT(left.SerializeAsString(), testing::Not(testing::HasSubstr("Müller")));
  EXPECT_EQ(left.promises_size(), 1) << "verdicts and times stay";
  EXPECT_EQ(GetContact("030 123456").code(), absl::StatusCode::kNotFound);
  api::GetRecordingRequest recording;
  recording.set_id(take.id());
  api::GetRecordingResponse no_recording;
  EXPECT_EQ(Do(*recordings_, &api::RecordingService::Stub::GetRecording, recording, &no_recording, team_.anna_token).code(),
            absl::StatusCode::kNotFound);
  for (const auto kind : {store::Kind::kContact, store::Kind::kDelivery, store::Kind::kRecording, store::Kind::kCallback,
                          store::Kind::kHistoryPage, store::Kind::kToken, store::Kind::kTombstone, store::Kind::kRequest}) {
    const std::vector<store::Record> records = store::AllRecords(host_->store(), 7, kind).value();
    for (const auto& record : records) {
      for (const char* trace : {"Müller", "4930123456", "mueller@example.com", "Guten Morgen"}) {
        EXPECT_THAT(record.value, testing::Not(testing::HasSubstr(trace))) << record.key.id;
      }
    }
  }
  // The files leave by the tombstone, and nothing waits any more for what is gone.
  const auto tombstone = store::Load<record::TombstoneRecord>(host_->store(), store::TombstoneKey(7, made.id() + ".files"));
  ASSERT_TRUE(tombstone.ok());
  EXPECT_THAT(tombstone->message.blobs(), testing::Contains("07/" + take.id() + "/original"));
  EXPECT_THAT(tombstone->message.message_ids(), testing::Contains(delivery_id));
  EXPECT_TRUE(host_->store().Claim(store::RetentionDue(7, team_.id, made.id() + ".files"), absl::Seconds(5)).ok());
  for (const auto stage : {store::Stage::kTranscode, store::Stage::kDelivery, store::Stage::kPromise}) {
    EXPECT_EQ(host_->store().NextDue(stage).value(), std::nullopt);
  }
  const auto page_key = store::PageTokenKey(made.page_url().substr(made.page_url().rfind('/') + 1)).value();
  EXPECT_EQ(host_->store().Get(page_key).status().code(), absl::StatusCode::kNotFound);

  // Who rings after that is somebody new.
  EXPECT_NE(Create(Mueller(), team_.anna_token).id(), made.id());
}

TEST_F(ContactRpcTest, ErasingTwiceIsErasingOnce) {
  Create(Mueller(), team_.anna_token);
  api::EraseSubjectResponse first, second;
  ASSERT_TRUE(Erase("030 123456", &first).ok());
  ASSERT_TRUE(Erase("030 123456", &second).ok());
  EXPECT_EQ(first.callbacks(), 1);
  EXPECT_EQ(second.callbacks(), 0);
}

TEST_F(ContactRpcTest, AnUploadInTheMomentOfErasureLeavesNoRecording) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  // Decided while the callback is there; before its commit the person is erased.
  host_->racing().BeforeNextCommit([&] {
    const auto callback =
        store::Load<record::CallbackRecord>(host_->store(), store::CallbackKey(made.id()).value()).value();
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = "erasure";
    ASSERT_TRUE(store::AddErasure(host_->store(), callback, Morning(), &commit).ok());
    ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  });
  api::UploadRecordingResponse response;
  EXPECT_EQ(Upload(HeaderOf("voice", made.id()), {"voice"}, &response, team_.anna_token).code(),
            absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(BlobNames(), testing::IsEmpty());
}

TEST_F(ContactRpcTest, LegalHoldStopsErasure) {
  Create(Mueller(), team_.anna_token);
  api::UpdateTeamRequest hold;
  hold.set_request_id("hold");
  hold.mutable_team()->set_legal_hold(true);
  api::UpdateTeamResponse held;
  ASSERT_TRUE(Do(*teams_, &api::TeamService::Stub::UpdateTeam, hold, &held, team_.admin_token).ok());
  api::EraseSubjectResponse response;
  EXPECT_EQ(ReasonOf(Erase("030 123456", &response)), "LEGAL_HOLD");
  EXPECT_TRUE(GetContact("030 123456").ok());
}

}  // namespace
}  // namespace ringback::ingest
