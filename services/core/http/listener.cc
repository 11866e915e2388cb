#include "core/http/listener.h"

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/version.hpp>
#include <list>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "core/base/log.h"
#include "core/base/status_macros.h"
#include "core/http/client_address.h"
#include "core/http/tls_context.h"

namespace ringback::http {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace beast_http = boost::beast::http;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

constexpr char kNoBody[] = "a request has no body here\n";
constexpr char kTooLarge[] = "the body of the request is too large\n";

HttpResponse Busy(std::string text) {
  HttpResponse response = PlainResponse(503, "refused", std::move(text));
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

auto Into(error_code& error) { return asio::redirect_error(asio::use_awaitable, error); }

// Calls `io` with whatever the connection's bytes go through.
template <typename Connection, typename Io>
auto Through(Connection& connection, Io io) {
  return connection.tls ? io(*connection.tls) : io(connection.stream);
}

struct HostPort {
  std::string host;
  uint16_t port = 0;
};

absl::StatusOr<HostPort> ParseAddress(const std::string& key, const std::string& text) {
  HostPort parsed;
  uint32_t port = 0;
  const size_t colon = text.rfind(':');
  if (colon == std::string::npos || !absl::SimpleAtoi(text.substr(colon + 1), &port) || port > 65535) {
    return absl::InvalidArgumentError(
        absl::StrCat(key, ": '", text, "' is no address; it looks like 127.0.0.1:7421, [::1]:7421 or :7421"));
  }
  parsed.host = text.substr(0, colon);
  if (absl::StartsWith(parsed.host, "[") && absl::EndsWith(parsed.host, "]")) {
    parsed.host = parsed.host.substr(1, parsed.host.size() - 2);
  }
  if (parsed.host.empty() || parsed.host == "*") parsed.host = "0.0.0.0";
  parsed.port = static_cast<uint16_t>(port);
  return parsed;
}

using Header = beast_http::request_header<>;
using Parser = beast_http::request_parser<beast_http::string_body>;

std::string_view View(beast::string_view text) { return {text.data(), text.size()}; }

std::string Field(const Header& header, beast_http::field name) { return std::string(View(header[name])); }

// A field that may be sent several times, as one list.
std::string Joined(const Header& header, beast::string_view name, std::string_view separator) {
  std::string list;
  const auto [begin, end] = header.equal_range(name);
  for (auto it = begin; it != end; ++it) {
    if (!list.empty()) list += separator;
    list += View(it->value());
  }
  return list;
}

HttpRequest RequestOf(Parser& parser) {
  using beast_http::field;
  const Header& header = parser.get().base();
  HttpRequest request;
  request.method = View(header.method_string());
  request.target = View(header.target());
  request.host = Field(header, field::host);
  request.accept = Joined(header, "Accept", ", ");
  request.accept_encoding = Joined(header, "Accept-Encoding", ", ");
  request.accept_language = Field(header, field::accept_language);
  request.user_agent = Field(header, field::user_agent);
  request.range = Field(header, field::range);
  request.if_range = Field(header, field::if_range);
  request.if_none_match = Field(header, field::if_none_match);
  request.cookie = Joined(header, "Cookie", "; ");
  request.origin = Field(header, field::origin);
  request.referer = Field(header, field::referer);
  request.sec_fetch_site = View(header["Sec-Fetch-Site"]);
  request.content_type = Field(header, field::content_type);
  request.form_token = View(header["X-Ringback-Form"]);
  request.last_event_id = View(header["Last-Event-ID"]);
  request.twilio_signature = View(header["X-Twilio-Signature"]);
  request.sipgate_signature = View(header["X-Sipgate-Signature"]);
  request.hook_secret = View(header["X-Ringback-Secret"]);
  request.body = std::move(parser.get().body());
  return request;
}

class BeastListener : public Listener {
 public:
  BeastListener(ListenerOptions options, ListenerParts parts)
      : options_(std::move(options)), parts_(std::move(parts)), drain_timer_(io_), acceptor_(io_) {}
  ~BeastListener() override { Drain(); }

  absl::Status Start() override;
  void Drain() override;
  int port() const override { return port_; }

 private:
  using TlsStream = asio::ssl::stream<beast::tcp_stream&>;
  // One connection. Touched by the listener's thread alone, as everything below but thread_.
  struct Connection {
    explicit Connection(tcp::socket socket) : stream(std::move(socket)) {}
    beast::tcp_stream stream;      // its time-outs and its end are the connection's, with TLS too
    std::shared_ptr<asio::ssl::context> certificate;  // outlives tls
    std::optional<TlsStream> tls;  // on top of stream; what is read and written goes through it
    std::string address;  // of the other side, which may be a proxy
    std::list<Connection*>::iterator in_all;
    std::optional<std::list<Connection*>::iterator> in_waiting;
  };

  awaitable<void> Accept();
  awaitable<void> Serve(tcp::socket socket);
  awaitable<bool> Handshake(Connection& connection);
  awaitable<bool> ServeOne(Connection& connection, beast::flat_buffer& buffer);
  awaitable<error_code> Read(Connection& connection, beast::flat_buffer& buffer, Parser& parser,
                             std::optional<HttpResponse>& refusal);
  awaitable<void> ReadLarge(Connection& connection, beast::flat_buffer& buffer, Parser& parser, error_code& error,
                            std::optional<HttpResponse>& refusal);
  std::optional<HttpResponse> Refusal(const error_code& error, const Parser& parser) const;
  bool IsLarge(const Parser& parser) const;
  HttpRequest Asked(const Connection& connection, Parser& parser) const;
  void AddPeer(const Connection& connection, const Header& header, HttpRequest* request) const;
  awaitable<bool> Send(Connection& connection, const HttpResponse& response, bool head, unsigned version, bool keep);
  awaitable<bool> SendLive(Connection& connection, LiveBody& live);
  awaitable<void> Linger(Connection& connection);
  awaitable<HttpResponse> Ask(HttpRequest request);
  // Runs `work` on the pool and waits for it without holding the thread. False: the pool took none.
  awaitable<bool> OnPool(std::function<void()> work);

  bool MakeRoom();
  void StartWaiting(Connection& connection) {
    connection.in_waiting = waiting_.insert(waiting_.end(), &connection);
  }
  void StopWaiting(Connection& connection) {
    if (connection.in_waiting.has_value()) waiting_.erase(*connection.in_waiting);
    connection.in_waiting.reset();
  }

  const ListenerOptions options_;
  const ListenerParts parts_;
  Proxies proxies_;  // written by Start, before the thread
  std::unique_ptr<TlsContext> tls_;
  asio::io_context io_{1};
  asio::steady_timer drain_timer_;
  tcp::acceptor acceptor_;
  std::list<Connection*> all_;
  std::list<Connection*> waiting_;  // for a complete request header; longest first
  std::list<LiveBody*> live_;       // being sent
  int large_ = 0;                   // bodies being read
  bool draining_ = false;
  int port_ = 0;
  std::thread thread_;
};

absl::Status BeastListener::Start() {
  RB_ASSIGN_OR_RETURN(const HostPort address, ParseAddress(options_.key, options_.address));
  auto proxies = Proxies::Parse(options_.proxies);
  if (!proxies.ok()) {
    return absl::InvalidArgumentError(absl::StrCat(options_.proxies_key, ": ", proxies.status().message()));
  }
  proxies_ = *std::move(proxies);
  if (options_.tls) {
    RB_ASSIGN_OR_RETURN(tls_, TlsContext::Create(*options_.tls));
  }
  error_code error;
  tcp::resolver resolver(io_);
  const auto found = resolver.resolve(address.host, absl::StrCat(address.port), tcp::resolver::passive, error);
  if (error || found.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(options_.key, ": cannot find the host '", address.host, "': ", error.message()));
  }
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::FailedPreconditionError(absl::StrCat(options_.key, ": cannot listen on ", options_.address, ": ",
                                                      error.message(),
                                                      "; is another ringback running, or is the address not this machine's?"));
  }
  port_ = acceptor_.local_endpoint().port();
  asio::co_spawn(io_, Accept(), asio::detached);
  thread_ = std::thread([this] { io_.run(); });
  return absl::OkStatus();
}

