#include "core/base/curl_pool.h"

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
  // For the farewell when the handle is deleted: a hanging server must not hold up the shutdown.
  curl_easy_setopt(handle.get(), CURLOPT_SERVER_RESPONSE_TIMEOUT, 1L);
  MutexLock lock(&mutex_);
  if (idle_.size() < idle_max_) idle_.push_back(std::move(handle));
}

long CurlMillis(absl::Duration duration) {
  return static_cast<long>(std::clamp<int64_t>(absl::ToInt64Milliseconds(duration), 1, 24LL * 3600 * 1000));
}

}  // namespace ringback
