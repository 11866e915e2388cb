// A mail's whole way, with the real parser: in by TakeMail, matched, carried out, listed, tied, dropped, handed out, gone.
#include "delivery/answer_rpc.h"

#include <thread>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "core/domain/deliveries.h"
#include "delivery/answer_match.h"
#include "delivery/retention.h"
#include "ingest/ingest_fixture.h"
#include "ringback/v1/answer_service.grpc.pb.h"

namespace ringback::delivery {
namespace {

namespace api = ::ringback::v1;
namespace record = ::ringback::store::v1;
using api::Answer;
using record::DeliveryRecord;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class AnswerTest : public ingest::IngestTest {
 protected:
  AnswerTest()
      : IngestTest([](runtime::Host& host) {
          static_cast<ingest::TestHost&>(host).mutable_config().answers_parser_path = RINGBACK_MAIL_PARSER;
          host.AddRpcService(NewAnswerRpc(host, std::make_shared<AnswerIntake>(host)));
        }),
        answers_(api::AnswerService::NewStub(channel_)) {}

  absl::Status Take(const std::string& mail, api::TakeMailResponse* response, const std::string& token, const std::string& recipient = "",
                    const std::string& sender = "") {
    grpc::ClientContext context;
    Identify(context, token);
    auto writer = answers_->TakeMail(&context, response);
    api::TakeMailRequest message;
    message.mutable_header()->set_recipient(recipient);
    message.mutable_header()->set_sender(sender);
    bool open = writer->Write(message);
    for (size_t at = 0; open && at < mail.size(); at += 500'000) {
      message.set_chunk(mail.substr(at, 500'000));
      open = writer->Write(message);
    }
    writer->WritesDone();
    return rpc::FromGrpc(writer->Finish());
  }
  Answer Take(const std::string& mail, const std::string& recipient = "", const std::string& sender = "") {
    api::TakeMailResponse response;
    const absl::Status status = Take(mail, &response, team_.intake_token, recipient, sender);
    EXPECT_TRUE(status.ok()) << status;
    return response.answer();
  }

  std::vector<Answer> AnswersOf(const std::string& callback_id) {
    api::ListAnswersRequest request;
    request.set_callback_id(callback_id);
    api::ListAnswersResponse response;
    const absl::Status status = Do(*answers_, &api::AnswerService::Stub::ListAnswers, request, &response, team_.anna_token);
    EXPECT_TRUE(status.ok() || absl::IsNotFound(status)) << status;
    return {response.answers().begin(), response.answers().end()};
  }
  std::vector<std::string> Unmatched() {
    api::ListUnmatchedResponse response;
    const absl::Status status = Do(*answers_, &api::AnswerService::Stub::ListUnmatched, api::ListUnmatchedRequest(), &response, team_.anna_token);
    EXPECT_TRUE(status.ok()) << status;
    std::vector<std::string> ids;
    for (const Answer& answer : response.answers()) ids.push_back(answer.id());
    return ids;
  }
  absl::StatusOr<std::string> Download(const std::string& id, int attachment, const std::string& token) {
    api::DownloadAnswerRequest request;
    request.set_answer_id(id);
    request.set_attachment(attachment);
    grpc::ClientContext context;
    Identify(context, token);
    auto reader = answers_->DownloadAnswer(&context, request);
    std::string bytes;
    api::DownloadAnswerResponse response;
    while (reader->Read(&response)) bytes += response.chunk();
    RB_RETURN_IF_ERROR(rpc::FromGrpc(reader->Finish()));
    return bytes;
  }
  // To nobody's: back among the unmatched ones.
  absl::Status Tie(const std::string& answer, const std::string& callback, const std::string& token) {
    api::TieAnswerRequest request;
    request.set_request_id(NextRequestId());
    request.set_answer_id(answer);
    request.set_callback_id(callback);
    request.set_unmatched(callback.empty());
    api::TieAnswerResponse response;
    return Do(*answers_, &api::AnswerService::Stub::TieAnswer, request, &response, token);
  }

  static std::string Token(const api::Callback& callback) { return callback.page_url().substr(callback.page_url().rfind('/') + 1); }
  static std::string Mail(const std::string& headers, const std::string& body, const std::string& from = "mueller@example.com") {
    static int count = 0;
    return absl::StrCat("From: ", from, "\r\nSubject: Re: Ihr Anruf\r\nDate: Tue, 24 Nov 2026 10:00:00 +0100\r\nMessage-ID: <m", ++count, "@example.com>\r\n", headers,
                        "\r\n", body, "\r\n");
  }
  static std::string ToToken(const api::Callback& callback) { return absl::StrCat("To: team+", Token(callback), "@firm.example\r\n"); }

  record::CallbackRecord Record(const std::string& id) {
    return store::Load<record::CallbackRecord>(host_->store(), *store::CallbackKey(id)).value().message;
  }
  std::vector<std::string> History(const std::string& id) {
    std::vector<std::string> whats;
    const record::CallbackRecord callback = Record(id);
    for (const auto& event : callback.history()) whats.push_back(event.what());
    return whats;
  }

  // The promise that counts; unset fields when there is none.
  record::PromiseRecord Armed(const std::string& id) {
    const record::CallbackRecord callback = Record(id);
    const record::PromiseRecord* const armed = domain::ArmedPromise(callback);
    return armed == nullptr ? record::PromiseRecord() : *armed;
  }

  // The callback with a promise whose voice message its channel took: armed. Returns the delivery's id.
  std::string Promised(const std::string& id) {
    const std::string take = UploadTake("voice", id).id();
    FinishTranscode(take, record::RecordingRecord::STATE_READY);
    api::MakePromiseRequest promise;
    promise.set_request_id(NextRequestId());
    promise.set_callback_id(id);
    promise.set_channel(api::PROMISE_CHANNEL_VOICE_MAIL);
    promise.set_recording_id(take);
    *promise.mutable_promised_time() = rpc::ToProto(host_->fake_clock().Now() + absl::Hours(4));
    api::MakePromiseResponse promised;
    const absl::Status status = Do(*callbacks_, &api::CallbackService::Stub::MakePromise, promise, &promised, team_.anna_token);
    EXPECT_TRUE(status.ok()) << status;
    const std::string delivery_id = domain::DeliveryId(id, 1);
    auto delivery = store::Load<DeliveryRecord>(host_->store(), *store::DeliveryKey(delivery_id)).value();
    delivery.message.set_state(DeliveryRecord::STATE_ACCEPTED);
    delivery.message.set_calendar_entry(1);
    const auto callback = store::Load<record::CallbackRecord>(host_->store(), *store::CallbackKey(id)).value();
    const auto team = store::Load<record::TeamRecord>(host_->store(), *store::TeamKey(team_.id)).value().message;
    store::Commit commit;
    commit.shard = team_.shard;
    commit.commit_id = "accepted/" + delivery_id;
    const absl::Time now = host_->fake_clock().Now();
    store::AddDecision(&callback.message, callback.version,
                       domain::OnDeliveryOutcome(callback.message, delivery.message, {domain::DeliveryOutcome::Result::kAccepted, ""}, team, now), now, &commit);
    store::AddDelivery(delivery.message, delivery.version, &commit);
    commit.due.push_back(store::DueChange{store::DeliveryDue(delivery.message), std::nullopt});
    EXPECT_TRUE(host_->store().CommitOnce(commit).ok());
    EXPECT_EQ(Armed(id).revision(), 1);
    return delivery_id;
  }

  std::string Dsn(const std::string& message_id, const std::string& action, const std::string& status) {
    return absl::StrCat("From: MAILER-DAEMON@mx.firm.example\r\nTo: team@firm.example\r\nSubject: Undelivered Mail\r\nDate: x\r\nMessage-ID: <dsn-", ++dsns_,
                        "@mx.firm.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
                        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; mueller@example.com\r\nAction: ",
                        action, "\r\nStatus: ", status, "\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: <",
                        message_id, ">\r\n\r\n--b--\r\n");
  }
  std::string CalendarAnswer(const std::string& callback_id, const std::string& state, int sequence) {
    return Mail("MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REPLY\r\n",
                absl::StrCat("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:", callback_id, "@ringback.localhost\r\nSEQUENCE:", sequence,
                             "\r\nDTSTAMP:20261124T080000Z\r\nATTENDEE;PARTSTAT=", state, ":mailto:mueller@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR"),
                "somebody.else@example.com");
  }

  // What retention does with an entry that is due by now.
  absl::Status RunRetention() {
    store::ClaimOptions claim;
    claim.max = 10;
    RB_ASSIGN_OR_RETURN(const auto leases, host_->store().ClaimDue(store::Stage::kRetention, claim));
    Retention retention(*host_);
    const auto handler = retention.NewHandler();
    for (const store::Lease& lease : leases) RB_RETURN_IF_ERROR(handler->Handle({lease, nullptr}));
    return absl::OkStatus();
  }

  std::unique_ptr<api::AnswerService::Stub> answers_;
  int dsns_ = 0;
};

TEST_F(AnswerTest, AReplyToTheTokenIsTheBriefOnce) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const std::string mail = Mail(ToToken(callback), "Es geht um den Kran.\r\n\r\nAm 24.11.2026 um 09:00 schrieb Anna <a@firm.example>:\r\n> Guten Morgen", "frau@example.com");
  api::TakeMailResponse first, again;
  ASSERT_TRUE(Take(mail, &first, team_.intake_token).ok());
  ASSERT_TRUE(Take("Received: by another way\r\n" + mail, &again, team_.intake_token).ok());
  EXPECT_FALSE(first.repeated());
  EXPECT_TRUE(again.repeated());
  EXPECT_EQ(again.answer().id(), first.answer().id());
  EXPECT_EQ(first.answer().match(), Answer::MATCH_TOKEN);
  EXPECT_EQ(first.answer().callback_id(), callback.id());
  EXPECT_EQ(Record(callback.id()).brief().text(), "Es geht um den Kran.");
  EXPECT_EQ(Record(callback.id()).answer_count(), 1);
  const auto answers = AnswersOf(callback.id());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].sender(), "frau@example.com");
  EXPECT_EQ(Download(answers[0].id(), 0, team_.anna_token).value(), mail);
  EXPECT_TRUE(absl::IsNotFound(Download(answers[0].id(), 0, team_.ben_token).status())) << "a colleague's";
  EXPECT_THAT(Unmatched(), IsEmpty());
}

TEST_F(AnswerTest, TheEnvelopesRecipientCarriesTheTokenToo) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const Answer answer = Take(Mail("", "Der Kran.", "x@example.org"), absl::StrCat("TEAM+", absl::AsciiStrToUpper(Token(callback)), "@firm.example"));
  EXPECT_EQ(answer.match(), Answer::MATCH_TOKEN);
}