void BeastListener::Drain() {
  if (!thread_.joinable()) return;
  asio::post(io_, [this] {
    draining_ = true;
    error_code ignored;
    acceptor_.close(ignored);
    for (Connection* connection : waiting_) connection->stream.cancel();
    for (LiveBody* live : live_) live->Close();
    if (all_.empty()) return;
    drain_timer_.expires_after(options_.drain);
    drain_timer_.async_wait([this](error_code error) {
      if (error) return;
      for (Connection* connection : all_) connection->stream.close();
    });
  });
  // run() returns once the acceptor and every connection are gone.
  thread_.join();
}

awaitable<void> BeastListener::Accept() {
  while (!draining_) {
    error_code error;
    tcp::socket socket = co_await acceptor_.async_accept(Into(error));
    if (error == asio::error::operation_aborted) break;
    if (error) {
      // Out of file descriptors or the like: the backlog keeps the caller while others go.
      RB_LOG_WARN("http: accept: {}", error.message());
      asio::steady_timer pause(io_, std::chrono::milliseconds(100));
      co_await pause.async_wait(Into(error));
      continue;
    }
    asio::co_spawn(io_, Serve(std::move(socket)), asio::detached);
  }
}

// True when the newest connection (already in all_) has a place.
bool BeastListener::MakeRoom() {
  if (static_cast<int>(all_.size() - live_.size()) <= options_.connections_max) return true;
  if (waiting_.empty()) return false;
  Connection* longest = waiting_.front();
  StopWaiting(*longest);
  longest->stream.cancel();
  return true;
}

