#include "ingest/recording_rpc.h"

#include <utility>

#include "ingest/download.h"
#include "ingest/recording_wait.h"
#include "ingest/upload.h"
#include "ringback/v1/recording_service.grpc.pb.h"

namespace ringback::ingest {
namespace {

using Context = grpc::CallbackServerContext;

class RecordingRpc final : public api::RecordingService::CallbackService {
 public:
  RecordingRpc(runtime::Host& host, std::shared_ptr<Waker> waker) : host_(host), waker_(std::move(waker)) {}

  grpc::ServerReadReactor<api::UploadRecordingRequest>* UploadRecording(
      Context* context, api::UploadRecordingResponse* response) override {
    return ingest::UploadRecording(host_, context, response);
  }
  grpc::ServerUnaryReactor* GetRecording(Context* context, const api::GetRecordingRequest* request,
                                         api::GetRecordingResponse* response) override {
    return ingest::GetRecording(host_, waker_, context, request, response);
  }
  grpc::ServerWriteReactor<api::DownloadRenditionResponse>* DownloadRendition(
      Context* context, const api::DownloadRenditionRequest* request) override {
    return ingest::DownloadRendition(host_, context, request);
  }

 private:
  runtime::Host& host_;
  const std::shared_ptr<Waker> waker_;
};

}  // namespace

std::unique_ptr<grpc::Service> NewRecordingRpc(runtime::Host& host, std::shared_ptr<Waker> waker) {
  return std::make_unique<RecordingRpc>(host, std::move(waker));
}

}  // namespace ringback::ingest
