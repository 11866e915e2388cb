// The one thread that writes. Whatever waits goes into one transaction and so shares one fsync; each caller's part
// succeeds or is refused on its own. What the parts do is said in sqlite_commit and sqlite_due.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "core/base/mutex.h"
#include "core/store/sqlite_db.h"

namespace ringback::store {

// Thread-safe. The destructor finishes what was queued.
class SqliteWriter {
 public:
  // One caller's part of a transaction. Must decide by reads before its first write: a refusal it returns (a status
  // while db.failed() is false) leaves the others' writes standing, so nothing of its own may have been written. May run
  // more than once, so it sets its outputs anew each time.
  using Part = std::function<absl::Status(SqliteDb& db)>;

  explicit SqliteWriter(std::unique_ptr<SqliteDb> db);
  ~SqliteWriter();

  // Returns when the part is durable (OK) or was refused. RESOURCE_EXHAUSTED: nothing of it was written.
  absl::Status Run(Part part);
  // The same for many; results in their order.
  std::vector<absl::Status> RunAll(std::vector<Part> parts);
  // Runs alone and outside any transaction (checkpoints, scrubbing).
  absl::Status RunAlone(Part part);

 private:
  // A caller that waits; woken once, when all of its jobs are done.
  struct Caller {
    size_t pending = 0;
    CondVar done;
  };
  struct Job {
    Part part;
    bool alone = false;
    absl::Status status;
    Caller* caller = nullptr;
  };

  void Enqueue(const std::vector<Job*>& jobs);
  void Loop();
  // Takes the next group from the queue; empty when the writer is to end.
  std::vector<Job*> NextGroup();
  void RunGroup(const std::vector<Job*>& jobs);
  // The transaction itself; not OK: rolled back, for all of them.
  absl::Status Transact(const std::vector<Job*>& jobs);

  const std::unique_ptr<SqliteDb> db_;  // the thread's own
  Mutex mutex_;
  CondVar work_;  // the queue has reached awaited_, or stopping_
  std::deque<Job*> queue_ RB_GUARDED_BY(mutex_);
  size_t awaited_ RB_GUARDED_BY(mutex_) = 1;
  size_t last_group_ RB_GUARDED_BY(mutex_) = 1;
  bool stopping_ RB_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace ringback::store
