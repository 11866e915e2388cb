// The other side of the mail benches: takes every mail, keeps none, and says when. Made to cost less than any client: one
// thread, large reads, and of a mail nothing is looked at but its end.
//
//   ringback-mail-sink       prints "port N", then "MICROSECONDS RECIPIENT" for each mail, as its 250 leaves
//
// Loopback, a free port. Ends with its standard input.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace {

constexpr std::string_view kEnd = "\r\n.\r\n";

struct Connection {
  std::string line;       // an unfinished command, or the last bytes of the mail so far
  bool in_mail = false;
  std::string recipient;
};

void Check(bool good, const char* what) {
  if (good) return;
  std::perror(what);
  std::exit(1);
}

long long Micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

// The bytes of the mail in `data` leave it; what follows its end stays.
void TakeMail(std::string_view* data, Connection* connection, std::string* answers) {
  // The end may lie across two reads: look at the last bytes of the one before too.
  std::string& tail = connection->line;
  const size_t kept = tail.size();
  tail.append(data->substr(0, kEnd.size()));
  size_t end = tail.find(kEnd);
  if (end != std::string::npos) {
    end = end + kEnd.size() - kept;
  } else {
    const void* found = memmem(data->data(), data->size(), kEnd.data(), kEnd.size());
    end = found == nullptr ? data->size() + 1 : static_cast<const char*>(found) - data->data() + kEnd.size();
  }
  if (end > data->size()) {
    if (data->size() >= kEnd.size()) tail.assign(data->substr(data->size() - (kEnd.size() - 1)));
    if (tail.size() >= kEnd.size()) tail.erase(0, tail.size() - (kEnd.size() - 1));
    *data = {};
    return;
  }
  data->remove_prefix(end);
  tail.clear();
  connection->in_mail = false;
  answers->append("250 2.0.0 Ok: queued as 1\r\n");
  std::printf("%lld %s\n", Micros(), connection->recipient.c_str());
}

// False when it is time to hang up.
bool Obey(std::string_view command, Connection* connection, std::string* answers) {
  const std::string_view verb = command.substr(0, 4);
  if (verb == "EHLO") {
    answers->append("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE 100000000\r\n");
  } else if (verb == "RCPT") {
    const size_t from = command.find('<'), to = command.find('>');
    if (from != command.npos && to != command.npos) connection->recipient = command.substr(from + 1, to - from - 1);
    answers->append("250 2.1.5 Ok\r\n");
  } else if (verb == "DATA") {
    connection->in_mail = true;
    connection->line = "\r\n";  // a mail may be empty
    answers->append("354 go on\r\n");
    return true;
  } else if (verb == "QUIT") {
    answers->append("221 2.0.0 Bye\r\n");
    return false;
  } else {
    answers->append("250 2.0.0 Ok\r\n");
  }
  return true;
}

bool TakeCommands(std::string_view* data, Connection* connection, std::string* answers) {
  while (!data->empty() && !connection->in_mail) {
    const size_t end = data->find('\n');
    connection->line.append(data->substr(0, end == data->npos ? end : end + 1));
    if (end == data->npos) {
      *data = {};
      return true;
    }
    data->remove_prefix(end + 1);
    const std::string command = std::exchange(connection->line, "");
    if (!Obey(command, connection, answers)) return false;
  }
  return true;
}

// False when the connection is over.
bool Serve(int fd, Connection* connection) {
  static char buffer[1 << 20];
  const ssize_t got = read(fd, buffer, sizeof buffer);
  if (got <= 0) return false;
  std::string_view data(buffer, static_cast<size_t>(got));
  std::string answers;
  bool going = true;
  while (going && !data.empty()) {
    if (connection->in_mail) {
      TakeMail(&data, connection, &answers);
    } else {
      going = TakeCommands(&data, connection, &answers);
    }
  }
  if (!answers.empty() && write(fd, answers.data(), answers.size()) < 0) return false;
  std::fflush(stdout);
  return going;
}

int Listen() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int buffer_bytes = 1 << 20;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  Check(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  Check(listen(fd, 128) == 0, "listen");
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return fd;
}

void Watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  Check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl");
}

}  // namespace

int main() {
  const int listener = Listen();
  const int epoll = epoll_create1(EPOLL_CLOEXEC);
  Watch(epoll, listener);
  Watch(epoll, STDIN_FILENO);
  std::map<int, Connection> connections;
  for (;;) {
    epoll_event events[64];
    const int ready = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < ready; ++i) {
      const int fd = events[i].data.fd;
      if (fd == STDIN_FILENO) return 0;
      if (fd != listener) {
        if (Serve(fd, &connections[fd])) continue;
        connections.erase(fd);
        close(fd);
        continue;
      }
      const int accepted = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (accepted < 0) continue;
      const int yes = 1;
      setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      constexpr std::string_view kGreeting = "220 sink ESMTP\r\n";
      if (write(accepted, kGreeting.data(), kGreeting.size()) < 0) {
        close(accepted);
        continue;
      }
      Watch(epoll, accepted);
    }
  }
}
