// Methods of ringback's own gRPC language by their names, called in the name of whoever is signed in: JSON in and out (the
// proto3 mapping), and the streams of bytes that pages need. The pages' server knows no rule of what it passes on.
#pragma once

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "core/base/ids.h"
#include "core/rpc/client.h"
#include "core/rpc/places.h"

namespace ringback::web {

struct ServiceChannels {
  std::shared_ptr<grpc::Channel> ingest;
  std::shared_ptr<grpc::Channel> delivery;
  std::shared_ptr<grpc::Channel> reminder;
};
// INVALID_ARGUMENT for places that are none. Of `options`, the certificates count: whom to trust, and what to show.
absl::StatusOr<ServiceChannels> ConnectServices(const rpc::Places& places, const rpc::ClientOptions& options, Random* random);

// Thread-safe. All calls block, at most a minute; errors are the services' (with field, reason and when to try again), or
// UNAVAILABLE when they cannot be reached. `bearer`: a session's secret, or an API token's.
class ServiceCaller {
 public:
  ServiceCaller(ServiceChannels channels, Random* random) : channels_(std::move(channels)), random_(random) {}

  // "CallbackService", "ListCallbacks". UNIMPLEMENTED for what is no unary method; INVALID_ARGUMENT for JSON that is not the
  // method's request, naming what does not fit.
  absl::StatusOr<std::string> CallJson(std::string_view bearer, std::string_view service, std::string_view method,
                                       std::string_view json) const;

  struct Upload {
    std::string request_id;
    std::string callback_id;
    std::string sha256;
  };
  // RecordingService.UploadRecording; its response as JSON.
  absl::StatusOr<std::string> UploadRecording(std::string_view bearer, const Upload& header, std::string_view bytes) const;

  // The whole of a recording: "opus", "mp3" or "original".
  absl::StatusOr<std::string> DownloadRendition(std::string_view bearer, const std::string& recording_id,
                                                std::string_view rendition) const;
  // The whole of an answer's attachment from 1, or (0) of its mail as it came.
  absl::StatusOr<std::string> DownloadAnswer(std::string_view bearer, const std::string& answer_id, int attachment) const;

 private:
  std::unique_ptr<grpc::ClientContext> NewContext(std::string_view bearer) const;

  const ServiceChannels channels_;
  Random* const random_;
};

}  // namespace ringback::web
