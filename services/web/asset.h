// A script or a style that everybody gets alike: as it is, and compressed, once, for those who take that. Only for what holds
// nothing of anybody: how well a secret is compressed with a stranger's words tells the secret (BREACH).
#pragma once

#include <string>
#include <string_view>

#include "core/http/http_message.h"

namespace ringback::web {

using http::HttpRequest;
using http::HttpResponse;

class Asset {
 public:
  // Compresses it, which takes some milliseconds.
  Asset(std::string content_type, std::string text);

  // 200 with what the client takes, or 304 to whoever has just that. `caching`: the value of Cache-Control. For GET and HEAD.
  HttpResponse Answer(const HttpRequest& request, std::string route, std::string caching) const;

  const std::string& text() const { return plain_.bytes; }

 private:
  struct Form {
    std::string bytes;
    std::string etag;  // of these bytes: each form has its own (RFC 9110, 8.8.3)
  };

  std::string content_type_;
  Form plain_;
  Form gzip_;  // empty where it would be no smaller
};

// Does an Accept-Encoding header allow gzip (RFC 9110, 12.5.3)? Where none is sent: no.
bool TakesGzip(std::string_view accept_encoding);

}  // namespace ringback::web