TEST_F(AnswerTest, AForgedUnknownRevokedOrStrangersTokenIsNone) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const api::Callback theirs = Create(Mueller(), strangers_.anna_token);
  for (const std::string& token : {std::string("pg07aaaaaaaaaaaaaaaaaaaaaaaaaa"), std::string("pg99") + Token(callback).substr(4), Token(callback) + "a",
                                   Token(callback).substr(0, 29), Token(theirs)}) {
    const Answer answer = Take(Mail(absl::StrCat("To: team+", token, "@firm.example\r\n"), "x", "nobody@example.org"));
    EXPECT_EQ(answer.callback_id(), "") << token;
  }
  const store::Key key = store::PageTokenKey(Token(callback)).value();
  auto pass = store::Load<record::TokenRecord>(host_->store(), key).value();
  pass.message.set_revoked(true);
  store::Commit commit;
  commit.shard = key.shard;
  commit.commit_id = "revoke";
  store::AddPut(key, pass.version, pass.message, &commit);
  ASSERT_TRUE(host_->store().CommitOnce(commit).ok());
  EXPECT_EQ(Take(Mail(ToToken(callback), "x", "nobody@example.org")).callback_id(), "");
  EXPECT_EQ(Unmatched().size(), 6u);
  EXPECT_EQ(Record(theirs.id()).brief().text(), "");
}

