#include "core/store/redis_committer.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "core/base/status_macros.h"

namespace ringback::store {
namespace {

using std::chrono::milliseconds;

// While Redis works on one group, the next is made.
constexpr int kLanes = 2;
// A group keeps Redis from everybody else's reads for as long as it takes: about a millisecond.
constexpr size_t kGroupJobsMax = 100;
constexpr size_t kGroupBytesMax = 256 * 1024;

bool IsCommit(Script script) { return script == Script::kCommit || script == Script::kCommitFull; }

std::vector<std::string> TextsOf(const redisReply& reply, size_t first, size_t count) {
  std::vector<std::string> texts;
  texts.reserve(count);
  for (size_t i = first; i < first + count; ++i) texts.push_back(TextOf(*reply.element[i]));
  return texts;
}

}  // namespace

RedisCommitter::RedisCommitter(const RedisOptions& options, RedisPool* pool) : options_(options), pool_(*pool) {}

std::vector<RedisAnswer> RedisCommitter::Run(std::vector<RedisWrite> writes) {
  std::vector<Job> jobs(writes.size());
  Caller me;
  for (size_t i = 0; i < writes.size(); ++i) {
    jobs[i].write = std::move(writes[i]);
    jobs[i].caller = &me;
  }
  // A third of the time for waiting, two for carrying: together a call keeps its time limit.
  const auto give_up = Steady::now() + options_.command_timeout / 3;
  {
    MutexLock lock(&mutex_);
    me.pending = jobs.size();
    for (Job& job : jobs) queue_.push_back(&job);
    while (me.pending > 0) {
      if (!queue_.empty() && lanes_busy_ < kLanes) {
        Group group = NextGroup();
        ++lanes_busy_;
        mutex_.Unlock();
        Carry(group);
        mutex_.Lock();
        --lanes_busy_;
        for (Job* job : group) {
          if (--job->caller->pending == 0 && job->caller != &me) job->caller->wake.NotifyOne();
        }
        continue;
      }
      const auto left = give_up - Steady::now();
      if (left <= Steady::duration::zero()) GiveUpWaiting(me);
      if (me.pending > 0) me.wake.WaitFor(&mutex_, std::max<Steady::duration>(left, milliseconds(10)));
    }
    if (!queue_.empty() && lanes_busy_ < kLanes) queue_.front()->caller->wake.NotifyOne();
  }
  std::vector<RedisAnswer> answers;
  answers.reserve(jobs.size());
  for (Job& job : jobs) answers.push_back(std::move(job.answer));
  return answers;
}

RedisCommitter::Group RedisCommitter::NextGroup() {
  Group group;
  size_t bytes = 0;
  while (!queue_.empty() && group.size() < kGroupJobsMax) {
    bytes += queue_.front()->write.arguments.bytes();
    if (!group.empty() && bytes > kGroupBytesMax) break;
    group.push_back(queue_.front());
    queue_.pop_front();
  }
  return group;
}

// What nobody has begun to carry is not sent any more; the rest is waited for, its carrier has a deadline of its own.
void RedisCommitter::GiveUpWaiting(Caller& caller) {
  std::erase_if(queue_, [&](Job* job) {
    if (job->caller != &caller) return false;
    job->answer = absl::UnavailableError("Redis is too slow: the write waited too long for its turn");
    --caller.pending;
    return true;
  });
}

void RedisCommitter::Carry(Group group) {
  const auto deadline = Steady::now() + options_.command_timeout * 2 / 3;
  for (const bool again : {false, true}) {
    absl::StatusOr<RedisPool::Loan> loan = pool_.Borrow(deadline);
    const absl::Status status = loan.ok() ? Try(*loan, group, again, deadline) : loan.status();
    if (status.ok()) return;
    // The first failure told the pool; the second attempt goes to whom it finds then.
    std::erase_if(group, [&](Job* job) {
      const bool last = again || !job->write.repeatable;
      if (last) job->answer = status;
      return last;
    });
    if (group.empty()) return;
  }
}

absl::Status RedisCommitter::Try(RedisPool::Loan& loan, const Group& group, bool again, Steady::time_point deadline) {
  std::vector<Bundle> bundles;
  std::map<Script, size_t> commits;  // to the bundle
  for (Job* job : group) {
    const Script script = job->write.script;
    if (IsCommit(script)) {
      const auto [place, fresh] = commits.try_emplace(script, bundles.size());
      if (!fresh) {
        bundles[place->second].jobs.push_back(job);
        continue;
      }
    }
    bundles.push_back({script, {job}});
  }
  for (const auto& [script, place] : commits) {
    std::stable_sort(bundles[place].jobs.begin(), bundles[place].jobs.end(),
                     [](const Job* a, const Job* b) { return a->write.keys < b->write.keys; });
  }
  RB_RETURN_IF_ERROR(Exchange(loan, bundles, again, Way::kTogether, deadline));

  // A script Redis does not know has done nothing, so it may run now.
  std::vector<Bundle> forgotten;
  for (Bundle& bundle : bundles) {
    const absl::Status& status = bundle.jobs.front()->answer.status();
    if (absl::StrContains(status.message(), "NOSCRIPT")) forgotten.push_back(std::move(bundle));
  }
  if (forgotten.empty()) return absl::OkStatus();
  RB_RETURN_IF_ERROR(loan->LoadScripts(deadline));
  return Exchange(loan, forgotten, again, Way::kTogether, deadline);
}

RedisCommand RedisCommitter::CallOf(const RedisConnection& connection, const Bundle& bundle, const RedisCommand& head) {
  if (!IsCommit(bundle.script)) {
    const RedisWrite& write = bundle.jobs.front()->write;
    RedisCommand call = connection.Begin(bundle.script, write.keys.parts());
    call.Add(write.keys).Add(head).Add(write.arguments);
    return call;
  }
  RedisCommand keys, commits;
  const RedisCommand* last = nullptr;
  for (const Job* job : bundle.jobs) {
    if (last == nullptr || *last < job->write.keys) keys.Add(job->write.keys);
    last = &job->write.keys;
    commits.Add(int64_t{keys.parts()}).Add(job->write.arguments);
  }
  RedisCommand call = connection.Begin(bundle.script, keys.parts());
  call.Add(keys).Add(head).Add(commits);
  return call;
}

absl::Status RedisCommitter::Exchange(RedisPool::Loan& loan, const std::vector<Bundle>& bundles, bool again, Way way,
                                      Steady::time_point deadline) {
  const std::string offset = absl::StrCat(absl::ToInt64Microseconds(options_.clock->Offset()));
  const bool waits = options_.replicas > 0;
  // As a transaction Redis carries out all of it before it returns to its loop, where it syncs its file once. It is the
  // same to the callers: a part that fails does not stop the others.
  const bool transaction = bundles.size() > 1 && way == Way::kTogether;
  std::vector<RedisCommand> commands;
  if (transaction) commands.push_back({"MULTI"});
  const RedisCommand head{offset, waits ? "1" : "0", again ? "1" : "0"};
  for (const Bundle& bundle : bundles) commands.push_back(CallOf(*loan.operator->(), bundle, head));
  if (transaction) commands.push_back({"EXEC"});
  const size_t answers_at = transaction ? bundles.size() + 1 : 0;
  if (waits) {
    const auto patience = std::chrono::duration_cast<milliseconds>(deadline - Steady::now()) * 3 / 4;
    commands.push_back(RedisCommand({"WAIT"}).Add(int64_t{options_.replicas}).Add(std::max<int64_t>(1, patience.count())));
  }
  RB_ASSIGN_OR_RETURN(const std::vector<Reply> replies, loan->Send(commands, deadline));

  std::vector<const redisReply*> answers;
  if (transaction) {
    const redisReply& done = *replies[answers_at];
    if (done.type != REDIS_REPLY_ARRAY || done.elements != bundles.size()) {
      // Refused as a whole, nothing was done; the reason is with the first command that was refused.
      for (const Reply& reply : replies) {
        const absl::Status refused = ErrorOf(*reply);
        // A Redis whose memory is full queues nothing, not even what may run then.
        if (absl::IsResourceExhausted(refused)) return Exchange(loan, bundles, again, Way::kOneByOne, deadline);
        RB_RETURN_IF_ERROR(refused);
      }
      return absl::UnavailableError("Redis did not carry out a transaction");
    }
    for (size_t i = 0; i < done.elements; ++i) answers.push_back(done.element[i]);
  } else {
    for (size_t i = 0; i < bundles.size(); ++i) answers.push_back(replies[answers_at + i].get());
  }

  absl::Status durable;
  if (waits && IntOf(*replies.back()) < options_.replicas) {
    durable = absl::UnavailableError(absl::StrCat("the write reached ", IntOf(*replies.back()), " of ",
                                                  options_.replicas, " replicas of Redis in time"));
  }
  for (size_t i = 0; i < bundles.size(); ++i) {
    const redisReply& answer = *answers[i];
    const Bundle& bundle = bundles[i];
    if (answer.type == REDIS_REPLY_ERROR && LostMaster(TextOf(answer))) {
      loan.Distrust();
      return ErrorOf(answer);
    }
    const size_t texts_each = IsCommit(bundle.script) ? 2 : answer.elements;
    for (size_t j = 0; j < bundle.jobs.size(); ++j) {
      RedisAnswer& to = bundle.jobs[j]->answer;
      if (const absl::Status error = ErrorOf(answer); !error.ok()) {
        to = error;
      } else if (answer.type != REDIS_REPLY_ARRAY || answer.elements < (j + 1) * texts_each) {
        to = absl::InternalError("Redis answered a script in another form");
      } else if (!durable.ok()) {
        to = durable;
      } else {
        to = TextsOf(answer, j * texts_each, texts_each);
      }
      // A commit's own first write was refused because this server is no master any more.
      if (to.ok() && IsCommit(bundle.script) && (*to)[0] == "ERROR" && LostMaster((*to)[1])) {
        loan.Distrust();
        return ErrorOfText((*to)[1]);
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace ringback::store
