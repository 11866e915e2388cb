// Writes that happen once: the request's record is committed with what it did.
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"
#include "core/domain/input.h"
#include "core/rpc/sealed_response.h"
#include "core/rpc/server.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::rpc {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr int kRuns = 10;
constexpr absl::Duration kRemembered = absl::Hours(7 * 24);

std::string Deterministic(const Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

absl::Status CheckRequestId(const std::string& id) {
  if (id.empty()) {
    return domain::InvalidField("request_id", "REQUEST_ID_MISSING",
                                "must be set: 1 to 64 characters of the client's choice, new for each write");
  }
  bool good = id.size() <= 64;
  for (const char c : id) good = good && c >= ' ' && c <= '~';
  if (good) return absl::OkStatus();
  return domain::InvalidField("request_id", "REQUEST_ID_INVALID", "must be 1 to 64 printable ASCII characters");
}

// The shard of the first id among the request's fields and those of the messages in it.
std::optional<int> ShardIn(const Message& message, int depth) {
  const auto* const descriptor = message.GetDescriptor();
  const auto* const reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> messages;
  for (int i = 0; i < descriptor->field_count(); ++i) {
    const FieldDescriptor* const field = descriptor->field(i);
    if (field->is_repeated()) continue;
    const std::string& name = field->name();
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (reflection->HasField(message, field)) messages.push_back(field);
    } else if (field->cpp_type() == FieldDescriptor::CPPTYPE_STRING && name != "request_id" &&
               (name == "id" || (name.size() > 3 && name.compare(name.size() - 3, 3, "_id") == 0))) {
      if (const auto shard = ShardOf(reflection->GetString(message, field)); shard.ok()) return *shard;
    }
  }
  if (depth == 0) return std::nullopt;
  for (const FieldDescriptor* const field : messages) {
    if (const auto shard = ShardIn(reflection->GetMessage(message, field), depth - 1)) return shard;
  }
  return std::nullopt;
}

class OnceRun {
 public:
  OnceRun(Environment& environment, const Call& call, const Message& request, const std::string& request_id,
          Message* response)
      : environment_(environment), call_(call), response_(response) {
    const std::string body = absl::StrCat(call.method, "\n", Deterministic(request));
    const std::string sender = absl::StrCat(call.principal.ActorId(), "\n", request_id);
    const std::string sender_hash = Sha256Hex(sender);
    fingerprint_ = Sha256Hex(body);
    secret_ = absl::StrCat(sender, "\n", body);
    key_.kind = store::Kind::kRequest;
    key_.id = absl::StrCat(call.principal.team_id.empty() ? "op" : call.principal.team_id, ".", sender_hash);
    key_.shard = call.principal.shard;
    if (call.principal.role == Role::kOperator) {
      const auto from_id = ShardIn(request, 1);
      key_.shard = from_id ? *from_id : std::stoi(sender_hash.substr(0, 4), nullptr, 16) % kShards;
    }
    // New for each run: a twin is kept out by the request's record, and after its 7 days the same id is a new request,
    // though the store may still remember the old commit.
    commit_id_ = NewSecret("rq", key_.shard, *environment.random);
  }

  absl::Status Run(const std::function<absl::Status(store::Commit*)>& decide) {
    RB_ASSIGN_OR_RETURN(bool answered, Answered());
    for (int run = 0; run < kRuns && !answered; ++run) {
      store::Commit commit;
      commit.shard = key_.shard;
      if (const absl::Status decided = decide(&commit); !decided.ok()) {
        // The state may refuse the command because the same request, sent twice at a time, has just carried it out.
        RB_ASSIGN_OR_RETURN(answered, Answered());
        return answered ? absl::OkStatus() : decided;
      }
      const absl::StatusOr<store::CommitResult> result = Commit(std::move(commit));
      if (result.ok() && !result->repeated) return absl::OkStatus();
      if (!result.ok() && !absl::IsAborted(result.status())) return result.status();
      RB_ASSIGN_OR_RETURN(answered, Answered());
    }
    if (answered) return absl::OkStatus();
    return RetryAfter(absl::AbortedError("too many changes to the same record at once; send the request again"),
                      absl::Milliseconds(200));
  }

 private:
  // Whether the request was carried out before; then its response is in place.
  absl::StatusOr<bool> Answered() {
    const absl::StatusOr<store::Record> found = environment_.store->Get(key_);
    if (absl::IsNotFound(found.status())) return false;
    RB_RETURN_IF_ERROR(found.status());
    store::v1::RequestRecord record;
    if (!record.ParseFromString(found->value)) return absl::DataLossError("a request's record cannot be read");
    if (record.fingerprint() != fingerprint_) {
      return domain::InvalidField("request_id", "REQUEST_ID_REUSED",
                                  "was used for another request; choose a new one for each write");
    }
    RB_ASSIGN_OR_RETURN(const std::string bytes, Unseal(secret_, record.response()));
    if (!response_->ParseFromString(bytes)) return absl::DataLossError("a stored response cannot be read");
    return true;
  }

  absl::StatusOr<store::CommitResult> Commit(store::Commit commit) {
    if (commit.shard != key_.shard) {
      return absl::InternalError(absl::StrCat(call_.method, " moved its commit to another shard"));
    }
    commit.commit_id = commit_id_;
    store::v1::RequestRecord record;
    record.set_method(call_.method);
    record.set_fingerprint(fingerprint_);
    record.set_response(Seal(secret_, response_->SerializeAsString(), *environment_.random));
    store::Put& put = commit.puts.emplace_back();
    put.key = key_;
    put.value = record.SerializeAsString();
    put.expires = call_.now + kRemembered;
    const auto result = environment_.store->CommitOnce(commit);
    if (!absl::IsUnavailable(result.status())) return result;
    // The outcome is unknown: under the same id the store tells.
    return environment_.store->CommitOnce(commit);
  }

  Environment& environment_;
  const Call& call_;
  Message* const response_;
  store::Key key_;
  std::string fingerprint_;
  std::string secret_;  // never stored
  std::string commit_id_;
};

}  // namespace

namespace internal {

absl::Status RunOnce(Environment& environment, const Call& call, const Message& request, const std::string& request_id,
                     Message* response, const std::function<absl::Status(store::Commit*)>& decide) {
  RB_RETURN_IF_ERROR(CheckRequestId(request_id));
  return OnceRun(environment, call, request, request_id, response).Run(decide);
}

}  // namespace internal
}  // namespace ringback::rpc