TEST_F(AnswerTest, AnAnswerToAMessageOfOursFindsItsCallback) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const std::string delivery = Promised(callback.id());
  const Answer answer = Take(Mail(absl::StrCat("In-Reply-To: <", delivery, "@ringback.localhost>\r\n"), "Der Kran.", "other@example.org"));
  EXPECT_EQ(answer.match(), Answer::MATCH_MESSAGE_ID);
  EXPECT_EQ(answer.callback_id(), callback.id());
  const Answer thread = Take(Mail(absl::StrCat("References: <a@b> <", delivery, "@ringback.localhost> <c@d>\r\n"), "Noch etwas.", "other@example.org"));
  EXPECT_EQ(thread.callback_id(), callback.id());
}

TEST_F(AnswerTest, TheSenderCountsOnlyWhereItLeavesNoDoubt) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  EXPECT_EQ(Take(Mail("", "Der Kran.", "mueller@EXAMPLE.com")).match(), Answer::MATCH_SENDER);
  api::CreateCallbackRequest second;
  second.set_request_id(NextRequestId());
  second.mutable_caller()->set_phone("030 999999");
  api::UpdateCallerRequest update;
  update.set_request_id(NextRequestId());
  update.set_callback_id(Create(second, team_.anna_token).id());
  update.mutable_caller()->set_email("mueller@example.com");
  api::UpdateCallerResponse updated;
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::UpdateCaller, update, &updated, team_.anna_token).ok());
  EXPECT_EQ(Take(Mail("", "Welcher?")).match(), Answer::MATCH_UNSPECIFIED);
  EXPECT_EQ(Unmatched().size(), 1u);
}

TEST_F(AnswerTest, OutOfOfficeIsALineInTheHistoryAndNoAnswer) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const Answer answer = Take(Mail(ToToken(callback) + "Auto-Submitted: auto-replied\r\n", "Ich bin im Urlaub."));
  EXPECT_EQ(answer.kind(), Answer::KIND_AUTOMATIC);
  EXPECT_EQ(Record(callback.id()).brief().text(), "");
  EXPECT_EQ(History(callback.id()).back(), "automatic_answer");
  EXPECT_EQ(Record(callback.id()).delivery_count(), 0) << "never answered";
  EXPECT_EQ(Take(Mail(ToToken(callback), "Vielen Dank für Ihre Nachricht."), "", "<>").kind(), Answer::KIND_AUTOMATIC);
  EXPECT_EQ(AnswersOf(callback.id()).size(), 2u);
}

