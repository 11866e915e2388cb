// The hand-off over real sockets: inproc and loopback TCP. Tests wait for the hand-off's own turns, never for time.
#include "core/handoff/handoff.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zmq.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>

#include "core/base/mutex.h"
#include "core/base/temp_dir.h"
#include "core/handoff/wire.h"

namespace ringback::handoff {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// What all of a test's hand-offs ring.
class Bell {
 public:
  void Ring() {
    MutexLock lock(&mutex_);
    rung_.NotifyAll();
  }
  // True as soon as `sign` is; false after a minute: the test has failed.
  bool Until(const std::function<bool()>& sign) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!sign()) {
      if (std::chrono::steady_clock::now() > end) return false;
      MutexLock lock(&mutex_);
      // Hand-offs turn several times a second even when idle, so that a ring just missed costs little.
      rung_.WaitFor(&mutex_, std::chrono::milliseconds(50));
    }
    return true;
  }

 private:
  Mutex mutex_;
  CondVar rung_;
};

// One program's hand-off and what came of it.
class Node {
 public:
  Node(Bell& bell, Options options) : bell_(bell) {
    options.beat = std::chrono::milliseconds(100);
    options.turned = [this] { bell_.Ring(); };
    options.happened = [this](const char* what) {
      MutexLock lock(&mutex_);
      ++happened_[what];
    };
    auto made = Handoff::Create(std::move(options));
    EXPECT_TRUE(made.ok()) << made.status();
    handoff_ = *std::move(made);
  }
  ~Node() { handoff_.reset(); }

  Handoff& operator*() { return *handoff_; }
  Handoff* operator->() { return handoff_.get(); }

  // Works for stage "s": keeps what arrives, or refuses it.
  void Work(int slots, bool refuses = false) {
    handoff_->Receive("s", [this, refuses](Job job) {
      if (refuses) return handoff_->Refuse(std::move(job));
      MutexLock lock(&mutex_);
      jobs_.push_back(std::move(job));
    });
    handoff_->Announce("s", slots);
  }
  std::vector<Job> jobs() {
    MutexLock lock(&mutex_);
    return jobs_;
  }
  std::vector<std::string> keys() {
    std::vector<std::string> keys;
    for (const Job& job : jobs()) keys.push_back(job.key);
    return keys;
  }
  int happened(const std::string& what) {
    MutexLock lock(&mutex_);
    return happened_[what];
  }
  // Takes a credit as soon as there is one, and sends.
  bool Send(const std::string& key, std::shared_ptr<const std::string> payload = nullptr) {
    std::optional<Ticket> ticket;
    if (!bell_.Until([&] { return (ticket = handoff_->TakeCredit("s")).has_value(); })) return false;
    handoff_->Send(*ticket, {"s", key, "00-trace", std::move(payload)});
    return true;
  }

 private:
  Bell& bell_;
  Mutex mutex_;
  std::vector<Job> jobs_ RB_GUARDED_BY(mutex_);
  std::map<std::string, int> happened_ RB_GUARDED_BY(mutex_);
  std::unique_ptr<Handoff> handoff_;
};

class HandoffTest : public testing::Test {
 protected:
  std::unique_ptr<Node> Producer(Options options = {}) {
    if (options.jobs_listen.empty()) options.jobs_listen = "127.0.0.1:0";
    options.events_listen = "127.0.0.1:0";
    return std::make_unique<Node>(bell_, std::move(options));
  }
  std::unique_ptr<Node> Worker(std::vector<Node*> producers, Options options = {}) {
    for (Node* producer : producers) {
      options.jobs_peers.push_back((*producer)->jobs_address());
      options.events_peers.push_back((*producer)->events_address());
    }
    return std::make_unique<Node>(bell_, std::move(options));
  }
  Bell bell_;
};

