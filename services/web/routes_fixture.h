// Routes over a real store and real blobs, with one page that is open.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "core/base/temp_dir.h"
#include "core/store/forwarding_store.h"
#include "core/store/records.h"
#include "core/store/sqlite_store.h"
#include "web/page_fixture.h"
#include "web/routes.h"

namespace ringback::web {

// Counts the reads, or fails them.
class CountingStore : public store::ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  absl::StatusOr<store::Record> Get(const store::Key& key) override {
    ++gets;
    if (!failure.ok()) return failure;
    return ForwardingStore::Get(key);
  }
  absl::StatusOr<std::vector<store::Record>> GetMany(const std::vector<store::Key>& keys) override {
    ++gets;
    if (!failure.ok()) return failure;
    return ForwardingStore::GetMany(keys);
  }
  absl::StatusOr<store::CommitResult> CommitOnce(const store::Commit& commit) override {
    ++commits;
    return ForwardingStore::CommitOnce(commit);
  }

  int gets = 0;
  int commits = 0;
  absl::Status failure;
};

class RoutesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    store::SqliteOptions options;
    options.path = folder_.File("store.db");
    options.clock = &clock_;
    options.random = random_.get();
    auto sqlite = store::OpenSqliteStore(options);
    ASSERT_TRUE(sqlite.ok()) << sqlite.status();
    sqlite_ = *std::move(sqlite);
    store_ = std::make_unique<CountingStore>(sqlite_.get());
    auto blobs = blob::OpenDirectory(folder_.File("blobs"));
    ASSERT_TRUE(blobs.ok()) << blobs.status();
    blobs_ = *std::move(blobs);

    records_ = SomeRecords();
    for (int i = 0; i < 1000; ++i) {
      opus_ += static_cast<char>('a' + i % 26);
      mp3_ += static_cast<char>('0' + i % 10);
    }
    ASSERT_TRUE(blobs_->Put(records_.recording->opus_blob(), opus_).ok());
    ASSERT_TRUE(blobs_->Put(records_.recording->mp3_blob(), mp3_).ok());
    token_ = NewSecret(id_prefix::kPage, 7, *random_);
    Write();

    RouteParts parts;
    parts.store = store_.get();
    parts.blobs = blobs_.get();
    parts.clock = &clock_;
    parts.random = random_.get();
    parts.mail_domain = "hansen.example";
    parts.posts = &posts_;
    parts.cache = &cache_;
    parts.status.ready = [this] { return ready_; };
    parts.status.draining = [this] { return draining_; };
    parts.status.metrics_text = [] { return "ringback_up 1\n"; };
    routes_ = std::make_unique<Routes>(std::move(parts));
  }

  template <typename Message>
  static void Put(const store::Key& key, const Message& message, store::Commit* commit) {
    store::Put put;
    put.key = key;
    put.any_version = true;
    put.value = message.SerializeAsString();
    commit->puts.push_back(std::move(put));
  }
  // Another customer, whom Anna has promised that time.
  void OtherCallOfAnna(absl::Time promised) {
    record::CallbackRecord other = records_.callback;
    other.set_id("cb07bbbbbbbbbbbb");
    *other.mutable_promises(0)->mutable_promised_time() = domain::ToProto(promised);
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret(id_prefix::kLease, 7, *random_);
    Put(*store::CallbackKey(other.id()), other, &commit);
    commit.indexes = store::CallbackIndexes(other);
    ASSERT_TRUE(sqlite_->CommitOnce(commit).ok());
  }
  // What records_ and pass_ say now.
  void Write() {
    pass_.set_team_id(kTeamId);
    pass_.set_callback_id(kCallbackId);
    records_.callback.set_page_token(token_);
    if (pass_.role() == record::TokenRecord::ROLE_UNSPECIFIED) pass_.set_role(record::TokenRecord::ROLE_PAGE);
    store::Commit commit;
    commit.shard = 7;
    commit.commit_id = NewSecret(id_prefix::kLease, 7, *random_);
    Put(*store::PageTokenKey(token_), pass_, &commit);
    Put(*store::CallbackKey(kCallbackId), records_.callback, &commit);
    Put(*store::TeamKey(kTeamId), records_.team, &commit);
    Put(*store::RecordingKey(kRecordingId), *records_.recording, &commit);
    const auto done = sqlite_->CommitOnce(commit);
    ASSERT_TRUE(done.ok()) << done.status();
  }

  HttpResponse Get(const std::string& target) { return Ask("GET", target); }
  HttpResponse Ask(const std::string& method, const std::string& target) {
    HttpRequest request;
    request.method = method;
    request.target = target;
    return routes_->Handle(request);
  }
  HttpResponse GetRange(const std::string& range, const std::string& if_range = "") {
    HttpRequest request;
    request.method = "GET";
    request.target = "/m/" + token_ + "/voice.mp3";
    request.range = range;
    request.if_range = if_range;
    return routes_->Handle(request);
  }
  static std::string BodyOf(const HttpResponse& response) {
    if (!response.source) return response.body;
    return response.source(0, response.source_size).value_or("error");
  }

  const TempDir folder_;
  PageCache cache_{1 << 20};
  FakeClock clock_{Berlin(23, 10)};
  RateLimiter posts_{{.burst = 30, .refill = absl::Seconds(2)}, &clock_};
  std::unique_ptr<Random> random_ = NewSeededRandom(1);
  std::unique_ptr<store::Store> sqlite_;
  std::unique_ptr<CountingStore> store_;
  std::unique_ptr<blob::BlobStore> blobs_;
  PageRecords records_;
  record::TokenRecord pass_;
  std::string token_;
  std::string opus_;
  std::string mp3_;
  absl::Status ready_;
  bool draining_ = false;
  std::unique_ptr<Routes> routes_;
};

}  // namespace ringback::web