TEST_F(AnswerTest, OurOwnMessageThatComesRoundIsNoAnswer) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const std::string delivery = Promised(callback.id());
  const Answer answer = Take(absl::StrCat("From: team@firm.example\r\nMessage-ID: <", delivery, "@ringback.localhost>\r\nDate: x\r\n", ToToken(callback), "\r\nGuten Morgen\r\n"));
  EXPECT_EQ(answer.kind(), Answer::KIND_AUTOMATIC);
}

TEST_F(AnswerTest, AHardBounceIsTheDeliverysOutcomeAndAlarmsAtOnce) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const std::string delivery = Promised(callback.id());
  const int before = Record(callback.id()).delivery_count();
  const Answer answer = Take(Dsn(delivery + "@ringback.localhost", "failed", "5.1.1"));
  EXPECT_EQ(answer.kind(), Answer::KIND_BOUNCE);
  EXPECT_TRUE(answer.bounce_permanent());
  EXPECT_EQ(answer.delivery_id(), delivery);
  const auto bounced = store::Load<DeliveryRecord>(host_->store(), *store::DeliveryKey(delivery)).value().message;
  EXPECT_TRUE(bounced.has_bounce_time());
  EXPECT_EQ(bounced.bounce_reason(), "550 no such user");
  EXPECT_THAT(Record(callback.id()).delivery_alarm(), HasSubstr("no such user"));
  EXPECT_GT(Record(callback.id()).delivery_count(), before);
  // A second report of the same changes nothing.
  const int alarmed = Record(callback.id()).delivery_count();
  Take(Dsn(delivery + "@ringback.localhost", "failed", "5.1.1"));
  EXPECT_EQ(Record(callback.id()).delivery_count(), alarmed);
}

TEST_F(AnswerTest, ADelayDoesNotAlarmWhileThePromiseIsFar) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const std::string delivery = Promised(callback.id());
  const Answer answer = Take(Dsn(delivery + "@ringback.localhost", "delayed", "4.4.1"));
  EXPECT_FALSE(answer.bounce_permanent());
  EXPECT_EQ(Record(callback.id()).delivery_alarm(), "");
  EXPECT_FALSE(store::Load<DeliveryRecord>(host_->store(), *store::DeliveryKey(delivery)).value().message.has_bounce_time());
}

TEST_F(AnswerTest, ABounceOfSomethingElseIsListed) {
  const Answer answer = Take(Dsn("other@firm.example", "failed", "5.1.1"));
  EXPECT_EQ(answer.kind(), Answer::KIND_BOUNCE);
  EXPECT_THAT(Unmatched(), ElementsAre(answer.id()));
}

TEST_F(AnswerTest, ACalendarsYesAgreesAndItsNoIsToldAtOnce) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  Promised(callback.id());
  const Answer yes = Take(CalendarAnswer(callback.id(), "ACCEPTED", 0));
  EXPECT_EQ(yes.callback_id(), callback.id());
  EXPECT_TRUE(Armed(callback.id()).has_agreed_time());
  const int before = Record(callback.id()).delivery_count();
  Take(CalendarAnswer(callback.id(), "DECLINED", 0));
  EXPECT_GT(Record(callback.id()).delivery_count(), before);
  EXPECT_EQ(Armed(callback.id()).revision(), 1) << "it settles nothing";
  Take(CalendarAnswer(callback.id(), "TENTATIVE", 0));
  EXPECT_EQ(History(callback.id()).back(), "calendar_tentative");
}

TEST_F(AnswerTest, ThirteenOClockDoesNotSuitIsToldAtOnceAndKeepsThePromise) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  Promised(callback.id());
  const int before = Record(callback.id()).delivery_count();
  Take(Mail(ToToken(callback), "13 Uhr geht leider nicht, bitte erst um 15 Uhr."));
  EXPECT_EQ(History(callback.id()).back(), "time_declined");
  EXPECT_THAT(Record(callback.id()).brief().text(), HasSubstr("erst um 15 Uhr"));
  EXPECT_GT(Record(callback.id()).delivery_count(), before);
  EXPECT_EQ(Armed(callback.id()).revision(), 1);
}

TEST_F(AnswerTest, ACalendarsAnswerToAnOlderEntryIsOnlyNoted) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  Promised(callback.id());
  Take(CalendarAnswer(callback.id(), "ACCEPTED", 7));
  EXPECT_FALSE(Armed(callback.id()).has_agreed_time());
  EXPECT_EQ(History(callback.id()).back(), "calendar_answer_to_older");
}

