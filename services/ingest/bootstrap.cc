#include "ingest/bootstrap.h"

#include <fcntl.h>
#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "core/base/ids.h"
#include "core/base/status_macros.h"
#include "core/domain/team.h"
#include "ingest/load.h"
#include "ingest/team_tokens.h"
#include "ingest/teams.h"

namespace ringback::ingest {
namespace {

record::Member DemoMember(runtime::Host& host, int shard, const std::string& name, const std::string& address,
                          record::Member::Role role) {
  record::Member member;
  member.set_id(NewId(id_prefix::kMember, shard, host.random()));
  member.set_name(name);
  member.set_email(address);
  member.set_role(role);
  return member;
}

record::TeamRecord DemoTeam(runtime::Host& host, int shard, absl::Time now) {
  record::TeamRecord team =
      domain::NewTeam(NewId(id_prefix::kTeam, shard, host.random()), "Demo", "Europe/Berlin", "de", now);
  team.set_mail_address("team@example.com");
  record::Member anna = DemoMember(host, shard, "Anna Schmidt", "anna.schmidt@example.com", record::Member::ROLE_REP);
  record::Member ben = DemoMember(host, shard, "Ben Weber", "ben.weber@example.com", record::Member::ROLE_REP);
  anna.set_substitute_id(ben.id());
  *team.add_members() = std::move(anna);
  *team.add_members() = std::move(ben);
  *team.add_members() = DemoMember(host, shard, "Clara Vogel", "clara.vogel@example.com", record::Member::ROLE_MANAGER);
  *team.add_members() = DemoMember(host, shard, "Dana Brandt", "dana.brandt@example.com", record::Member::ROLE_ADMIN);
  return team;
}

absl::StatusOr<std::optional<std::string>> OldestTeam(runtime::Host& host) {
  std::optional<std::string> oldest;
  absl::Time created = absl::InfiniteFuture();
  for (int shard = 0; shard < kShards; ++shard) {
    RB_ASSIGN_OR_RETURN(const auto ids, TeamsOfShard(host.store(), shard));
    for (const std::string& id : ids) {
      RB_ASSIGN_OR_RETURN(const auto team, LoadTeam(host, id));
      const absl::Time at = rpc::FromProto(team.message.create_time());
      if (at >= created) continue;
      created = at;
      oldest = id;
    }
  }
  return oldest;
}

// One more token, committed.
absl::StatusOr<std::string> Issue(runtime::Host& host, int shard, record::TokenRecord token) {
  RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
  store::Commit commit;
  commit.shard = shard;
  commit.commit_id = NewCommitId(host, shard);
  IssuedToken issued = AddToken(host, std::move(token), now, &commit);
  RB_RETURN_IF_ERROR(host.store().CommitOnce(commit).status());
  return issued.secret;
}

// The tokens in the file; empty fields for what is not there or no longer opens anything.
absl::StatusOr<google::protobuf::Struct> ReadTokenFile(runtime::Host& host) {
  google::protobuf::Struct file;
  std::ifstream in(host.config().TokenPath());
  std::stringstream text;
  text << in.rdbuf();
  if (!in || !google::protobuf::util::JsonStringToMessage(text.str(), &file).ok()) file.Clear();
  for (const char* field : {"token", "operator_token"}) {
    const auto found = file.fields().find(field);
    if (found == file.fields().end()) continue;
    const std::string& secret = found->second.string_value();
    const absl::Status opens = rpc::Authenticate(host.store(), *host.rpc().known, secret).status();
    if (absl::IsUnauthenticated(opens)) {
      file.mutable_fields()->erase(field);
    } else {
      RB_RETURN_IF_ERROR(opens);  // the store could not say; a token is not thrown away for that
    }
  }
  return file;
}

absl::Status FileError(const std::string& what, const std::string& path) {
  return absl::UnavailableError(absl::StrCat("cannot ", what, " ", path, ": ", std::strerror(errno)));
}

// Nobody ever reads half a file, and nobody but the owner reads it at all.
absl::Status WriteTokenFile(const std::string& path, const std::string& text) {
  const std::string part = path + ".part";
  ::unlink(part.c_str());
  const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return FileError("create", part);
  const bool written = ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size()) && ::fsync(fd) == 0;
  if (::close(fd) != 0 || !written) return FileError("write", part);
  if (::rename(part.c_str(), path.c_str()) != 0) return FileError("put in place", path);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Bootstrap> EnsureDemoTeam(runtime::Host& host) {
  RB_ASSIGN_OR_RETURN(const auto oldest, OldestTeam(host));
  if (oldest.has_value()) return Bootstrap{*oldest, false};
  RB_ASSIGN_OR_RETURN(const absl::Time now, host.store().Now());
  const int shard = static_cast<int>(host.random().Next() % kShards);
  const record::TeamRecord team = DemoTeam(host, shard, now);
  RB_RETURN_IF_ERROR(domain::CheckTeam(team));
  store::Commit commit;
  commit.shard = shard;
  commit.commit_id = NewCommitId(host, shard);
  AddTeam(team, 0, &commit);
  RB_RETURN_IF_ERROR(host.store().CommitOnce(commit).status());
  return Bootstrap{team.id(), true};
}

absl::Status EnsureLocalToken(runtime::Host& host, const std::string& team_id, const std::string& target) {
  RB_ASSIGN_OR_RETURN(const auto team, LoadTeam(host, team_id));
  RB_ASSIGN_OR_RETURN(google::protobuf::Struct file, ReadTokenFile(host));
  auto& fields = *file.mutable_fields();
  if (fields.count("token") == 0) {
    const record::Member* admin = nullptr;
    for (const record::Member& member : team.message.members()) {
      if (admin == nullptr && !member.inactive() && member.role() == record::Member::ROLE_ADMIN) admin = &member;
    }
    if (admin == nullptr) return absl::FailedPreconditionError(absl::StrCat("team ", team_id, " has no active admin"));
    record::TokenRecord token;
    token.set_team_id(team_id);
    token.set_member_id(admin->id());
    token.set_role(record::TokenRecord::ROLE_MEMBER);
    token.set_label("command line on this machine");
    RB_ASSIGN_OR_RETURN(*fields["token"].mutable_string_value(),
                        Issue(host, store::TeamKey(team_id)->shard, std::move(token)));
    fields["member"].set_string_value(admin->id());
    fields["team"].set_string_value(team_id);
  }
  if (fields.count("operator_token") == 0) {
    record::TokenRecord token;
    token.set_role(record::TokenRecord::ROLE_OPERATOR);
    token.set_label("command line on this machine");
    RB_ASSIGN_OR_RETURN(*fields["operator_token"].mutable_string_value(), Issue(host, 0, std::move(token)));
  }
  fields["target"].set_string_value(target);
  std::string text;
  if (!google::protobuf::util::MessageToJsonString(file, &text).ok()) {
    return absl::InternalError("the token file's content is no JSON");
  }
  return WriteTokenFile(host.config().TokenPath(), text + "\n");
}

}  // namespace ringback::ingest
