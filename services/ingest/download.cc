#include "ingest/download.h"

#include "core/runtime/blob_download.h"

namespace ringback::ingest {
namespace {

constexpr char kMethod[] = "/ringback.v1.RecordingService/DownloadRendition";

absl::StatusOr<std::string> BlobOf(const record::RecordingRecord& recording, api::Rendition rendition) {
  std::string name;
  switch (rendition) {
    case api::RENDITION_OPUS: name = recording.opus_blob(); break;
    case api::RENDITION_MP3: name = recording.mp3_blob(); break;
    case api::RENDITION_ORIGINAL: name = recording.original_blob(); break;
    default: return domain::InvalidField("rendition", "RENDITION_MISSING", "say which: Opus, MP3 or the original");
  }
  if (!name.empty()) return name;
  return domain::FieldError(absl::StatusCode::kNotFound, "rendition", "RENDITION_NOT_FOUND",
                            "this rendition is not there (yet)");
}

}  // namespace

grpc::ServerWriteReactor<api::DownloadRenditionResponse>* DownloadRendition(
    runtime::Host& host, grpc::CallbackServerContext* context, const api::DownloadRenditionRequest* request) {
  return runtime::DownloadBlob<api::DownloadRenditionResponse>(
      host, context, kMethod, [&host, asked = *request](const rpc::Call& call) -> absl::StatusOr<std::string> {
        RB_ASSIGN_OR_RETURN(const auto recording, FindRecording(host, call, asked.recording_id(), "recording_id"));
        RB_RETURN_IF_ERROR(rpc::CheckPlay(host.store(), call, recording.message));
        return BlobOf(recording.message, asked.rendition());
      });
}

}  // namespace ringback::ingest