TEST_F(AnswerTest, WhoWritesAfterClosingIsKeptAndToldToTheAssignee) {
  api::CreateCallbackRequest request = Mueller();
  request.set_assignee_id(team_.anna);
  const api::Callback callback = Create(request, team_.anna_token);
  api::CancelCallbackRequest cancel;
  cancel.set_request_id(NextRequestId());
  cancel.set_callback_id(callback.id());
  cancel.set_reason("besetzt");
  api::CancelCallbackResponse cancelled;
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::CancelCallback, cancel, &cancelled, team_.anna_token).ok());
  const int before = Record(callback.id()).delivery_count();
  const Answer answer = Take(Mail(ToToken(callback), "Ich warte noch!"));
  EXPECT_EQ(answer.callback_id(), callback.id());
  EXPECT_EQ(Record(callback.id()).phase(), record::CallbackRecord::PHASE_CLOSED);
  EXPECT_THAT(Record(callback.id()).brief().text(), HasSubstr("Ich warte noch!"));
  ASSERT_EQ(Record(callback.id()).delivery_count(), before + 1);
  const auto notice = store::Load<DeliveryRecord>(host_->store(), *store::DeliveryKey(domain::DeliveryId(callback.id(), before + 1))).value().message;
  EXPECT_EQ(notice.member_id(), team_.anna);
  EXPECT_EQ(notice.kind(), DeliveryRecord::KIND_NOTICE);
  // An out-of-office note wakes nobody.
  Take(Mail(ToToken(callback) + "Auto-Submitted: auto-replied\r\n", "Urlaub"));
  EXPECT_EQ(Record(callback.id()).delivery_count(), before + 1);
}

TEST_F(AnswerTest, AnUnmatchedMailIsTiedByHandInOneStep) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const Answer answer = Take(Mail("", "Es geht um den Kran.", "assistenz@example.org"));
  EXPECT_EQ(answer.callback_id(), "");
  EXPECT_THAT(Unmatched(), ElementsAre(answer.id()));
  EXPECT_TRUE(absl::IsNotFound(Tie(answer.id(), callback.id(), team_.ben_token))) << "Ben does not see Anna's callback";
  ASSERT_TRUE(Tie(answer.id(), callback.id(), team_.clara_token).ok());
  EXPECT_THAT(Unmatched(), IsEmpty());
  EXPECT_EQ(Record(callback.id()).brief().text(), "Es geht um den Kran.");
  const auto answers = AnswersOf(callback.id());
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].match(), Answer::MATCH_BY_HAND);
  EXPECT_EQ(answers[0].matched_by(), team_.clara);
  EXPECT_TRUE(Tie(answer.id(), callback.id(), team_.clara_token).ok()) << "the same again";
  EXPECT_EQ(Record(callback.id()).brief().text(), "Es geht um den Kran.");
  const api::Callback theirs = Create(Mueller(), strangers_.anna_token);
  EXPECT_TRUE(absl::IsNotFound(Tie(answer.id(), theirs.id(), team_.clara_token)));
  EXPECT_TRUE(absl::IsNotFound(Tie(answer.id(), theirs.id(), strangers_.anna_token)));
}

TEST_F(AnswerTest, AMailThatWasTiedWronglyMovesAndLeavesNoWordBehind) {
  const api::Callback wrong = Create(Mueller(), team_.anna_token);
  api::CreateCallbackRequest schmidt = Mueller();
  schmidt.mutable_caller()->set_phone("030 765432");
  schmidt.mutable_caller()->set_email("schmidt@example.org");
  const api::Callback right = Create(schmidt, team_.anna_token);
  Promised(wrong.id());
  Take(Mail(ToToken(wrong), "Es geht um den Bagger."));
  const Answer answer = Take(Mail("", "Es geht um den Kran.\r\n\r\n13 Uhr passt leider nicht.", "assistenz@example.net"));
  ASSERT_TRUE(Tie(answer.id(), wrong.id(), team_.anna_token).ok());
  Take(Mail(ToToken(wrong), "Und um den Anhänger."));
  EXPECT_THAT(Record(wrong.id()).brief().text(), HasSubstr("Kran"));
  ASSERT_TRUE(Armed(wrong.id()).has_decline_time());
  host_->fake_clock().Advance(absl::Minutes(5));

  ASSERT_TRUE(Tie(answer.id(), right.id(), team_.anna_token).ok());
  EXPECT_EQ(Record(wrong.id()).brief().text(), "Es geht um den Bagger.\n\nUnd um den Anhänger.");
  EXPECT_FALSE(Armed(wrong.id()).has_decline_time());
  EXPECT_EQ(AnswersOf(wrong.id()).size(), 2u);
  EXPECT_EQ(Record(wrong.id()).answer_count(), 2);
  const record::CallbackRecord left = Record(wrong.id());
  const auto& event = left.history(left.history_size() - 1);
  EXPECT_EQ(event.what(), "answer_moved");
  EXPECT_EQ(event.author(), team_.anna);
  EXPECT_EQ(event.details().at("id"), answer.id());
  EXPECT_EQ(event.details().at("to"), right.id());
  EXPECT_EQ(event.details().at("not_declined"), "1");
  EXPECT_THAT(Record(right.id()).brief().text(), HasSubstr("Kran"));
  ASSERT_EQ(AnswersOf(right.id()).size(), 1u);
  EXPECT_EQ(AnswersOf(right.id())[0].match(), Answer::MATCH_BY_HAND);
  EXPECT_EQ(Record(right.id()).answer_count(), 1);
}