awaitable<void> BeastListener::Serve(tcp::socket socket) {
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  const tcp::endpoint other = socket.remote_endpoint(ignored);
  Connection connection(std::move(socket));
  connection.address = other.address().to_string();
  connection.in_all = all_.insert(all_.end(), &connection);
  if (MakeRoom()) {
    beast::flat_buffer buffer(options_.header_bytes_max + 4096);
    bool more = tls_ == nullptr || co_await Handshake(connection);
    while (more) more = co_await ServeOne(connection, buffer);
  } else if (tls_ == nullptr) {  // a handshake would cost more than the answer is worth
    const HttpResponse full = PlainResponse(503, "refused", "too many connections\n");
    co_await Send(connection, full, false, 11, false);
    parts_.finished(full.route, full.status, 0);
  }
  connection.stream.socket().shutdown(tcp::socket::shutdown_both, ignored);
  connection.stream.close();
  all_.erase(connection.in_all);
  if (draining_ && all_.empty()) drain_timer_.cancel();
}

awaitable<bool> BeastListener::Handshake(Connection& connection) {
  connection.certificate = tls_->Current();
  connection.tls.emplace(connection.stream, *connection.certificate);
  error_code error;
  StartWaiting(connection);
  connection.stream.expires_after(options_.idle);
  co_await connection.tls->async_handshake(TlsStream::server, Into(error));
  StopWaiting(connection);
  co_return !error;
}

