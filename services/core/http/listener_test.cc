#include "core/http/listener.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/mutex.h"

namespace ringback::http {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A client that says exactly what it is told to.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;

  bool connected() const { return connected_; }
  void Say(const std::string& text) { ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  // One answer: header and as much body as it announces (none for HEAD).
  std::string Answer(bool head = false) {
    while (rest_.find("\r\n\r\n") == std::string::npos && Read()) {
    }
    const size_t end = rest_.find("\r\n\r\n");
    if (end == std::string::npos) return std::exchange(rest_, "");
    size_t total = end + 4;
    const size_t length = rest_.find("Content-Length: ");
    if (!head && length != std::string::npos && length < end) total += std::stoul(rest_.substr(length + 16));
    while (rest_.size() < total && Read()) {
    }
    std::string answer = rest_.substr(0, total);
    rest_.erase(0, total);
    return answer;
  }
  // Everything until `text` has come at the start of what is left; false when it does not.
  bool Until(const std::string& text) {
    while (rest_.size() < text.size() && Read()) {
    }
    return rest_.substr(0, text.size()) == text;
  }
  // Everything until the other side closes; "timeout" appended when it does not.
  std::string Rest() {
    while (Read()) {
    }
    return rest_ + (timed_out_ ? "timeout" : "");
  }

 private:
  bool Read() {
    char bytes[65536];
    const ssize_t got = ::recv(socket_, bytes, sizeof bytes, 0);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) timed_out_ = true;
    if (got <= 0) return false;
    rest_.append(bytes, static_cast<size_t>(got));
    return true;
  }

  const int socket_;
  bool connected_ = false;
  bool timed_out_ = false;
  std::string rest_;
};

class ListenerTest : public ::testing::Test {
 protected:
  ~ListenerTest() override {
    if (listener_) listener_->Drain();
    for (std::thread& thread : pool_) thread.join();
  }

  void Start(ListenerOptions options = {}) {
    options.address = "127.0.0.1:0";
    ListenerParts parts;
    parts.handle = [this](const HttpRequest& request) { return Handle(request); };
    parts.submit = [this](std::function<void()> work) {
      if (pool_full_) return false;
      MutexLock lock(&mutex_);
      pool_.emplace_back(std::move(work));
      return true;
    };
    parts.admit_large = [this](const HttpRequest& request) -> std::optional<HttpResponse> {
      if (request.form_token == "right") return std::nullopt;
      return PlainResponse(403, "refused", "not yours\n");
    };
    parts.clock = &clock_;
    parts.finished = [this](const std::string& route, int status, double) {
      MutexLock lock(&mutex_);
      finished_.push_back(absl::StrCat(route, " ", status));
    };
    listener_ = Listener::Create(options, std::move(parts));
    const absl::Status started = listener_->Start();
    ASSERT_TRUE(started.ok()) << started;
  }

  HttpResponse Handle(const HttpRequest& request) {
    if (request.target == "/slow") {
      in_slow_.set_value();
      let_go_.get_future().wait();
    }
    if (request.target == "/big" || request.target == "/broken") {
      HttpResponse response = NewResponse(200, "big");
      response.source_size = 1000000;
      const bool broken = request.target == "/broken";
      response.source = [broken](int64_t offset, int64_t size) -> absl::StatusOr<std::string> {
        if (broken && offset > 500000) return absl::UnavailableError("the disk went away");
        return std::string(static_cast<size_t>(size), static_cast<char>('a' + offset / 100000));
      };
      return response;
    }
    if (request.target == "/live") {
      HttpResponse response = NewResponse(200, "live");
      response.headers.emplace_back("Content-Type", "text/event-stream");
      response.live = live_;
      return response;
    }
    if (request.target.substr(0, 6) == "/takes" && request.method == "POST") {
      return PlainResponse(200, "take", absl::StrCat(request.body.size(), " bytes\n"));
    }
    if (request.target == "/who") return PlainResponse(200, "who", absl::StrCat(request.proxy_member, "\n"));
    if (request.target == "/later") {
      HttpResponse response = PlainResponse(200, "later", "later\n");
      response.no_sooner = std::chrono::milliseconds(150);
      return response;
    }
    if (request.method == "POST") {
      return PlainResponse(200, "post", absl::StrCat(request.body, "|", request.content_type, "|", request.cookie, "|",
                                                     request.origin, "|", request.referer, "|", request.sec_fetch_site,
                                                     "|", request.user_agent, "|", request.host, "|", request.accept, "|", request.accept_encoding,
                                                     "|", request.peer, "|", request.secure ? "https" : "http", "\n"));
    }
    return PlainResponse(200, "plain", absl::StrCat(request.method, " ", request.target, " ", request.range, "\n"));
  }
  static std::string Request(const std::string& target, const std::string& more = "") {
    return absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: x\r\n", more, "\r\n");
  }
  std::string Finished() {
    MutexLock lock(&mutex_);
    return finished_.empty() ? "" : finished_.back();
  }