TEST_F(AnswerTest, WhatAWronglyTiedMailDeclinedIsToldToTheAssigneeToStand) {
  api::CreateCallbackRequest request = Mueller();
  request.set_assignee_id(team_.anna);
  const api::Callback callback = Create(request, team_.anna_token);
  Promised(callback.id());
  const Answer answer = Take(Mail("", "13 Uhr passt leider nicht.", "assistenz@example.net"));
  ASSERT_TRUE(Tie(answer.id(), callback.id(), team_.clara_token).ok());
  host_->fake_clock().Advance(absl::Minutes(5));
  ASSERT_TRUE(Tie(answer.id(), "", team_.clara_token).ok());
  const std::string newest = domain::DeliveryId(callback.id(), Record(callback.id()).delivery_count());
  const DeliveryRecord notice = store::Load<DeliveryRecord>(host_->store(), *store::DeliveryKey(newest)).value().message;
  EXPECT_EQ(notice.what(), "time_stands");
  EXPECT_EQ(notice.member_id(), team_.anna);
}

TEST_F(AnswerTest, AMailThatWasTiedWronglyGoesBackAmongTheUnmatchedForItsWholeRetention) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const Answer answer = Take(Mail("", "Es geht um den Kran.", "assistenz@example.net"));
  ASSERT_TRUE(Tie(answer.id(), callback.id(), team_.anna_token).ok());
  host_->fake_clock().Advance(absl::Hours(24 * 40));
  EXPECT_TRUE(absl::IsNotFound(Tie(answer.id(), "", team_.ben_token))) << "Anna's, out of Ben's sight";
  ASSERT_TRUE(Tie(answer.id(), "", team_.anna_token).ok());
  EXPECT_FALSE(Record(callback.id()).has_brief());
  EXPECT_THAT(AnswersOf(callback.id()), IsEmpty());
  EXPECT_THAT(Unmatched(), ElementsAre(answer.id()));
  const record::CallbackRecord left = Record(callback.id());
  EXPECT_EQ(left.history(left.history_size() - 1).details().count("to"), 0u);
  ASSERT_TRUE(Tie(answer.id(), "", team_.ben_token).ok()) << "the same again";
  host_->fake_clock().Advance(absl::Hours(24 * 29));
  ASSERT_TRUE(RunRetention().ok());
  EXPECT_THAT(Unmatched(), ElementsAre(answer.id()));
  host_->fake_clock().Advance(absl::Hours(25));
  ASSERT_TRUE(RunRetention().ok());
  EXPECT_THAT(Unmatched(), IsEmpty());
}

TEST_F(AnswerTest, WhatFoundItsCallbackByItselfAndACalendarsAnswerStay) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  api::CreateCallbackRequest other = Mueller();
  other.mutable_caller()->set_phone("030 765432");
  other.mutable_caller()->set_email("schmidt@example.org");
  const api::Callback right = Create(other, team_.anna_token);
  const Answer answer = Take(Mail(ToToken(callback), "Der Kran."));
  for (const std::string& to : {right.id(), std::string()}) {
    EXPECT_EQ(ingest::ReasonOf(Tie(answer.id(), to, team_.clara_token)), "ANSWER_TIED");
  }
  EXPECT_EQ(Record(callback.id()).brief().text(), "Der Kran.");
  api::TieAnswerRequest both;
  both.set_request_id(NextRequestId());
  both.set_answer_id(answer.id());
  both.set_callback_id(right.id());
  both.set_unmatched(true);
  api::TieAnswerResponse response;
  EXPECT_EQ(ingest::ReasonOf(Do(*answers_, &api::AnswerService::Stub::TieAnswer, both, &response, team_.clara_token)), "CALLBACK_OR_UNMATCHED");
}

TEST_F(AnswerTest, WithWhoeverWroteItEveryMessageThatMayQuoteItLeaves) {
  const api::Callback wrong = Create(Mueller(), team_.anna_token);
  Promised(wrong.id());
  const Answer answer = Take(Mail("", "Der Kran. 13 Uhr passt leider nicht.", "assistenz@example.net"));
  ASSERT_TRUE(Tie(answer.id(), wrong.id(), team_.anna_token).ok());
  const std::string notice = domain::DeliveryId(wrong.id(), Record(wrong.id()).delivery_count());
  const auto entry = [&] { return store::Load<record::AnswerRecord>(host_->store(), *store::AnswerKey(answer.id())).value().message; };
  EXPECT_THAT(entry().quoted_in_ids(), IsEmpty());
  ASSERT_TRUE(Tie(answer.id(), "", team_.anna_token).ok());
  EXPECT_THAT(entry().quoted_in_ids(), ElementsAre(notice)) << "and not what the customer got";

  api::EraseSubjectRequest erase;
  erase.set_request_id(NextRequestId());
  erase.set_who("assistenz@example.net");
  api::EraseSubjectResponse erased;
  ASSERT_TRUE(Do(*contacts_, &api::ContactService::Stub::EraseSubject, erase, &erased, team_.admin_token).ok());
  const auto tombstone = store::Load<record::TombstoneRecord>(
      host_->store(), store::TombstoneKey(team_.shard, answer.id() + ".files"));
  ASSERT_TRUE(tombstone.ok()) << tombstone.status();
  EXPECT_THAT(tombstone->message.message_ids(), ElementsAre(notice));
}