TEST_F(HandoffTest, InOneProcessAJobArrivesWithPayloadAndTrace) {
  Node node(bell_, {});
  EXPECT_FALSE(node->TakeCredit("s")) << "nobody works";
  node.Work(1);
  ASSERT_TRUE(node.Send("a", std::make_shared<const std::string>("voice")));
  ASSERT_TRUE(bell_.Until([&] { return !node.jobs().empty(); }));
  const Job job = node.jobs()[0];
  EXPECT_EQ(job.key, "a");
  EXPECT_EQ(job.traceparent, "00-trace");
  EXPECT_EQ(*job.payload, "voice");
  EXPECT_EQ(node->Given("s"), 0);
  EXPECT_FALSE(node->TakeCredit("s")) << "its only slot is in use";
  node->Announce("s", 1);
  EXPECT_TRUE(node.Send("b"));
  ASSERT_TRUE(bell_.Until([&] { return node.jobs().size() == 2; }));
  EXPECT_EQ(node.jobs()[1].payload, nullptr);
}

TEST_F(HandoffTest, OverTheWireJobsSpreadOverTheFreeWorkers) {
  const auto producer = Producer();
  const auto first = Worker({producer.get()}), second = Worker({producer.get()});
  first->Work(1), second->Work(1);
  ASSERT_TRUE(bell_.Until([&] { return (*producer)->Held("s") == 2; }));
  EXPECT_TRUE(producer->Send("a") && producer->Send("b"));
  ASSERT_TRUE(bell_.Until([&] { return first->jobs().size() == 1 && second->jobs().size() == 1; }));
}

TEST_F(HandoffTest, CreditsOverAllProducersNeverExceedTheSlotsAndWanderToWhoWantsThem) {
  std::vector<std::unique_ptr<Node>> producers;
  for (int i = 0; i < 3; ++i) producers.push_back(Producer());
  const auto worker = Worker({producers[0].get(), producers[1].get(), producers[2].get()});
  worker->Work(2);
  ASSERT_TRUE(bell_.Until([&] { return (*worker)->Given("s") == 2; }));
  for (const auto& producer : producers) {
    std::optional<Ticket> ticket;
    ASSERT_TRUE(bell_.Until([&] {
      EXPECT_LE((*worker)->Given("s"), 2);
      return (ticket = (*producer)->TakeCredit("s")).has_value();
    }));
    (*producer)->ReturnCredit(*ticket);
  }
}

TEST_F(HandoffTest, ARefusedJobGoesToAnotherWorker) {
  const auto producer = Producer();
  const auto full = Worker({producer.get()}), free = Worker({producer.get()});
  full->Work(1, /*refuses=*/true);
  ASSERT_TRUE(bell_.Until([&] { return (*producer)->Held("s") == 1; }));
  free->Work(1);
  ASSERT_TRUE(bell_.Until([&] { return (*producer)->Held("s") == 2; }));
  ASSERT_TRUE(producer->Send("a", std::make_shared<const std::string>("voice")));
  ASSERT_TRUE(bell_.Until([&] { return !free->jobs().empty(); }));
  EXPECT_EQ(*free->jobs()[0].payload, "voice");
  EXPECT_EQ(free->jobs()[0].refusals, 1u);
}

TEST_F(HandoffTest, AJobThatNobodyTakesIsLetGo) {
  const auto producer = Producer();
  const auto full = Worker({producer.get()});
  full->Work(1, /*refuses=*/true);
  ASSERT_TRUE(producer->Send("a"));
  EXPECT_TRUE(bell_.Until([&] { return producer->happened("let_go") == 1; }));
}

TEST_F(HandoffTest, ALostWorkersCreditsAreWorthNothing) {
  const auto producer = Producer();
  auto worker = Worker({producer.get()});
  worker->Work(3);
  ASSERT_TRUE(bell_.Until([&] { return (*producer)->Held("s") == 3; }));
  worker.reset();
  EXPECT_TRUE(bell_.Until([&] { return (*producer)->Held("s") == 0; }));
}