// One request and its answer. False: the connection is to be closed.
awaitable<bool> BeastListener::ServeOne(Connection& connection, beast::flat_buffer& buffer) {
  if (draining_) co_return false;
  Parser parser;
  parser.header_limit(static_cast<uint32_t>(options_.header_bytes_max));
  // Which of the two it is, the header will say.
  parser.body_limit(std::max(options_.body_bytes_max, options_.large_bytes_max));
  StartWaiting(connection);
  std::optional<HttpResponse> refusal;
  const error_code error = co_await Read(connection, buffer, parser, refusal);
  StopWaiting(connection);
  const auto begun = std::chrono::steady_clock::now();
  // Only what was sent and is wrong gets an answer; time-outs and hung-up connections are closed.
  if (error && (error.category() != beast_http::make_error_code(beast_http::error::bad_method).category() ||
                error == beast_http::error::end_of_stream || error == beast_http::error::partial_message)) {
    co_return false;
  }

  const Header& header = parser.get().base();
  bool keep = false;
  HttpResponse response;
  if (!refusal) refusal = Refusal(error, parser);
  if (refusal) {
    response = *std::move(refusal);
  } else {
    keep = parser.keep_alive();
    response = co_await Ask(Asked(connection, parser));
    if (response.live && static_cast<int>(live_.size()) >= options_.live_max) {
      response.live->Leave();
      response = Busy("too many live answers\n");
    }
    if (begun + response.no_sooner > std::chrono::steady_clock::now()) {
      asio::steady_timer pause(io_, begun + response.no_sooner);
      error_code ignored;
      co_await pause.async_wait(Into(ignored));
    }
  }

  keep = keep && !draining_ && response.live == nullptr;
  const bool head = header.method() == beast_http::verb::head;
  const unsigned version = !error && header.version() == 10 ? 10 : 11;
  const bool sent = co_await Send(connection, response, head, version, keep);
  if (response.live) response.live->Leave();  // also when nothing of it was sent
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  parts_.finished(response.route, response.status, took.count());
  if (sent && !keep) co_await Linger(connection);
  co_return sent && keep;
}

// A header and, where one is wanted and none of it is refused, the body behind it.
awaitable<error_code> BeastListener::Read(Connection& connection, beast::flat_buffer& buffer, Parser& parser,
                                          std::optional<HttpResponse>& refusal) {
  error_code error;
  connection.stream.expires_after(options_.idle);
  co_await Through(connection, [&](auto& stream) {
    return beast_http::async_read_header(stream, buffer, parser, Into(error));
  });
  if (!error) refusal = Refusal(error, parser);
  if (error || refusal || parser.is_done()) co_return error;
  const bool large = IsLarge(parser);
  if (!large) parser.body_limit(options_.body_bytes_max);
  if (large && large_ >= options_.large_max) refusal = Busy("too many large requests at once; please try again\n");
  if (large && !refusal) {
    const HttpRequest announced = Asked(connection, parser);
    const bool ran = co_await OnPool([&] { refusal = parts_.admit_large(announced); });
    if (!ran) refusal = Busy("busy; please try again\n");
  }
  if (refusal) co_return error;
  connection.stream.expires_after(options_.idle);
  if (beast::iequals(parser.get()[beast_http::field::expect], "100-continue")) {
    static constexpr std::string_view kGoOn = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await Through(connection, [&](auto& stream) { return asio::async_write(stream, asio::buffer(kGoOn), Into(error)); });
    if (error) co_return error;
  }
  if (large) {
    // Complete enough not to give way to others.
    StopWaiting(connection);
    ++large_;
    co_await ReadLarge(connection, buffer, parser, error, refusal);
    --large_;
    co_return error;
  }
  co_await Through(connection, [&](auto& stream) { return beast_http::async_read(stream, buffer, parser, Into(error)); });
  co_return error;
}

// As long as something comes, within the whole time for it.
awaitable<void> BeastListener::ReadLarge(Connection& connection, beast::flat_buffer& buffer, Parser& parser, error_code& error,
                                         std::optional<HttpResponse>& refusal) {
  const auto end = std::chrono::steady_clock::now() + options_.large;
  while (!error && !parser.is_done() && !draining_) {
    if (std::chrono::steady_clock::now() > end) {
      refusal = PlainResponse(408, "refused", "the body of the request took too long\n");
      co_return;
    }
    connection.stream.expires_after(options_.idle);
    co_await Through(connection, [&](auto& stream) { return beast_http::async_read_some(stream, buffer, parser, Into(error)); });
  }
  if (!error && !parser.is_done()) error = beast_http::error::partial_message;
}