  FakeClock clock_{absl::FromUnixSeconds(1795435200)};  // Mon, 23 Nov 2026 12:00:00 GMT
  std::atomic<bool> pool_full_ = false;
  std::promise<void> in_slow_;
  std::promise<void> let_go_;
  Mutex mutex_;
  std::vector<std::thread> pool_;
  std::vector<std::string> finished_;
  std::shared_ptr<LiveBody> live_ = std::make_shared<LiveBody>(1 << 20);
  std::unique_ptr<Listener> listener_;
};

TEST_F(ListenerTest, AConnectionServesSeveralRequests) {
  Start();
  RawClient client(listener_->port());
  client.Say(Request("/one", "Range: bytes=0-1\r\n"));
  const std::string first = client.Answer();
  EXPECT_THAT(first, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(first, HasSubstr("Date: Mon, 23 Nov 2026 12:00:00 GMT\r\n"));
  EXPECT_THAT(first, EndsWith("GET /one bytes=0-1\n"));
  client.Say(Request("/two") + Request("/three"));  // pipelined
  EXPECT_THAT(client.Answer(), EndsWith("GET /two \n"));
  EXPECT_THAT(client.Answer(), EndsWith("GET /three \n"));
  EXPECT_EQ(Finished(), "plain 200");
}

TEST_F(ListenerTest, CloseIsHonouredAndHttp10IsAnswered) {
  Start();
  RawClient client(listener_->port());
  client.Say(Request("/one", "Connection: close\r\n"));
  EXPECT_THAT(client.Rest(), EndsWith("GET /one \n"));
  RawClient old(listener_->port());
  old.Say("GET /old HTTP/1.0\r\n\r\n");
  const std::string answer = old.Rest();
  EXPECT_THAT(answer, StartsWith("HTTP/1.0 200"));
  EXPECT_THAT(answer, EndsWith("GET /old \n"));
}

TEST_F(ListenerTest, HeadHasTheLengthAndNoBody) {
  Start();
  RawClient client(listener_->port());
  client.Say("HEAD /one HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string small = client.Answer(true);
  EXPECT_THAT(small, HasSubstr("Content-Length: 11\r\n"));
  client.Say("HEAD /big HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string big = client.Rest();
  EXPECT_THAT(big, HasSubstr("Content-Length: 1000000\r\n"));
  EXPECT_THAT(big, EndsWith("\r\n\r\n"));
}

TEST_F(ListenerTest, LargeBodiesComeInBlocksInOrder) {
  Start();
  RawClient client(listener_->port());
  client.Say(Request("/big"));
  const std::string answer = client.Answer();
  const std::string body = answer.substr(answer.find("\r\n\r\n") + 4);
  ASSERT_EQ(body.size(), 1000000u);
  EXPECT_EQ(body.front(), 'a');
  EXPECT_TRUE(std::is_sorted(body.begin(), body.end()));
  EXPECT_GT(std::set<char>(body.begin(), body.end()).size(), 5u);
  client.Say(Request("/after"));
  EXPECT_THAT(client.Answer(), EndsWith("GET /after \n"));
}

TEST_F(ListenerTest, ABodyThatBreaksOffClosesTheConnection) {
  Start();
  RawClient client(listener_->port());
  client.Say(Request("/broken"));
  const std::string answer = client.Rest();
  EXPECT_THAT(answer, HasSubstr("Content-Length: 1000000\r\n"));
  EXPECT_LT(answer.size(), 1000000u);
  EXPECT_THAT(answer, Not(HasSubstr("timeout")));
}

TEST_F(ListenerTest, BadRequestsAreToldApartAndClosed) {
  Start();
  const std::pair<std::string, std::string> cases[] = {
      {"nonsense\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\n\r\n", "400"},  // no Host
      {"GET / HTTP/1.1\r\nHost: x\r\nBad Field\r\n\r\n", "400"},
      {"GET / HTTP/9.9\r\nHost: x\r\n\r\n", "400"},
      {"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", "400"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n", "413"},
      {"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n", "400"},
      {"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", "400"},  // no Host, and no waiting for the body
      {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "413"},
      {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\nExpect: 100-continue\r\n\r\n", "413"},
      {"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "413"},
      {"GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(17000, 'x') + "\r\n\r\n", "431"},
      {"GET /" + std::string(40000, 'x') + " HTTP/1.1\r\nHost: x\r\n\r\n", "431"},
  };
  for (const auto& [request, status] : cases) {
    RawClient client(listener_->port());
    client.Say(request);
    const std::string answer = client.Rest();
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + status)) << request.substr(0, 60);
    EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
    EXPECT_THAT(answer, Not(HasSubstr("timeout")));
  }
  EXPECT_EQ(Finished(), "refused 431");
}

TEST_F(ListenerTest, APostBringsItsBodyAndWhoSentIt) {
  Start();
  RawClient client(listener_->port());
  const std::string fields =
      "Content-Type: text/plain\r\nCookie: a=1\r\nCookie: b=2\r\nOrigin: https://x\r\nReferer: https://x/r\r\n"
      "Sec-Fetch-Site: same-origin\r\nUser-Agent: test/1\r\nAccept: text/html\r\nAccept-Encoding: gzip\r\n"
      "Accept-Encoding: br;q=0.5\r\nX-Forwarded-For: 198.51.100.1\r\n"
      "X-Forwarded-Proto: https\r\n";
  const std::string told =
      "|text/plain|a=1; b=2|https://x|https://x/r|same-origin|test/1|x|text/html|gzip, br;q=0.5|127.0.0.1|http\n";
  client.Say("POST /in HTTP/1.1\r\nHost: x\r\n" + fields + "Content-Length: 5\r\n\r\nhello" + Request("/after"));
  EXPECT_THAT(client.Answer(), EndsWith("\r\n\r\nhello" + told));
  EXPECT_THAT(client.Answer(), EndsWith("GET /after \n"));
  client.Say("POST /in HTTP/1.1\r\nHost: x\r\n" + fields +
             "Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n");
  EXPECT_THAT(client.Answer(), EndsWith("\r\n\r\nhello" + told));
  client.Say("POST /in HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n");
  EXPECT_THAT(client.Answer(), EndsWith("\r\n\r\n" + told)) << "a button needs no body";
  EXPECT_EQ(Finished(), "post 200");
}

TEST_F(ListenerTest, ABodyOfManyPiecesArrivesWholeUpToTheLimit) {
  Start();
  RawClient client(listener_->port());
  const std::string body(64 << 10, 'b');
  client.Say(absl::StrCat("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ", body.size(), "\r\n\r\n", body));
  EXPECT_THAT(client.Answer(), HasSubstr("\r\n\r\n" + body + "|"));
  // Chunks announce no length: the limit counts what comes.
  std::string chunks;
  for (int i = 0; i < 70; ++i) absl::StrAppend(&chunks, "400\r\n", std::string(1024, 'c'), "\r\n");
  client.Say("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks);
  EXPECT_THAT(client.Rest(), StartsWith("HTTP/1.1 413"));
  EXPECT_EQ(Finished(), "refused 413");
}

TEST_F(ListenerTest, WhoAsksBeforeSendingIsToldToGoOnOrNotTo) {
  Start();
  RawClient client(listener_->port());
  client.Say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.Answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Say("hello");
  EXPECT_THAT(client.Answer(), HasSubstr("\r\n\r\nhello|"));
}

TEST_F(ListenerTest, ProxiesOfOnesOwnSayWhoAsks) {
  ListenerOptions options;
  options.proxies = "127.0.0.0/8";
  Start(options);
  RawClient client(listener_->port());
  client.Say(
      "POST / HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 198.51.100.1\r\n"
      "X-Forwarded-Proto: https\r\n\r\n");
  EXPECT_THAT(client.Answer(), EndsWith("|198.51.100.1|https\n"));
}

TEST_F(ListenerTest, AListenerWithoutBodiesRefusesThem) {
  ListenerOptions options;
  options.body_bytes_max = 0;
  Start(options);
  for (const char* body : {"Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"}) {
    RawClient client(listener_->port());
    client.Say(absl::StrCat("POST / HTTP/1.1\r\nHost: x\r\n", body));
    EXPECT_THAT(client.Rest(), StartsWith("HTTP/1.1 413"));
  }
}

TEST_F(ListenerTest, ABodyThatDripsInIsCutOffOnTime) {
  ListenerOptions options;
  options.idle = std::chrono::milliseconds(200);
  Start(options);
  RawClient client(listener_->port());
  const auto begun = std::chrono::steady_clock::now();
  std::promise<void> closed;
  std::thread dripping([&, over = closed.get_future()] {
    client.Say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n");
    do {
      client.Say("b");
    } while (over.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  });
  EXPECT_EQ(client.Rest(), "");
  closed.set_value();
  dripping.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_F(ListenerTest, AHeaderThatDripsInIsCutOffOnTime) {
  ListenerOptions options;
  options.idle = std::chrono::milliseconds(200);
  Start(options);
  RawClient client(listener_->port());
  // Each byte comes well within the time; all of them do not.
  const auto begun = std::chrono::steady_clock::now();
  std::promise<void> closed;
  std::thread dripping([&, over = closed.get_future()] {
    client.Say("GET / HTTP/1.1\r\n");
    do {
      client.Say("X: y\r\n");
    } while (over.wait_for(std::chrono::milliseconds(20)) == std::future_status::timeout);
  });
  EXPECT_EQ(client.Rest(), "");
  closed.set_value();
  dripping.join();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(5));
}

TEST_F(ListenerTest, SilentConnectionsGiveWayWhenThePlacesAreTaken) {
  ListenerOptions options;
  options.connections_max = 4;
  Start(options);
  std::vector<std::unique_ptr<RawClient>> silent;
  for (int i = 0; i < 12; ++i) {
    silent.push_back(std::make_unique<RawClient>(listener_->port()));
    silent.back()->Say("GET / HTTP/1.1\r\nX: ");
  }
  for (int i = 0; i < 12; ++i) {
    silent.push_back(std::make_unique<RawClient>(listener_->port()));
    silent.back()->Say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nh");
  }
  RawClient honest(listener_->port());
  honest.Say(Request("/honest"));
  EXPECT_THAT(honest.Answer(), EndsWith("GET /honest \n"));
  EXPECT_EQ(silent.front()->Rest(), "");
}

TEST_F(ListenerTest, WithEveryPlaceAtWorkTheNextIsToldToComeBack) {
  ListenerOptions options;
  options.connections_max = 1;
  Start(options);
  RawClient busy(listener_->port());
  busy.Say(Request("/slow"));
  in_slow_.get_future().wait();
  RawClient next(listener_->port());
  EXPECT_THAT(next.Rest(), StartsWith("HTTP/1.1 503"));
  let_go_.set_value();
  EXPECT_THAT(busy.Answer(), EndsWith("GET /slow \n"));
}

TEST_F(ListenerTest, AFullPoolIsToldAndTheConnectionLives) {
  Start();
  RawClient client(listener_->port());
  pool_full_ = true;
  client.Say(Request("/one"));
  EXPECT_THAT(client.Answer(), StartsWith("HTTP/1.1 503"));
  pool_full_ = false;
  client.Say(Request("/one"));
  EXPECT_THAT(client.Answer(), StartsWith("HTTP/1.1 200"));
}

TEST_F(ListenerTest, ABusyHandlerHoldsNobodyElseUp) {
  Start();
  RawClient slow(listener_->port());
  slow.Say(Request("/slow"));
  in_slow_.get_future().wait();
  RawClient quick(listener_->port());
  quick.Say(Request("/quick"));
  EXPECT_THAT(quick.Answer(), EndsWith("GET /quick \n"));
  let_go_.set_value();
  EXPECT_THAT(slow.Answer(), EndsWith("GET /slow \n"));
}

TEST_F(ListenerTest, AnAnswerThatMustNotComeSoonerDoesNotAndHoldsNobodyElseUp) {
  Start();
  RawClient client(listener_->port());
  const auto begun = std::chrono::steady_clock::now();
  client.Say(Request("/later"));
  RawClient quick(listener_->port());
  quick.Say(Request("/quick"));
  EXPECT_THAT(quick.Answer(), EndsWith("GET /quick \n"));
  EXPECT_THAT(client.Answer(), EndsWith("later\n"));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, std::chrono::milliseconds(150));
}

TEST_F(ListenerTest, DrainFinishesWhatIsHeldAndClosesTheRest) {
  Start();
  RawClient idle(listener_->port());
  idle.Say(Request("/one"));
  EXPECT_THAT(idle.Answer(), StartsWith("HTTP/1.1 200"));
  RawClient held(listener_->port());
  held.Say(Request("/slow"));
  in_slow_.get_future().wait();
  std::thread drain([this] { listener_->Drain(); });
  EXPECT_EQ(idle.Rest(), "");
  let_go_.set_value();
  const std::string answer = held.Rest();
  EXPECT_THAT(answer, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(answer, EndsWith("GET /slow \n"));
  drain.join();
  EXPECT_FALSE(RawClient(listener_->port()).connected());
}

TEST_F(ListenerTest, AClientThatLeavesMidAnswerHarmsNobody) {
  Start();
  for (int i = 0; i < 20; ++i) {
    RawClient client(listener_->port());
    client.Say(Request("/big") + Request("/big"));
  }
  RawClient client(listener_->port());
  client.Say(Request("/one"));
  EXPECT_THAT(client.Answer(), StartsWith("HTTP/1.1 200"));
}

TEST(ListenerAddressTest, WhatCannotBeListenedOnIsRefusedInWords) {
  const auto start = [](const std::string& address) {
    FakeClock clock(absl::UnixEpoch());
    ListenerOptions options;
    options.address = address;
    ListenerParts parts;
    parts.clock = &clock;
    return Listener::Create(options, std::move(parts))->Start();
  };
  EXPECT_TRUE(absl::IsInvalidArgument(start("7421")));
  EXPECT_TRUE(absl::IsInvalidArgument(start("127.0.0.1:70000")));
  EXPECT_TRUE(absl::IsInvalidArgument(start("127.0.0.1:http")));
  EXPECT_TRUE(absl::IsFailedPrecondition(start("192.0.2.1:7421")));
  EXPECT_THAT(std::string(start("127.0.0.1").message()), HasSubstr("127.0.0.1:7421"));
  FakeClock clock(absl::UnixEpoch());
  ListenerOptions options;
  options.proxies = "proxy.example";
  ListenerParts parts;
  parts.clock = &clock;
  EXPECT_THAT(std::string(Listener::Create(options, std::move(parts))->Start().message()),
              AllOf(HasSubstr("web.proxies"), HasSubstr("proxy.example")));
}

LiveBody::Block Text(const std::string& text) { return std::make_shared<const std::string>(text); }

TEST_F(ListenerTest, ALiveAnswerIsSentAsItComesUntilItCloses) {
  Start();
  RawClient client(listener_->port());
  client.Say(Request("/live"));
  const std::string header = client.Answer();
  EXPECT_THAT(header, AllOf(HasSubstr("text/event-stream"), HasSubstr("Connection: close"), Not(HasSubstr("Content-Length"))));
  live_->Put(Text("one "));
  EXPECT_TRUE(client.Until("one "));
  live_->Put(Text("two "));
  EXPECT_TRUE(client.Until("one two "));
  live_->Put(Text("end"));
  live_->Close();
  EXPECT_EQ(client.Rest(), "one two end");
}

TEST_F(ListenerTest, ALiveAnswerThatHasNothingToSayStillShowsThatItLives) {
  ListenerOptions options;
  options.beat = std::chrono::milliseconds(20);
  options.beat_text = "beat ";
  Start(options);
  RawClient client(listener_->port());
  client.Say(Request("/live"));
  client.Answer();
  EXPECT_TRUE(client.Until("beat beat "));
}

TEST_F(ListenerTest, AViewerWhoHasGoneLeavesTheBody) {
  ListenerOptions options;
  options.beat = std::chrono::milliseconds(20);
  Start(options);
  {
    RawClient client(listener_->port());
    client.Say(Request("/live"));
    client.Answer();
  }
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!live_->closed() && std::chrono::steady_clock::now() < end) std::this_thread::yield();
  EXPECT_TRUE(live_->closed());
}

TEST_F(ListenerTest, DrainingEndsLiveAnswers) {
  Start();
  RawClient client(listener_->port());
  client.Say(Request("/live"));
  client.Answer();
  listener_->Drain();
  EXPECT_EQ(client.Rest(), "");
  EXPECT_TRUE(live_->closed());
}

TEST_F(ListenerTest, LiveAnswersTakeNoPlaceFromOthersAndHaveAnEndOfTheirOwn) {
  ListenerOptions options;
  options.connections_max = 1;
  options.live_max = 1;
  Start(options);
  RawClient viewer(listener_->port());
  viewer.Say(Request("/live"));
  viewer.Answer();
  RawClient other(listener_->port());
  other.Say(Request("/live"));
  EXPECT_THAT(other.Answer(), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("too many live answers")));
  RawClient third(listener_->port());
  third.Say(Request("/x"));
  EXPECT_THAT(third.Answer(), StartsWith("HTTP/1.1 200"));
}

std::string Post(const std::string& target, size_t size, const std::string& more = "") {
  return absl::StrCat("POST ", target, " HTTP/1.1\r\nHost: x\r\n", more, "Content-Length: ", size, "\r\n\r\n",
                      std::string(size, 'x'));
}
ListenerOptions WithTakes() {
  ListenerOptions options;
  options.large_path = "/takes";
  options.large_bytes_max = 1 << 20;
  return options;
}

TEST_F(ListenerTest, ALargeBodyGoesToItsOwnPathAlone) {
  Start(WithTakes());
  RawClient client(listener_->port());
  client.Say(Post("/takes?id=1", 500000, "X-Ringback-Form: right\r\n"));
  EXPECT_THAT(client.Answer(), HasSubstr("500000 bytes"));
  client.Say(Post("/other", 500000));
  EXPECT_THAT(client.Answer(), StartsWith("HTTP/1.1 413"));
  RawClient larger(listener_->port());
  larger.Say("POST /takes HTTP/1.1\r\nHost: x\r\nX-Ringback-Form: right\r\nContent-Length: 2000000\r\n\r\n");
  EXPECT_THAT(larger.Answer(), StartsWith("HTTP/1.1 413"));
}

TEST_F(ListenerTest, ALargeBodyIsNotReadForWhoMayNotSendIt) {
  Start(WithTakes());
  RawClient client(listener_->port());
  client.Say("POST /takes HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
  EXPECT_THAT(client.Answer(), AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("not yours")));
}

TEST_F(ListenerTest, LargeBodiesAreHeldByFew) {
  ListenerOptions options = WithTakes();
  options.large_max = 0;
  Start(options);
  RawClient client(listener_->port());
  client.Say(Post("/takes", 500000, "X-Ringback-Form: right\r\n"));
  EXPECT_THAT(client.Answer(), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After")));
}

TEST_F(ListenerTest, WhomAProxyHasSignedInIsBelievedFromProxiesAlone) {
  ListenerOptions options;
  options.member_header = "X-Auth-Request-Email";
  options.proxies = "127.0.0.1";
  Start(options);
  RawClient client(listener_->port());
  client.Say(Request("/who", "X-Auth-Request-Email: anna@example.com\r\n"));
  EXPECT_THAT(client.Answer(), HasSubstr("anna@example.com"));
  listener_->Drain();
  options.proxies = "192.0.2.1";
  Start(options);
  RawClient other(listener_->port());
  other.Say(Request("/who", "X-Auth-Request-Email: anna@example.com\r\n"));
  EXPECT_THAT(other.Answer(), Not(HasSubstr("anna@example.com")));
}

}  // namespace
}  // namespace ringback::http
