// libcurl handles kept with their open connections. Only the *_curl files use this.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "core/base/mutex.h"

namespace ringback::delivery {

struct CurlDelete {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDelete>;

struct CurlListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDelete>;

// Thread-safe. A handle belongs to one thread from Take to Return; its options are reset, its connections are not.
class CurlPool {
 public:
  explicit CurlPool(size_t idle_max);
  CurlHandle Take();
  void Return(CurlHandle handle);

 private:
  const size_t idle_max_;
  Mutex mutex_;
  std::vector<CurlHandle> idle_ RB_GUARDED_BY(mutex_);  // the most recently used last
};

// libcurl takes zero for "no limit"; this never gives zero.
long CurlMillis(absl::Duration duration);

// One line of at most `bytes_max` bytes of UTF-8 for a reason; foreign bytes that are no UTF-8 become '?'.
std::string ReasonLine(absl::string_view text, size_t bytes_max = 300);

}  // namespace ringback::delivery
