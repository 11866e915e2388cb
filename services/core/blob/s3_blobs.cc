// Which requests make up each call of a blob store. How a request gets there is s3_client.h's.
#include "core/blob/s3_blobs.h"

#include <algorithm>
#include <chrono>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"
#include "core/base/status_macros.h"
#include "core/blob/blob_name.h"
#include "core/blob/s3_client.h"
#include "core/blob/s3_writer.h"
#include "core/blob/s3_xml.h"

namespace ringback::blob {
namespace {

constexpr size_t kBlobBytesMax = size_t{1} << 30;  // of one answer; blobs are far smaller
constexpr int kKeysPerPage = 1000;                 // the most that S3 gives
// A readiness probe comes every second; a request for each would be work for the server and money for AWS.
constexpr auto kCheckHolds = std::chrono::seconds(15);
constexpr absl::Duration kCheckTimeout = absl::Seconds(5);
constexpr char kCheckName[] = ".check";  // no blob's name, so that no List shows it

class S3Blobs : public BlobStore {
 public:
  S3Blobs(const S3Options& options, const std::string& bucket_url)
      : prefix_(options.prefix.empty() ? "" : options.prefix + "/"), client_(options, bucket_url) {}

  absl::StatusOr<std::unique_ptr<Writer>> Create(const std::string& name) override {
    RB_RETURN_IF_ERROR(CheckName(name));
    return std::make_unique<S3Writer>(&client_, prefix_ + name, name);
  }

  absl::Status Put(const std::string& name, std::string_view bytes) override {
    RB_RETURN_IF_ERROR(CheckName(name));
    if (bytes.size() <= client_.options().part_bytes) return PutS3Object(client_, prefix_ + name, name, bytes);
    S3Writer writer(&client_, prefix_ + name, name);
    RB_RETURN_IF_ERROR(writer.Append(bytes));
    return writer.Finish();
  }

  absl::StatusOr<std::string> Get(const std::string& name) override {
    RB_ASSIGN_OR_RETURN(S3Request request, Read(name));
    request.answer_bytes_max = kBlobBytesMax;
    request.check = [&name](const S3Answer& answer) {
      const std::string sha256 = answer.Header(kS3Sha256Header);
      if (sha256.empty() || sha256 == Sha256Hex(answer.body)) return absl::OkStatus();
      return absl::DataLossError(absl::StrCat("S3 get ", name, ": the bytes are not those that were put"));
    };
    RB_ASSIGN_OR_RETURN(S3Answer answer, client_.Send(request));
    return std::move(answer.body);
  }

  absl::StatusOr<std::string> GetRange(const std::string& name, int64_t offset, int64_t size) override {
    if (offset < 0 || size < 0) return absl::InvalidArgumentError("offset and size must not be negative");
    // No range is empty in HTTP; whether the blob is there must be said all the same.
    if (size == 0) {
      RB_RETURN_IF_ERROR(Size(name).status());
      return std::string();
    }
    RB_ASSIGN_OR_RETURN(S3Request request, Read(name));
    const int64_t last = size > std::numeric_limits<int64_t>::max() - offset ? std::numeric_limits<int64_t>::max() - 1
                                                                              : offset + size - 1;
    const std::string range = absl::StrCat("bytes=", offset, "-", last);
    request.headers = {"Range: " + range};
    request.answer_bytes_max = kBlobBytesMax;
    request.check = [&](const S3Answer& answer) {
      const bool whole = answer.status == 200;  // as a server may answer that knows no ranges
      if (whole || absl::StartsWith(answer.Header("content-range"), absl::StrCat("bytes ", offset, "-"))) {
        return absl::OkStatus();
      }
      return absl::UnavailableError(absl::StrCat("S3 get ", name, ": asked for ", range, ", got ",
                                                 answer.Header("content-range")));
    };
    absl::StatusOr<S3Answer> answer = client_.Send(request);
    if (absl::IsOutOfRange(answer.status())) return std::string();
    RB_RETURN_IF_ERROR(answer.status());
    if (answer->status != 200) return std::move(answer->body);
    if (static_cast<size_t>(offset) >= answer->body.size()) return std::string();
    return answer->body.substr(static_cast<size_t>(offset), static_cast<size_t>(size));
  }

  absl::StatusOr<int64_t> Size(const std::string& name) override {
    RB_ASSIGN_OR_RETURN(S3Request request, Read(name));
    request.method = "HEAD";
    RB_ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
    int64_t size = 0;
    if (!absl::SimpleAtoi(answer.Header("content-length"), &size) || size < 0) {
      return absl::UnavailableError(absl::StrCat("S3 size of ", name, ": the answer does not say it"));
    }
    return size;
  }