TEST_F(AnswerTest, ADroppedMailIsOffTheListAndDoesNotComeBack) {
  const std::string mail = Mail("List-Id: <n.example>\r\n", "Sonderangebot", "news@example.org");
  const Answer answer = Take(mail);
  api::DropAnswerRequest request;
  request.set_request_id(NextRequestId());
  request.set_answer_id(answer.id());
  api::DropAnswerResponse response;
  ASSERT_TRUE(Do(*answers_, &api::AnswerService::Stub::DropAnswer, request, &response, team_.anna_token).ok());
  EXPECT_THAT(Unmatched(), IsEmpty());
  Take(mail);
  EXPECT_THAT(Unmatched(), IsEmpty());
  ASSERT_TRUE(Tie(answer.id(), "", team_.anna_token).ok());
  EXPECT_THAT(Unmatched(), ElementsAre(answer.id())) << "but by hand";
}

TEST_F(AnswerTest, WhatCannotBeUnderstoodIsKeptAndListed) {
  std::string rubbish;
  for (int i = 0; i < 2000; ++i) rubbish.push_back(static_cast<char>(i * 7));
  const Answer answer = Take(rubbish);
  EXPECT_EQ(answer.kind(), Answer::KIND_UNREADABLE);
  EXPECT_THAT(Unmatched(), ElementsAre(answer.id()));
  EXPECT_EQ(Download(answer.id(), 0, team_.anna_token).value(), rubbish);
  EXPECT_EQ(Take(rubbish).id(), answer.id());
}

TEST_F(AnswerTest, WithoutAMessageIdTheBytesTellWhetherItCameBefore) {
  const std::string mail = "From: a@example.org\r\nSubject: s\r\nDate: x\r\n\r\nHallo\r\n";
  const Answer answer = Take(mail);
  EXPECT_EQ(Take(mail).id(), answer.id());
  EXPECT_NE(Take(mail + "!").id(), answer.id());
}

TEST_F(AnswerTest, PicturesAreKeptAndEverythingElseIsNamed) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const std::string png = "\x89PNG\r\n\x1A\nrest";
  const Answer answer = Take(Mail(ToToken(callback) + "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n",
                                  absl::StrCat("--b\r\nContent-Type: image/png; name=schaden.png\r\nContent-Transfer-Encoding: base64\r\n\r\n", absl::Base64Escape(png),
                                               "\r\n--b\r\nContent-Type: application/zip; name=x.zip\r\n\r\nPK\r\n--b--")));
  ASSERT_EQ(answer.attachments_size(), 2);
  EXPECT_EQ(answer.attachments(1).drop_reason(), "type");
  EXPECT_EQ(Download(answer.id(), 1, team_.anna_token).value(), png);
  EXPECT_TRUE(absl::IsNotFound(Download(answer.id(), 2, team_.anna_token).status()));
  EXPECT_TRUE(absl::IsNotFound(Download(answer.id(), 3, team_.anna_token).status()));
  EXPECT_EQ(Record(callback.id()).brief().text(), "[schaden.png]");
}

TEST_F(AnswerTest, FiftyMegabytesAreCutAndKept) {
  const std::string mail = Mail("", std::string(52 << 20, 'x'), "gross@example.org");
  const Answer answer = Take(mail);
  EXPECT_EQ(answer.original_size_bytes(), 50 << 20);
  EXPECT_THAT(answer.remarks(), testing::Contains(HasSubstr("larger than 50 MiB")));
}

TEST_F(AnswerTest, ABriefThatIsFullLosesNothing) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  for (int i = 0; i < 3; ++i) Take(Mail(ToToken(callback), std::string(9000, static_cast<char>('a' + i))));
  EXPECT_EQ(AnswersOf(callback.id()).size(), 3u);
  EXPECT_EQ(AnswersOf(callback.id())[2].text().size(), 9000u);
}

TEST_F(AnswerTest, AChangeBetweenDecisionAndCommitIsNotOverwritten) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  host_->racing().BeforeNextCommit([&] { Take(Mail(ToToken(callback), "Zuerst.")); });
  Take(Mail(ToToken(callback), "Danach."));
  EXPECT_EQ(Record(callback.id()).brief().text(), "Zuerst.\n\nDanach.");
}

TEST_F(AnswerTest, TheSameMailFromTwoSidesAtOnceIsOneAnswer) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const std::string mail = Mail(ToToken(callback), "Der Kran.");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&] { Take(mail); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Record(callback.id()).brief().text(), "Der Kran.");
  EXPECT_EQ(AnswersOf(callback.id()).size(), 1u);
}