bool BeastListener::IsLarge(const Parser& parser) const {
  const std::string_view target = View(parser.get().target());
  return !options_.large_path.empty() && parser.get().method() == beast_http::verb::post &&
         target.substr(0, target.find('?')) == options_.large_path;
}

HttpRequest BeastListener::Asked(const Connection& connection, Parser& parser) const {
  HttpRequest request = RequestOf(parser);
  AddPeer(connection, parser.get().base(), &request);
  return request;
}

// What the listener itself has against a request; nullopt: nothing.
std::optional<HttpResponse> BeastListener::Refusal(const error_code& error, const Parser& parser) const {
  if (error == beast_http::error::body_limit) {
    const bool none = options_.body_bytes_max == 0 || parser.get().method() != beast_http::verb::post;
    return PlainResponse(413, "refused", none ? kNoBody : kTooLarge);
  }
  if (error == beast_http::error::header_limit || error == beast_http::error::buffer_overflow) {
    return PlainResponse(431, "refused", "the request header is too large\n");
  }
  const Header& header = parser.get().base();
  if (error) return PlainResponse(400, "refused", "this is no HTTP/1.1 request\n");
  if (header.version() == 11 && header[beast_http::field::host].empty()) {
    return PlainResponse(400, "refused", "the Host header is missing\n");
  }
  const bool body = parser.chunked() || parser.content_length().value_or(0) > 0;
  if (body && (header.method() != beast_http::verb::post || options_.body_bytes_max == 0)) {
    return PlainResponse(413, "refused", kNoBody);
  }
  if (parser.content_length().value_or(0) > options_.body_bytes_max && !IsLarge(parser)) {
    return PlainResponse(413, "refused", kTooLarge);
  }
  return std::nullopt;
}

void BeastListener::AddPeer(const Connection& connection, const Header& header, HttpRequest* request) const {
  request->peer = proxies_.ClientAddress(connection.address, Joined(header, "X-Forwarded-For", ","));
  const bool secure_before = proxies_.Has(connection.address) && beast::iequals(header["X-Forwarded-Proto"], "https");
  request->secure = connection.tls.has_value() || secure_before;
  if (!options_.member_header.empty() && proxies_.Has(connection.address)) {
    request->proxy_member = View(header[options_.member_header]);
  }
}

awaitable<bool> BeastListener::Send(Connection& connection, const HttpResponse& response, bool head, unsigned version,
                                    bool keep) {
  beast_http::response<beast_http::string_body> message(static_cast<beast_http::status>(response.status), version);
  message.keep_alive(keep);
  message.set(beast_http::field::server, "ringback");
  message.set(beast_http::field::date,
              absl::FormatTime("%a, %d %b %Y %H:%M:%S GMT", parts_.clock->Now(), absl::UTCTimeZone()));
  if (connection.tls) message.set(beast_http::field::strict_transport_security, "max-age=31536000");
  for (const auto& [name, value] : response.headers) message.insert(name, value);
  const int64_t size = response.source ? response.source_size : static_cast<int64_t>(response.body.size());
  // A live answer's end is the connection's.
  if (response.status != 304 && !response.live) message.content_length(static_cast<uint64_t>(size));
  if (!head && !response.source) message.body() = response.body;

  error_code error;
  beast_http::response_serializer<beast_http::string_body> serializer(message);
  connection.stream.expires_after(options_.write);
  co_await Through(connection, [&](auto& stream) { return beast_http::async_write(stream, serializer, Into(error)); });
  if (error) co_return false;
  if (!head && response.live) co_return co_await SendLive(connection, *response.live);
  if (head || !response.source) co_return true;

  for (int64_t offset = 0; offset < size;) {
    const int64_t wanted = std::min(options_.block_bytes, size - offset);
    absl::StatusOr<std::string> block = absl::UnavailableError("the pool is full");
    co_await OnPool([&] { block = response.source(offset, wanted); });
    if (!block.ok() || static_cast<int64_t>(block->size()) != wanted) {
      RB_LOG_WARN("http: an answer broke off: {}", block.ok() ? "bytes are missing" : block.status().ToString());
      co_return false;
    }
    connection.stream.expires_after(options_.write);
    co_await Through(connection, [&](auto& stream) { return asio::async_write(stream, asio::buffer(*block), Into(error)); });
    if (error) co_return false;
    offset += wanted;
  }
  co_return true;
}