  absl::Status Delete(const std::string& name) override {
    RB_RETURN_IF_ERROR(CheckName(name));
    S3Request request;
    request.what = "delete " + name;
    request.method = "DELETE";
    request.key = prefix_ + name;
    const absl::Status deleted = client_.Send(request).status();
    return absl::IsNotFound(deleted) ? absl::OkStatus() : deleted;
  }

  absl::StatusOr<std::vector<BlobInfo>> List(const std::string& prefix, const std::string& after, int limit) override {
    std::vector<BlobInfo> found;
    std::string start = after.empty() ? "" : prefix_ + after;
    while (static_cast<int>(found.size()) < limit) {
      RB_ASSIGN_OR_RETURN(const S3Page page, ListPage(prefix, start, limit - static_cast<int>(found.size())));
      for (const BlobInfo& object : page.objects) {
        start = object.name;
        BlobInfo info = object;
        info.name = object.name.substr(std::min(prefix_.size(), object.name.size()));
        if (absl::StartsWith(object.name, prefix_) && CheckName(info.name).ok()) found.push_back(std::move(info));
      }
      if (!page.truncated || page.objects.empty()) break;
    }
    return found;
  }

  absl::Status RemoveLeftOvers() override {
    S3Uploads page;
    do {
      S3Request request;
      request.what = "list unfinished uploads";
      request.query = {{"prefix", prefix_}, {"uploads", ""}};
      if (!page.next_key.empty()) {
        request.query["key-marker"] = page.next_key;
        request.query["upload-id-marker"] = page.next_upload_id;
      }
      RB_ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
      RB_ASSIGN_OR_RETURN(const absl::Time now, ServerTime(answer));
      RB_ASSIGN_OR_RETURN(page, ParseS3Uploads(answer.body));
      for (const S3Upload& upload : page.uploads) {
        if (!absl::StartsWith(upload.key, prefix_) || !CheckName(upload.key.substr(prefix_.size())).ok()) continue;
        if (now - upload.initiated < client_.options().left_over_age) continue;
        RB_RETURN_IF_ERROR(AbortS3Upload(client_, upload.key, upload.upload_id));
      }
    } while (!page.next_key.empty());
    return absl::OkStatus();
  }

  absl::Status Check() override {
    {
      MutexLock lock(&mutex_);
      if (std::chrono::steady_clock::now() < checked_until_) return absl::OkStatus();
    }
    S3Request request;
    request.what = "put " + std::string(kCheckName);
    request.method = "PUT";
    request.key = prefix_ + kCheckName;
    request.body = "check";
    request.timeout = kCheckTimeout;
    RB_RETURN_IF_ERROR(client_.Send(request).status());
    MutexLock lock(&mutex_);
    checked_until_ = std::chrono::steady_clock::now() + kCheckHolds;
    return absl::OkStatus();
  }

 private:
  absl::StatusOr<S3Request> Read(const std::string& name) const {
    RB_RETURN_IF_ERROR(CheckName(name));
    S3Request request;
    request.what = "get " + name;
    request.key = prefix_ + name;
    return request;
  }

  // Ages are told by one clock: the server's. The header has whole seconds; this is the end of that second, so that what
  // was before it is never in the future.
  static absl::StatusOr<absl::Time> ServerTime(const S3Answer& answer) {
    absl::Time time;
    if (absl::ParseTime("%a, %d %b %Y %H:%M:%S GMT", answer.Header("date"), &time, nullptr)) return time + absl::Seconds(1);
    return absl::UnavailableError(absl::StrCat("S3 answered without a date: \"", answer.Header("date"), "\""));
  }

  absl::StatusOr<S3Page> ListPage(const std::string& prefix, const std::string& start, int limit) {
    S3Request request;
    request.what = absl::StrCat("list ", prefix);
    request.query = {{"list-type", "2"},
                     {"max-keys", absl::StrCat(std::min(limit, kKeysPerPage))},
                     {"prefix", prefix_ + prefix}};
    if (!start.empty()) request.query["start-after"] = start;
    RB_ASSIGN_OR_RETURN(const S3Answer answer, client_.Send(request));
    return ParseS3List(answer.body);
  }

  const std::string prefix_;  // "" or with a slash at its end
  S3Client client_;
  Mutex mutex_;
  std::chrono::steady_clock::time_point checked_until_ RB_GUARDED_BY(mutex_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStore>> OpenS3(const S3Options& options) {
  if (options.access_key.empty() || options.secret_key.empty()) {
    return absl::InvalidArgumentError(
        "S3 needs keys: set s3.access_key_file and s3.secret_key_file, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
  }
  if (options.part_bytes == 0) return absl::InvalidArgumentError("part_bytes must not be 0");
  RB_ASSIGN_OR_RETURN(const std::string bucket_url, S3BucketUrl(options));
  return std::make_unique<S3Blobs>(options, bucket_url);
}

}  // namespace ringback::blob
