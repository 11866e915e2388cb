// From a page's records, or from what went wrong, to the HTTP answer. Which address gets which page is routes.h's, what a
// form changes page_actions.h's.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "core/base/clock.h"
#include "core/base/ids.h"
#include "core/blob/blob_store.h"
#include "core/http/http_message.h"
#include "core/http/status_pages.h"
#include "core/store/store.h"
#include "web/page_cache.h"
#include "web/page_html.h"
#include "web/page_state.h"
#include "web/rate_limiter.h"

namespace ringback::web {

using http::HttpRequest;
using http::HttpResponse;

struct RouteParts {
  store::Store* store = nullptr;
  blob::BlobStore* blobs = nullptr;
  Clock* clock = nullptr;
  Random* random = nullptr;
  std::string mail_domain;  // of the calendar entry's UID
  http::StatusParts status;
  PageCache* cache = nullptr;    // nullptr: every page is made anew
  RateLimiter* posts = nullptr;  // how often a client, or a page's visitors together, may press; nullptr: always
};

HttpResponse HtmlResponse(int status, std::string route, absl::StatusOr<std::string> html);

// The same for a page that was shown before.
HttpResponse HtmlResponse(const CachedPage& page);

// What a visitor may know of an error: that there is nothing, or that it is not their fault.
HttpResponse Refused(const HttpRequest& request, std::string route, const absl::Status& status);

// 303: GET that address, relative to this one.
HttpResponse SeeOther(std::string route, std::string location);

// The page as it is now. `view` says which, and what is to be said above it; the rest of it is filled in here.
HttpResponse ShowPage(const RouteParts& parts, const HttpRequest& request, std::string_view token,
                      const PageRecords& records, int status, PageView view);

}  // namespace ringback::web