TEST_F(HandoffTest, ALostProducersCreditsGoToTheOthersAndItsNextLifeGetsSomeAgain) {
  const auto staying = Producer();
  auto leaving = Producer();
  const std::string address = (*leaving)->jobs_address();
  const auto worker = Worker({staying.get(), leaving.get()});
  worker->Work(2);
  ASSERT_TRUE(bell_.Until([&] { return (*staying)->Held("s") == 1 && (*leaving)->Held("s") == 1; }));
  leaving.reset();
  ASSERT_TRUE(bell_.Until([&] { return worker->happened("lost_producer") > 0; }));
  EXPECT_TRUE(bell_.Until([&] { return (*staying)->Held("s") == 2 && (*worker)->Given("s") == 2; }));
  (*worker)->Announce("s", 3);
  Options again;
  again.jobs_listen = address;
  const auto back = Producer(again);
  EXPECT_TRUE(bell_.Until([&] { return (*back)->Held("s") >= 1; }));
  ASSERT_TRUE(back->Send("a"));
  EXPECT_TRUE(bell_.Until([&] { return worker->keys() == std::vector<std::string>{"a"}; }));
}

TEST_F(HandoffTest, TooLargeAPayloadStaysBehind) {
  const auto producer = Producer();
  const auto worker = Worker({producer.get()});
  worker->Work(2);
  ASSERT_TRUE(producer->Send("fits", std::make_shared<const std::string>(kPayloadMax, 'x')));
  ASSERT_TRUE(producer->Send("large", std::make_shared<const std::string>(kPayloadMax + 1, 'x')));
  ASSERT_TRUE(bell_.Until([&] { return worker->jobs().size() == 2; }));
  EXPECT_EQ(worker->jobs()[0].payload->size(), kPayloadMax);
  EXPECT_EQ(worker->jobs()[1].payload, nullptr);
}

TEST_F(HandoffTest, DroppedJobsCostTheirCreditsUntilTheNextBeatOnly) {
  Options drops;
  drops.drop = Options::Drop::kJobs;
  const auto producer = Producer(drops);
  const auto worker = Worker({producer.get()});
  worker->Work(2);
  for (const char* key : {"a", "b", "c", "d", "e"}) ASSERT_TRUE(producer->Send(key));
  EXPECT_THAT(worker->keys(), IsEmpty());
}

TEST_F(HandoffTest, AWorkerThatEndsTakesItsCreditsBack) {
  const auto producer = Producer();
  const auto worker = Worker({producer.get()});
  worker->Work(2);
  ASSERT_TRUE(bell_.Until([&] { return (*producer)->Held("s") == 2; }));
  (*worker)->StopReceiving("s");
  EXPECT_TRUE(bell_.Until([&] { return (*producer)->Held("s") == 0; }));
}

TEST_F(HandoffTest, ANameThatMeansOtherAddressesIsFollowed) {
  const auto first = Producer();
  const std::string port = (*first)->jobs_address().substr((*first)->jobs_address().rfind(':'));
  Options elsewhere;
  elsewhere.jobs_listen = "127.0.0.2" + port;
  const auto second = Producer(elsewhere);
  std::atomic<int> answers{1};
  Options options;
  options.jobs_peers = {"ringback-ingest" + port};
  options.resolve_every = std::chrono::milliseconds(20);
  options.resolve = [&](const std::string& host) -> absl::StatusOr<std::vector<std::string>> {
    EXPECT_EQ(host, "ringback-ingest");
    switch (answers) {
      case 1: return std::vector<std::string>{"127.0.0.1"};
      case 2: return std::vector<std::string>{"127.0.0.1", "127.0.0.2"};
      case 3: return std::vector<std::string>{"127.0.0.2"};
    }
    return absl::UnavailableError("the name server is away");
  };
  Node worker(bell_, options);
  worker.Work(6);
  ASSERT_TRUE(bell_.Until([&] { return (*first)->Held("s") == 6; }));
  EXPECT_EQ((*second)->Held("s"), 0);
  answers = 2;
  worker->Announce("s", 9);
  ASSERT_TRUE(bell_.Until([&] { return (*second)->Held("s") > 0; }));
  answers = 3;
  ASSERT_TRUE(bell_.Until([&] { return (*first)->Held("s") == 0; }));
  answers = 4;
  ASSERT_TRUE(second->Send("a"));
  EXPECT_TRUE(bell_.Until([&] { return worker.keys() == std::vector<std::string>{"a"}; }));
}

