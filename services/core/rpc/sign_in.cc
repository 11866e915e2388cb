#include "core/rpc/sign_in.h"

#include <sodium.h>

#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/domain/proto_time.h"
#include "core/domain/team.h"
#include "core/store/again.h"
#include "core/store/records.h"

namespace ringback::rpc {
namespace {

namespace record = ::ringback::store::v1;
using Loaded = store::Loaded<record::SignInRecord>;


absl::Status OpensNothing() { return absl::NotFoundError("this sign-in is over, or was none"); }

absl::StatusOr<store::Key> SignInKey(std::string_view member_id) {
  const auto shard = ShardOf(member_id, id_prefix::kMember);
  if (!shard.ok()) return OpensNothing();
  return store::Key{*shard, store::Kind::kSignIn, std::string(member_id)};
}

std::string CodeHash(std::string_view member_id, std::string_view code) {
  return Sha256Hex(absl::StrCat(absl::string_view(member_id.data(), member_id.size()), "/",
                                absl::string_view(code.data(), code.size())));
}

bool SameHash(const std::string& a, const std::string& b) {
  return !a.empty() && a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

// Six digits, each as likely as the next: what would favour some is drawn again.
std::string NewCode(Random& random) {
  constexpr uint64_t kCodes = 1000000, kFair = UINT64_MAX - UINT64_MAX % kCodes;
  uint64_t drawn = random.Next();
  while (drawn >= kFair) drawn = random.Next();
  return absl::StrFormat("%06d", drawn % kCodes);
}

std::string Digits(std::string_view typed) {
  std::string digits;
  for (const char c : typed.substr(0, 64)) {
    if (!absl::ascii_isspace(static_cast<unsigned char>(c)) && c != '-') digits += c;
  }
  return digits;
}

store::Commit NewCommit(int shard, Random& random) {
  store::Commit commit;
  commit.shard = shard;
  commit.commit_id = NewSecret(id_prefix::kLease, shard, random);
  return commit;
}

// The record as it is, version 0 when there is none.
absl::StatusOr<Loaded> Current(store::Store& store, const store::Key& key) {
  auto loaded = store::Load<record::SignInRecord>(store, key);
  if (absl::IsNotFound(loaded.status())) return Loaded();
  return loaded;
}

absl::StatusOr<Loaded> UnderWay(store::Store& store, const store::Key& key, absl::Time now) {
  RB_ASSIGN_OR_RETURN(Loaded loaded, Current(store, key));
  if (loaded.version == 0 || domain::FromProto(loaded.message.expire_time()) <= now) return OpensNothing();
  return loaded;
}

void AddEnd(const store::Key& key, uint64_t version, store::Commit* commit) {
  store::Put gone;
  gone.key = key;
  gone.expected_version = version;
  commit->puts.push_back(std::move(gone));
}

struct ParsedLink {
  store::Key key;
  std::string hash;
};
absl::StatusOr<ParsedLink> ParseLink(std::string_view link) {
  const size_t dot = link.find('.');
  if (dot == std::string_view::npos || link.size() > 64) return OpensNothing();
  RB_ASSIGN_OR_RETURN(const store::Key key, SignInKey(link.substr(0, dot)));
  return ParsedLink{key, Sha256Hex(link.substr(dot + 1))};
}

absl::StatusOr<record::TeamRecord> TeamOf(store::Store& store, const std::string& team_id) {
  RB_ASSIGN_OR_RETURN(const store::Key key, store::TeamKey(team_id));
  auto team = store::Load<record::TeamRecord>(store, key);
  if (absl::IsNotFound(team.status())) return OpensNothing();
  RB_RETURN_IF_ERROR(team.status());
  return std::move(team->message);
}

MemberOf WhoOf(const record::SignInRecord& sign_in) { return {sign_in.team_id(), sign_in.member_id()}; }

absl::StatusOr<record::Member> ActiveMember(store::Store& store, const MemberOf& who) {
  RB_ASSIGN_OR_RETURN(const record::TeamRecord team, TeamOf(store, who.team_id));
  const record::Member* member = domain::FindMember(team, who.member_id);
  if (member == nullptr || member->inactive()) return OpensNothing();
  return *member;
}

// Commits a session of the member beside what is in the commit already.
absl::StatusOr<NewSession> CommitSession(store::Store& store, Random& random, const MemberOf& who, const Entry& entry,
                                         absl::Time now, store::Commit commit) {
  RB_RETURN_IF_ERROR(ActiveMember(store, who).status());
  RB_ASSIGN_OR_RETURN(NewSession session, AddSession(store, random, who.team_id, who.member_id, entry.browser, now,
                                                     now + entry.lifetime, &commit));
  RB_RETURN_IF_ERROR(store.CommitOnce(commit).status());
  RB_LOG_INFO("sign-in: {} has signed in, session {}", who.member_id, session.id);
  return session;
}

// The session in the place of the sign-in; ABORTED when that has changed meanwhile.
absl::StatusOr<NewSession> Enter(store::Store& store, Random& random, const store::Key& key, const Loaded& sign_in,
                                 const Entry& entry, absl::Time now) {
  store::Commit commit = NewCommit(key.shard, random);
  AddEnd(key, sign_in.version, &commit);
  return CommitSession(store, random, WhoOf(sign_in.message), entry, now, std::move(commit));
}

absl::Status CountWrong(store::Store& store, Random& random, const store::Key& key, Loaded sign_in) {
  sign_in.message.set_wrong_codes(sign_in.message.wrong_codes() + 1);
  if (sign_in.message.wrong_codes() >= kWrongCodesMax) sign_in.message.clear_code_hash();
  store::Commit commit = NewCommit(key.shard, random);
  store::AddPut(key, sign_in.version, sign_in.message, &commit);
  commit.puts.back().expires = domain::FromProto(sign_in.message.expire_time());
  return store.CommitOnce(commit).status();
}

absl::StatusOr<NewSession> TryCode(store::Store& store, Random& random, const MemberOf& who, std::string_view code,
                                   const Entry& entry) {
  RB_ASSIGN_OR_RETURN(const store::Key key, SignInKey(who.member_id));
  RB_ASSIGN_OR_RETURN(const absl::Time now, store.Now());
  RB_ASSIGN_OR_RETURN(const Loaded sign_in, UnderWay(store, key, now));
  if (sign_in.message.team_id() != who.team_id || sign_in.message.code_hash().empty()) return OpensNothing();
  if (SameHash(sign_in.message.code_hash(), CodeHash(who.member_id, code))) {
    return Enter(store, random, key, sign_in, entry, now);
  }
  RB_RETURN_IF_ERROR(CountWrong(store, random, key, sign_in));
  return OpensNothing();
}

// The mail as a delivery of no callback's.
void AddMail(const record::TeamRecord& team, const record::Member& member, const SignIn& made, absl::Time now,
             Random& random, store::Commit* commit) {
  record::DeliveryRecord mail;
  mail.set_id(NewId(id_prefix::kDelivery, commit->shard, random));
  mail.set_team_id(team.id());
  mail.set_kind(record::DeliveryRecord::KIND_SIGN_IN);
  mail.set_state(record::DeliveryRecord::STATE_QUEUED);
  mail.set_member_id(member.id());
  *mail.mutable_create_time() = domain::ToProto(now);
  record::Channel* channel = mail.add_channels();
  channel->set_kind(record::Channel::KIND_MAIL);
  channel->set_address(member.email());
  mail.mutable_sign_in()->set_link(made.link);
  mail.mutable_sign_in()->set_code(made.code);
  *mail.mutable_sign_in()->mutable_expire_time() = domain::ToProto(made.expires);
  mail.set_trace_id(TraceScope::Current());
  store::AddPut(store::Key{commit->shard, store::Kind::kDelivery, mail.id()}, 0, mail, commit);
  commit->puts.back().expires = made.expires;
  commit->due.push_back(store::DueChange{store::DeliveryDue(mail), now});
}

}  // namespace

absl::StatusOr<SignIn> AddSignIn(store::Store& store, Random& random, const record::TeamRecord& team,
                                 const std::string& member_id, absl::Time now, store::Commit* commit) {
  RB_ASSIGN_OR_RETURN(const store::Key key, SignInKey(member_id));
  RB_ASSIGN_OR_RETURN(const Loaded before, Current(store, key));
  const std::string secret = NewSecret(id_prefix::kSignIn, key.shard, random);
  SignIn made{absl::StrCat(member_id, ".", secret), NewCode(random), now + kSignInLifetime};
  record::SignInRecord sign_in;
  sign_in.set_team_id(team.id());
  sign_in.set_member_id(member_id);
  sign_in.set_link_hash(Sha256Hex(secret));
  sign_in.set_code_hash(CodeHash(member_id, made.code));
  *sign_in.mutable_create_time() = domain::ToProto(now);
  *sign_in.mutable_expire_time() = domain::ToProto(made.expires);
  store::AddPut(key, before.version, sign_in, commit);
  commit->puts.back().expires = made.expires;
  return made;
}

absl::Status MailSignIn(store::Store& store, Random& random, const std::string& team_id, const std::string& member_id) {
  RB_ASSIGN_OR_RETURN(const store::Key key, SignInKey(member_id));
  const auto team = TeamOf(store, team_id);
  if (absl::IsNotFound(team.status())) return absl::OkStatus();
  RB_RETURN_IF_ERROR(team.status());
  const record::Member* member = domain::FindMember(*team, member_id);
  if (member == nullptr || member->inactive() || member->email().empty()) return absl::OkStatus();
  RB_ASSIGN_OR_RETURN(const absl::Time now, store.Now());
  RB_ASSIGN_OR_RETURN(const Loaded before, Current(store, key));
  if (before.version != 0 && now < domain::FromProto(before.message.create_time()) + kSignInPause) return absl::OkStatus();
  store::Commit commit = NewCommit(key.shard, random);
  RB_ASSIGN_OR_RETURN(const SignIn made, AddSignIn(store, random, *team, member_id, now, &commit));
  AddMail(*team, *member, made, now, random, &commit);
  const absl::Status committed = store.CommitOnce(commit).status();
  if (absl::IsAborted(committed)) return absl::OkStatus();  // somebody else has just made one
  RB_RETURN_IF_ERROR(committed);
  RB_LOG_INFO("sign-in: a mail to {} is on its way", member_id);
  return absl::OkStatus();
}

absl::StatusOr<record::Member> WhoseLink(store::Store& store, std::string_view link, absl::Time now) {
  RB_ASSIGN_OR_RETURN(const ParsedLink parsed, ParseLink(link));
  RB_ASSIGN_OR_RETURN(const Loaded sign_in, UnderWay(store, parsed.key, now));
  if (!SameHash(sign_in.message.link_hash(), parsed.hash)) return OpensNothing();
  return ActiveMember(store, WhoOf(sign_in.message));
}

absl::StatusOr<NewSession> EnterByLink(store::Store& store, Random& random, std::string_view link, const Entry& entry) {
  RB_ASSIGN_OR_RETURN(const ParsedLink parsed, ParseLink(link));
  return store::Again([&]() -> absl::StatusOr<NewSession> {
    RB_ASSIGN_OR_RETURN(const absl::Time now, store.Now());
    RB_ASSIGN_OR_RETURN(const Loaded sign_in, UnderWay(store, parsed.key, now));
    if (!SameHash(sign_in.message.link_hash(), parsed.hash)) return OpensNothing();
    return Enter(store, random, parsed.key, sign_in, entry, now);
  });
}

absl::StatusOr<NewSession> EnterByCode(store::Store& store, Random& random, const std::vector<MemberOf>& members,
                                       std::string_view code, const Entry& entry) {
  const std::string digits = Digits(code);
  for (const MemberOf& who : members) {
    auto session = store::Again([&] { return TryCode(store, random, who, digits, entry); });
    if (!absl::IsNotFound(session.status())) return session;
  }
  return OpensNothing();
}

absl::StatusOr<NewSession> EnterTrusted(store::Store& store, Random& random, const MemberOf& who, const Entry& entry) {
  RB_ASSIGN_OR_RETURN(const store::Key team, store::TeamKey(who.team_id));
  RB_ASSIGN_OR_RETURN(const absl::Time now, store.Now());
  return CommitSession(store, random, who, entry, now, NewCommit(team.shard, random));
}

}  // namespace ringback::rpc
