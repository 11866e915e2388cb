// For tests of this room and of runtime: a SQLite store in a folder of its own with two teams and their tokens, a store
// that can be made to misbehave, and an executor.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/base/mutex.h"
#include "core/base/temp_dir.h"
#include "core/rpc/identity.h"
#include "core/rpc/server.h"
#include "core/store/forwarding_store.h"
#include "core/store/sqlite_store.h"
#include "ringback/store/v1/records.pb.h"

namespace ringback::rpc {

using store::ForwardingStore;

class ThreadExecutor : public Executor {
 public:
  ~ThreadExecutor() override {
    for (std::thread& thread : threads_) thread.join();
  }
  bool Submit(std::function<void()> work) override {
    MutexLock lock(&mutex_);
    if (busy_) return false;
    if (holding_) {
      held_.push_back(std::move(work));
    } else {
      threads_.emplace_back(std::move(work));
    }
    return true;
  }
  // Work waits from now on, as behind a long queue.
  void Hold() {
    MutexLock lock(&mutex_);
    holding_ = true;
  }
  // Does what was held, on the caller's thread. Returns how much there was.
  size_t WorkOff() {
    std::vector<std::function<void()>> held;
    {
      MutexLock lock(&mutex_);
      held.swap(held_);
    }
    for (const auto& work : held) work();
    return held.size();
  }
  void SetBusy(bool busy) {
    MutexLock lock(&mutex_);
    busy_ = busy;
  }

 private:
  Mutex mutex_;
  bool busy_ RB_GUARDED_BY(mutex_) = false;
  bool holding_ RB_GUARDED_BY(mutex_) = false;
  std::vector<std::function<void()>> held_ RB_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ RB_GUARDED_BY(mutex_);
};

class StoreTest : public testing::Test {
 protected:
  StoreTest() : clock_(absl::FromUnixSeconds(1'795'000'000)), random_(NewSeededRandom(7)) {
    store::SqliteOptions options;
    options.path = folder_.File("test.db");
    options.clock = &clock_;
    options.random = random_.get();
    store_ = store::OpenSqliteStore(options).value();
    environment_ = {store_.get(), &clock_, random_.get(), &executor_, nullptr};
  }

  // A team with an active rep, manager and admin and a rep who left: "mbSS" + "rep", "manager", "admin", "gone".
  std::string AddTeam(int shard) {
    store::v1::TeamRecord team;
    team.set_id(NewId(id_prefix::kTeam, shard, *random_));
    const auto add = [&](const char* name, store::v1::Member::Role role, bool inactive) {
      auto* member = team.add_members();
      member->set_id(name);
      member->set_role(role);
      member->set_inactive(inactive);
    };
    add("rep", store::v1::Member::ROLE_REP, false);
    add("manager", store::v1::Member::ROLE_MANAGER, false);
    add("admin", store::v1::Member::ROLE_ADMIN, false);
    add("gone", store::v1::Member::ROLE_REP, true);
    Write({shard, store::Kind::kTeam, team.id()}, team.SerializeAsString());
    return team.id();
  }

  // A token's secret; `change` may edit the record before it is written.
  std::string AddToken(const std::string& team_id, const std::string& member_id,
                       std::function<void(store::v1::TokenRecord*)> change = nullptr) {
    const int shard = team_id.empty() ? 0 : ShardOf(team_id).value();
    const NewToken token = MakeTokenSecret(shard, *random_);
    store::v1::TokenRecord record;
    record.set_id(NewId(id_prefix::kToken, shard, *random_));
    record.set_team_id(team_id);
    record.set_member_id(member_id);
    record.set_role(store::v1::TokenRecord::ROLE_MEMBER);
    if (change) change(&record);
    Write(token.key, record.SerializeAsString());
    return token.secret;
  }
  std::string AddToken(const std::string& team_id, store::v1::TokenRecord::Role role) {
    return AddToken(team_id, "", [role](store::v1::TokenRecord* record) { record->set_role(role); });
  }

  void Write(const store::Key& key, const std::string& value) {
    store::Commit commit;
    commit.shard = key.shard;
    commit.commit_id = NewSecret("t", key.shard, *random_);
    store::Put& put = commit.puts.emplace_back();
    put.key = key;
    put.value = value;
    put.any_version = true;
    ASSERT_TRUE(store_->CommitOnce(commit).ok());
  }

  FakeClock clock_;
  std::unique_ptr<Random> random_;
  const TempDir folder_;
  std::unique_ptr<store::Store> store_;
  ThreadExecutor executor_;
  Environment environment_;
};

}  // namespace ringback::rpc
