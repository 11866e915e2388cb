#include <thread>

#include "ingest/ingest_fixture.h"
#include "ingest/upload.h"

namespace ringback::ingest {
namespace {

using Stub = api::RecordingService::Stub;
using testing::ElementsAre;
using testing::IsEmpty;

class RecordingRpcTest : public IngestTest {
 protected:
  absl::Status Upload(const api::UploadHeader& header, const std::vector<std::string>& chunks) {
    api::UploadRecordingResponse response;
    return IngestTest::Upload(header, chunks, &response, team_.anna_token);
  }
  absl::Status Download(const std::string& id, api::Rendition rendition, std::string* bytes) {
    grpc::ClientContext context;
    Identify(context, team_.anna_token);
    api::DownloadRenditionRequest request;
    request.set_recording_id(id);
    request.set_rendition(rendition);
    auto reader = recordings_->DownloadRendition(&context, request);
    api::DownloadRenditionResponse message;
    while (reader->Read(&message)) bytes->append(message.chunk());
    return rpc::FromGrpc(reader->Finish());
  }
};

TEST_F(RecordingRpcTest, AnUploadIsDurableAndDueToBeTranscoded) {
  const std::string part(300'000, 'v');
  api::UploadHeader header = HeaderOf(part + part);
  header.set_size_bytes(600'000);
  api::UploadRecordingResponse response;
  ASSERT_TRUE(IngestTest::Upload(header, {part, part}, &response, team_.anna_token).ok());
  const api::Recording& recording = response.recording();
  EXPECT_FALSE(response.repeated());
  EXPECT_EQ(recording.state(), api::Recording::STATE_RECEIVED);
  EXPECT_EQ(recording.author(), team_.anna);
  EXPECT_EQ(recording.size_bytes(), 600'000);
  EXPECT_THAT(BlobNames(), ElementsAre("07/" + recording.id() + "/original"));
  const auto claimed = host_->store().ClaimDue(store::Stage::kTranscode, {});
  ASSERT_TRUE(claimed.ok());
  ASSERT_EQ(claimed->size(), 1u);
  EXPECT_EQ(claimed->front().key.id, recording.id());
  std::string bytes;
  ASSERT_TRUE(Download(recording.id(), api::RENDITION_ORIGINAL, &bytes).ok());
  EXPECT_EQ(bytes, part + part);
  EXPECT_EQ(Download(recording.id(), api::RENDITION_MP3, &bytes).code(), absl::StatusCode::kNotFound);
}

TEST_F(RecordingRpcTest, ARepeatedUploadIsTheSameRecording) {
  const api::UploadHeader header = HeaderOf("voice");
  api::UploadRecordingResponse first, same_request, same_content;
  ASSERT_TRUE(IngestTest::Upload(header, {"voice"}, &first, team_.anna_token).ok());
  ASSERT_TRUE(IngestTest::Upload(header, {"voice"}, &same_request, team_.anna_token).ok());
  ASSERT_TRUE(IngestTest::Upload(HeaderOf("voice"), {"voice"}, &same_content, team_.anna_token).ok());
  EXPECT_EQ(same_request.recording().id(), first.recording().id());
  EXPECT_EQ(same_content.recording().id(), first.recording().id());
  EXPECT_TRUE(same_request.repeated());
  EXPECT_TRUE(same_content.repeated());
  EXPECT_EQ(BlobNames().size(), 1u);

  api::UploadRecordingResponse of_ben, a_day_later;
  ASSERT_TRUE(IngestTest::Upload(HeaderOf("voice"), {"voice"}, &of_ben, team_.ben_token).ok());
  EXPECT_NE(of_ben.recording().id(), first.recording().id()) << "another author's take";
  host_->fake_clock().Advance(absl::Hours(25));
  ASSERT_TRUE(IngestTest::Upload(HeaderOf("voice"), {"voice"}, &a_day_later, team_.anna_token).ok());
  EXPECT_NE(a_day_later.recording().id(), first.recording().id());
}

TEST_F(RecordingRpcTest, ARequestIdWithOtherContentIsRefused) {
  api::UploadHeader header = HeaderOf("voice");
  ASSERT_TRUE(Upload(header, {"voice"}).ok());
  header.set_sha256(Sha256Hex("other"));
  const absl::Status status = Upload(header, {"other"});
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_EQ(ReasonOf(status), "REQUEST_ID_REUSED");
  EXPECT_EQ(BlobNames().size(), 1u);
}

TEST_F(RecordingRpcTest, WhatDoesNotFitItsHeaderIsRefusedAndLeavesNothing) {
  struct Row {
    std::function<void(api::UploadHeader*)> spoil;
    std::vector<std::string> chunks;
    std::string reason;
  };
  const std::vector<Row> rows = {
      {[](auto* h) { h->set_sha256(Sha256Hex("other")); }, {"voice"}, "SHA256_MISMATCH"},
      {[](auto* h) { h->clear_sha256(); }, {"voice"}, "SHA256_INVALID"},
      {[](auto* h) { h->set_sha256("zz"); }, {"voice"}, "SHA256_INVALID"},
      {[](auto* h) { h->clear_request_id(); }, {"voice"}, "REQUEST_ID_MISSING"},
      {[](auto* h) { h->set_size_bytes(6); }, {"voice"}, "SIZE_MISMATCH"},
      {[](auto* h) { h->set_size_bytes(4); }, {"voice"}, "SIZE_MISMATCH"},
      {[](auto* h) { h->set_size_bytes(kRecordingBytesMax + 1); }, {"voice"}, "RECORDING_TOO_LARGE"},
      {[](auto*) {}, {std::string(kChunkBytesMax + 1, 'x')}, "CHUNK_TOO_LARGE"},
      {[](auto*) {}, {}, "RECORDING_EMPTY"},
      {[](auto*) {}, {"voi"}, "SHA256_MISMATCH"},  // cut off
  };
  for (const Row& row : rows) {
    api::UploadHeader header = HeaderOf("voice");
    row.spoil(&header);
    const absl::Status status = Upload(header, row.chunks);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << row.reason << ": " << status;
    EXPECT_EQ(ReasonOf(status), row.reason) << status;
    EXPECT_THAT(BlobNames(), IsEmpty()) << row.reason;
  }
}

TEST_F(RecordingRpcTest, OneByteTooManyIsRefused) {
  const std::string chunk(kChunkBytesMax, 'x');
  std::vector<std::string> chunks(kRecordingBytesMax / kChunkBytesMax, chunk);
  chunks.push_back("x");
  api::UploadHeader header = HeaderOf("");
  EXPECT_EQ(ReasonOf(Upload(header, chunks)), "RECORDING_TOO_LARGE");
  EXPECT_THAT(BlobNames(), IsEmpty());
}

TEST_F(RecordingRpcTest, AClientThatDiesLeavesNothing) {
  {
    grpc::ClientContext context;
    Identify(context, team_.anna_token);
    api::UploadRecordingResponse response;
    auto writer = recordings_->UploadRecording(&context, &response);
    api::UploadRecordingRequest message;
    *message.mutable_header() = HeaderOf("voice");
    ASSERT_TRUE(writer->Write(message));
    message.set_chunk("voi");
    ASSERT_TRUE(writer->Write(message));
    context.TryCancel();
    EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::CANCELLED);
  }
  host_->Stop();  // returns when every call has ended
  EXPECT_THAT(BlobNames(), IsEmpty());
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ / "blobs")) {
    if (entry.is_regular_file()) {
      EXPECT_EQ(entry.path().filename(), "lock") << entry.path();
    }
  }
}

TEST_F(RecordingRpcTest, AnotherTeamsCallbackIsNotThere) {
  const api::Callback made = Create(Mueller(), team_.anna_token);
  api::UploadRecordingResponse response;
  const absl::Status status =
      IngestTest::Upload(HeaderOf("voice", made.id()), {"voice"}, &response, strangers_.anna_token);
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(FieldOf(status), "header.callback_id");
}

TEST_F(RecordingRpcTest, ChunksWithoutHeaderAreRefused) {
  grpc::ClientContext context;
  Identify(context, team_.anna_token);
  api::UploadRecordingResponse response;
  auto writer = recordings_->UploadRecording(&context, &response);
  api::UploadRecordingRequest message;
  message.set_chunk("voice");
  writer->Write(message);
  writer->WritesDone();
  EXPECT_EQ(ReasonOf(rpc::FromGrpc(writer->Finish())), "HEADER_MISSING");
}

TEST_F(RecordingRpcTest, WhoWaitsForTheTranscoderHearsItAtOnce) {
  const api::Recording take = UploadTake("voice", "");
  api::GetRecordingRequest request;
  request.set_id(take.id());
  request.set_wait_seconds(60);
  api::GetRecordingResponse response;
  const auto begin = std::chrono::steady_clock::now();
  std::thread waiting([&] {
    grpc::ClientContext context;
    Identify(context, team_.anna_token);
    EXPECT_TRUE(recordings_->GetRecording(&context, request, &response).ok());
  });
  FinishTranscode(take.id(), record::RecordingRecord::STATE_READY);
  waiting.join();
  EXPECT_EQ(response.recording().state(), api::Recording::STATE_READY);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

TEST_F(RecordingRpcTest, WhoDoesNotWaitGetsWhatIs) {
  const api::Recording take = UploadTake("voice", "");
  api::GetRecordingRequest request;
  request.set_id(take.id());
  api::GetRecordingResponse response;
  ASSERT_TRUE(Do(*recordings_, &Stub::GetRecording, request, &response, team_.anna_token).ok());
  EXPECT_EQ(response.recording().state(), api::Recording::STATE_RECEIVED);
  request.set_wait_seconds(61);
  EXPECT_EQ(FieldOf(Do(*recordings_, &Stub::GetRecording, request, &response, team_.anna_token)), "wait_seconds");
}

TEST_F(RecordingRpcTest, ARecordingNobodyUsesLeavesByItself) {
  const api::Recording take = UploadTake("voice", "");
  host_->fake_clock().Advance(absl::Hours(24) * 30 + absl::Seconds(1));
  EXPECT_TRUE(host_->store().Claim(store::RetentionDue(7, team_.id, take.id()), absl::Seconds(30)).ok());
}

}  // namespace
}  // namespace ringback::ingest