TEST_F(HandoffTest, NudgesCrossProcessesOnceAndWhatIsInternalStaysInside) {
  std::map<std::string, std::atomic<int>> at_two, at_three;  // outlive those who count in them
  for (const char* topic : {"changes/tm07", "changes/last", "due/s", "drain"}) at_two[topic] = at_three[topic] = 0;
  const auto one = Producer();
  Options options;
  options.events_listen = "127.0.0.1:0";
  const auto two = Worker({one.get()}, options);
  Options of_two;
  of_two.events_peers = {(*two)->events_address()};
  const auto three = Worker({}, of_two);
  (*two)->signals().Subscribe("", [&](const std::string& topic) { ++at_two[topic]; });
  (*three)->signals().Subscribe("", [&](const std::string& topic) { ++at_three[topic]; });
  // Subscriptions take a moment to reach the publisher: nudge until they have.
  ASSERT_TRUE(bell_.Until([&] {
    (*one)->signals().Notify("drain");
    (*one)->signals().Notify("changes/tm07");
    return at_two["changes/tm07"] > 0;
  }));
  ASSERT_TRUE(bell_.Until([&] {
    (*two)->signals().Notify("due/s");
    return at_three["due/s"] > 0;
  }));
  const int before = at_two["changes/last"];
  (*one)->signals().Notify("changes/last");
  ASSERT_TRUE(bell_.Until([&] { return at_two["changes/last"] > before; }));
  EXPECT_EQ(at_two["drain"], 0);
  EXPECT_EQ(at_three["changes/tm07"], 0) << "what came from outside is not published again";
}

TEST_F(HandoffTest, WhatCannotBeBoundOrIsNoAddressIsSaid) {
  const auto producer = Producer();
  Options taken;
  taken.jobs_listen = (*producer)->jobs_address();
  const absl::Status jobs = Handoff::Create(taken).status();
  EXPECT_TRUE(absl::IsUnavailable(jobs));
  EXPECT_THAT(std::string(jobs.message()), testing::StartsWith("jobs_listen: cannot listen on 127.0.0.1:"));
  taken = {};
  taken.events_listen = (*producer)->events_address();
  EXPECT_THAT(std::string(Handoff::Create(taken).status().message()), testing::StartsWith("events_listen: "));
  Options wrong;
  wrong.jobs_peers = {"nowhere"};
  EXPECT_TRUE(absl::IsInvalidArgument(Handoff::Create(wrong).status()));
}

// A socket of somebody else's making.
class Stranger {
 public:
  explicit Stranger(int type) : socket_(zmq_socket(context_, type)) {
    const int none = 0;
    zmq_setsockopt(socket_, ZMQ_LINGER, &none, sizeof none);
    zmq_socket_monitor(socket_, "inproc://monitor", ZMQ_EVENT_ALL);
    monitor_ = zmq_socket(context_, ZMQ_PAIR);
    zmq_connect(monitor_, "inproc://monitor");
  }
  ~Stranger() {
    zmq_close(monitor_);
    zmq_close(socket_);
    zmq_ctx_term(context_);
  }
  void UseCurve(const std::string& server_public, const CurvePair& own) {
    zmq_setsockopt(socket_, ZMQ_CURVE_SERVERKEY, server_public.c_str(), 40);
    zmq_setsockopt(socket_, ZMQ_CURVE_PUBLICKEY, own.public_key.c_str(), 40);
    zmq_setsockopt(socket_, ZMQ_CURVE_SECRETKEY, own.secret_key.c_str(), 40);
  }
  void Connect(const std::string& address) { ASSERT_EQ(zmq_connect(socket_, ("tcp://" + address).c_str()), 0); }
  void Send(const std::string& bytes) { ASSERT_GE(zmq_send(socket_, bytes.data(), bytes.size(), 0), 0); }