TEST_F(AnswerTest, NothingAtAllIsNoMail) {
  api::TakeMailResponse response;
  EXPECT_EQ(Take("\r\n", &response, team_.intake_token).code(), absl::StatusCode::kInvalidArgument);
}

TEST_F(AnswerTest, AStrangerGetsNothingOut) {
  const Answer answer = Take(Mail("", "geheim", "a@example.org"));
  EXPECT_TRUE(absl::IsNotFound(Download(answer.id(), 0, strangers_.anna_token).status()));
  EXPECT_TRUE(absl::IsPermissionDenied(Download(answer.id(), 0, team_.intake_token).status()));
}

TEST_F(AnswerTest, WithTheCallerTheAnswersTheirFilesAndUnmatchedMailLeave) {
  const api::Callback callback = Create(Mueller(), team_.anna_token);
  const std::string tied = Mail(ToToken(callback), "Der Kran.");
  const Answer answer = Take(tied);
  // Two callbacks of one address leave it unmatched; here it is sent with a subject of its own, from another program.
  const std::string lone = Mail("", "Werbung", "Mueller@Example.com");
  api::CancelCallbackRequest cancel;
  cancel.set_request_id(NextRequestId());
  cancel.set_callback_id(callback.id());
  cancel.set_reason("x");
  api::CancelCallbackResponse cancelled;
  ASSERT_TRUE(Do(*callbacks_, &api::CallbackService::Stub::CancelCallback, cancel, &cancelled, team_.anna_token).ok());
  const Answer unmatched = Take(lone);
  EXPECT_EQ(unmatched.callback_id(), "");

  api::ExportSubjectRequest export_request;
  export_request.set_who("mueller@example.com");
  api::ExportSubjectResponse exported;
  ASSERT_TRUE(Do(*contacts_, &api::ContactService::Stub::ExportSubject, export_request, &exported, team_.admin_token).ok());
  EXPECT_THAT(exported.answer_ids(), testing::UnorderedElementsAre(answer.id(), unmatched.id()));
  EXPECT_THAT(exported.json(), HasSubstr("Der Kran."));

  api::EraseSubjectRequest erase;
  erase.set_request_id(NextRequestId());
  erase.set_who("mueller@example.com");
  api::EraseSubjectResponse erased;
  ASSERT_TRUE(Do(*contacts_, &api::ContactService::Stub::EraseSubject, erase, &erased, team_.admin_token).ok());
  EXPECT_EQ(erased.answers(), 2);
  EXPECT_THAT(Unmatched(), IsEmpty());
  EXPECT_THAT(AnswersOf(callback.id()), IsEmpty());
  EXPECT_TRUE(absl::IsNotFound(Download(answer.id(), 0, team_.anna_token).status()));
  ASSERT_TRUE(RunRetention().ok());
  for (const std::string& name : BlobNames()) EXPECT_EQ(name.find("/an"), std::string::npos) << name;
  // A mailbox that still holds them brings nobody back.
  api::TakeMailResponse again;
  for (const std::string& mail : {tied, lone}) {
    ASSERT_TRUE(Take(mail, &again, team_.intake_token).ok());
    EXPECT_TRUE(again.repeated());
    EXPECT_EQ(again.answer().sender(), "");
  }
  EXPECT_THAT(Unmatched(), IsEmpty());
}

TEST_F(AnswerTest, UnmatchedMailLeavesWhenItsRetentionEnds) {
  const Answer answer = Take(Mail("", "Werbung", "news@example.org"));
  host_->fake_clock().Advance(absl::Hours(24 * 29));
  ASSERT_TRUE(RunRetention().ok());
  EXPECT_THAT(Unmatched(), ElementsAre(answer.id()));
  host_->fake_clock().Advance(absl::Hours(25));
  ASSERT_TRUE(RunRetention().ok());
  EXPECT_THAT(Unmatched(), IsEmpty());
  ASSERT_TRUE(RunRetention().ok());  // its files
  EXPECT_THAT(BlobNames(), IsEmpty());
}

TEST(ReplyTokensTest, AFloodOfForgedTokensCostsAFewLookups) {
  std::vector<std::string> addresses;
  for (int i = 0; i < 100; ++i) addresses.push_back(absl::StrCat("team+pg07aaaaaaaaaaaaaaaaaaaaaaaa", i / 10, i % 10, "@firm.example"));
  EXPECT_EQ(ReplyTokens(addresses).size(), 5u);
  EXPECT_EQ(DeliveryOfMessageId("dl07h3k9x2m4q8w10001@ringback.localhost"), "dl07h3k9x2m4q8w10001");
  EXPECT_EQ(DeliveryOfMessageId("dl07h3k9x2m4q8w10001.2@ringback.localhost"), "dl07h3k9x2m4q8w10001");
  EXPECT_EQ(DeliveryOfMessageId("m1@example.com"), "");
}

}  // namespace
}  // namespace ringback::delivery
