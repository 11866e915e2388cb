// libcurl handles kept with their open connections. Only adapters that speak through libcurl use this.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <vector>

#include "absl/time/time.h"
#include "core/base/mutex.h"

namespace ringback {

struct CurlDelete {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDelete>;

struct CurlListDelete {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using CurlList = std::unique_ptr<curl_slist, CurlListDelete>;

struct CurlUrlDelete {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using CurlUrl = std::unique_ptr<CURLU, CurlUrlDelete>;

// Thread-safe. A handle belongs to one thread from Take to Return or Discard; its options are reset, its connections are
// not.
class CurlPool {
 public:
  explicit CurlPool(size_t idle_max);
  ~CurlPool() { CloseIdle(); }
  CurlHandle Take();
  void Return(CurlHandle handle);
  // Instead of Return when the conversation did not end as it should: libcurl may keep a connection on which an answer is
  // still owed, and the next caller would take it for the answer to his own words. Ends it, without a farewell.
  static void Discard(CurlHandle handle);
  // Ends the idle connections, without a farewell: one that was idle turned out to be dead, and what forgot it (a
  // firewall, a restart) has forgotten the others too. Each would cost a caller his whole deadline.
  void CloseIdle();

 private:
  const size_t idle_max_;
  Mutex mutex_;
  std::vector<CurlHandle> idle_ RB_GUARDED_BY(mutex_);  // the most recently used last
};

// libcurl takes zero for "no limit"; this never gives zero.
long CurlMillis(absl::Duration duration);

}  // namespace ringback