  // How the first attempt to come in ended.
  bool LetIn() {
    for (;;) {
      zmq_msg_t event, address;
      zmq_msg_init(&event);
      zmq_msg_init(&address);
      EXPECT_GE(zmq_msg_recv(&event, monitor_, 0), 0);
      EXPECT_GE(zmq_msg_recv(&address, monitor_, 0), 0);
      uint16_t what = 0;
      std::memcpy(&what, zmq_msg_data(&event), sizeof what);
      zmq_msg_close(&event);
      zmq_msg_close(&address);
      if (what == ZMQ_EVENT_HANDSHAKE_SUCCEEDED) return true;
      if (what == ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL || what == ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL ||
          what == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH || what == ZMQ_EVENT_DISCONNECTED) {
        return false;
      }
    }
  }

 private:
  void* const context_ = zmq_ctx_new();
  void* const socket_;
  void* monitor_;
};

TEST_F(HandoffTest, FramesOfAnotherVersionAreIgnoredAndHarmNobody) {
  const auto producer = Producer();
  const auto worker = Worker({producer.get()});
  worker->Work(1);
  Stranger newer(ZMQ_DEALER);
  newer.Connect((*producer)->jobs_address());
  std::string frame = Encode(Frame{});
  frame[2] = 2;
  newer.Send(frame);
  newer.Send("");
  ASSERT_TRUE(bell_.Until([&] { return producer->happened("ignored") == 2; }));
  ASSERT_TRUE(producer->Send("a"));
  EXPECT_TRUE(bell_.Until([&] { return worker->keys() == std::vector<std::string>{"a"}; }));
}

class CurveTest : public HandoffTest {
 protected:
  CurveTest() { Allow({friend_.public_key}); }

  void Allow(const std::vector<std::string>& keys) {
    std::ofstream out(folder_.File("next"));
    out << "# programs of this installation\n\n";
    for (const std::string& key : keys) out << key << " # a comment\n";
    out.close();
    std::filesystem::rename(folder_.File("next"), folder_.File("allowed"));
  }
  Options With(const CurvePair& client) {
    Options options;
    options.curve = CurveKeys{server_.secret_key, client.secret_key, folder_.File("allowed")};
    return options;
  }

  const TempDir folder_;
  const CurvePair server_ = NewCurvePair(), friend_ = NewCurvePair(), stranger_ = NewCurvePair();
};

TEST_F(CurveTest, WithTheRightKeysJobsAndNudgesTravel) {
  std::atomic<int> nudges{0};
  const auto producer = Producer(With(friend_));
  const auto worker = Worker({producer.get()}, With(friend_));
  worker->Work(2);
  ASSERT_TRUE(producer->Send("a", std::make_shared<const std::string>("voice")));
  ASSERT_TRUE(bell_.Until([&] { return worker->jobs().size() == 1; }));
  EXPECT_EQ(*worker->jobs()[0].payload, "voice");
  (*worker)->signals().Subscribe("changes/", [&](const std::string&) { ++nudges; });
  EXPECT_TRUE(bell_.Until([&] {
    (*producer)->signals().Notify("changes/tm07");
    return nudges > 0;
  }));
}

TEST_F(CurveTest, NoKeyWrongServerKeyAndUnlistedKeyAreRefusedAtBothDoors) {
  const auto producer = Producer(With(friend_));
  const std::pair<int, std::string> doors[] = {{ZMQ_DEALER, (*producer)->jobs_address()},
                                               {ZMQ_SUB, (*producer)->events_address()}};
  for (const auto& [type, address] : doors) {
    {
      Stranger without(type);
      without.Connect(address);
      EXPECT_FALSE(without.LetIn());
    }
    {
      Stranger wrong_server(type);
      wrong_server.UseCurve(NewCurvePair().public_key, friend_);
      wrong_server.Connect(address);
      EXPECT_FALSE(wrong_server.LetIn());
    }
    {
      Stranger unlisted(type);
      unlisted.UseCurve(server_.public_key, stranger_);
      unlisted.Connect(address);
      EXPECT_FALSE(unlisted.LetIn());
    }
    Stranger listed(type);
    listed.UseCurve(server_.public_key, friend_);
    listed.Connect(address);
    EXPECT_TRUE(listed.LetIn()) << "the other three fail for their keys only";
  }
  EXPECT_GE(producer->happened("turned_away"), 2);
}

