#include "core/store/sqlite_writer.h"

#include <chrono>
#include <utility>

#include "core/base/status_macros.h"

namespace ringback::store {
namespace {

// Bounds how long the first of a group waits for the last, and the memory of one transaction.
constexpr size_t kGroupMax = 512;
// The callers of the last group come back one by one. Waiting a moment for as many puts them under one fsync again,
// which costs more than the moment; a lone caller never waits.
constexpr std::chrono::microseconds kGatherMax{200};

}  // namespace

SqliteWriter::SqliteWriter(std::unique_ptr<SqliteDb> db) : db_(std::move(db)), thread_([this] { Loop(); }) {}

SqliteWriter::~SqliteWriter() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    work_.NotifyAll();
  }
  thread_.join();
}

void SqliteWriter::Enqueue(const std::vector<Job*>& jobs) {
  Caller caller;
  caller.pending = jobs.size();
  for (Job* job : jobs) job->caller = &caller;
  MutexLock lock(&mutex_);
  queue_.insert(queue_.end(), jobs.begin(), jobs.end());
  if (queue_.size() >= awaited_) work_.NotifyOne();
  while (caller.pending > 0) caller.done.Wait(&mutex_);
}

absl::Status SqliteWriter::Run(Part part) {
  Job job{std::move(part)};
  Enqueue({&job});
  return job.status;
}

absl::Status SqliteWriter::RunAlone(Part part) {
  Job job{std::move(part), /*alone=*/true};
  Enqueue({&job});
  return job.status;
}

std::vector<absl::Status> SqliteWriter::RunAll(std::vector<Part> parts) {
  std::vector<Job> jobs(parts.size());
  std::vector<Job*> pointers;
  for (size_t i = 0; i < parts.size(); ++i) {
    jobs[i].part = std::move(parts[i]);
    pointers.push_back(&jobs[i]);
  }
  Enqueue(pointers);
  std::vector<absl::Status> statuses;
  for (Job& job : jobs) statuses.push_back(std::move(job.status));
  return statuses;
}

std::vector<SqliteWriter::Job*> SqliteWriter::NextGroup() {
  MutexLock lock(&mutex_);
  while (queue_.empty() && !stopping_) work_.Wait(&mutex_);
  if (last_group_ > 1 && queue_.size() < last_group_ && !stopping_) {
    awaited_ = last_group_;
    work_.WaitFor(&mutex_, kGatherMax);
    awaited_ = 1;
  }
  std::vector<Job*> group;
  while (!queue_.empty() && group.size() < kGroupMax) {
    if (queue_.front()->alone && !group.empty()) break;
    group.push_back(queue_.front());
    queue_.pop_front();
    if (group.back()->alone) break;
  }
  last_group_ = group.size();
  return group;
}

void SqliteWriter::Loop() {
  for (std::vector<Job*> group = NextGroup(); !group.empty(); group = NextGroup()) {
    if (group.front()->alone) {
      group.front()->status = group.front()->part(*db_);
    } else {
      RunGroup(group);
    }
    MutexLock lock(&mutex_);
    for (Job* job : group) {
      // The caller and its jobs are gone as soon as it wakes and this lock is free.
      if (--job->caller->pending == 0) job->caller->done.NotifyOne();
    }
  }
}

void SqliteWriter::RunGroup(const std::vector<Job*>& jobs) {
  absl::Status status = Transact(jobs);
  if (status.ok()) return;
  // One part may be the cause (too large for the room that is left): then the others need not suffer. Being locked out
  // is everybody's lot, and waiting again for each would multiply the wait.
  if (jobs.size() == 1 || absl::IsUnavailable(status)) {
    for (Job* job : jobs) job->status = status;
    return;
  }
  for (Job* job : jobs) {
    const absl::Status alone = Transact({job});
    if (!alone.ok()) job->status = alone;
  }
}

absl::Status SqliteWriter::Transact(const std::vector<Job*>& jobs) {
  db_->ClearFailure();
  absl::Status status = db_->Execute("BEGIN IMMEDIATE");
  for (Job* job : jobs) {
    if (!status.ok()) break;
    job->status = job->part(*db_);
    if (db_->failed()) status = job->status.ok() ? absl::InternalError("a failed write went unseen") : job->status;
  }
  if (status.ok()) status = db_->Execute("COMMIT");
  if (!status.ok() && db_->in_transaction()) db_->Execute("ROLLBACK").IgnoreError();
  return status;
}

}  // namespace ringback::store
