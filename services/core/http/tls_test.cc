// The listener over TLS, with certificates made here.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/mutex.h"
#include "core/http/listener.h"

namespace ringback::http {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

// One TLS connection that asks once.
class TlsClient {
 public:
  explicit TlsClient(int port, int version_max = TLS1_3_VERSION, std::string protocols = "") {
    context_.reset(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_security_level(context_.get(), 0);  // so that old versions are offered at all
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context_.get(), version_max);
    ssl_.reset(SSL_new(context_.get()));
    if (!protocols.empty()) {
      SSL_set_alpn_protos(ssl_.get(), reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
    }
    socket_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    SSL_set_fd(ssl_.get(), socket_);
    connected_ = ::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                 SSL_connect(ssl_.get()) == 1;
    ERR_clear_error();
  }
  ~TlsClient() {
    ssl_.reset();
    ::close(socket_);
  }
  bool connected() const { return connected_; }
  std::string Protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return std::string(reinterpret_cast<const char*>(name), size);
  }
  // CN of the certificate it was shown.
  std::string Shown() const {
    const std::unique_ptr<X509, decltype(&X509_free)> shown(SSL_get1_peer_certificate(ssl_.get()), X509_free);
    char name[100] = "";
    if (shown) X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName, name, sizeof name);
    return name;
  }
  void Say(const std::string& text) { SSL_write(ssl_.get(), text.data(), static_cast<int>(text.size())); }
  // Everything until the other side says in TLS that nothing more comes; "cut" appended when it does not say so.
  std::string Rest() {
    std::string rest;
    char bytes[65536];
    int got = 0;
    while ((got = SSL_read(ssl_.get(), bytes, sizeof bytes)) > 0) rest.append(bytes, static_cast<size_t>(got));
    return rest + (SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN ? "" : "cut");
  }

 private:
  std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_{nullptr, SSL_CTX_free};
  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_{nullptr, SSL_free};
  int socket_ = -1;
  bool connected_ = false;
};

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() { std::filesystem::create_directories(folder_); }
  ~TlsTest() override {
    if (listener_) listener_->Drain();
    for (std::thread& thread : pool_) thread.join();
    std::filesystem::remove_all(folder_);
  }

  std::string Path(const std::string& name) const { return absl::StrCat(folder_, "/", name); }
  void MakeCertificate(const std::string& cn, const std::string& name) {
    const std::string command = absl::StrCat(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=", cn, " -keyout ",
        Path(name + ".key"), " -out ", Path(name + ".pem"), " 2>/dev/null");
    ASSERT_EQ(system(command.c_str()), 0);
  }
  static std::string Content(const std::string& path) {
    std::stringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
  }
  // As deployments do it: a new file takes the old one's name.
  void Replace(const std::string& with, const std::string& name) {
    std::filesystem::copy_file(Path(with), Path(name + ".new"));
    std::filesystem::rename(Path(name + ".new"), Path(name));
  }

  absl::Status TryStart(ListenerOptions options = {}) {
    options.address = "127.0.0.1:0";
    options.tls = TlsSource{{Path("a.pem"), Path("a.key")}, [this]() -> absl::StatusOr<TlsPem> {
                              ++loads_;
                              return TlsPem{Content(Path("a.pem")), Content(Path("a.key"))};
                            }};
    ListenerParts parts;
    parts.handle = [](const HttpRequest& request) {
      if (request.target == "/big") {
        HttpResponse response = NewResponse(200, "big");
        response.source_size = 1000000;
        response.source = [](int64_t, int64_t size) { return std::string(static_cast<size_t>(size), 'b'); };
        return response;
      }
      return PlainResponse(200, "plain", absl::StrCat(request.secure ? "https " : "http ", request.body, "\n"));
    };
    parts.submit = [this](std::function<void()> work) {
      MutexLock lock(&mutex_);
      pool_.emplace_back(std::move(work));
      return true;
    };
    parts.clock = &clock_;
    parts.finished = [](const std::string&, int, double) {};
    listener_ = Listener::Create(options, std::move(parts));
    return listener_->Start();
  }
  std::string Shown() { return TlsClient(listener_->port()).Shown(); }
  static std::string Request(const std::string& target) {
    return absl::StrCat("GET ", target, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  }

  const std::string folder_ = absl::StrCat(::testing::TempDir(), "ringback_tls_", getpid());
  FakeClock clock_{absl::FromUnixSeconds(1795435200)};
  std::atomic<int> loads_ = 0;
  Mutex mutex_;
  std::vector<std::thread> pool_;
  std::unique_ptr<Listener> listener_;
};