TEST_F(HandoffTest, AProducerThatIsCalledInVainIsToldOnce) {
  const auto producer = Producer();
  std::string nobody;
  {
    const auto gone = Producer();
    nobody = (*gone)->jobs_address();
  }
  Options options;
  options.jobs_peers = {nobody};
  const auto worker = Worker({producer.get()}, options);
  worker->Work(1);
  ASSERT_TRUE(bell_.Until([&] { return worker->happened("unanswered") == 1; }));
  EXPECT_TRUE(producer->Send("a")) << "the other one is there";
  Options late;
  late.jobs_listen = nobody;
  const auto came = Producer(late);
  (*worker)->Announce("s", 3);
  ASSERT_TRUE(bell_.Until([&] { return (*came)->Held("s") > 0; }));
  EXPECT_EQ(worker->happened("unanswered"), 1);
}

TEST_F(CurveTest, KeysThatDoNotFitAreToldWhereTheyAreUsed) {
  const auto producer = Producer(With(friend_));
  Options other_installation = With(friend_);
  other_installation.curve->server_secret = NewCurvePair().secret_key;
  for (const Options& options : {With(stranger_), other_installation, Options()}) {
    const auto worker = Worker({producer.get()}, options);
    worker->Work(1);
    EXPECT_TRUE(bell_.Until([&] { return worker->happened("unanswered") == 1; }));
  }
}

TEST_F(CurveTest, AKeyAddedToTheListIsLetInWithoutARestart) {
  std::atomic<int> nudges{0};
  const auto producer = Producer(With(friend_));
  const auto worker = Worker({producer.get()}, With(stranger_));
  (*worker)->signals().Subscribe("changes/", [&](const std::string&) { ++nudges; });
  worker->Work(2);
  ASSERT_TRUE(bell_.Until([&] { return producer->happened("turned_away") >= 2; }));
  EXPECT_EQ((*producer)->Held("s"), 0);
  Allow({friend_.public_key, stranger_.public_key});
  EXPECT_TRUE(bell_.Until([&] { return (*producer)->Held("s") > 0; }));
  EXPECT_TRUE(bell_.Until([&] {
    (*producer)->signals().Notify("changes/tm07");
    return nudges > 0;
  }));
}

TEST_F(CurveTest, ABrokenListKeepsTheOldOne) {
  AllowedKeys allowed(folder_.File("allowed"));
  ASSERT_TRUE(allowed.Load().ok());
  EXPECT_TRUE(allowed.AllowsText(friend_.public_key));
  EXPECT_FALSE(allowed.AllowsText(stranger_.public_key));
  Allow({"no key"});
  EXPECT_TRUE(allowed.AllowsText(friend_.public_key));
  EXPECT_THAT(std::string(allowed.Load().message()), testing::HasSubstr("allowed:3"));
  Allow({});
  EXPECT_FALSE(allowed.AllowsText(friend_.public_key));
}

TEST_F(CurveTest, WhatIsNoKeyIsSaid) {
  Options options = With({"", "short"});
  EXPECT_TRUE(absl::IsInvalidArgument(Handoff::Create(options).status()));
  options = With(friend_);
  options.curve->allowed_keys_file = folder_.File("nothing");
  EXPECT_TRUE(absl::IsInvalidArgument(Handoff::Create(options).status()));
  options.curve->allowed_keys_file = folder_.File("");
  EXPECT_TRUE(absl::IsInvalidArgument(Handoff::Create(options).status())) << "a folder lists nobody";
}

}  // namespace
}  // namespace ringback::handoff