awaitable<bool> BeastListener::SendLive(Connection& connection, LiveBody& live) {
  const auto place = live_.insert(live_.end(), &live);
  // Set off by whoever puts something; by the clock: time for a beat.
  const auto timer = std::make_shared<asio::steady_timer>(io_);
  live.Attend([this, timer] { asio::post(io_, [timer] { timer->cancel(); }); });
  error_code error;
  while (!error) {
    LiveBody::Waiting waiting = live.Take();
    if (waiting.blocks.empty() && waiting.last) break;
    if (waiting.blocks.empty()) {
      if (draining_) break;
      timer->expires_after(options_.beat);
      error_code woken;
      co_await timer->async_wait(Into(woken));
      if (woken) continue;
      waiting.blocks.push_back(std::make_shared<const std::string>(options_.beat_text));
    }
    std::vector<asio::const_buffer> buffers;
    for (const LiveBody::Block& block : waiting.blocks) buffers.push_back(asio::buffer(*block));
    connection.stream.expires_after(options_.write);
    co_await Through(connection, [&](auto& stream) { return asio::async_write(stream, buffers, Into(error)); });
  }
  live_.erase(place);
  co_return !error;
}

// Closing while the client still sends would reset the connection and take the answer with it: say that nothing more
// comes and read what is on its way, for a moment.
awaitable<void> BeastListener::Linger(Connection& connection) {
  error_code error;
  connection.stream.expires_after(std::chrono::seconds(1));
  StartWaiting(connection);
  // Says that nothing more comes, and hears the same; whatever else is heard stays for the loop below.
  if (connection.tls) co_await connection.tls->async_shutdown(Into(error));
  connection.stream.socket().shutdown(tcp::socket::shutdown_send, error);
  char scratch[4096];
  for (int reads = 0; reads < 64 && !error; ++reads) {
    co_await connection.stream.async_read_some(asio::buffer(scratch), Into(error));
  }
  StopWaiting(connection);
}

awaitable<HttpResponse> BeastListener::Ask(HttpRequest request) {
  HttpResponse response;
  const bool ran = co_await OnPool([&] { response = parts_.handle(request); });
  if (!ran) response = Busy("busy; please try again\n");
  co_return response;
}

awaitable<bool> BeastListener::OnPool(std::function<void()> work) {
  // The waiting handler never leaves this thread: the pool only posts a wake. `Wake` posts it even when the pool throws
  // the work away without running it.
  struct State {
    explicit State(asio::io_context& io) : timer(io, asio::steady_timer::time_point::max()) {}
    asio::steady_timer timer;
    bool ran = false;
    bool done = false;
  };
  struct Wake {
    Wake(asio::io_context& io, std::shared_ptr<State> state) : io(io), state(std::move(state)) {}
    Wake(const Wake&) = delete;
    asio::io_context& io;
    std::shared_ptr<State> state;
    bool ran = false;
    ~Wake() {
      asio::post(io, [state = std::move(state), ran = ran] {
        state->ran = ran;
        state->done = true;
        state->timer.cancel();
      });
    }
  };
  auto state = std::make_shared<State>(io_);
  {
    auto wake = std::make_shared<Wake>(io_, state);
    parts_.submit([wake, &work] {
      work();
      wake->ran = true;
    });
  }
  error_code ignored;
  while (!state->done) co_await state->timer.async_wait(Into(ignored));
  co_return state->ran;
}

}  // namespace

std::unique_ptr<Listener> Listener::Create(ListenerOptions options, ListenerParts parts) {
  return std::make_unique<BeastListener>(std::move(options), std::move(parts));
}

}  // namespace ringback::http