TEST_F(TlsTest, RequestsAndLargeAnswersTravelEncrypted) {
  MakeCertificate("first", "a");
  ASSERT_TRUE(TryStart().ok());
  TlsClient client(listener_->port());
  client.Say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello" + Request("/big"));
  const std::string answers = client.Rest();
  EXPECT_THAT(answers, HasSubstr("\r\n\r\nhttps hello\n"));
  EXPECT_THAT(answers, HasSubstr("Strict-Transport-Security: max-age=31536000\r\n"));
  EXPECT_THAT(answers, EndsWith("\r\n\r\n" + std::string(1000000, 'b'))) << "closed in TLS, not cut";
}

TEST_F(TlsTest, OldVersionsAndOtherProtocolsAreRefused) {
  MakeCertificate("first", "a");
  ASSERT_TRUE(TryStart().ok());
  EXPECT_FALSE(TlsClient(listener_->port(), TLS1_1_VERSION).connected());
  EXPECT_TRUE(TlsClient(listener_->port(), TLS1_2_VERSION).connected());
  TlsClient chooses(listener_->port(), TLS1_3_VERSION, "\x02h2\x08http/1.1");
  EXPECT_EQ(chooses.Protocol(), "http/1.1");
  EXPECT_FALSE(TlsClient(listener_->port(), TLS1_3_VERSION, "\x02h2").connected());
}

TEST_F(TlsTest, ANewCertificateServesTheNextConnectionWithoutARestart) {
  MakeCertificate("first", "a");
  MakeCertificate("second", "b");
  ASSERT_TRUE(TryStart().ok());
  TlsClient before(listener_->port());
  EXPECT_EQ(before.Shown(), "first");
  Replace("b.key", "a.key");
  Replace("b.pem", "a.pem");
  EXPECT_EQ(Shown(), "second");
  before.Say(Request("/"));
  EXPECT_THAT(before.Rest(), EndsWith("https \n")) << "connections that were open go on";
}

TEST_F(TlsTest, ABrokenNewFileIsLoggedOnceAndTheOldOneGoesOnServing) {
  MakeCertificate("first", "a");
  MakeCertificate("second", "b");
  ASSERT_TRUE(TryStart().ok());
  EXPECT_EQ(Shown(), "first");
  Replace("b.pem", "a.pem");  // the key still is the old one's
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Shown(), "first");
  const std::string log = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
  EXPECT_THAT(log, HasSubstr("goes on serving"));
  EXPECT_EQ(log.find("goes on serving"), log.rfind("goes on serving")) << log;
  EXPECT_EQ(loads_, 2);
  std::filesystem::remove(Path("a.key"));
  EXPECT_EQ(Shown(), "first");
  Replace("b.key", "a.key");
  EXPECT_EQ(Shown(), "second");
}

TEST_F(TlsTest, ACertificateThatDoesNotWorkStopsTheStart) {
  MakeCertificate("first", "a");
  MakeCertificate("second", "b");
  std::filesystem::copy_file(Path("b.key"), Path("a.key"), std::filesystem::copy_options::overwrite_existing);
  EXPECT_TRUE(absl::IsInvalidArgument(TryStart()));
}

TEST_F(TlsTest, AHandshakeThatDoesNotComeIsCutOffOnTime) {
  MakeCertificate("first", "a");
  ListenerOptions options;
  options.idle = std::chrono::milliseconds(200);
  ASSERT_TRUE(TryStart(options).ok());
  const int silent = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(listener_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{20, 0};
  ::setsockopt(silent, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ASSERT_EQ(::connect(silent, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  char byte = 0;
  EXPECT_EQ(::recv(silent, &byte, 1, 0), 0) << "closed by the listener";
  ::close(silent);
}

TEST_F(TlsTest, PlainHttpIsNotAnswered) {
  MakeCertificate("first", "a");
  ASSERT_TRUE(TryStart().ok());
  const int plain = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<uint16_t>(listener_->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(plain, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::string request = Request("/");
  ::send(plain, request.data(), request.size(), MSG_NOSIGNAL);
  std::string answer;
  char bytes[1000];
  ssize_t got = 0;
  while ((got = ::recv(plain, bytes, sizeof bytes, 0)) > 0) answer.append(bytes, static_cast<size_t>(got));
  EXPECT_THAT(answer, Not(HasSubstr("HTTP/1.1 200")));
  ::close(plain);
}

}  // namespace
}  // namespace ringback::http
