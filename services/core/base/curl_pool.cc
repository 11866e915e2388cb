#include "core/base/curl_pool.h"

#include <sys/socket.h>

#include <algorithm>

#include "core/base/check.h"

namespace ringback {

CurlPool::CurlPool(size_t idle_max) : idle_max_(idle_max) {
  static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);  // thread-safe by the static
  RB_CHECK(initialised == CURLE_OK);
}

CurlHandle CurlPool::Take() {
  {
    MutexLock lock(&mutex_);
    if (!idle_.empty()) {
      CurlHandle handle = std::move(idle_.back());
      idle_.pop_back();
      return handle;
    }
  }
  CurlHandle handle(curl_easy_init());
  RB_CHECK(handle != nullptr);
  return handle;
}

void CurlPool::Return(CurlHandle handle) {
  curl_easy_reset(handle.get());
  {
    MutexLock lock(&mutex_);
    if (idle_.size() < idle_max_) return idle_.push_back(std::move(handle));
  }
  Discard(std::move(handle));
}

void CurlPool::Discard(CurlHandle handle) {
  curl_socket_t socket = CURL_SOCKET_BAD;
  curl_easy_getinfo(handle.get(), CURLINFO_ACTIVESOCKET, &socket);
  // libcurl would say farewell and wait for the answer, of a server that hangs for the time that a mail may take: nobody's
  // shutdown should.
  if (socket != CURL_SOCKET_BAD) shutdown(socket, SHUT_RDWR);
}

void CurlPool::CloseIdle() {
  std::vector<CurlHandle> idle;
  {
    MutexLock lock(&mutex_);
    idle.swap(idle_);
  }
  for (CurlHandle& handle : idle) Discard(std::move(handle));
}

long CurlMillis(absl::Duration duration) {
  return static_cast<long>(std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, 24LL * 3600 * 1000));
}

}  // namespace ringback
